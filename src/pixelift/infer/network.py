"""One network and what it makes of a tile: any picture's channels through those that it takes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelift.image.depth import to_float
from pixelift.image.geometry import Box
from pixelift.image.rows import Samples, as_type
from pixelift.infer.channels import enlarge_colour, enlarge_transparent
from pixelift.infer.engine import Engine
from pixelift.zoo.card import Card

PLAIN = 3
"""Channels of a tile that needs no policy: RGB without alpha, for a network that takes RGB."""


class Network:
    """A network that is ready to run on tiles of pictures."""

    def __init__(self, engine: Engine) -> None:
        """Take an engine.

        Args:
            engine: What runs the network.
        """
        self._engine = engine

    @property
    def card(self) -> Card:
        """What the network promises."""
        return self._engine.card

    @property
    def engine(self) -> Engine:
        """What runs the network."""
        return self._engine

    def is_lean(self, bands: int, dtype: np.dtype[Any]) -> bool:
        """Say whether large tiles need little memory.

        Args:
            bands: Colours and alpha of the tiles.
            dtype: Type of their samples, and of the result's.
        """
        return self._is_plain(bands, dtype) and dtype.name in self._engine.lean

    def restore(
        self, tile: Samples, keep: Box, *, has_alpha: bool, dtype: np.dtype[Any]
    ) -> Samples:
        """Enlarge a tile, and keep a part of the result.

        Args:
            tile: (H, W, C) with 1 or 3 colours, and alpha behind them.
            keep: What is kept of the result, in HR pixels.
            has_alpha: Whether the last channel is alpha.
            dtype: Type of the result: uint8, uint16 or float32.

        Returns:
            (keep.height, keep.width, C), clipped, and rounded where it is of integers.

        Raises:
            OutOfMemoryError: There is not enough memory for a tile of this size.
        """
        if self._is_plain(tile.shape[2], tile.dtype) and tile.dtype == dtype:
            # The way of nearly all photos: the engine converts by itself, at next to no cost.
            return self._engine.samples(tile, keep=keep)
        samples = to_float(tile)
        if not has_alpha:
            return as_type(self._enlarge(samples)[keep.slices], dtype)
        colour, alpha = enlarge_transparent(samples[..., :-1], samples[..., -1], self._enlarge)
        sr = np.concatenate([colour[keep.slices], alpha[keep.slices][..., None]], axis=2)
        return as_type(sr, dtype)

    def _is_plain(self, bands: int, dtype: np.dtype[Any]) -> bool:
        return bands == self.card.planes == PLAIN and dtype != np.float32

    def _enlarge(self, colour: NDArray[np.float32]) -> NDArray[np.float32]:
        card = self._engine.card
        return enlarge_colour(colour, self._run, channels=card.channels, scale=card.scale)

    def _run(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        sr = self._engine(np.ascontiguousarray(planes.transpose(2, 0, 1)[None]))
        result: NDArray[np.float32] = sr[0].transpose(1, 2, 0)
        return result
