"""From a trained network to the file that crosses to the light wing (torch wing)."""
