"""An upscaler that looks at each picture and takes the network that fits what became of it."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelift.image.depth import to_float
from pixelift.image.geometry import MAX_PIXELS
from pixelift.image.read_rows import open_rows
from pixelift.image.rows import Rows
from pixelift.infer.effort import DEFAULT_MODEL
from pixelift.infer.upscaler import Upscaler
from pixelift.patches.condition import BLOCK, SIDE, judge
from pixelift.zoo.store import list_models

AUTO = "auto"
"""What to call it on the command line, in place of a model."""

PHOTO_MODEL = "photo"
"""The network for pictures that are noisy, compressed or blurred."""


class AutoUpscaler(Upscaler):
    """The clean network, which knows when the photo network fits a picture better."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - those of Upscaler
        """Load the clean network; the photo network is loaded when a picture needs it.

        Args:
            **options: See `Upscaler`; all but the model and the effort.

        Raises:
            PixeliftError: See `Upscaler`.
        """
        super().__init__(DEFAULT_MODEL, **options)
        self._options = options
        self._has_photo = any(card.name == PHOTO_MODEL for card in list_models())
        self._photo: Upscaler | None = None
        self._loading = threading.Lock()

    def choose(self, path: Path, *, max_pixels: int = MAX_PIXELS) -> tuple[Upscaler, str]:
        """Look at a picture and choose its network.

        Args:
            path: The file; decoded down to its middle.
            max_pixels: Refuse larger pictures before any of their pixels is decoded.

        Returns:
            What to enlarge it with, and why in a few words.

        Raises:
            ImageReadError: The file cannot be read.
            PixeliftError: The photo network cannot be loaded, see `Upscaler`.
        """
        if not self._has_photo:
            return self, f"there is no {PHOTO_MODEL} model"
        with open_rows(path, max_pixels=max_pixels) as rows:
            condition = judge(_middle(rows))
        return (self._open_photo() if condition.is_degraded else self), condition.reason

    def _open_photo(self) -> Upscaler:
        with self._loading:  # pictures are made by several threads
            if self._photo is None:
                self._photo = Upscaler(PHOTO_MODEL, **self._options)
            return self._photo


def _middle(rows: Rows) -> NDArray[np.float32]:
    """Take the rows around the middle, beginning on the grid of blocks, and no row below them."""
    top = max(0, (rows.header.size.height - SIDE) // 2) // BLOCK * BLOCK
    taken, passed = [], 0
    for band in rows.bands:
        part = band[max(0, top - passed) : max(0, top + SIDE - passed), :, : rows.header.channels]
        passed += len(band)
        if part.size:
            taken.append(np.array(to_float(part)))
        if passed >= top + SIDE:
            break
    return np.concatenate(taken)
