"""The whole path of a picture: what the caller has, through tiles and engine, and back again."""

import os
import sys
from types import ModuleType
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import ConfigError, ShapeError
from pixelift.image.depth import to_float, to_u8, to_u16
from pixelift.image.picture import Picture
from pixelift.image.read import read_picture
from pixelift.image.write import encode_picture
from pixelift.infer.channels import enlarge_colour, enlarge_transparent
from pixelift.infer.effort import DEFAULT_MODEL, Effort, open_network
from pixelift.infer.route import Router
from pixelift.infer.tiling import DEFAULT_TILE, run_tiled
from pixelift.zoo.card import Card

T = TypeVar("T")

OVERSHOOT = 1 / 255
"""How far floats may lie outside of [0, 1], as resizing leaves them; what is within is clipped."""

PIL_MODES = {"1": "L", "P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB"}
"""Modes of PIL that are converted first; with CMYK, YCbCr and HSV, which become RGB."""

KINDS = "a numpy array, a PIL image, the bytes of a picture file, or a pixelift.Picture"


class Upscaler:
    """A network that is ready to enlarge pictures; reusable, also from several threads.

    Example:
        upscaler = pixelift.Upscaler(scale=4)
        larger = [upscaler.upscale(image) for image in images]
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = DEFAULT_MODEL,
        *,
        scale: int | None = None,
        effort: Effort | None = None,
        ensemble: bool = False,
        engine: str = "auto",
        precision: str = "auto",
        tile: int | None = None,
        threads: int | None = None,
    ) -> None:
        """Find, verify and load a network.

        Args:
            model: Name of a packaged network, or path of an .onnx file that Pixelift exported.
            scale: HR pixels per LR pixel along each axis; None takes the scale that the model's
                name or file tells, and else 4.
            effort: "low", "auto", "high" or a positive number chooses the packaged networks
                instead of `model`: "auto" gives each part of a picture as much network as there
                is to restore, a number more or less of it; see docs/effort.md.
            ensemble: Take the mean over the eight flips and rotations: eight times the work.
            engine: "openvino", "onnxruntime", or "auto" for the faster of those installed.
            precision: "f32", "bf16", or "auto" for bf16 where the processor has it.
            tile: Side of a tile's core in LR pixels; smaller needs less memory. None chooses.
            threads: Processor threads; None takes all cores.

        Raises:
            UnknownNameError: There is no such model, or not for this scale.
            WeightsError: The model's file is damaged.
            ConfigError: An option that makes no sense.
            EngineUnavailableError: The engine is not installed.
        """
        if tile is not None and tile < 1:
            raise ConfigError(
                f"tile is {tile}; allowed are numbers from 1 up. Leave it out to have it chosen."
            )
        self._engine = open_network(
            model,
            scale=scale,
            effort=effort,
            ensemble=ensemble,
            provider=engine,
            precision=precision,
            threads=threads,
        )
        self._card = self._engine.card
        self._tile = tile or DEFAULT_TILE

    @property
    def card(self) -> Card:
        """What the network promises: its scale, size, licence and scores."""
        return self._card

    @property
    def scale(self) -> int:
        """HR pixels per LR pixel along each axis."""
        return self._card.scale

    @property
    def engine(self) -> str:
        """What runs the network: "openvino" or "onnxruntime"."""
        return self._engine.name

    @property
    def precision(self) -> str:
        """Arithmetic of the trained part of the network: "f32" or "bf16"."""
        return self._engine.precision

    def upscale(self, image: T) -> T:
        """Enlarge an image of any of the kinds that Python programs hold, into the same kind.

        The image itself is never changed.

        Args:
            image: One of

                - numpy array (H, W), (H, W, 1), (H, W, 2), (H, W, 3) or (H, W, 4): grey, grey with
                  alpha, RGB, RGB with alpha. uint8, uint16, or float32 or float64 in [0, 1]; floats
                  that overshoot by up to 1/255 are clipped.
                - PIL image; palettes, CMYK and 1-bit images become RGB or grey.
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

    def picture(self, picture: Picture) -> Picture:
        """Enlarge a picture; depth, profile, EXIF, resolution and format are carried over.

        Args:
            picture: The picture; not changed.

        Returns:
            The enlarged picture, values in [0, 1].

        Raises:
            OutOfMemoryError: Memory is too small even for the smallest tile.
        """
        if picture.alpha is None:
            return picture.replace(pixels=self._colour(picture.pixels))
        pixels, alpha = enlarge_transparent(
            picture.pixels, picture.alpha, self._colour, scale=self.scale
        )
        return picture.replace(pixels=pixels, alpha=alpha)

    def _upscale(self, image: object) -> object:
        if isinstance(image, Picture):
            return self.picture(image)
        if isinstance(image, bytes | bytearray):
            picture = read_picture(bytes(image))
            encoded = encode_picture(self.picture(picture), picture.format or "png")
            return type(image)(encoded)
        if isinstance(image, np.ndarray):
            return self._array(image)
        pil = _pil_of(image)
        if pil is not None:
            return self._pil(image, pil)
        raise ShapeError(
            f"cannot upscale {type(image).__module__}.{type(image).__qualname__}; allowed is "
            f"{KINDS}. For a file, give upscale(read_picture(path))."
        )

    def _array(self, array: NDArray[Any]) -> NDArray[Any]:
        view = _as_channels(array)
        samples = to_float(view) if view.dtype.kind == "u" else _checked_floats(view)
        has_alpha = samples.shape[2] in (2, 4)
        picture = Picture(
            np.ascontiguousarray(samples[..., :-1] if has_alpha else samples),
            np.ascontiguousarray(samples[..., -1]) if has_alpha else None,
        )
        sr = self.picture(picture)
        result = sr.pixels
        if sr.alpha is not None:
            result = np.concatenate([sr.pixels, sr.alpha[..., None]], axis=2)
        result = result[..., 0] if array.ndim == 2 else result
        if array.dtype == np.uint8:
            return to_u8(result)
        if array.dtype == np.uint16:
            return to_u16(result)
        return result.astype(array.dtype, copy=False)

    def _pil(self, image: Any, pil: ModuleType) -> object:  # noqa: ANN401  (PIL is not imported)
        plain = _plain_pil(image)
        array = np.asarray(plain)
        if plain.mode.startswith("I;16"):
            array = array.astype(np.uint16)
        result = pil.fromarray(self._array(array))
        # As PIL's own resize does: profile, EXIF and resolution go with the pixels.
        result.info = {k: v for k, v in image.info.items() if k != "transparency"}
        return cast("object", result)

    def _colour(self, colour: NDArray[np.float32]) -> NDArray[np.float32]:
        return enlarge_colour(colour, self._network, channels=self._card.channels, scale=self.scale)

    def _network(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        if isinstance(self._engine, Router):
            return self._engine.run(planes, tile=self._tile)
        return run_tiled(
            self._engine, planes, scale=self.scale, halo=self._card.radius, tile=self._tile
        )


def upscale(
    image: T,
    *,
    scale: int | None = None,
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
        model: See `Upscaler`.
        engine: See `Upscaler`.
        precision: See `Upscaler`.
        tile: See `Upscaler`.
        threads: See `Upscaler`.

    Returns:
        The enlarged image, of the same kind.

    Raises:
        PixeliftError: See `Upscaler` and `Upscaler.upscale`.
    """
    upscaler = Upscaler(
        model, scale=scale, engine=engine, precision=precision, tile=tile, threads=threads
    )
    return upscaler.upscale(image)


def _as_channels(array: NDArray[Any]) -> NDArray[Any]:
    view = array[..., None] if array.ndim == 2 else array
    if view.ndim != 3 or view.shape[2] not in (1, 2, 3, 4) or 0 in view.shape:
        raise ShapeError(
            f"the array has the shape {array.shape}; allowed are (H, W) and (H, W, C) with 1 to 4 "
            f"channels and at least one pixel. Put the channels last: numpy.moveaxis(a, 0, -1)."
        )
    if array.dtype not in (np.uint8, np.uint16, np.float32, np.float64):
        raise ShapeError(
            f"the array is {array.dtype}; allowed are uint8, uint16, and float32 or float64 in "
            f"[0, 1]. Convert it, for instance with array.astype(numpy.uint8)."
        )
    return view


def _checked_floats(samples: NDArray[Any]) -> NDArray[np.float32]:
    low, high = float(samples.min()), float(samples.max())
    # Comparisons with NaN are false, so that this refuses NaN too.
    if not (low >= -OVERSHOOT and high <= 1 + OVERSHOOT):
        raise ShapeError(
            f"the float array has values from {low:g} to {high:g}; allowed are finite values in "
            f"[0, 1]. Divide 8-bit values by 255, and replace NaN and infinity."
        )
    clipped: NDArray[np.float32] = np.clip(samples, 0, 1).astype(np.float32, copy=False)
    return clipped


def _pil_of(image: object) -> ModuleType | None:
    # Whoever has a PIL image has imported PIL; nobody else needs it.
    pil = sys.modules.get("PIL.Image")
    return pil if pil is not None and isinstance(image, pil.Image) else None


def _plain_pil(image: Any) -> Any:  # noqa: ANN401  (PIL is not imported)
    mode = image.mode
    if "transparency" in image.info and mode in ("1", "L", "P", "RGB"):
        return image.convert("LA" if mode in ("1", "L") else "RGBA")
    if mode in ("L", "LA", "RGB", "RGBA") or mode.startswith("I;16"):
        return image
    if mode in PIL_MODES:
        return image.convert(PIL_MODES[mode])
    if mode in ("CMYK", "YCbCr", "HSV"):
        return image.convert("RGB")
    raise ShapeError(
        f'the PIL image has mode "{mode}"; allowed are L, LA, RGB, RGBA, I;16, P, 1, CMYK, YCbCr '
        f'and HSV. Convert it first: image.convert("RGB").'
    )
