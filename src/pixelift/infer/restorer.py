"""A network as a plain function from LR to SR that can be sent to other processes."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pixelift.image.depth import to_float
from pixelift.infer.auto import refuse_auto
from pixelift.infer.upscaler import Upscaler


@dataclass(frozen=True, slots=True)
class Restorer:
    """Says which network to use; it is loaded when it is first called, once in each process."""

    model: str
    """Name of a packaged network, or path of an .onnx file."""
    scale: int
    """HR pixels per LR pixel along each axis."""
    threads: int | None = 1
    """Processor threads of each process; None takes all cores."""

    def open(self) -> Upscaler:
        """Load the network, to find out whether it can be.

        Returns:
            The upscaler that calls in this process will use.

        Raises:
            UnknownNameError: There is no such model, or not for this scale.
            WeightsError: The model's file is damaged.
            EngineUnavailableError: The engine is not installed.
        """
        return _open(self)

    def __call__(self, lr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Enlarge a picture.

        Args:
            lr: (h, w, 3) uint8 RGB.

        Returns:
            (h * scale, w * scale, 3) float32 RGB in [0, 1], not rounded.

        Raises:
            OutOfMemoryError: Memory is too small even for the smallest tile.
        """
        sr: NDArray[np.float32] = self.open().upscale(to_float(lr)).astype(np.float32, copy=False)
        return sr


# One network at a time: a set is measured by one.
@lru_cache(maxsize=1)
def _open(restorer: Restorer) -> Upscaler:
    # float32, since bf16 is not the same on every machine, and the set's bytes are to be.
    refuse_auto(restorer.model, "a training set")
    return Upscaler(restorer.model, scale=restorer.scale, precision="f32", threads=restorer.threads)
