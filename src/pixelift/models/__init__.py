"""Networks, one file each, written from the papers (torch wing)."""
