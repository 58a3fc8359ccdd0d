"""A picture that passes by, enlarged band by band: memory grows with its width and not its height.

A picture in memory takes the same way, so that both are the same to the last bit.
"""

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from pixelift.image.consistent import consistent_rows
from pixelift.image.geometry import Box, Margins, Size
from pixelift.image.resample import resize_rows
from pixelift.image.rows import Header, Rows, Samples, Window, as_type, share_bands
from pixelift.infer.channels import SPREAD_REACH
from pixelift.infer.network import Network
from pixelift.infer.route import Router
from pixelift.infer.tiling import (
    DEFAULT_TILE,
    LEAN_TILE,
    MINIMUM_TILE,
    Progress,
    even_share,
    lean_pixels,
    run_tiled,
    suitable_tile,
)
from pixelift.zoo.card import Card

BAND_BYTES = 32 << 20
"""Size of an enlarged band above which its tiles are made lower. Three bands are held at a time:
one is made, one waits, one is encoded."""

LEAST_ROWS = 2 * MINIMUM_TILE
"""Rows of LR pixels of the lowest band: below this most of the work would go into halos."""


def enlarge_rows(
    rows: Rows,
    networks: Sequence[Network | Router],
    *,
    size: Size,
    dtype: np.dtype[Any],
    tile: int | None,
    sigma: float | None = None,
    progress: Progress | None = None,
) -> Rows:
    """Enlarge a picture that passes by, to an exact size.

    Args:
        rows: The picture; used up by what is returned.
        networks: What enlarges it, one after the other.
        size: Size of the result; resized to it where the networks do not meet it.
        dtype: Type of the result's samples: uint8, uint16 or float32.
        tile: Side of a tile's core in LR pixels; None chooses.
        sigma: What the networks make is changed so that it can be downscaled to the picture again,
            before it is resized: see `consistent_rows`. None leaves it as it is.
        progress: Told after each tile which share is done; what it raises ends the work.

    Returns:
        The enlarged picture, made while its rows are taken.
    """
    # Between two steps 16 bits are as good as floats and take half of the memory.
    between = np.dtype(np.float32 if rows.header.depth == 32 else np.uint16)
    reached = rows.header.size
    told = 0.0
    lr = rows
    if sigma is not None:
        seen, kept = share_bands(rows.bands, 2)
        if not isinstance(networks[0], Router):  # which holds the whole picture
            # Engines take samples of the type that they give as they are, with the least memory.
            seen = (as_type(band, between) for band in seen)
        rows, lr = Rows(rows.header, seen), Rows(rows.header, kept)

    def hear(share: float, *, counts: bool) -> None:
        # Only the last network knows how far all is, since it draws on those before it.
        nonlocal told
        told = share if counts else told
        if progress is not None:
            progress(told)

    for step, network in enumerate(networks, start=1):
        reached = reached.scaled(network.card.scale)
        is_last = step == len(networks) and reached == size and sigma is None
        made = dtype if is_last else between
        heard = partial(hear, counts=step == len(networks))
        if isinstance(network, Router):
            rows = network.rows(rows, dtype=made, tile=tile or DEFAULT_TILE, progress=heard)
        else:
            rows = _network_rows(rows, network, dtype=made, tile=tile, progress=heard)
    if sigma is not None:
        scale = math.prod(network.card.scale for network in networks)
        made = dtype if reached == size else between
        rows = consistent_rows(rows, lr, scale=scale, dtype=made, sigma=sigma)
    return rows if reached == size else resize_rows(rows, size, dtype)


def band_height(header: Header, *, scale: int, dtype: np.dtype[Any], tile: int) -> int:
    """Choose how many LR rows are enlarged at once.

    Args:
        header: Of the LR picture.
        scale: HR pixels per LR pixel along each axis.
        dtype: Type of the enlarged samples.
        tile: Largest number of rows that a tile may have.

    Returns:
        Rows in LR pixels; those of a tile, or fewer where a band would be too large.
    """
    row_bytes = header.size.width * scale * scale * header.bands * dtype.itemsize
    most = min(tile, max(LEAST_ROWS, BAND_BYTES // row_bytes))
    return even_share(header.size.height, most)


def choose_tile(header: Header, card: Card, *, is_lean: bool) -> Size:
    """Choose the largest core of a tile.

    Args:
        header: Of the LR picture.
        card: What the network promises.
        is_lean: Whether large tiles need little memory.

    Returns:
        Its height and width in LR pixels.
    """
    if not is_lean:
        side = suitable_tile(card)
        return Size(side, side)
    return Size(lean_pixels(card) // min(header.size.width, LEAN_TILE), LEAN_TILE)


def _network_rows(
    rows: Rows, network: Network, *, dtype: np.dtype[Any], tile: int | None, progress: Progress
) -> Rows:
    header, scale = rows.header, network.card.scale
    halo = network.card.radius + (SPREAD_REACH if header.has_alpha else 0)
    height = header.size.height

    def restore(lr: Samples, keep: Box) -> Samples:
        return network.restore(lr, keep, has_alpha=header.has_alpha, dtype=dtype)

    def bands() -> Iterator[Samples]:
        window = Window(rows.bands)
        is_lean = window.dtype() == dtype and network.is_lean(header.bands, dtype)
        side = Size(tile, tile) if tile else choose_tile(header, network.card, is_lean=is_lean)
        share = band_height(header, scale=scale, dtype=dtype, tile=side.height)
        for done in range(0, height, share):
            # All bands have the same height, since engines plan for it: the last one begins with
            # rows that are made already.
            bottom = min(done + share, height)
            top = max(0, bottom - share)
            low, high = max(0, top - halo), min(height, bottom + halo)
            band = run_tiled(
                restore,
                window.rows(low, high),
                scale=scale,
                halo=halo,
                tile=side.width,
                dtype=dtype,
                context=Margins(top=top - low, bottom=high - bottom),
                progress=partial(_tell, progress, top=top, rows=bottom - top, height=height),
            )
            yield band if done == top else band[(done - top) * scale :]
            del band  # or it would stay in memory while the next one is made

    return Rows(header.resized(header.size.scaled(scale)), bands())


def _tell(progress: Progress, share: float, *, top: int, rows: int, height: int) -> None:
    """Say which share of a picture is done when a share of a band is."""
    progress((top + share * rows) / height)
