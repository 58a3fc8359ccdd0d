"""Where the next crop is taken: by what it teaches, with a share taken anywhere."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import WrongDatasetError
from pixelift.image.geometry import Box
from pixelift.patches.dataset import PreparedSet


@dataclass(frozen=True, slots=True)
class Crop:
    """One training crop: which picture, where in HR pixels, and which of the eight turns."""

    picture: int
    box: Box
    turn: int


class CropSampler:
    """Draws crops; what is drawn depends on (seed, index) alone, never on workers or order."""

    def __init__(
        self,
        prepared: PreparedSet,
        *,
        scale: int,
        hr_patch: int,
        uniform_share: float,
        seed: int,
    ) -> None:
        """Weigh the patches of a set.

        Args:
            prepared: The set.
            scale: LR to HR factor; crops lie on its grid.
            hr_patch: Side of a crop in HR pixels, a multiple of the scale.
            uniform_share: Share of crops, 0 to 1, taken anywhere in any photo; the others are
                taken around a patch, in proportion to its restoration error.
            seed: Start of the random stream.

        Raises:
            WrongDatasetError: The set has no LR pictures of this scale, or no photo is as large as
                a crop.

        Paper: S. Wang et al., SamplingAug, BMVC 2021; sampling in proportion to the error, mixed
            with uniform crops so that flat areas stay clean, is ours.
        """
        settings = prepared.manifest.settings
        if scale not in settings.scales:
            raise WrongDatasetError(
                f"{prepared.folder} was prepared for scales {_listed(settings.scales)}, the recipe "
                f"trains x{scale}. Prepare it again with --scales {scale}."
            )
        self._sizes = {
            p.number: (p.height, p.width)
            for p in prepared.manifest.pictures
            if p.split == "train" and min(p.height, p.width) >= hr_patch
        }
        if not self._sizes:
            raise WrongDatasetError(
                f"no photo of {prepared.folder} is {hr_patch} pixels or more on both sides. "
                "Lower data.lr_patch or add larger photos."
            )
        rows = prepared.patches
        usable = (rows["reason"] == "") & np.isin(rows["picture"], list(self._sizes))
        rows = rows[usable]
        weights = rows["restoration_error"].astype(np.float64)
        self._rows, self._patch = rows, settings.patch
        self._by_error = _cumulative(weights) if weights.sum() > 0 else None
        self._numbers = np.array(list(self._sizes))
        self._by_area = _cumulative(np.array([h * w for h, w in self._sizes.values()], np.float64))
        self._scale, self._hr_patch = scale, hr_patch
        self._uniform_share = uniform_share if self._by_error is not None else 1.0
        self._seed = seed

    def __len__(self) -> int:
        """Number of patches that crops are taken around."""
        return len(self._rows)

    def draw(self, index: int) -> Crop:
        """Draw the crop of an index.

        Args:
            index: Running number of the crop, from 0.

        Returns:
            The crop; its box lies inside of the picture and on the scale's grid.
        """
        rng = np.random.default_rng(np.random.SeedSequence([self._seed, index]))
        side = self._hr_patch
        if self._by_error is None or rng.random() < self._uniform_share:
            picture = int(self._numbers[np.searchsorted(self._by_area, rng.random())])
            height, width = self._sizes[picture]
            top = int(rng.integers(height - side + 1))
            left = int(rng.integers(width - side + 1))
        else:
            row = self._rows[np.searchsorted(self._by_error, rng.random())]
            picture = int(row["picture"])
            height, width = self._sizes[picture]
            # Anywhere inside of the patch, or around it where the crop is the larger of the two.
            low, high = sorted((0, self._patch - side))
            top = int(np.clip(row["top"] + rng.integers(low, high + 1), 0, height - side))
            left = int(np.clip(row["left"] + rng.integers(low, high + 1), 0, width - side))
        on_grid = Box(
            top // self._scale * self._scale, left // self._scale * self._scale, side, side
        )
        return Crop(picture, on_grid, int(rng.integers(8)))


def _cumulative(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    total = np.cumsum(weights)
    total /= total[-1]
    return total


def _listed(scales: tuple[int, ...]) -> str:
    return ", ".join(f"x{s}" for s in scales)
