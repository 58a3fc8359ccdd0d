"""Where the next crop is taken: by what it teaches, with a share taken anywhere."""

from dataclasses import dataclass
from math import ceil
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from pixelift.errors import WrongDatasetError
from pixelift.image.geometry import Box
from pixelift.patches.dataset import PreparedSet
from pixelift.patches.score import IntegralImage

Measure = Literal[
    "uniform",
    "edge_density",
    "variance",
    "restoration_error",
    "network_loss",
    "restoration_gain",
]
"""What a place is judged by: a column of the patch table; "restoration_gain" is the restoration
error less the network loss, that is, what a trained network restores beyond interpolation."""

Share = Annotated[float, Meta(ge=0, le=1)]


class Sampling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rule by which crops are drawn; why these are the defaults, docs/sampling.md measured."""

    by: Measure = "restoration_error"
    """The measure; "uniform" takes every crop anywhere."""
    power: Annotated[float, Meta(ge=0, le=8)] = 1.0
    """Crops are drawn in proportion to the measure raised to this; 0 draws all places alike."""
    keep: Annotated[float, Meta(gt=0, le=1)] = 1.0
    """Share of the places, those of the highest scores, that are drawn at all."""
    drop_hardest: Annotated[float, Meta(ge=0, lt=1)] = 0.02
    """Share of the places, those of the very highest scores, that are left out."""
    uniform_share: Share = 0.05
    """Share of the crops that are taken anywhere, so that flat areas stay clean."""


@dataclass(frozen=True, slots=True)
class Crop:
    """One training crop: which picture, where in HR pixels, and which of the eight turns."""

    picture: int
    box: Box
    turn: int


class CropSampler:
    """Draws crops; what is drawn depends on (seed, index) alone, never on workers or order."""

    def __init__(
        self, prepared: PreparedSet, *, scale: int, hr_patch: int, rule: Sampling, seed: int
    ) -> None:
        """Weigh the places of a set.

        Args:
            prepared: The set.
            scale: LR to HR factor; crops lie on its grid.
            hr_patch: Side of a crop in HR pixels, a multiple of the scale.
            rule: How the places are weighed.
            seed: Start of the random stream.

        Raises:
            WrongDatasetError: No photo is as large as a crop, or the measure of the rule was not
                taken.

        Paper: S. Wang et al., SamplingAug, BMVC 2021 (restoration error, integral image);
            B. Moser et al., "A Study in Dataset Pruning for Image Super-Resolution", 2024
            (network loss, leaving out the hardest); drawing in proportion, mixed with uniform
            crops, is ours.
        """
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
        self._numbers = np.array(list(self._sizes))
        self._by_area = _cumulative(np.array([h * w for h, w in self._sizes.values()], np.float64))
        self._scale, self._hr_patch, self._seed = scale, hr_patch, seed
        self._uniform_share = 1.0
        if rule.by == "uniform":
            return
        self._patch = prepared.manifest.settings.patch
        self._places, scores = self._score_places(prepared, rule.by)
        weights = _weigh(scores, rule)
        if weights.sum() > 0:
            self._by_weight = _cumulative(weights)
            self._uniform_share = rule.uniform_share

    def draw(self, index: int) -> Crop:
        """Draw the crop of an index.

        Args:
            index: Running number of the crop, from 0.

        Returns:
            The crop; its box lies inside of the picture and on the scale's grid.
        """
        rng = np.random.default_rng(np.random.SeedSequence([self._seed, index]))
        side = self._hr_patch
        if rng.random() < self._uniform_share:
            picture = int(self._numbers[self._by_area.searchsorted(rng.random())])
            height, width = self._sizes[picture]
            top = int(rng.integers(height - side + 1))
            left = int(rng.integers(width - side + 1))
        else:
            place = self._places[self._by_weight.searchsorted(rng.random())]
            picture = int(place["picture"])
            height, width = self._sizes[picture]
            # One patch's width of places around the middle: neighbours join without a gap, so that
            # places of the same score are drawn as if there were no grid.
            slack = ceil(side / self._patch) * self._patch - side
            off = rng.integers(self._patch, size=2) - (self._patch - slack) // 2
            top = min(max(int(place["top"] + off[0]), 0), height - side)
            left = min(max(int(place["left"] + off[1]), 0), width - side)
        on_grid = Box(
            top // self._scale * self._scale, left // self._scale * self._scale, side, side
        )
        return Crop(picture, on_grid, int(rng.integers(8)))

    def _score_places(
        self, prepared: PreparedSet, by: str
    ) -> tuple[NDArray[np.void], NDArray[np.float64]]:
        """Score every crop-sized window that lies on the grid of patches by four look-ups."""
        rows = prepared.patches
        values = _measured(rows, by)
        if np.isnan(values).any():
            raise WrongDatasetError(
                f"{prepared.folder} holds no {by.replace('_', ' ')}: no network was named when it "
                "was prepared. Prepare it again with --network balanced, or choose another "
                "data.sampling.by."
            )
        span = ceil(self._hr_patch / self._patch)
        places, scores = [], []
        starts = np.flatnonzero(np.diff(rows["picture"], prepend=-1))
        for part in np.split(np.arange(len(rows)), starts[1:]):
            picture = int(rows["picture"][part[0]]) if part.size else -1
            if picture not in self._sizes:
                continue
            wide = int(rows["left"][part].max()) // self._patch + 1
            grid = values[part].reshape(-1, wide)
            usable = (rows["reason"][part] == "").reshape(grid.shape)
            top, left = np.indices([max(n - span + 1, 0) for n in grid.shape]).reshape(2, -1)
            score = IntegralImage.of(grid).mean(top, left, span)
            # A crop may hold some sky; one that is mostly rejected teaches what was screened out.
            score[IntegralImage.of(usable).mean(top, left, span) < MIN_USABLE] = 0
            found = np.zeros(top.size, _PLACE)
            found["picture"] = picture
            found["top"], found["left"] = top * self._patch, left * self._patch
            places.append(found)
            scores.append(np.maximum(score, 0))
        return np.concatenate(places), np.concatenate(scores)


MIN_USABLE = 0.5
"""Share of a crop's patches that must have passed the screens."""

_PLACE = np.dtype([("picture", np.int32), ("top", np.int32), ("left", np.int32)])


def _measured(rows: NDArray[np.void], by: str) -> NDArray[np.float64]:
    if by == "restoration_gain":
        gain = rows["restoration_error"].astype(np.float64) - rows["network_loss"]
        return np.maximum(gain, 0)
    column: NDArray[np.float64] = rows[by].astype(np.float64)
    return column


def _weigh(scores: NDArray[np.float64], rule: Sampling) -> NDArray[np.float64]:
    weights = np.where(scores > 0, scores**rule.power, 0)
    count = len(scores)
    left_out = np.ones(count, bool)
    order = np.argsort(scores, kind="stable")
    left_out[order[count - ceil(rule.keep * count) : count - int(rule.drop_hardest * count)]] = (
        False
    )
    return np.where(left_out, 0, weights)


def _cumulative(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    total = np.cumsum(weights)
    total /= total[-1]
    return total
