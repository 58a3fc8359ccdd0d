"""The hidden files in which a film is encoded: one for each run that it took."""

import contextlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, TypeAlias

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from pixelift.atomic import hidden_stem

# A string, since only the type checker knows which stream a packet is of.
Picture: TypeAlias = "Packet[VideoStream]"


class Part(NamedTuple):
    """Encoded pictures of one run that are whole."""

    path: Path
    times: list[Fraction]
    """When each is shown, in seconds, in the order of decoding."""

    end: Fraction
    """When the next one would be shown."""


def find_parts(output: Path) -> list[Path]:
    """List what earlier runs have left.

    Args:
        output: The film that is to be made.

    Returns:
        Hidden files beside it, in the order of the runs.
    """
    return sorted(output.parent.glob(f"{hidden_stem(output)}.part*"))


def part_path(output: Path, *, after: Sequence[Part]) -> Path:
    """Choose where the next run encodes to.

    Args:
        output: The film that is to be made.
        after: What there is.

    Returns:
        A hidden file that comes after them.
    """
    number = 1 + int(after[-1].path.name[-4:]) if after else 0
    return output.with_name(f"{hidden_stem(output)}.part{number:04d}")


def read_part(path: Path, stamp: str | None = None) -> Part | None:
    """Tell what is in a hidden file.

    Args:
        path: The file; it may end anywhere.
        stamp: What it has to be made under; its last group of pictures, which may miss its end,
            is left out then. None for one that was closed as it should be.

    Returns:
        What is whole in it; None where there is nothing, or another stamp.
    """
    times: list[Fraction] = []
    keys: list[int] = []
    with contextlib.suppress(av.FFmpegError), av.open(f"file:{path}", format="nut") as container:
        if stamp is not None and container.metadata.get("comment") != stamp:
            return None
        for packet in packets_of(container):
            if packet.is_keyframe:
                keys.append(len(times))
            times.append(time_of(packet))
    if stamp is None:
        return Part(path, times, max(times)) if times else None
    whole = keys[-1] if keys else 0
    return Part(path, times[:whole], times[whole]) if whole else None


def time_of(packet: Picture) -> Fraction:
    """Tell when an encoded picture is shown.

    Args:
        packet: One that has a time.

    Returns:
        Seconds.
    """
    return (packet.pts or 0) * packet.time_base


def packets_of(container: InputContainer) -> Iterator[Picture]:
    """Take the encoded pictures of a hidden file.

    Args:
        container: The open file.

    Yields:
        Packets, in the order of decoding.
    """
    for packet in container.demux(container.streams.video[0]):
        if packet.pts is not None:  # the last one is empty
            yield packet


def decoding_times(times: Sequence[Fraction]) -> list[Fraction]:
    """Say when each picture is decoded: in order, at an even distance, and never after it is shown.

    NUT does not keep these times, and other containers ask for them.

    Args:
        times: When each is shown, in the order of decoding.

    Returns:
        When each is decoded.

    Example:
        >>> [str(time) for time in decoding_times([Fraction(n) for n in (0, 3, 1, 2, 4)])]
        ['-1', '0', '1', '2', '3']
    """
    shown = sorted(times)
    rank = {time: number for number, time in enumerate(shown)}
    delay = max((number - rank[time] for number, time in enumerate(times)), default=0)
    step = shown[1] - shown[0] if len(shown) > 1 else Fraction(1)
    before = [shown[0] - step * number for number in range(delay, 0, -1)] if shown else []
    return (before + shown)[: len(shown)]
