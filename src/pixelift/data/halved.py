"""Training crops of photos at half their size: more detail in a pixel, as in small pictures."""

from dataclasses import dataclass

import numpy as np

from pixelift.image.geometry import Box, Margins
from pixelift.image.mirror import Cuttable
from pixelift.image.shrink import shrink

_STREAM = 2
"""Tells this random stream from those of the places and of the plans."""

_AROUND_HR_PX = 48
"""HR pixels around a crop that are halved with it, for whoever blurs or compresses it."""


@dataclass(frozen=True, slots=True)
class Halver:
    """Takes some crops twice as wide and halves them.

    A camera's photo is soft from pixel to pixel, and the pictures that people enlarge have mostly
    been made smaller before. Real-ESRGAN trains on photos at several sizes for the same reason.

    Paper: X. Wang et al., "Real-ESRGAN", ICCVW 2021, section 4.1 (its published code adds each
        photo at 0.75, 0.5 and a third of its size).
    """

    share: float
    """Share of the crops that are halved."""
    scale: int
    """LR to HR factor; crops lie on its grid."""
    seed: int

    def take(
        self, picture: Cuttable[np.uint8], box: Box, *, index: int
    ) -> tuple[Cuttable[np.uint8], Box]:
        """Halve what a crop and its neighbourhood show, or leave it as it is.

        Args:
            picture: (H, W, C).
            box: Where the crop lies in it.
            index: Running number of the crop, which decides.

        Returns:
            A picture, and where the crop lies in it: of the same size, with twice as much in it.
        """
        height, width = picture.shape[:2]
        if not self.share or height < 2 * box.height or width < 2 * box.width:
            return picture, box
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, index, _STREAM]))
        if rng.random() >= self.share:
            return picture, box
        grid = 2 * self.scale
        top, left = (
            min(max(start - length // 2, 0), whole - 2 * length) // grid * grid
            for start, length, whole in (
                (box.top, box.height, height),
                (box.left, box.width, width),
            )
        )
        around = Margins.around(-(-_AROUND_HR_PX // self.scale) * grid)
        wide = Box(top, left, 2 * box.height, 2 * box.width).grown(around)
        source = wide.intersect(Box(0, 0, height, width))
        small = shrink(np.ascontiguousarray(picture[source.slices]), 2)
        place = Box((top - source.top) // 2, (left - source.left) // 2, box.height, box.width)
        return small, place
