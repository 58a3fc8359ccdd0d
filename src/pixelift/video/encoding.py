"""Frames to a film: encoded into hidden files, which a later run goes on after."""

import contextlib
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import av
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from pixelift.errors import ConfigError, VideoError
from pixelift.image.geometry import Size
from pixelift.video.clip import ACCURATE, MATRICES, Clip, Frame
from pixelift.video.join import join
from pixelift.video.parts import Part, find_parts, part_path, read_part

CONTAINERS = MappingProxyType({".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"})
"""Endings of films that are written, and what FFmpeg calls these containers."""

CODECS = MappingProxyType({"h264": "libx264", "hevc": "libx265"})
"""Codecs that films are encoded with, and what FFmpeg calls their encoders."""

GOP_SECONDS = 2
"""So often a film can be entered: by a player, and by a run that goes on after one that stopped."""


class Encoding(NamedTuple):
    """How pictures are encoded."""

    codec: str = "h264"
    crf: int = 18
    """Constant rate factor of x264 and x265: 0 to 51, lower is better and larger."""


def container_of(output: Path) -> str:
    """Tell the container of a film from its name.

    Args:
        output: Name of the film.

    Returns:
        What FFmpeg calls it.

    Raises:
        ConfigError: The name does not tell it.
    """
    name = CONTAINERS.get(output.suffix.lower())
    if name is None:
        raise ConfigError(
            f'cannot write a film as "{output.name}"; allowed are names that end in '
            f"{', '.join(CONTAINERS)}. Give one: -o film.mp4"
        )
    return name


class Encoder:
    """Encodes frames into a hidden file beside the result, after those of earlier runs."""

    def __init__(
        self, output: Path, clip: Clip, *, size: Size, encoding: Encoding, stamp: str
    ) -> None:
        """Look for what earlier runs have encoded, and open a file for the rest.

        Args:
            output: The film that is to be made, in a folder that exists.
            clip: Where the frames are from; its colours and times are kept.
            size: Of the frames; both sides even.
            encoding: How they are encoded.
            stamp: Says all that the result depends on; work under another stamp is thrown away.

        Raises:
            VideoError: The file cannot be made.
        """
        self.since: int | None = None
        """The first frame that is wanted, by its `pts`; None where it begins at the beginning."""
        self.taken_over = 0
        """Frames that earlier runs have encoded."""
        self._output, self._rate = output, clip.rate
        self._matrix = MATRICES[clip.colour.matrix]
        self._parts: list[Part] = []
        for path in find_parts(output):
            part = read_part(path, stamp)
            if part:
                self._parts.append(part)
                self.since = round(part.end / clip.time_base)
                self.taken_over += len(part.times)
            else:
                path.unlink(missing_ok=True)
        self._path = part_path(output, after=self._parts)
        try:
            # NUT keeps times as they are, and can be read up to where a killed process got.
            # Else all is shown later by as many frames as the encoder keeps back.
            options = {"avoid_negative_ts": "disabled"}
            self._container = av.open(f"file:{self._path}", "w", "nut", options=options)
            self._container.metadata["comment"] = stamp
            self._stream = _add_video(self._container, clip, size=size, encoding=encoding)
        except (av.FFmpegError, OSError) as error:
            raise _cannot_write(output, error) from error

    def close(self) -> None:
        """Close the file; what is in it stays, for the run that goes on."""
        with contextlib.suppress(av.FFmpegError, OSError):
            self._container.close()

    def add(self, frame: Frame) -> None:
        """Encode a frame.

        Args:
            frame: In the size that was told, after all others.

        Raises:
            VideoError: The disk is full, or the encoder fails.
        """
        name = "rgb24" if frame.pixels.dtype.itemsize == 1 else "rgb48le"
        picture = VideoFrame.from_ndarray(frame.pixels, format=name).reformat(
            format=self._stream.pix_fmt, dst_colorspace=self._matrix, interpolation=ACCURATE
        )
        picture.pts, picture.time_base = frame.pts, self._stream.codec_context.time_base
        self._mux(picture)

    def finish(self, source: Path) -> list[str]:
        """Encode what the encoder holds back, and join the pictures with the sound of the source.

        Args:
            source: The film that the frames are from.

        Returns:
            What the container of the result cannot hold, and was left out.

        Raises:
            VideoError: The disk is full, or the encoder fails.
        """
        try:
            self._mux(None)
            self._container.close()
            parts = [*self._parts, read_part(self._path)]
            left_out = join(
                filter(None, parts),
                source,
                self._output,
                container=container_of(self._output),
                rate=self._rate,
            )
        except (av.FFmpegError, OSError) as error:
            raise _cannot_write(self._output, error) from error
        for path in find_parts(self._output):
            path.unlink(missing_ok=True)
        return left_out

    def _mux(self, picture: VideoFrame | None) -> None:
        try:
            self._container.mux(self._stream.encode(picture))
        except (av.FFmpegError, OSError) as error:
            raise _cannot_write(self._output, error) from error


def _add_video(
    container: OutputContainer, clip: Clip, *, size: Size, encoding: Encoding
) -> VideoStream:
    options = {"crf": str(encoding.crf), "preset": "fast"}
    if encoding.codec == "hevc":
        options["x265-params"] = "log-level=error:open-gop=0"
    stream = container.add_stream(CODECS[encoding.codec], rate=clip.rate, options=options)
    if not isinstance(stream, VideoStream):  # the table of codecs has none of sound
        raise TypeError(stream)
    stream.width, stream.height = size.width, size.height
    stream.pix_fmt = "yuv420p" if clip.depth == 8 else "yuv420p10le"
    stream.time_base = clip.time_base
    context = stream.codec_context
    context.time_base = clip.time_base
    context.gop_size = max(1, round(GOP_SECONDS * clip.rate))
    context.sample_aspect_ratio = clip.aspect
    context.colorspace, context.color_primaries, context.color_trc = clip.colour
    context.color_range = ColorRange.MPEG  # studio range, as players expect it
    return stream


def _cannot_write(output: Path, error: av.FFmpegError | OSError) -> VideoError:
    reason = error.strerror or str(error)
    return VideoError(f"cannot write {output}: {reason}. Free some space, or write elsewhere.")
