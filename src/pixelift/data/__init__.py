"""From a prepared set to training batches (torch wing)."""
