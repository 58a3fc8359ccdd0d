"""Damaged pictures, drawn from a seed: what a broken disk, a cut download or an attacker makes."""

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image

SAVED = (
    ("png", {}),
    ("png", {"compress_level": 0}),
    ("jpeg", {"quality": 85}),
    ("jpeg", {"quality": 60, "progressive": True}),
    ("webp", {"quality": 70}),
    ("webp", {"lossless": True}),
    ("tiff", {}),
    ("tiff", {"compression": "tiff_lzw"}),
    ("tiff", {"compression": "jpeg"}),
    ("gif", {}),
    ("avif", {"quality": 60}),
)
"""How the whole pictures are saved that are then damaged."""


def whole_pictures(side: int = 24) -> list[bytes]:
    """Draw one picture and save it in all ways."""
    rows, columns = np.mgrid[0:side, 0:side]
    pixels = np.stack([rows * 9, columns * 9, (rows ^ columns) * 9], axis=2).astype(np.uint8)
    files = []
    for format, options in SAVED:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, format, **options)
        files.append(file.getvalue())
    return files


def damaged_pictures(count: int, *, seed: int) -> Iterator[bytes]:
    """Draw so many damaged pictures, the same for the same seed."""
    rng = np.random.default_rng(seed)
    files = whole_pictures()
    damages = (_flip, _cut, _overwrite, _repeat, _drop, _splice)
    for n in range(count):
        data = files[n % len(files)]
        for _ in range(int(rng.integers(1, 4))):
            damage = damages[rng.integers(len(damages))]
            data = damage(data, rng, files[rng.integers(len(files))])
        yield data


def _place(data: bytes, rng: np.random.Generator) -> int:
    # Half of the damage goes where the header is.
    end = len(data) if rng.random() < 0.5 else min(len(data), 200)
    return int(rng.integers(0, max(end, 1)))


def _flip(data: bytes, rng: np.random.Generator, _: bytes) -> bytes:
    array = bytearray(data)
    for _count in range(int(rng.integers(1, 12))):
        if array:
            array[_place(data, rng)] ^= 1 << int(rng.integers(8))
    return bytes(array)


def _cut(data: bytes, rng: np.random.Generator, _: bytes) -> bytes:
    return data[: _place(data, rng)]


def _overwrite(data: bytes, rng: np.random.Generator, _: bytes) -> bytes:
    # Sizes, counts and offsets stand in two or four bytes.
    at, width = _place(data, rng), int(rng.choice([1, 2, 4]))
    value = [b"\xff" * width, b"\0" * width, rng.bytes(width)][int(rng.integers(3))]
    return data[:at] + value + data[at + width :]


def _repeat(data: bytes, rng: np.random.Generator, _: bytes) -> bytes:
    start, end = sorted((_place(data, rng), _place(data, rng)))
    return data[:end] + data[start:end] * int(rng.integers(1, 20)) + data[end:]


def _drop(data: bytes, rng: np.random.Generator, _: bytes) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at + int(rng.integers(1, 64)) :]


def _splice(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    return data[: _place(data, rng)] + other[_place(other, rng) :]
