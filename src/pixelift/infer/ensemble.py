"""Self-ensemble: the mean over the eight flips and rotations, and how far the eight are apart."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelift.image.dihedral import DIHEDRAL, inverse, transform
from pixelift.image.geometry import Box
from pixelift.image.rows import Samples
from pixelift.infer.channels import LUMA_WEIGHTS
from pixelift.infer.engine import Engine, Precision, samples_by_planes
from pixelift.zoo.card import Card


class EnsembleEngine:
    """An engine that asks another one eight times and takes the mean.

    It stands where any engine stands: a tile turned with its halo is the tile of the turned
    picture, so that tiles stay exact.

    Paper: R. Timofte et al., "Seven ways to improve example-based single image super resolution",
        CVPR 2016, section 3.6; B. Lim et al., CVPR workshops 2017 (EDSR), section 3.4.
    """

    def __init__(self, engine: Engine) -> None:
        """Wrap an engine.

        Args:
            engine: What is asked.
        """
        self.inner: Final = engine
        self.lean: Final = ()

    @property
    def card(self) -> Card:
        """What the network promises."""
        return self.inner.card

    @property
    def name(self) -> str:
        """Which engine it is."""
        return self.inner.name

    @property
    def precision(self) -> Precision:
        """Arithmetic of the trained part."""
        return self.inner.precision

    def __call__(self, lr: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Enlarge one array; see `Engine`."""
        results = _eight(self.inner, lr)
        total = next(results)
        for sr in results:
            total += sr
        total /= np.float32(len(DIHEDRAL))
        return _nchw(total)

    def samples(self, lr: Samples, /, *, keep: Box) -> Samples:
        """Enlarge samples and keep a part; see `Engine`."""
        return samples_by_planes(self, lr, keep)


class SpreadEngine(EnsembleEngine):
    """The mean, and as one more plane how far the eight results are apart."""

    def __call__(self, lr: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Enlarge one array.

        Args:
            lr: (1, C, H, W) in [0, 1].

        Returns:
            (1, C + 1, scale * H, scale * W): the mean, and the standard deviation of the luma of
            the eight results, in 8-bit levels divided by 255.
        """
        results = _eight(self.inner, lr)
        total = next(results)
        first = _luma(total)
        # Of differences from the first result: of the values themselves only rounding errors
        # would be left. The first one's own difference is 0.
        apart, square = np.zeros((2, *first.shape), np.float32)
        for sr in results:
            difference = _luma(sr) - first
            apart += difference
            square += np.square(difference, out=difference)
            total += sr
        count = np.float32(len(DIHEDRAL))
        variance = square / count - np.square(apart / count)
        spread = np.sqrt(np.maximum(variance, 0))
        return _nchw(np.concatenate([total / count, spread[..., None]], axis=2))


def _luma(image: NDArray[np.float32]) -> NDArray[np.float32]:
    luma: NDArray[np.float32] = image @ LUMA_WEIGHTS if image.shape[2] == 3 else image[..., 0]
    return luma.copy()


def _eight(engine: Engine, lr: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Hand out the eight results, each turned back: (H, W, C), the receiver's to keep."""
    image = lr[0].transpose(1, 2, 0)
    for code in DIHEDRAL:
        sr = engine(_nchw(transform(image, code)))[0].transpose(1, 2, 0)
        yield np.ascontiguousarray(inverse(sr, code))


def _nchw(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(image.transpose(2, 0, 1)[None])
