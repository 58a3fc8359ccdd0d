"""Content-aware inference: each part of a picture gets as much network as there is to restore.

A picture is cut into cells of `CELL` LR pixels. Those with the least detail get the cheap network,
as many as hold a given share of all detail between them; the others get the best. Both add what
they predict to the same interpolated picture, so that they agree where there is nothing to predict;
and inside the border of a cell one fades into the other.

Cells, and the blocks of cells that are computed at once, lie on a grid that begins at the corner
of the picture: the result depends on the picture alone, and not on how it comes in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from pixelift.errors import OutOfMemoryError
from pixelift.image.depth import to_float
from pixelift.image.geometry import Box, Margins, Size
from pixelift.image.mirror import cut_mirrored
from pixelift.image.rows import Rows, Samples, Window, as_type
from pixelift.infer.cells import (
    BLOCK,
    CELL,
    Weights,
    block_size,
    cells_of,
    faded,
    plan_blocks,
    with_neighbours,
)
from pixelift.infer.channels import SPREAD_REACH
from pixelift.infer.cover import cover
from pixelift.infer.detail import BAND, beyond_share, cell_areas, measure_cells
from pixelift.infer.engine import Engine
from pixelift.infer.network import Network
from pixelift.infer.tiling import Progress
from pixelift.zoo.card import Card

FADED_CONTEXT = 3
"""Pixels that the best network sees beyond the border of a cell where it fades in. What it misses
there costs 0.0003 dB, and a cell alone takes a quarter less work (trials in experiments/LOG.md)."""

FLOOR = 0.05
"""Detail below which no cell is worth the best network, in squared 8-bit levels: about what
rounding to 8 bits leaves."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Which network each cell of a picture gets."""

    is_best: NDArray[np.bool_]
    """(rows, columns) of cells: true where the best network runs."""
    size: Size
    """Size of the picture, in LR pixels."""

    @property
    def share(self) -> float:
        """Share of the picture's pixels that the best network makes, 0 to 1."""
        return float((cell_areas(self.size, cell=CELL) * self.is_best).sum() / self.size.pixels)


class Router:
    """A cheap network and a good one of the same scale, and the choice between them."""

    def __init__(self, cheap: Network, best: Network, *, spared: float) -> None:
        """Put two networks together.

        Args:
            cheap: Runs where there is little to restore.
            best: Runs where there is much.
            spared: Share of a picture's detail, 0 to 1, that may be left to the cheap network; 0
                uses the best nearly everywhere. What the best network gains in a cell is nearly
                proportional to the cell's detail, so that this is the share of its gain that is
                given up, in every picture alike (experiments/LOG.md).

        Raises:
            ValueError: The networks are not of one scale.
        """
        cards = cheap.card, best.card
        if cards[0].scale != cards[1].scale:
            raise ValueError(f"{cards[0].key} and {cards[1].key} do not go together")
        self.cheap: Final = cheap
        self.best: Final = best
        self.spared: Final = spared
        # The best network sees half of what its result depends on. What is further away hardly
        # counts: for balanced x4 the error at that distance from a cut was a hundredth of what it
        # differs from a small network by, and less further inside (trials in experiments/LOG.md).
        self.context: Final = -(-best.card.radius // 2)
        self.faded_context: Final = min(FADED_CONTEXT, self.context)
        self.card: Final[Card] = msgspec.structs.replace(
            best.card,
            name="auto",
            parameters=cheap.card.parameters + best.card.parameters,
            radius=max(cheap.card.radius, self.context),
            scores={},
        )

    @property
    def engine(self) -> Engine:
        """What runs the best network."""
        return self.best.engine

    def decide(self, samples: Samples) -> Decision:
        """Choose a network for every cell.

        Args:
            samples: (H, W, C) of any depth, 1 or 3 colours without alpha.

        Returns:
            The decision.
        """
        bands = (to_float(samples[top : top + BAND]) for top in range(0, len(samples), BAND))
        detail = measure_cells(bands, cell=CELL)
        areas = cell_areas(detail.size, cell=CELL)
        is_best = beyond_share(detail.cells, areas, spared=self.spared)
        return Decision(is_best & (detail.cells > FLOOR), detail.size)

    def rows(
        self,
        rows: Rows,
        *,
        dtype: np.dtype[Any],
        tile: int,
        progress: Progress | None = None,
    ) -> Rows:
        """Enlarge a picture that passes by.

        The small picture is held in memory, since all of it is measured before any of it is
        enlarged; the large one is made while its rows are taken.

        Args:
            rows: The picture; used up by what is returned.
            dtype: Type of the result's samples: uint8, uint16 or float32.
            tile: Side in LR pixels that a block may have; at least one cell is taken.
            progress: Told after each row of blocks which share is done; what it raises ends the
                work.

        Returns:
            The enlarged picture.
        """
        header = rows.header
        size = header.size.scaled(self.card.scale)
        return Rows(header.resized(size), self._bands(rows, np.dtype(dtype), tile, progress))

    def _bands(
        self, rows: Rows, dtype: np.dtype[Any], tile: int, progress: Progress | None
    ) -> Iterator[Samples]:
        header = rows.header
        lr = Window(rows.bands).rows(0, header.size.height)
        decision = self.decide(lr[..., : header.channels])
        side = min(max(tile // CELL, 1), BLOCK)
        block = block_size(header.size, side=side)
        for band in plan_blocks(header.size, Size(block.height, header.size.width)):
            made = self._band(
                lr, band, decision=decision, side=side, has_alpha=header.has_alpha, dtype=dtype
            )
            if progress is not None:
                progress(band.bottom / header.size.height)
            yield made

    def _band(
        self,
        lr: Samples,
        band: Box,
        *,
        decision: Decision,
        side: int,
        has_alpha: bool,
        dtype: np.dtype[Any],
    ) -> Samples:
        """Enlarge a row of blocks; with smaller blocks when memory runs out."""
        scale = self.card.scale
        while True:
            try:
                sr = np.empty((band.height * scale, band.width * scale, lr.shape[2]), dtype)
                size = block_size(decision.size, side=side)
                for part in plan_blocks(band.size, size):
                    place = part.shifted(band.top, 0)
                    block = Block(self, lr, place, frame=size, has_alpha=has_alpha)
                    block.enlarge(decision, sr[part.scaled(scale).slices])
            except MemoryError as err:
                if side == 1:
                    raise OutOfMemoryError(
                        f"out of memory even with blocks of {CELL} pixels ({err}). "
                        "Close other programs, or use: --effort low"
                    ) from err
                side //= 2
            else:
                return sr


class Block:
    """A part of a picture that is made at once."""

    def __init__(
        self, router: Router, lr: Samples, place: Box, *, frame: Size, has_alpha: bool
    ) -> None:
        """Say which part of a picture.

        Args:
            router: The networks.
            lr: (H, W, C): the whole picture.
            place: Where the block lies, in LR pixels; its corner is that of a cell.
            frame: Size of the picture's blocks, at least that of this one.
            has_alpha: Whether the last channel is alpha.
        """
        self._router = router
        self._lr = lr
        self._place = place
        self._has_alpha = has_alpha
        # The last blocks may be smaller. An engine is far quicker with a size that it knows, so the
        # cheap network runs on as much as everywhere, which is moved back into the picture.
        top = min(place.top, lr.shape[0] - frame.height)
        left = min(place.left, lr.shape[1] - frame.width)
        self._frame = Box(top, left, frame.height, frame.width)

    def enlarge(self, decision: Decision, into: Samples) -> None:
        """Make the block.

        Args:
            decision: What was decided for the whole picture.
            into: (scale * height, scale * width, C): where the result goes.
        """
        router, place, scale = self._router, self._place, self._router.card.scale
        everywhere = Margins.around(router.context)
        cells = with_neighbours(decision.is_best, place)
        if cells.all():
            into[:] = self._made(router.best, place, place, everywhere, into.dtype)
            return
        context = Margins.around(router.cheap.card.radius)
        into[:] = self._made(router.cheap, place, self._frame, context, into.dtype)
        weights = faded(cells, place.size)
        for box in cover(cells[1:-1, 1:-1], cell=CELL, halo=router.context):
            part = box.scaled(CELL).intersect(Box.whole(place.size))
            source = part.shifted(place.top, place.left)
            context = _context(cells, box, full=router.context, less=router.faded_context)
            made = self._made(router.best, source, source, context, into.dtype)
            for cell in cells_of(box):
                if cells[cell.top + 1, cell.left + 1]:
                    own = cell.scaled(CELL).intersect(part)
                    inside = own.shifted(-part.top, -part.left).scaled(scale)
                    target = into[own.scaled(scale).slices]
                    _blend(target, made[inside.slices], weights[own.slices], scale=scale)

    def _made(
        self, network: Network, box: Box, frame: Box, context: Margins, dtype: np.dtype[Any]
    ) -> Samples:
        """Run a network on a frame, and keep a box of it; both in LR pixels of the picture."""
        source = frame.grown(context)
        if self._has_alpha:
            source = source.grown(Margins.around(SPREAD_REACH))
        keep = box.shifted(-source.top, -source.left).scaled(self._router.card.scale)
        lr = cut_mirrored(self._lr, source)
        return network.restore(lr, keep, has_alpha=self._has_alpha, dtype=dtype)


def _blend(target: Samples, source: Samples, weights: Weights, *, scale: int) -> None:
    """Put a cell of the best network over what is there, by its weights."""
    if weights.min() == 1:
        target[:] = source
        return
    enlarged = weights.repeat(scale, axis=0).repeat(scale, axis=1)[..., None]
    below = to_float(target)
    target[:] = as_type(below + enlarged * (to_float(source) - below), target.dtype)


def _context(cells: NDArray[np.bool_], box: Box, *, full: int, less: int) -> Margins:
    """Choose what the best network sees around some cells: less on the sides where it fades in.

    Args:
        cells: Those of the block and one more on each side.
        box: The cells to make, in the block.
        full: LR pixels on sides with further cells of the best network, or the picture's border.
        less: On the others.

    Returns:
        LR pixels.
    """
    tall, wide = slice(box.top + 1, box.bottom + 1), slice(box.left + 1, box.right + 1)
    beyond = (
        cells[box.top, wide],
        cells[tall, box.left],
        cells[box.bottom + 1, wide],
        cells[tall, box.right + 1],
    )
    return Margins(*(full if side.any() else less for side in beyond))
