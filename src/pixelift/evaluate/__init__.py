"""Measuring a model on a set of pictures, and the tables that come of it."""
