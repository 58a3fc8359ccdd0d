"""The whole path of a picture: what the caller has, through tiles and engine, and back again."""

import copy
import math
import os
from fractions import Fraction
from types import ModuleType
from typing import Any, cast, overload

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pixelift.errors import ConfigError, ShapeError
from pixelift.image.encode import sample_type
from pixelift.image.formats import FORMATS
from pixelift.image.geometry import MAX_PIXELS, Size
from pixelift.image.picture import Picture
from pixelift.image.read import read_picture
from pixelift.image.read_rows import open_rows
from pixelift.image.rows import Header, Rows, Samples, collect, gather, picture_rows
from pixelift.image.source import FilePath, Source
from pixelift.image.write import encode_rows
from pixelift.infer.auto import AUTO, PHOTO_MODEL, has_photo_model, look, middle_and_all, middle_of
from pixelift.infer.consistency import sigma_of
from pixelift.infer.effort import DEFAULT_MODEL as DEFAULT_MODEL
from pixelift.infer.effort import Effort
from pixelift.infer.engine import EngineChoice, Precision, PrecisionChoice
from pixelift.infer.family import Family
from pixelift.infer.images import (
    DEPTHS,
    KINDS,
    Image,
    array_of_pil,
    as_channels,
    checked_floats,
    pil_of,
    pil_of_array,
)
from pixelift.infer.network import Network
from pixelift.infer.route import Router
from pixelift.infer.stages import enlarge_rows
from pixelift.infer.target import Target, as_target, choose_chain
from pixelift.infer.tiling import Progress
from pixelift.zoo.card import Card
from pixelift.zoo.store import DEFAULT_SCALE


class Upscaler:
    """What is ready to enlarge pictures; reusable, also from several threads.

    Without a model it looks at each picture: one that is noisy, compressed, sharpened or anything
    else that networks for clean pictures do not know goes to the network for photos. With a model,
    all pictures go to that one.

    Example:
        upscaler = pixelift.Upscaler(scale=4)
        larger = [upscaler.upscale(image) for image in images]
    """

    def __init__(  # noqa: PLR0913 - each says something else of how a picture is enlarged
        self,
        model: str | os.PathLike[str] = AUTO,
        *,
        scale: float | Fraction | Target | None = None,
        effort: Effort | None = None,
        ensemble: bool = False,
        consistent: bool | None = None,
        engine: EngineChoice = "auto",
        precision: PrecisionChoice = "auto",
        tile: int | None = None,
        threads: int | None = None,
    ) -> None:
        """Find, verify and load a network; that for photos is loaded when a picture needs it.

        Args:
            model: "auto" looks at each picture; or the name of a packaged network, or the path of
                an .onnx file.
            scale: Any factor from 1 to 16, or a `Target`: a width, a height or a number of
                megapixels. The nearest trained scale at or above it, or two of them one after the
                other, and one careful resize to the exact size. None takes the scale that the
                model's name or file tells, and else 4.
            effort: "low", "auto", "high" or a positive number chooses the packaged networks
                instead of `model`: "auto" gives each part of a picture as much network as there
                is to restore, a number more or less of it; see docs/effort.md.
            ensemble: Take the mean over the eight flips and rotations: eight times the work.
            consistent: Change results as little as can be so that bicubic downscaling gives the
                picture back; "photo" and "vivid" so in the mean of small areas only. None does it
                for "vivid". See docs/consistent.md.
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
        if tile is not None and tile < 1:
            raise ConfigError(
                f"tile is {tile}; allowed are numbers from 1 up. Leave it out to have it chosen."
            )
        self._tile = tile
        self._consistent = consistent
        self._options: dict[str, Any] = {
            "ensemble": ensemble,
            "engine": engine,
            "precision": precision,
            "threads": threads,
        }
        named = DEFAULT_MODEL if model == AUTO else model
        self._family = Family(named, effort=effort, **self._options)
        self._photo: Family | None = None
        self._looks = model == AUTO and effort is None
        if self._looks and has_photo_model():
            self._photo = Family(PHOTO_MODEL, **self._options)
        scales = self._family.scales
        usual = DEFAULT_SCALE if DEFAULT_SCALE in scales else scales[-1]
        self._target = Target(scale=Fraction(usual)) if scale is None else as_target(scale)
        # Opened at once, so that whatever is wrong with it is told before any work on pictures.
        self._first = self._open_first(usual)

    @property
    def card(self) -> Card:
        """What the network promises: its scale, size, licence and scores; the first of two.

        Where each picture is looked at, this and all that follows is about clean pictures.
        """
        return self._first.card

    @property
    def network(self) -> Network | Router:
        """What enlarges: one network, or a choice between two; the first of a chain.

        For maps and measurements; not part of what Pixelift promises to keep.
        """
        return self._first

    @property
    def loaded(self) -> int:
        """How many networks are in memory; those of other scales come when they are needed."""
        return self._family.loaded + (self._photo.loaded if self._photo else 0)

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
    def precision(self) -> Precision:
        """Arithmetic of the trained part of the network: "f32", "bf16" or "int8"."""
        return self._first.engine.precision

    def choose(
        self, source: Source, *, max_pixels: int = MAX_PIXELS
    ) -> tuple["Upscaler", str | None]:
        """Look at a picture and choose its network.

        Args:
            source: The file, or its bytes; decoded down to its middle.
            max_pixels: Refuse larger pictures before any of their pixels is decoded.

        Returns:
            What to enlarge it with, and why in a few words; this very upscaler and None, without a
            look, where a network was named.

        Raises:
            ImageReadError: The file cannot be read.
            PixeliftError: The photo network cannot be loaded, see `Upscaler`.
        """
        if not self._looks:
            return self, None
        with open_rows(source, max_pixels=max_pixels) as rows:
            return self._choose(middle_of(rows), rows.header.size)

    @overload
    def upscale(self, image: FilePath) -> Picture: ...

    @overload
    def upscale(self, image: Image) -> Image: ...

    def upscale(self, image: object) -> object:
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
                - The path of a picture file, which is read: it becomes a Picture, for
                  `write_picture`. No file is written.

        Returns:
            The enlarged image: arrays of the same type and number of axes, values in [0, 1] or
            the whole range of the integers.

        Raises:
            ShapeError: The image has a shape, type or range that is not listed above.
            ImageReadError: The bytes, or the file, are no picture.
            ImageWriteError: The bytes are of a format that can be read and not written.
            OutOfMemoryError: Memory is too small even for the smallest tile.
        """
        if isinstance(image, str | os.PathLike):
            return self.picture(read_picture(image))
        if isinstance(image, Picture):
            return self.picture(image)
        if isinstance(image, bytes | bytearray):
            return type(image)(self._bytes(image))
        if isinstance(image, np.ndarray):
            return self._array(image)
        pil = pil_of(image)
        if pil is not None:
            return self._pil(image, pil)
        raise ShapeError(
            f"cannot upscale {type(image).__module__}.{type(image).__qualname__}; allowed is "
            f"{KINDS}. For pixels give numpy.asarray(image), for a file bytes(image)"
        )

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
        two ends: what a file holds and what it is to hold. Where each picture is looked at, what
        lies above its middle waits in memory; `choose` looks at files without that.

        Args:
            rows: The picture; used up by what is returned.
            dtype: Type of the samples of the result: uint8, uint16 or float32.
            progress: Told after each tile which share is done; what it raises ends the work.

        Returns:
            The enlarged picture, made while its rows are taken.

        Raises:
            ShapeError: The picture can not become as large as was asked for.
            OutOfMemoryError: While rows are taken: memory is too small for the smallest tile.
            PixeliftError: The photo network cannot be loaded, see `Upscaler`.
        """
        size = rows.header.size
        wanted = self._target.size_of(size)
        if self._looks:
            middle, rows = middle_and_all(rows)
            chosen, _ = self._choose(middle, size)
            return chosen.rows(rows, dtype=dtype, progress=progress)
        chain = choose_chain(size, wanted, scales=self._family.scales)
        networks = [self._family.network(scale) for scale in chain]
        return enlarge_rows(
            rows,
            networks,
            size=wanted,
            dtype=np.dtype(dtype),
            tile=self._tile,
            sigma=sigma_of(networks[0].card.name, consistent=self._consistent),
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

    def at(self, scale: float | Fraction | Target, *, consistent: bool | None = None) -> "Upscaler":
        """Take the same networks for results of another size.

        Args:
            scale: As for `Upscaler`.
            consistent: As for `Upscaler`; None is that of this one.

        Returns:
            An upscaler that shares what is loaded with this one.

        Raises:
            ConfigError: A factor that the model does not reach.
        """
        other = copy.copy(self)
        other._target = as_target(scale)
        other._consistent = self._consistent if consistent is None else consistent
        other._first = other._open_first(self._family.scales[-1])
        return other

    def _choose(self, middle: NDArray[np.float32], size: Size) -> tuple["Upscaler", str]:
        photo: Network | None = None
        if self._photo is not None:
            chain = choose_chain(size, self._target.size_of(size), scales=self._photo.scales)
            found = self._photo.network(chain[0])
            photo = found if isinstance(found, Network) else None  # a Router needs an effort
        condition = look(middle, photo)
        chosen = copy.copy(self)
        chosen._looks = False
        if condition.is_degraded and self._photo is not None:
            chosen._family = self._photo
        chosen._first = chosen._open_first(chosen._family.scales[-1])
        return chosen, condition.reason

    def _open_first(self, usual: int) -> Network | Router:
        """Open what a picture of a usual size meets first."""
        factor = self._target.scale
        sizes = Size(1, 1), Size(math.ceil(factor), math.ceil(factor)) if factor else Size(1, usual)
        return self._family.network(choose_chain(*sizes, scales=self._family.scales)[0])

    def _bytes(self, image: bytes | bytearray) -> bytes:
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
