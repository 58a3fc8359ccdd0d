"""Many pictures in one go: which input becomes which output, and one failure costs one picture."""
