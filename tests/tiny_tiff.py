"""TIFF files of any kind, written by hand: no library writes those that must be refused."""

import struct
import zlib

import numpy as np

_CODES = {1: "B", 3: "H", 4: "I", 5: "I", 6: "b", 8: "h", 9: "i", 11: "f"}


def tiny_tiff(samples, photometric, *, order="<", kind=3, tags=None, planar=1, strips=None):
    """Write a TIFF file of one strip, or of one for each plane.

    Args:
        samples: (H, W, C) of any type.
        photometric: Tag 262; None leaves it out.
        order: Byte order, "<" or ">".
        kind: Type of tag 262.
        tags: Further tags, or others: number to (type, numbers). Compression 8 is applied.
        planar: Tag 284.
        strips: The bytes of the strips, for what is compressed otherwise.
    """
    height, width, channels = samples.shape
    samples = samples.astype(samples.dtype.newbyteorder(order))
    if strips is None:
        planes = [samples] if planar == 1 else np.moveaxis(samples, 2, 0)
        strips = [plane.tobytes() for plane in planes]
    wanted = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [samples.dtype.itemsize * 8] * channels),
        259: (3, [1]),
        273: (4, [0] * len(strips)),
        277: (3, [channels]),
        278: (4, [height]),
        284: (3, [planar]),
    }
    wanted |= {} if photometric is None else {262: (kind, [photometric])}
    wanted |= tags or {}
    if wanted[259][1] == [8]:
        strips = [zlib.compress(strip) for strip in strips]
    wanted[279] = (4, [len(strip) for strip in strips])
    at = 8 + 2 + 12 * len(wanted) + 4
    start = at + sum(len(_packed(order, *tag)) + 8 for tag in wanted.values())
    offsets = start + np.cumsum([0, *(len(strip) for strip in strips)])
    wanted[273] = (4, [int(n) for n in offsets[:-1]])
    mark = b"II" if order == "<" else b"MM"
    head, behind = struct.pack(order + "2sHIH", mark, 42, 8, len(wanted)), b""
    for number, (code, numbers) in sorted(wanted.items()):
        data = _packed(order, code, numbers)
        count = len(numbers) // (2 if code == 5 else 1)
        place = data.ljust(4, b"\0")
        if len(data) > 4:
            place = struct.pack(order + "I", at + len(behind))
            behind += data + bytes(-len(data) % 8)
        head += struct.pack(order + "HHI", number, code, count) + place
    return (head + bytes(4) + behind).ljust(start, b"\0") + b"".join(strips)


def _packed(order, code, numbers):
    return struct.pack(f"{order}{len(numbers)}{_CODES[code]}", *numbers)


def filled(values, dtype=np.uint8, *, size=(2, 3)):
    """Make samples that are the same everywhere, (H, W, C)."""
    return np.broadcast_to(np.array(values, dtype), (*size, len(values)))
