"""Films, frame by frame: decoded, enlarged, encoded, and joined with the sound that they had."""
