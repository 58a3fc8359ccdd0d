"""Pictures to look at while a network is trained: what it makes of validation photos."""

import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pixelift.image.resize import upscale
from pixelift.train.checkpoint import write_whole
from pixelift.train.validate import Pairs

SAMPLE = "sample.png"

_SIDE = 192
_ROWS = 3
_GAP = 4


@torch.no_grad()
def draw_sample(network: nn.Module, pairs: Pairs, *, scale: int) -> NDArray[np.uint8]:
    """Show the most detailed spot of a few photos: interpolated, by the network, as it was.

    Args:
        network: The network, on the CPU or elsewhere.
        pairs: The validation crops.
        scale: LR to HR factor.

    Returns:
        (H, W, 3) uint8: a row for each photo, with bicubic, network and original side by side.
    """
    device = next(network.parameters()).device
    rows = []
    for lr, hr in pairs[:_ROWS]:
        small = lr[0].permute(1, 2, 0).numpy()
        sr = network(lr.to(device)).float().cpu()[0].permute(1, 2, 0).numpy()
        spot = _busiest(hr, min(_SIDE, *hr.shape[:2]))
        panels = (upscale(small, scale), sr, hr)
        rows.append(_joined([_to_bytes(panel[spot]) for panel in panels], axis=1))
    widest = max(row.shape[1] for row in rows)
    rows = [np.pad(row, ((0, 0), (0, widest - row.shape[1]), (0, 0))) for row in rows]
    return _joined(rows, axis=0)


def _busiest(hr: NDArray[np.float32], side: int) -> tuple[slice, slice]:
    """Find the square with the most detail: the same each time, so that one can compare."""
    grey = hr.mean(axis=2)
    detail = np.zeros(grey.shape)
    detail[:-1] += np.abs(np.diff(grey, axis=0))
    detail[:, :-1] += np.abs(np.diff(grey, axis=1))
    sums = np.pad(detail.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    found = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    top, left = np.unravel_index(int(found.argmax()), found.shape)
    return slice(int(top), int(top) + side), slice(int(left), int(left) + side)


def _to_bytes(panel: NDArray[np.float32]) -> NDArray[np.uint8]:
    rounded = np.clip(panel * 255 + 0.5, 0, 255).astype(np.uint8)
    return np.broadcast_to(rounded, (*rounded.shape[:2], 3))


def _joined(parts: list[NDArray[np.uint8]], *, axis: int) -> NDArray[np.uint8]:
    between = list(parts[0].shape)
    between[axis] = _GAP
    gap = np.full(between, 255, np.uint8)
    return np.concatenate([piece for part in parts for piece in (part, gap)][:-1], axis=axis)


def write_png(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write a PNG; trainings run on machines where no library for pictures is installed.

    Args:
        pixels: (H, W, 3) uint8.
        path: The file; replaced where it exists.

    Paper: the PNG specification of the W3C, third edition, sections 5 and 11.
    """
    height, width = pixels.shape[:2]
    # Filter 0 ("none") before each line.
    lines = np.zeros((height, 1 + 3 * width), np.uint8)
    lines[:, 1:] = pixels.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b""))
    packed = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    write_whole(path, b"\x89PNG\r\n\x1a\n" + packed)
