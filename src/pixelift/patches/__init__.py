"""Content-aware preparation: measure where a photo carries information, and keep that for training."""
