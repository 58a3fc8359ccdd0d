"""Which photos are the same photo: saved again, made smaller, or slightly retouched."""

from functools import lru_cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import EngineUnavailableError, ShapeError

HASH_BITS = 64
"""Length of a perceptual hash."""

_SIDE, _LOW = 32, 8
_SAMPLES_PER_SIDE = 256  # eight for each of the 32 that the hash is made of
_BITS_OF_BYTE = np.array([value.bit_count() for value in range(256)], np.uint8)


def perceptual_hash(rgb: NDArray[np.uint8]) -> str:
    """Describe what a photo shows in 64 bits, which change little when it is saved again.

    Mirrored and rotated photos have other hashes: they are not the same examples.

    Args:
        rgb: (H, W, 3) uint8 RGB, or (H, W, 1) grey; any size.

    Returns:
        16 hexadecimal digits.

    Raises:
        ShapeError: The array is not uint8 of such a shape, or is empty.
        EngineUnavailableError: Pillow is not installed.

    Paper: C. Zauner, "Implementation and benchmarking of perceptual image hash functions",
        thesis, Hagenberg 2010, section 3.2.1: signs of the lowest 8x8 cosine coefficients of the
        picture at 32x32. We take every n-th pixel first, which makes the cost that of a small
        picture and moves about one bit.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] not in (1, 3) or 0 in rgb.shape:
        raise ShapeError(
            f"picture is {rgb.dtype} {rgb.shape}; allowed is uint8 (H, W, 3) or (H, W, 1), not "
            "empty. Round it to 8 bits."
        )
    image = require_pillow()
    height, width = rgb.shape[:2]
    down, right = (max(1, n // _SAMPLES_PER_SIDE) for n in (height, width))
    few = np.ascontiguousarray(rgb[down // 2 :: down, right // 2 :: right])
    picture = image.fromarray(few[..., 0] if few.shape[2] == 1 else few)
    grey = picture.convert("L").resize((_SIDE, _SIDE), image.Resampling.LANCZOS)
    cosines = _cosines()
    low = cosines @ np.asarray(grey, np.float64) @ cosines.T
    return np.packbits(low > np.median(low)).tobytes().hex()


@lru_cache(maxsize=1)
def _cosines() -> NDArray[np.float64]:
    """Lowest rows of the cosine transform (DCT-II) of 32 samples, not normalised."""
    k, n = np.arange(_LOW)[:, None], np.arange(_SIDE)
    return 2 * np.cos(np.pi * k * (2 * n + 1) / (2 * _SIDE))


def hamming(first: str, second: str) -> int:
    """Count the bits in which two hashes differ.

    Args:
        first: Hexadecimal digits.
        second: As many.

    Returns:
        0 for the same hash, 64 at most; about 32 for two photos that have nothing in common.

    Example:
        >>> hamming("00000000000000ff", "00000000000000fe")
        1
    """
    return (int(first, 16) ^ int(second, 16)).bit_count()


class DuplicateFinder:
    """Remembers the hashes of photos and finds the one that another photo repeats."""

    def __init__(self, limit: int) -> None:
        """Start without any photo.

        Args:
            limit: Bits by which the hashes of two versions of one photo may differ.
        """
        self._limit = limit
        self._hashes = np.empty(64, np.uint64)
        self._names: list[str] = []

    def add(self, phash: str, name: str) -> None:
        """Remember a photo.

        Args:
            phash: What `perceptual_hash` gave.
            name: Under which it will be found.
        """
        count = len(self._names)
        if count == len(self._hashes):
            self._hashes = np.concatenate([self._hashes, np.empty_like(self._hashes)])
        self._hashes[count] = int(phash, 16)
        self._names.append(name)

    def nearest(self, phash: str) -> tuple[str, int] | None:
        """Find the remembered photo that is most alike, however far away.

        Args:
            phash: What `perceptual_hash` gave.

        Returns:
            Its name and the distance in bits; of several as near, the one remembered first. None
            where none is remembered.
        """
        if not self._names:
            return None
        differing = self._hashes[: len(self._names)] ^ np.uint64(int(phash, 16))
        # numpy counts bits by itself only from version 2 on.
        distances = _BITS_OF_BYTE[differing.view(np.uint8).reshape(-1, 8)].sum(axis=1)
        index = int(distances.argmin())
        return self._names[index], int(distances[index])

    def find(self, phash: str) -> str | None:
        """Find the remembered photo of which this is another version.

        Args:
            phash: What `perceptual_hash` gave.

        Returns:
            Its name, or None where no photo is as near as the limit.
        """
        match = self.nearest(phash)
        return match[0] if match and match[1] <= self._limit else None


def require_pillow() -> ModuleType:
    """Import what makes photos small enough to be compared, also before the long work needs it.

    Returns:
        Pillow's `Image`.

    Raises:
        EngineUnavailableError: Pillow is not installed.
    """
    try:
        from PIL import Image  # noqa: PLC0415 - optional package, owned by this file
    except ImportError as error:
        raise EngineUnavailableError(
            "near-duplicates are found with Pillow, which is not installed. "
            "Run: pip install 'pixelift[train]'"
        ) from error
    return Image
