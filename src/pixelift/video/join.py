"""Encoded pictures and the sound of the film they are from, put into one file."""

import heapq
import itertools
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream

from pixelift.atomic import replacing
from pixelift.video.clip import open_source
from pixelift.video.parts import Part, decoding_times, packets_of

OF_THE_FILE = ("major_brand", "minor_version", "compatible_brands", "encoder", "ENCODER")
"""Metadata that tell of a container, not of the film."""


def join(
    parts: Iterable[Part], source: Path, output: Path, *, container: str, rate: Fraction
) -> list[str]:
    """Put encoded pictures and the sound and subtitles of the source into one film.

    Args:
        parts: The pictures, at least one part.
        source: The film that they are from.
        output: The film; there at once and whole, or not at all.
        container: What it is, in the words of FFmpeg.
        rate: Frames a second, which containers tell beside the time of each.

    Returns:
        What the container cannot hold, and was left out.

    Raises:
        av.FFmpegError: The disk is full, or a part is damaged.
        OSError: There is no permission.
    """
    parts = list(parts)
    options = {} if container == "matroska" else {"movflags": "faststart"}
    # Durable: the parts are removed once the film is there, and took hours.
    with (
        replacing(output, durable=True, unique=True) as hidden,
        av.open(f"file:{parts[0].path}", format="nut") as first,
        open_source(source) as others,
        av.open(f"file:{hidden}", "w", container, options=options) as target,
    ):
        return _copy(parts, first, others, target, rate)


def _copy(
    parts: list[Part],
    first: InputContainer,
    others: InputContainer,
    target: OutputContainer,
    rate: Fraction,
) -> list[str]:
    video = target.add_stream_from_template(first.streams.video[0])
    video.codec_context.framerate = rate
    kept: dict[Stream, Stream] = {}
    left_out = []
    for stream in (*others.streams.audio, *others.streams.subtitles):
        # What FFmpeg has no decoder for has no codec, and cannot be told to a container either.
        context = stream.codec_context
        codec = context.codec.canonical_name if context else "a codec that nobody knows"
        if codec in target.supported_codecs:
            kept[stream] = target.add_stream_from_template(stream)
            kept[stream].metadata.update(stream.metadata)
        else:
            left_out.append(f"{stream.type} in {codec}")
    own = {name: text for name, text in others.metadata.items() if name not in OF_THE_FILE}
    target.metadata.update(own)
    target.set_chapters(others.chapters())
    streams = [_pictures(parts), _sound(others, kept)]
    for _, packet in heapq.merge(*streams, key=lambda entry: entry[0]):
        packet.stream = kept.get(packet.stream, video)
        target.mux(packet)
    return left_out


def _pictures(parts: list[Part]) -> "Iterator[tuple[Fraction, Packet[Any]]]":
    times = iter(decoding_times([time for part in parts for time in part.times]))
    for part in parts:
        with av.open(f"file:{part.path}", format="nut") as container:
            for packet in itertools.islice(packets_of(container), len(part.times)):
                time = next(times)
                packet.dts = round(time / packet.time_base)
                yield time, packet


def _sound(
    others: InputContainer, kept: dict[Stream, Stream]
) -> "Iterator[tuple[Fraction, Packet[Any]]]":
    if not kept:
        return
    for packet in others.demux(*kept):
        if packet.dts is not None:  # the last one of each is empty
            yield packet.dts * packet.time_base, packet
