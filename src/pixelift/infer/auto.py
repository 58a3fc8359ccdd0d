"""An upscaler that looks at each picture: which network fits it, and whether to soften it first."""

import copy
import itertools
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pixelift.image.depth import to_float
from pixelift.image.geometry import MAX_PIXELS
from pixelift.image.read_rows import open_rows
from pixelift.image.rows import Rows, Samples
from pixelift.infer.effort import DEFAULT_MODEL
from pixelift.infer.target import Target
from pixelift.infer.tiling import Progress
from pixelift.infer.upscaler import Upscaler
from pixelift.patches.condition import BLOCK, SIDE, Condition, judge
from pixelift.zoo.store import list_models

T = TypeVar("T")

AUTO = "auto"
"""What to call it on the command line, in place of a model."""

PHOTO_MODEL = "photo"
"""The network for pictures that are noisy, compressed or blurred."""


class AutoUpscaler(Upscaler):
    """A network, and what suits each picture: the photo network in its place, and softening.

    `upscale`, `picture` and `rows` look at each picture; `choose` only says with what it would be
    enlarged, for those who want to tell.

    Example:
        upscaler = pixelift.AutoUpscaler(scale=2)
        larger = [upscaler.upscale(image) for image in images]
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = AUTO,
        *,
        soften: float | None = None,
        **options: Any,  # noqa: ANN401 - those of Upscaler
    ) -> None:
        """Load a network; the photo network is loaded when a picture needs it.

        Args:
            model: "auto" for the network for clean pictures, and the one for photos where a picture
                is degraded; or what `Upscaler` takes, for that network alone.
            soften: As for `Upscaler`; None looks at each picture.
            **options: See `Upscaler`; without an effort where the model is "auto".

        Raises:
            PixeliftError: See `Upscaler`.
        """
        super().__init__(DEFAULT_MODEL if model == AUTO else model, soften=soften or 0.0, **options)
        self._options = options
        self._softens = soften is None
        self._is_free = model == AUTO
        self._has_photo = self._is_free and any(c.name == PHOTO_MODEL for c in list_models())
        self._photo: Upscaler | None = None
        self._is_chosen = False
        self._loading = threading.Lock()

    def choose(self, source: Path | bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[Upscaler, str]:
        """Look at a picture and choose its network, and how much it is softened.

        Args:
            source: The file, or its bytes; decoded down to its middle.
            max_pixels: Refuse larger pictures before any of their pixels is decoded.

        Returns:
            What to enlarge it with, and why in a few words.

        Raises:
            ImageReadError: The file cannot be read.
            PixeliftError: The photo network cannot be loaded, see `Upscaler`.
        """
        with open_rows(source, max_pixels=max_pixels) as rows:
            return self._choose(judge(_middle(rows)))

    def rows(
        self, rows: Rows, *, dtype: DTypeLike = np.float32, progress: Progress | None = None
    ) -> Rows:
        """Look at a picture that passes by and enlarge it with what suits it: see `Upscaler.rows`.

        What lies above its middle waits in memory; `choose` looks at files without that.

        Args:
            rows: The picture; used up by what is returned.
            dtype: Type of the samples of the result: uint8, uint16 or float32.
            progress: Told after each tile which share is done; what it raises ends the work.

        Returns:
            The enlarged picture, made while its rows are taken.

        Raises:
            PixeliftError: See `Upscaler.rows` and `choose`.
        """
        if self._is_chosen:
            return super().rows(rows, dtype=dtype, progress=progress)
        bands, seen = iter(rows.bands), []

        def kept() -> Iterator[Samples]:
            for band in bands:
                seen.append(band)
                yield band

        chosen, _ = self._choose(judge(_middle(Rows(rows.header, kept()))))
        again = Rows(rows.header, itertools.chain(seen, bands))
        return chosen.rows(again, dtype=dtype, progress=progress)

    def _choose(self, condition: Condition) -> tuple[Upscaler, str]:
        if condition.is_degraded and self._has_photo:
            return self._open_photo(), condition.reason
        if self._softens and condition.soften:
            told = f"{condition.reason}, softened by {condition.soften:.2f}"
            return self._decided(condition.soften), told
        return self._decided(self._soften), condition.reason if self._is_free else "not softened"

    def _decided(self, share: float) -> Upscaler:
        """Make the same upscaler, networks and all, that softens by so much and looks no more."""
        decided = copy.copy(self)
        decided._soften, decided._is_chosen = share, True
        return decided

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


def upscale(
    image: T,
    *,
    scale: float | Target | None = None,
    model: str | os.PathLike[str] = DEFAULT_MODEL,
    engine: str = "auto",
    precision: str = "auto",
    tile: int | None = None,
    threads: int | None = None,
) -> T:
    """Enlarge one image; for several, an `Upscaler` loads the network only once.

    Args:
        image: numpy array, PIL image, bytes of a picture file, or Picture: see
            `Upscaler.upscale`.
        scale: See `Upscaler`, as all that follow.
        model: See `Upscaler`; or "auto", as on the command line: degraded pictures go to the photo
            network, and too crisp ones are softened first.
        engine: See `Upscaler`.
        precision: See `Upscaler`.
        tile: See `Upscaler`.
        threads: See `Upscaler`.

    Returns:
        The enlarged image, of the same kind.

    Raises:
        PixeliftError: See `Upscaler` and `Upscaler.upscale`.
    """
    open_model = AutoUpscaler if model == AUTO else Upscaler
    upscaler = open_model(
        model, scale=scale, engine=engine, precision=precision, tile=tile, threads=threads
    )
    return upscaler.upscale(image)
