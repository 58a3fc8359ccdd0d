"""From a picture to a larger one: engines run a network, tiles bound its memory."""
