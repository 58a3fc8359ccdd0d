"""Training: recipe in, run folder out (torch wing)."""
