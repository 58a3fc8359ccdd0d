"""Pixels: sizes, depths, colour, resizing, reading and writing. Knows no network."""
