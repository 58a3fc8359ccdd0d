"""A film as a person has it: what is known about it, and its frames as pictures."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pixelift.errors import VideoError
from pixelift.image.geometry import MAX_PIXELS, Size

CONTAINERS = "mov,matroska,avi,mpegts,mpeg,flv,ogg,asf,nut,mpegvideo,h264,hevc,dv,mjpeg,ivf"
"""Containers that are read, in the words of FFmpeg. No playlists, which name further files."""

MATRICES: Mapping[int, int] = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
}
"""What libswscale calls the matrices that a film may name (ITU-T H.273, table 4)."""

BT709, BT601, UNSPECIFIED = 1, 6, 2
HD_LINES = 720
"""Films of this height and more that name no matrix are of BT.709, as players take them."""

ACCURATE = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
"""How colour of half the size becomes colour of the full size, and back."""


class Frame(NamedTuple):
    """One picture of a film."""

    pts: int
    """When it is shown, in units of `Clip.time_base`."""

    pixels: NDArray[Any]
    """(H, W, 3) RGB, upright; uint8, or uint16 where the film has more than 8 bits."""


class Colour(NamedTuple):
    """What the numbers of a film mean, as ITU-T H.273 counts it."""

    matrix: int
    primaries: int
    transfer: int


class Clip:
    """What is known about a film, and a way to its pictures."""

    def __init__(self, path: Path) -> None:
        """Open a film and look at its first frame.

        Args:
            path: The file.

        Raises:
            VideoError: It is missing, damaged, no film, without pictures, or its pictures are
                larger than what is taken.
        """
        self.path = path
        with open_source(path) as container:
            stream = pictures_of(container)
            first = next(self._decode(container, None), None)
            if first is None:
                raise VideoError(f"{path} has no frame that can be decoded. Give another film.")
            self.time_base: Fraction = stream.time_base or Fraction(1, 90_000)
            self.rate: Fraction = stream.average_rate or stream.guessed_rate or Fraction(25)
            self.expected = stream.frames or self._count(stream.duration, container.duration)
            """Frames that it says it has, or its length makes; 0 where it tells neither."""
            self.aspect: Fraction = stream.sample_aspect_ratio or Fraction(1)
            """Width of a pixel by its height."""
        self._has_times = first.pts is not None
        self._turns = round(first.rotation / 90) % 4
        self._stored = Size(first.height, first.width)
        self.size = self._stored
        """Of a frame, upright."""
        if self._turns % 2:
            self.size = Size(first.width, first.height)
            self.aspect = 1 / self.aspect
        self.depth = 16 if max(part.bits for part in first.format.components) > 8 else 8
        self.is_interlaced = bool(first.interlaced_frame)
        guess = BT709 if first.height >= HD_LINES else BT601
        self.colour = Colour(
            first.colorspace if first.colorspace in MATRICES else guess,
            first.color_primaries,
            first.color_trc,
        )

    def _count(self, duration: int | None, microseconds: int | None) -> int:
        if duration is not None:
            return round(duration * self.time_base * self.rate)
        return round(Fraction(microseconds or 0, 1_000_000) * self.rate)

    def frames(self, *, since: int | None = None) -> Iterator[Frame]:
        """Decode its pictures.

        Args:
            since: The first `pts` that is wanted; None for all.

        Yields:
            Frames, in the order in which they are shown. One that is shown no later than the one
            before it is left out, since no film can hold it.

        Raises:
            VideoError: The file is damaged so that nothing more can be decoded, or its pictures
                change their size.
        """
        last = -1 << 63
        step = round(1 / (self.rate * self.time_base))
        with open_source(self.path) as container:
            for number, frame in enumerate(self._decode(container, since)):
                # Bare streams tell no times: then one frame follows the other at their rate.
                pts = frame.pts if frame.pts is not None else number * step
                if pts > last and (since is None or pts >= since):
                    yield Frame(pts, self._pixels(frame))
                last = max(last, pts)

    def _decode(self, container: InputContainer, since: int | None) -> Iterator[VideoFrame]:
        stream = pictures_of(container)
        stream.thread_type = "AUTO"
        if since is not None and self._has_times:  # else all is decoded from the beginning
            container.seek(since, stream=stream)
        try:
            yield from container.decode(stream)
        except av.FFmpegError as error:
            raise VideoError(
                f"{self.path} cannot be decoded: {error.strerror}. Give another film."
            ) from error

    def _pixels(self, frame: VideoFrame) -> NDArray[Any]:
        size = Size(frame.height, frame.width)
        if size != self._stored:
            raise VideoError(
                f"{self.path} changes its size from {self._stored} to {size} on the way. Cut it "
                "there with another program."
            )
        name = "rgb24" if self.depth == 8 else "rgb48le"
        rgb = frame.reformat(
            format=name,
            src_colorspace=MATRICES[self.colour.matrix],
            interpolation=ACCURATE,
        )
        return np.ascontiguousarray(np.rot90(rgb.to_ndarray(), self._turns))


def open_source(path: Path) -> InputContainer:
    """Open a film from this disk, without following it to other files or hosts.

    Args:
        path: The file.

    Returns:
        The container, to be closed by the caller.

    Raises:
        VideoError: It is missing, damaged or no film.
    """
    if not path.is_file():
        kind = "that is a folder" if path.is_dir() else "there is no such file"
        raise VideoError(f'cannot read "{path}": {kind}. Check the spelling and the folder.')
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}
    try:
        return av.open(f"file:{path}", container_options=options)
    except av.FFmpegError as error:
        raise VideoError(
            f"{path} is no film that can be read ({error.strerror}); allowed are MP4, MKV, WebM, "
            "AVI, MPEG and others. For pictures: pixelift upscale"
        ) from error


def pictures_of(container: InputContainer) -> VideoStream:
    """Find the pictures of a film; the cover of a song is none.

    Args:
        container: The open film.

    Returns:
        The first stream of pictures.

    Raises:
        VideoError: There is none, or its pictures are too large.
    """
    found = (s for s in container.streams.video if not s.disposition & Disposition.attached_pic)
    stream = next(found, None)
    if stream is None:
        raise VideoError(f"there are no pictures in {container.name}. Give another film.")
    size = Size(stream.height, stream.width)
    if size.pixels > MAX_PIXELS:
        raise VideoError(f"the pictures of {container.name} are too large: {size}. Give another.")
    return stream
