"""How long the tests wait for what has to come."""

PATIENCE = 300
"""Seconds after which a test gives up: no busy machine takes so long, only what hangs."""
