"""LR crops as people have them: each with a plan of its own, drawn from seed and index alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelift.degrade.apply import apply_plan
from pixelift.degrade.draw import PRESETS, Degradation, draw_plan
from pixelift.degrade.plan import Plan, clean_plan
from pixelift.image.crops import downscale_crops
from pixelift.image.geometry import Box, Margins
from pixelift.image.mirror import Cuttable, cut_mirrored

_STREAM = 1
"""Tells this random stream from that of the places, which is of (seed, index) too."""

_REACH_HR_PX = 12
"""HR pixels around a crop that its blur reaches into; what it would see beyond is mirrored."""

_JPEG_GRID = 8


@dataclass(frozen=True, slots=True)
class Degrader:
    """Makes LR crops; the crop of an index is the same whoever asks for it, and when."""

    degradation: Degradation
    clean_share: float
    """Share of the crops that are only shrunk."""
    scale: int
    seed: int

    @property
    def is_clean(self) -> bool:
        """Whether no crop is ever more than shrunk."""
        return self.degradation == PRESETS["clean"] or self.clean_share >= 1

    def plan(self, index: int) -> Plan:
        """Draw the plan of a crop.

        Args:
            index: Running number of the crop, from 0.

        Returns:
            The plan.
        """
        return self._draw(index)[0]

    def _draw(self, index: int) -> tuple[Plan, tuple[int, int]]:
        """Draw the plan, and where on JPEG's grid the crop begins."""
        if self.is_clean:
            return clean_plan(self.scale), (0, 0)
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, index, _STREAM]))
        down, right = rng.integers(_JPEG_GRID, size=2)
        if rng.random() < self.clean_share:
            return clean_plan(self.scale), (0, 0)
        plan = draw_plan(self.degradation, scale=self.scale, rng=rng)
        return plan, (int(down), int(right))

    def crops(
        self, pictures: Sequence[Cuttable[np.uint8]], boxes: Sequence[Box], *, first: int
    ) -> NDArray[np.uint8]:
        """Make the LR crops of a batch.

        Args:
            pictures: (H, W, C) each; one for each box.
            boxes: Boxes of one size, inside of the pictures and on the scale's grid, in HR pixels.
            first: Index of the first crop.

        Returns:
            (N, h / scale, w / scale, C).
        """
        drawn = [self._draw(first + n) for n in range(len(boxes))]
        size = boxes[0].unscaled(self.scale)
        shape = len(boxes), size.height, size.width, pictures[0].shape[2]
        lr = np.empty(shape, np.uint8)
        clean = [n for n, (plan, _) in enumerate(drawn) if plan.is_clean]
        if clean:
            lr[clean] = downscale_crops(
                [pictures[n] for n in clean], [boxes[n] for n in clean], scale=self.scale
            )
        for n, (plan, offset) in enumerate(drawn):
            if not plan.is_clean:
                lr[n] = self._crop(pictures[n], boxes[n], plan, offset)
        return lr

    def _crop(
        self, picture: Cuttable[np.uint8], box: Box, plan: Plan, offset: tuple[int, int]
    ) -> NDArray[np.uint8]:
        """Make one crop, with a margin that is cut off again.

        The margin is larger above and on the left by the offset: JPEG's blocks then begin
        anywhere, as they do in crops of a whole picture that was compressed.
        """
        reach = -(-_REACH_HR_PX // self.scale)
        top, left = (reach + n for n in offset)
        margins = Margins(top=top, left=left, bottom=reach, right=reach)
        wide = cut_mirrored(picture, box.grown(margins.scaled(self.scale)))
        lr = apply_plan(wide, plan)
        return lr[top : lr.shape[0] - reach, left : lr.shape[1] - reach]
