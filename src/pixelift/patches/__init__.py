"""Content-aware preparation: measure where a photo carries information, and train on that."""
