"""The whole path of a picture: what the caller has, through tiles and engine, and back again."""

import math
import os
from fractions import Fraction
from types import ModuleType
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pixelift.errors import ConfigError, ShapeError, UnknownNameError
from pixelift.image.encode import sample_type
from pixelift.image.formats import FORMATS
from pixelift.image.geometry import Size
from pixelift.image.picture import Depth, Picture
from pixelift.image.read_rows import open_rows
from pixelift.image.rows import Header, Rows, Samples, collect, gather, picture_rows
from pixelift.image.soften import MOST as MOST_SOFTENED
from pixelift.image.soften import soften_rows
from pixelift.image.write import encode_rows
from pixelift.infer.effort import DEFAULT_MODEL as DEFAULT_MODEL
from pixelift.infer.effort import Effort
from pixelift.infer.family import Family
from pixelift.infer.images import array_of_pil, as_channels, checked_floats, pil_of, pil_of_array
from pixelift.infer.network import Network
from pixelift.infer.route import Router
from pixelift.infer.stages import enlarge_rows
from pixelift.infer.target import Target, as_target, choose_chain
from pixelift.infer.tiling import Progress
from pixelift.zoo.card import Card
from pixelift.zoo.store import DEFAULT_SCALE

T = TypeVar("T")

DEPTHS: dict[int, Depth] = {1: 8, 2: 16, 4: 32}
"""Depth by the bytes of a sample."""

KINDS = "a numpy array, a PIL image, the bytes of a picture file, or a pixelift.Picture"


class Upscaler:
    """A network that is ready to enlarge pictures; reusable, also from several threads.

    Example:
        upscaler = pixelift.Upscaler(scale=4)
        larger = [upscaler.upscale(image) for image in images]
    """

    def __init__(  # noqa: PLR0913 - each says something else of how a picture is enlarged
        self,
        model: str | os.PathLike[str] = DEFAULT_MODEL,
        *,
        scale: float | Target | None = None,
        effort: Effort | None = None,
        ensemble: bool = False,
        soften: float = 0.0,
        engine: str = "auto",
        precision: str = "auto",
        tile: int | None = None,
        threads: int | None = None,
    ) -> None:
        """Find, verify and load a network.

        Args:
            model: Name of a packaged network, or path of an .onnx file that Pixelift exported.
            scale: Any factor from 1 to 16, or a `Target`: a width, a height or a number of
                megapixels. The nearest trained scale at or above it, or two of them one after the
                other, and one careful resize to the exact size. None takes the scale that the
                model's name or file tells, and else 4.
            effort: "low", "auto", "high" or a positive number chooses the packaged networks
                instead of `model`: "auto" gives each part of a picture as much network as there
                is to restore, a number more or less of it; see docs/effort.md.
            ensemble: Take the mean over the eight flips and rotations: eight times the work.
            soften: Share that each pixel gives to its neighbours first, up to 0.2: for pictures
                that were sharpened, or shrunk without antialiasing, which networks draw hatches
                into. See `pixelift.image.soften`.
            engine: "openvino", "onnxruntime", or "auto" for the faster of those installed.
            precision: "f32", "bf16", "int8", or "auto" for the fastest that the processor has and
                that loses at most 0.02 dB of PSNR-Y with this network.
            tile: Side of a tile's core in LR pixels; smaller needs less memory. None chooses.
            threads: Processor threads; None takes all cores.

        Raises:
            UnknownNameError: There is no such model.
            WeightsError: The model's file is damaged.
            ConfigError: An option that makes no sense, or a factor that the model does not reach.
            EngineUnavailableError: The engine is not installed.
        """
        if model == "auto":
            raise UnknownNameError(
                'no model "auto": an Upscaler has one network for all pictures. Take '
                "pixelift.AutoUpscaler, which looks at each."
            )
        if tile is not None and tile < 1:
            raise ConfigError(
                f"tile is {tile}; allowed are numbers from 1 up. Leave it out to have it chosen."
            )
        if not 0 <= soften <= MOST_SOFTENED:
            raise ConfigError(f"soften is {soften:g}; allowed are 0 to {MOST_SOFTENED}. Choose 0.1")
        self._soften = soften
        self._family = Family(
            model,
            effort=effort,
            ensemble=ensemble,
            engine=engine,
            precision=precision,
            threads=threads,
        )
        scales = self._family.scales
        usual = DEFAULT_SCALE if DEFAULT_SCALE in scales else scales[-1]
        self._target = Target(scale=Fraction(usual)) if scale is None else as_target(scale)
        factor = self._target.scale
        sizes = Size(1, 1), Size(math.ceil(factor), math.ceil(factor)) if factor else Size(1, usual)
        # Opened at once, so that whatever is wrong with it is told before any work on pictures.
        self._first = self._family.network(choose_chain(*sizes, scales=scales)[0])
        self._tile = tile

    @property
    def card(self) -> Card:
        """What the network promises: its scale, size, licence and scores; the first of two."""
        return self._first.card

    @property
    def network(self) -> Network | Router:
        """What enlarges: one network, or a choice between two; the first of a chain."""
        return self._first

    @property
    def scale(self) -> float | None:
        """Factor that both sides are enlarged by; None where another target than a factor is."""
        factor = self._target.scale
        if factor is None:
            return None
        return int(factor) if factor.denominator == 1 else float(factor)

    @property
    def target(self) -> Target:
        """What was asked for."""
        return self._target

    @property
    def engine(self) -> str:
        """What runs the network: "openvino" or "onnxruntime"."""
        return self._first.engine.name

    @property
    def precision(self) -> str:
        """Arithmetic of the trained part of the network: "f32", "bf16" or "int8"."""
        return self._first.engine.precision

    def upscale(self, image: T) -> T:
        """Enlarge an image of any of the kinds that Python programs hold, into the same kind.

        The image itself is never changed.

        Args:
            image: One of

                - numpy array (H, W), (H, W, 1), (H, W, 2), (H, W, 3) or (H, W, 4): grey, grey with
                  alpha, RGB, RGB with alpha. uint8, uint16, or float32 or float64 in [0, 1]; floats
                  that overshoot by up to 1/255 are clipped. Either byte order.
                - PIL image; palettes, CMYK and 1-bit images become RGB or grey. Of mode I with
                  values from 0 to 65535, of mode F from 0 to 1.
                - The bytes of a picture file; encoded again in the same format.
                - Picture.

        Returns:
            The enlarged image: arrays of the same type and number of axes, values in [0, 1] or
            the whole range of the integers.

        Raises:
            ShapeError: The image has a shape, type or range that is not listed above.
            ImageReadError: The bytes are no picture.
            ImageWriteError: The bytes are of a format that can be read and not written.
            OutOfMemoryError: Memory is too small even for the smallest tile.
        """
        return cast("T", self._upscale(image))

    def picture(self, picture: Picture, *, progress: Progress | None = None) -> Picture:
        """Enlarge a picture; depth, profile, all that describes it, and format are carried over.

        Args:
            picture: The picture; not changed.
            progress: Told after each tile which share is done; what it raises ends the work.

        Returns:
            The enlarged picture, values in [0, 1].

        Raises:
            OutOfMemoryError: Memory is too small even for the smallest tile.
        """
        return collect(self.rows(picture_rows(picture), progress=progress))

    def rows(
        self, rows: Rows, *, dtype: DTypeLike = np.float32, progress: Progress | None = None
    ) -> Rows:
        """Enlarge a picture that passes by, so that a large one needs little memory.

        The same pixels as `picture` makes. `pixelift.image.read_rows` and `write_rows` have the
        two ends: what a file holds and what it is to hold.

        Args:
            rows: The picture; used up by what is returned.
            dtype: Type of the samples of the result: uint8, uint16 or float32.
            progress: Told after each tile which share is done; what it raises ends the work.

        Returns:
            The enlarged picture, made while its rows are taken.

        Raises:
            ShapeError: The picture can not become as large as was asked for.
            OutOfMemoryError: While rows are taken: memory is too small for the smallest tile.
        """
        size = rows.header.size
        wanted = self._target.size_of(size)
        chain = choose_chain(size, wanted, scales=self._family.scales)
        networks = [self._family.network(scale) for scale in chain]
        return enlarge_rows(
            soften_rows(rows, self._soften),
            networks,
            size=wanted,
            dtype=np.dtype(dtype),
            tile=self._tile,
            progress=progress,
        )

    def size_of(self, size: Size) -> Size:
        """Tell the exact size of the result of a picture.

        Args:
            size: Size of the picture.

        Returns:
            Size of the result.

        Raises:
            ShapeError: The picture can not become as large as was asked for.
        """
        return self._target.size_of(size)

    def _upscale(self, image: object) -> object:
        if isinstance(image, Picture):
            return self.picture(image)
        if isinstance(image, bytes | bytearray):
            return type(image)(self._bytes(bytes(image)))
        if isinstance(image, np.ndarray):
            return self._array(image)
        pil = pil_of(image)
        if pil is not None:
            return self._pil(image, pil)
        raise ShapeError(
            f"cannot upscale {type(image).__module__}.{type(image).__qualname__}; allowed is "
            f"{KINDS}. For a file, give upscale(read_picture(path))."
        )

    def _bytes(self, image: bytes) -> bytes:
        with open_rows(image) as rows:
            fmt = FORMATS[rows.header.format or "png"]
            sr = self.rows(rows, dtype=sample_type(rows.header, fmt))
            return encode_rows(sr, fmt.name)

    def _array(self, array: NDArray[Any]) -> NDArray[Any]:
        view = as_channels(array)
        samples: Samples = view if view.dtype.kind == "u" else checked_floats(view)
        has_alpha = samples.shape[2] in (2, 4)
        header = Header(
            Size(samples.shape[0], samples.shape[1]),
            samples.shape[2] - has_alpha,
            has_alpha=has_alpha,
            depth=DEPTHS[samples.dtype.itemsize],
        )
        result = gather(
            self.rows(Rows(header, iter([samples])), dtype=samples.dtype), samples.dtype
        )
        result = result[..., 0] if array.ndim == 2 else result
        return result.astype(array.dtype, copy=False)

    def _pil(self, image: Any, pil: ModuleType) -> object:  # noqa: ANN401  (PIL is not imported)
        result = pil_of_array(self._array(array_of_pil(image)), image.mode, pil)
        # As PIL's own resize does: profile, EXIF and resolution go with the pixels.
        result.info = {k: v for k, v in image.info.items() if k != "transparency"}
        return cast("object", result)
