"""Content-aware inference: each part of a picture gets as much network as there is to restore.

A picture is cut into cells of `CELL` LR pixels. A cell with much detail beside the whole picture
gets the best network, the others the cheapest. Both add what they predict to the same
interpolated picture, so that they agree where there is nothing to predict; and inside the border
of a cell one fades into the other.

Cells, and the blocks of cells that are computed at once, lie on a grid that begins at the corner
of the picture: the result depends on the picture alone, and not on how it comes in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from pixelift.errors import OutOfMemoryError
from pixelift.image.geometry import Box, Margins, Size
from pixelift.infer.cover import cover
from pixelift.infer.detail import Detail, measure_cells
from pixelift.infer.engine import Engine, Precision
from pixelift.infer.tiling import mirror_index
from pixelift.zoo.card import Card

CELL = 48
"""Side of a cell in LR pixels. Of 16, 32, 48, 64 and 96 the one with the least work for the same
PSNR (experiments/004-effort): smaller ones cost too much context, larger ones know too little."""

BLOCK = 5
"""Side of a block in cells: 240 LR pixels, about `pixelift.infer.tiling.DEFAULT_TILE`."""

FADE = 4
"""Pixels inside the border of a cell over which the best network fades in."""

FLOOR = 0.05
"""Detail below which no cell is worth the best network, in squared 8-bit levels: about what
rounding to 8 bits leaves."""

Planes = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Decision:
    """Which network each cell of a picture gets."""

    is_best: NDArray[np.bool_]
    """(rows, columns) of cells: true where the best network runs."""
    detail: Detail
    """What it was decided by."""

    @property
    def share(self) -> float:
        """Share of the picture's pixels that the best network makes, 0 to 1."""
        size = self.detail.size
        tall, wide = (
            np.diff([*range(0, length, CELL), length]) for length in (size.height, size.width)
        )
        return float((np.outer(tall, wide) * self.is_best).sum() / size.pixels)


class Router:
    """A cheap network and a good one of the same scale, and the choice between them."""

    def __init__(self, cheap: Engine, best: Engine, *, threshold: float) -> None:
        """Put two networks together.

        Args:
            cheap: Runs where there is little to restore.
            best: Runs where there is much.
            threshold: Detail of a cell, as a multiple of the picture's mean, above which the best
                network is used; 0 uses it nearly everywhere.

        Raises:
            ValueError: The networks are not of one scale and the same channels.
        """
        cards = cheap.card, best.card
        if len({(card.scale, card.channels) for card in cards}) > 1:
            raise ValueError(f"{cards[0].key} and {cards[1].key} do not go together")
        self.cheap: Final = cheap
        self.best: Final = best
        self.threshold: Final = threshold
        # The best network sees half of what its result depends on. What is further away hardly
        # counts: for balanced x4 the error at that distance from a cut was a hundredth of what it
        # differs from a small network by, and less further inside (experiments/004-effort).
        self._context: Final = -(-best.card.radius // 2)
        self.card: Final[Card] = msgspec.structs.replace(
            best.card,
            name="auto",
            parameters=cheap.card.parameters + best.card.parameters,
            radius=max(cheap.card.radius, self._context),
            scores={},
        )

    @property
    def name(self) -> str:
        """What runs the networks: "openvino" or "onnxruntime"."""
        return self.best.name

    @property
    def precision(self) -> Precision:
        """Arithmetic of the best network."""
        return self.best.precision

    def decide(self, image: Planes) -> Decision:
        """Choose a network for every cell.

        Args:
            image: (H, W, C) in [0, 1].

        Returns:
            The decision.
        """
        return self.decide_by(measure_cells([image], cell=CELL))

    def decide_by(self, detail: Detail) -> Decision:
        """Choose a network for every cell of a picture that was measured before.

        Args:
            detail: As `measure_cells` makes it, with cells of `CELL` pixels.

        Returns:
            The decision.
        """
        return Decision(detail.cells > max(self.threshold * detail.mean, FLOOR), detail)

    def run(self, image: Planes, *, tile: int) -> Planes:
        """Enlarge a picture block by block.

        When memory runs out everything is made again with smaller blocks.

        Args:
            image: (H, W, C), float32 in [0, 1].
            tile: Side in LR pixels that a block may have; at least one cell is taken.

        Returns:
            (scale * H, scale * W, C), not clipped.

        Raises:
            OutOfMemoryError: Memory is too small even for blocks of one cell, or for the result.
        """
        scale, size = self.card.scale, Size(image.shape[0], image.shape[1])
        decision = self.decide(image)
        side = min(max(tile // CELL, 1), BLOCK)
        while True:
            try:
                shape = (size.height * scale, size.width * scale, image.shape[2])
                sr = np.empty(shape, np.float32)
                for block in plan_blocks(size, side=side):
                    self.block(image, block, decision=decision, into=sr[block.scaled(scale).slices])
            except MemoryError as err:
                if side == 1:
                    raise OutOfMemoryError(
                        f"out of memory even with blocks of {CELL} pixels, for a picture of "
                        f"{size} ({err}). Close other programs, or use: --effort low"
                    ) from err
                side //= 2
            else:
                return sr

    def block(
        self, image: Planes, block: Box, *, decision: Decision, into: Planes, top: int = 0
    ) -> None:
        """Enlarge one block.

        Args:
            image: (H, W, C) rows of the picture: those of the block, and above and below as many
                as there are up to `card.radius`.
            block: One of `plan_blocks`, in LR pixels of the whole picture.
            decision: What was decided for the whole picture.
            into: (scale * height, scale * width, C): where the result goes.
            top: Which row of the picture the first row of `image` is.
        """
        size = decision.detail.size
        source = block.grown(Margins.around(self.card.radius))
        rows = mirror_index(source.top, source.bottom, size.height) - top
        columns = mirror_index(source.left, source.right, size.width)
        lr = image[np.ix_(rows, columns)]
        cells = _with_neighbours(decision.is_best, block)
        whole = Box.whole(block.size)
        if cells.all():
            self._best_in(lr, whole, into)
            return
        if not cells.any():
            self._cheap_in(lr, whole, into)
            return
        weights = _faded(cells, block.size)
        into[:] = 0  # what fades in is added to what is there
        for box in _cheap_boxes(~cells[1:-1, 1:-1], weights, halo=self.cheap.card.radius):
            self._cheap_in(lr, box, into[box.scaled(self.card.scale).slices])
        for box in cover(cells[1:-1, 1:-1], cell=CELL, halo=self._context):
            part = box.scaled(CELL).intersect(whole)
            made = np.empty((*self._shape(part), lr.shape[2]), np.float32)
            self._best_in(lr, part, made)
            for cell in _cells_of(box):
                if cells[cell.top + 1, cell.left + 1]:
                    place = cell.scaled(CELL).intersect(whole)
                    self._blend(into, made, place, weights, corner=part)

    def _shape(self, box: Box) -> tuple[int, int]:
        return box.height * self.card.scale, box.width * self.card.scale

    def _cheap_in(self, lr: Planes, box: Box, into: Planes) -> None:
        self._run(self.cheap, lr, box, context=self.cheap.card.radius, into=into)

    def _best_in(self, lr: Planes, box: Box, into: Planes) -> None:
        self._run(self.best, lr, box, context=self._context, into=into)

    def _run(self, engine: Engine, lr: Planes, box: Box, *, context: int, into: Planes) -> None:
        halo = self.card.radius
        source = box.shifted(halo, halo).grown(Margins.around(context))
        sr = engine(np.ascontiguousarray(lr[source.slices].transpose(2, 0, 1)[None]))
        kept = Box(context, context, box.height, box.width).scaled(self.card.scale)
        into[:] = sr[0].transpose(1, 2, 0)[kept.slices]

    def _blend(
        self, into: Planes, made: Planes, place: Box, weights: Planes, *, corner: Box
    ) -> None:
        """Put a cell of the best network over what is there, by its weights."""
        scale = self.card.scale
        target = into[place.scaled(scale).slices]
        source = made[place.shifted(-corner.top, -corner.left).scaled(scale).slices]
        weight = weights[place.slices]
        if weight.min() == 1:
            target[:] = source
            return
        enlarged = weight.repeat(scale, axis=0).repeat(scale, axis=1)[..., None]
        target += enlarged * (source - target)


def plan_blocks(size: Size, *, side: int = BLOCK) -> list[Box]:
    """Cut a picture into blocks of cells, from its corner on.

    Args:
        size: Size of the picture in LR pixels.
        side: Side of a block in cells.

    Returns:
        Boxes in LR pixels, row by row; those at the right and lower border may be smaller.
    """
    whole, pixels = Box.whole(size), side * CELL
    return [
        Box(top, left, pixels, pixels).intersect(whole)
        for top in range(0, size.height, pixels)
        for left in range(0, size.width, pixels)
    ]


def _cells_of(box: Box) -> Iterator[Box]:
    for top in range(box.top, box.bottom):
        for left in range(box.left, box.right):
            yield Box(top, left, 1, 1)


def _with_neighbours(cells: NDArray[np.bool_], block: Box) -> NDArray[np.bool_]:
    """Cut a block's cells out, with one more on each side; beyond the border they go on."""
    rows, columns = (
        np.arange(start // CELL - 1, -(-stop // CELL) + 1).clip(0, count - 1)
        for start, stop, count in (
            (block.top, block.bottom, cells.shape[0]),
            (block.left, block.right, cells.shape[1]),
        )
    )
    cut: NDArray[np.bool_] = cells[np.ix_(rows, columns)]
    return cut


def _cheap_boxes(cells: NDArray[np.bool_], weights: Planes, *, halo: int) -> list[Box]:
    """List what the cheap network has to do in a block, in LR pixels of the block.

    Args:
        cells: The block's cells that it makes alone.
        weights: Of the best network; the cheap one is also needed wherever they are below 1.
        halo: Context that it needs.

    Returns:
        Boxes inside the block, which may overlap.
    """
    height, width = weights.shape
    whole, needed = Box(0, 0, height, width), weights < 1
    boxes = []
    for box in cover(cells, cell=CELL, halo=halo):
        boxes.append(box.scaled(CELL).grown(Margins.around(FADE)).intersect(whole))
        needed[boxes[-1].slices] = False
    # What is left are seams to cells of the neighbouring blocks, along the sides.
    deep, wide = min(FADE, height), min(FADE, width)
    for side in (
        Box(0, 0, deep, width),
        Box(height - deep, 0, deep, width),
        Box(0, 0, height, wide),
        Box(0, width - wide, height, wide),
    ):
        rows, columns = (side_of(needed[side.slices]) for side_of in (_rows_of, _columns_of))
        if len(rows):
            top, left = side.top + int(rows[0]), side.left + int(columns[0])
            box = Box(top, left, int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1)
            boxes.append(box)
            needed[box.slices] = False
    return boxes


def _rows_of(marked: NDArray[np.bool_]) -> NDArray[np.intp]:
    return np.flatnonzero(marked.any(axis=1))


def _columns_of(marked: NDArray[np.bool_]) -> NDArray[np.intp]:
    return np.flatnonzero(marked.any(axis=0))


def _faded(cells: NDArray[np.bool_], size: Size) -> Planes:
    """Draw cells as weights that rise from 0 outside of them to 1 inside, over `FADE` pixels.

    Args:
        cells: Those of the block and one more on each side.
        size: Size of the block in LR pixels.

    Returns:
        (height, width) in [0, 1]; exactly 0 outside of the cells, and 1 where none but they are.
    """
    drawn = cells.repeat(CELL, axis=0).repeat(CELL, axis=1)
    start = CELL - FADE
    drawn = drawn[start : CELL + size.height + FADE, start : CELL + size.width + FADE]
    inner = drawn.astype(np.uint8)
    for join in (np.minimum, np.add):
        for _ in range(2):  # rows, then columns
            inner = _windows(inner, join).T
    weights: Planes = inner.astype(np.float32) / np.float32((FADE + 1) ** 2)
    return weights


def _windows(
    values: NDArray[np.uint8], join: Callable[..., NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """Join every row with the `FADE` rows below it, so that as many rows less are left."""
    length = len(values) - FADE
    joined = values[:length]
    for at in range(1, FADE + 1):
        joined = join(joined, values[at : at + length])
    return joined
