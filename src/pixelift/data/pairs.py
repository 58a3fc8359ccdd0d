"""Batches of HR crops, cut out of the memory-mapped pictures, and the LR crops made of them."""

import signal
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Subset

from pixelift.data.degraded import Degrader
from pixelift.data.halved import Halver
from pixelift.data.sample import CropSampler
from pixelift.degrade.draw import PRESETS
from pixelift.image.dihedral import transform
from pixelift.image.mirror import Cuttable
from pixelift.patches.dataset import PreparedSet


@dataclass(frozen=True, slots=True)
class Batch:
    """Crops that belong together: uint8, (N, C, H, W), channels last in memory."""

    lr: torch.Tensor
    hr: torch.Tensor

    def pin_memory(self) -> "Batch":
        """Copy to memory from which a GPU fetches by itself; the loader calls this."""
        return Batch(self.lr.pin_memory(), self.hr.pin_memory())


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
        halver: Halver | None = None,
        part: tuple[int, int] = (0, 1),
        luma: bool = False,
    ) -> None:
        """Set what a batch is.

        Args:
            prepared: The set.
            sampler: Where crops are taken.
            scale: LR to HR factor.
            batch: Crops in a batch.
            degrader: How LR is made, at the same scale; without it by bicubic shrinking alone.
            halver: Which crops show photos at half their size; without it none.
            part: Which of how many equal parts of each batch is wanted, from 0.
            luma: Whether the crops show luma alone; those of a set of luma always do.
        """
        self._prepared, self._sampler, self._luma = prepared, sampler, luma
        self._batch, self._part = batch, part
        self._degrader = degrader or Degrader(PRESETS["clean"], 1.0, scale, 0)
        self._halver = halver or Halver(0.0, scale, 0)
        self._maps: dict[int, Cuttable[np.uint8]] = {}

    def __getitem__(self, step: int) -> Batch:
        """Cut the batch of a step, or its part."""
        number, parts = self._part
        count = self._batch // parts
        first = step * self._batch + number * count
        crops = [self._sampler.draw(index) for index in range(first, first + count)]
        taken = [
            self._halver.take(self._picture(crop.picture), crop.box, index=first + n)
            for n, crop in enumerate(crops)
        ]
        pictures, boxes = [picture for picture, _ in taken], [box for _, box in taken]
        lr = self._degrader.crops(pictures, boxes, first=first)
        hr = (picture[box.slices] for picture, box in taken)
        turns = [crop.turn for crop in crops]
        return Batch(_stack(lr, turns), _stack(hr, turns))

    @property
    def forks_safely(self) -> bool:
        """Whether forked processes may make batches: without libvips, see `pixelift.forks`.

        It makes WebP, and halves crops.
        """
        return self._degrader.is_clean and not self._halver.share

    def _picture(self, number: int) -> Cuttable[np.uint8]:
        if number not in self._maps:
            show = self._prepared.luma if self._luma else self._prepared.picture
            picture = show(number)
            # A plain array on the same memory: a memmap is slower to slice by far.
            self._maps[number] = np.asarray(picture) if isinstance(picture, np.memmap) else picture
        return self._maps[number]


def batches(
    dataset: PairDataset, *, first: int, last: int, workers: int, pin: bool = False
) -> Iterator[tuple[int, Batch]]:
    """Deliver the batches of a range of steps in order.

    Args:
        dataset: The pairs.
        first: First step.
        last: Step to stop before.
        workers: Processes that cut crops ahead of time; 0 cuts them in this one.
        pin: Whether batches lie in memory from which a GPU fetches by itself.

    Yields:
        Step and batch; the same for any number of workers.
    """
    loader = DataLoader(
        Subset(dataset, range(first, last)),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=8 if workers else None,
        multiprocessing_context="spawn" if workers and not dataset.forks_safely else None,
        pin_memory=pin,
        worker_init_fn=_leave_signals,
    )
    yield from zip(range(first, last), loader, strict=True)


def _leave_signals(_: int) -> None:
    """Let the process that trains decide what Ctrl-C means; a worker ends when that one does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


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
