"""Batches of HR crops, cut out of the memory-mapped pictures, and the LR crops made of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Subset

from pixelift.data.degraded import Degrader
from pixelift.data.sample import CropSampler
from pixelift.degrade.draw import PRESETS
from pixelift.image.dihedral import transform
from pixelift.patches.dataset import PreparedSet


@dataclass(frozen=True, slots=True)
class Batch:
    """Crops that belong together: uint8, (N, C, H, W), channels last in memory."""

    lr: torch.Tensor
    hr: torch.Tensor


class PairDataset(Dataset[Batch]):
    """The batch of each training step; step n is the same whoever asks for it, and when."""

    def __init__(
        self,
        prepared: PreparedSet,
        sampler: CropSampler,
        *,
        scale: int,
        batch: int,
        degrader: Degrader | None = None,
    ) -> None:
        """Set what a batch is.

        Args:
            prepared: The set.
            sampler: Where crops are taken.
            scale: LR to HR factor.
            batch: Crops in a batch.
            degrader: How LR is made, at the same scale; without it by bicubic shrinking alone.
        """
        self._prepared, self._sampler = prepared, sampler
        self._batch = batch
        self._degrader = degrader or Degrader(PRESETS["clean"], 1.0, scale, 0)
        self._maps: dict[int, NDArray[np.uint8]] = {}

    def __getitem__(self, step: int) -> Batch:
        """Cut the batch of a step."""
        first = step * self._batch
        crops = [self._sampler.draw(index) for index in range(first, first + self._batch)]
        pictures = [self._picture(crop.picture) for crop in crops]
        lr = self._degrader.crops(pictures, [crop.box for crop in crops], first=first)
        hr = (p[crop.box.slices] for p, crop in zip(pictures, crops, strict=True))
        turns = [crop.turn for crop in crops]
        return Batch(_stack(lr, turns), _stack(hr, turns))

    @property
    def forks_safely(self) -> bool:
        """Whether forked processes may make batches: they hung with libvips, which makes WebP."""
        return self._degrader.is_clean

    def _picture(self, number: int) -> NDArray[np.uint8]:
        if number not in self._maps:
            # A plain array on the same memory: a memmap is slower to slice by far.
            self._maps[number] = np.asarray(self._prepared.picture(number))
        return self._maps[number]


def batches(
    dataset: PairDataset, *, first: int, last: int, workers: int
) -> Iterator[tuple[int, Batch]]:
    """Deliver the batches of a range of steps in order.

    Args:
        dataset: The pairs.
        first: First step.
        last: Step to stop before.
        workers: Processes that cut crops ahead of time; 0 cuts them in this one.

    Yields:
        Step and batch; the same for any number of workers.
    """
    loader = DataLoader(
        Subset(dataset, range(first, last)),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=8 if workers else None,
        multiprocessing_context="spawn" if workers and not dataset.forks_safely else None,
    )
    yield from zip(range(first, last), loader, strict=True)


def _stack(crops: Iterable[NDArray[np.uint8]], turns: Sequence[int]) -> torch.Tensor:
    turned = [transform(crop, turn) for crop, turn in zip(crops, turns, strict=True)]
    stacked = np.empty((len(turned), *turned[0].shape), np.uint8)
    for crop, place in zip(turned, stacked, strict=True):
        if crop[0].flags.c_contiguous:
            place[...] = crop
            continue
        # Mirrored or transposed pixels are three bytes apart, and numpy would start a new loop for
        # each of them; a channel at a time takes a quarter of that.
        for channel in range(crop.shape[2]):
            place[..., channel] = crop[..., channel]
    return torch.from_numpy(stacked).permute(0, 3, 1, 2)
