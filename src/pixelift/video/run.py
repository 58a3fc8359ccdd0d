"""A film to a larger film: decoder, network and encoder, each in a thread of its own."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from pixelift.batch.claim import claim
from pixelift.errors import VideoError
from pixelift.image.ahead import ahead
from pixelift.image.geometry import Size
from pixelift.infer.auto import refuse_auto
from pixelift.infer.consistency import sigma_of
from pixelift.infer.target import Target, as_target
from pixelift.infer.upscaler import Upscaler
from pixelift.video.clip import Clip, Frame
from pixelift.video.encoding import Encoder, Encoding, container_of

FRAMES_AHEAD = 4
"""Frames that wait between two threads."""

Watch = Callable[[int, int], None]
"""Called with the frames that are made, and how many there should be; 0 where nobody knows."""


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a film."""

    size: Size
    out_size: Size
    frames: int
    expected: int
    """Frames that the film says it has, or its length makes; 0 where it tells neither."""
    taken_over: int
    """Of these, frames that an earlier run had made."""
    repeated: int
    """Of these, frames that were equal to the one before them, and not computed again."""
    seconds: float
    left_out: list[str]
    """Sound and subtitles that the container cannot hold."""
    is_interlaced: bool


def enlarge(
    source: Path | str,
    output: Path | str,
    *,
    scale: float | Fraction | Target = 2,
    model: str | os.PathLike[str] = "swift",
    encoding: Encoding = Encoding(),  # noqa: B008 - it cannot be changed
    watch: Watch | None = None,
    **options: Any,  # noqa: ANN401 - those of Upscaler
) -> Made | None:
    """Enlarge a film.

    A run that is stopped, however, leaves what it has encoded in a hidden file; the same call goes
    on with it. The film itself is there whole, or not at all.

    Args:
        source: The film.
        output: The larger film; its name tells the container. Replaced where it exists.
        scale: As for `Upscaler`. Odd sides become even by one more pixel, as codecs ask.
        model: As for `Upscaler`.
        encoding: How it is encoded.
        watch: Told after each frame.
        **options: Further ones of `Upscaler`.

    Returns:
        What came of it; None where another process is making it.

    Raises:
        VideoError: The film cannot be read or written.
        ConfigError: The model is "auto", or an option makes no sense.
        PixeliftError: See `Upscaler`.

    Example:
        made = enlarge("film.mp4", "large.mp4", scale=2)
        print(made.frames, made.seconds)
    """
    refuse_auto(model, "a film")
    source, output = Path(source), Path(output)
    container_of(output)
    if not output.parent.is_dir():
        raise VideoError(f"there is no folder {output.parent}. Make it first.")
    started = time.perf_counter()
    clip = Clip(source)
    with claim(output) as is_ours:
        if not is_ours:
            return None
        size = even(as_target(scale).size_of(clip.size))
        target = Target(width=size.width, height=size.height)
        upscaler = Upscaler(model, scale=target, **options)
        sigma = sigma_of(upscaler.card.name, consistent=options.get("consistent"))
        stamp = _stamp(source, size, encoding, upscaler, sigma)
        larger = _Larger(upscaler)
        with closing(Encoder(output, clip, size=size, encoding=encoding, stamp=stamp)) as encoder:
            done = encoder.taken_over
            decoded = ahead(clip.frames(since=encoder.since), count=FRAMES_AHEAD)
            made = ahead(larger.frames(decoded), count=FRAMES_AHEAD)
            # The threads end from the last to the first.
            with closing(decoded), closing(made):
                for frame in made:
                    encoder.add(frame)
                    done += 1
                    if watch:
                        watch(done, clip.expected)
            left_out = encoder.finish(source)
        return Made(
            clip.size,
            size,
            done,
            clip.expected,
            encoder.taken_over,
            larger.repeated,
            round(time.perf_counter() - started, 3),
            left_out,
            clip.is_interlaced,
        )


def even(size: Size) -> Size:
    """Make both sides even, as films with colour of half the size have to be.

    Args:
        size: Any size.

    Returns:
        The same, or up to one pixel more along each side.

    Example:
        >>> str(even(Size(270, 481)))
        '482x270'
    """
    return Size(size.height + size.height % 2, size.width + size.width % 2)


class _Larger:
    """Enlarges frames one after the other; one that is equal to the one before is not new work."""

    def __init__(self, upscaler: Upscaler) -> None:
        self.repeated = 0
        self._upscaler = upscaler

    def frames(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        before: Frame | None = None
        pixels = None
        for frame in frames:
            if before is None or pixels is None or not np.array_equal(frame.pixels, before.pixels):
                pixels = self._upscaler.upscale(frame.pixels)
            else:
                self.repeated += 1
            before = frame
            yield Frame(frame.pts, pixels)


def _stamp(
    source: Path, size: Size, encoding: Encoding, upscaler: Upscaler, sigma: float | None
) -> str:
    """Say all that the encoded pictures depend on, in a word."""
    file = source.stat()
    tells = (
        str(source.resolve()),
        file.st_size,
        file.st_mtime_ns,
        str(size),
        encoding,
        upscaler.card.sha256,
        upscaler.precision,
        sigma,
    )
    return hashlib.sha256(msgspec.json.encode(tells)).hexdigest()
