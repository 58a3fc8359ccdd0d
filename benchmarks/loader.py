"""How fast batches come: our loader, a folder of PNG sub-images, and the training step they feed.

All are timed in one process on one core, in turns, in processor time with that of workers, so that
the ratios hold on a busy machine too; the pictures are in the page cache for both loaders.
Usage: python benchmarks/loader.py DATASET
"""

import copy
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, RandomSampler

from pixelift.data.pairs import PairDataset, batches
from pixelift.data.sample import CropSampler, Sampling
from pixelift.image.crops import downscale_crops
from pixelift.image.geometry import Box
from pixelift.models.spec import build_model
from pixelift.patches.dataset import PreparedSet, open_dataset
from pixelift.train.ema import update_ema
from stamp import save

SCALES = (4, 2)
BATCH, LR_PATCH = 16, 48
ROUNDS = 5
WORKERS = (0, 1)
OURS, FOLDER, STEP = 320, 8, 8
"""Batches or steps that are timed in each round."""

SIDE, MOST_FILES = 480, 300
"""Sub-images as the field cuts them (in HR pixels), and how many, so that cutting stays short."""

NETWORKS = {"repnet 16x4": {"width": 16, "depth": 4}, "repnet 32x6": {"width": 32, "depth": 6}}
"""The smallest network that we train, and the one of the recipes (`balanced`)."""

Work = Callable[[], object]


@dataclass
class Case:
    """Something that is timed, and how many batches or steps it goes through at a call."""

    scale: int
    name: str
    count: int
    work: Work


class PngFolder(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """The usual way: decode a pair of sub-images, crop them, turn them."""

    def __init__(self, folder: Path, scale: int) -> None:
        """List the pairs."""
        self._hr = sorted((folder / "hr").iterdir())
        self._lr = [folder / f"x{scale}" / path.name for path in self._hr]
        self._scale = scale

    def __len__(self) -> int:
        """Count the pairs."""
        return len(self._hr)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Read LR and HR, and cut the same place out of both."""
        with Image.open(self._lr[index]) as small, Image.open(self._hr[index]) as large:
            lr, hr = np.asarray(small), np.asarray(large)
        top, left = (int(torch.randint(n - LR_PATCH + 1, ())) for n in lr.shape[:2])
        box = Box(top, left, LR_PATCH, LR_PATCH)
        lr, hr = lr[box.slices], hr[box.scaled(self._scale).slices]
        flips_rows, flips_columns, transposes = torch.randint(2, (3,)).tolist()
        if flips_rows:
            lr, hr = lr[::-1], hr[::-1]
        if flips_columns:
            lr, hr = lr[:, ::-1], hr[:, ::-1]
        if transposes:
            lr, hr = lr.swapaxes(0, 1), hr.swapaxes(0, 1)
        return _tensor(lr), _tensor(hr)


def _tensor(crop: np.ndarray) -> torch.Tensor:
    # Bytes, as in our loader; most would make floats here, which takes longer still.
    return torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1)))


def cut_folder(prepared: PreparedSet, folder: Path) -> int:
    """Cut the training photos of a set into PNG files; says how many pairs."""
    for name in ("hr", *(f"x{s}" for s in SCALES)):
        (folder / name).mkdir()
    boxes = [
        (p.number, Box(top, left, SIDE, SIDE))
        for p in prepared.manifest.pictures
        if p.split == "train"
        for top in range(0, p.height - SIDE + 1, SIDE)
        for left in range(0, p.width - SIDE + 1, SIDE)
    ]
    # Evenly from the whole set, so that they decode like the whole set.
    chosen = boxes[:: -(-len(boxes) // MOST_FILES)] if boxes else []
    for n, (number, box) in enumerate(chosen):
        picture = prepared.picture(number)
        parts = {"hr": picture[box.slices]} | {
            f"x{s}": downscale_crops([picture], [box], scale=s)[0] for s in SCALES
        }
        for name, part in parts.items():
            Image.fromarray(part).save(folder / name / f"{n:05}.png", compress_level=3)
    return len(chosen)


def read_ours(prepared: PreparedSet, *, scale: int, workers: int) -> Work:
    """Go through batches of our loader, other ones at each call."""
    sampler = CropSampler(prepared, scale=scale, hr_patch=LR_PATCH * scale, rule=Sampling(), seed=0)
    dataset = PairDataset(prepared, sampler, scale=scale, batch=BATCH)
    first = 0

    def work() -> None:
        nonlocal first
        for _ in batches(dataset, first=first, last=first + OURS, workers=workers):
            pass
        first += OURS

    return work


def read_folder(folder: Path, *, scale: int, workers: int) -> Work:
    """Go through batches of the folder of PNG files."""
    dataset = PngFolder(folder, scale)
    sampler = RandomSampler(dataset, replacement=True, num_samples=FOLDER * BATCH)
    loader = DataLoader(dataset, batch_size=BATCH, sampler=sampler, num_workers=workers)

    def work() -> None:
        for _ in loader:
            pass

    return work


def train(prepared: PreparedSet, *, scale: int, dials: dict[str, int]) -> Work:
    """Take training steps as `pixelift train` does, on batches that are there already."""
    sampler = CropSampler(prepared, scale=scale, hr_patch=LR_PATCH * scale, rule=Sampling(), seed=0)
    dataset = PairDataset(prepared, sampler, scale=scale, batch=BATCH)
    ready = [dataset[step] for step in range(STEP)]
    network = build_model("repnet", scale=scale, **dials)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    mean = copy.deepcopy(network)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)

    def work() -> None:
        for step, batch in enumerate(ready):
            lr = batch.lr.to(torch.float32, memory_format=torch.channels_last) / 255
            hr = batch.hr.to(torch.float32, memory_format=torch.channels_last) / 255
            with torch.autocast("cpu", torch.bfloat16):
                sr = network(lr)
            loss = torch.nn.functional.l1_loss(sr, hr)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            update_ema(mean, network, keep=0.999, step=step)

    return work


def measure(cases: list[Case]) -> list[dict[str, Any]]:
    """Time all cases in turns; median milliseconds a batch or step."""
    spent: list[list[tuple[float, float]]] = [[] for _ in cases]
    for case in cases:
        case.work()
    for _ in range(ROUNDS):
        for case, found in zip(cases, spent, strict=True):
            before, started = _processor_seconds(), time.perf_counter()
            case.work()
            elapsed, used = time.perf_counter() - started, _processor_seconds() - before
            found.append((1e3 * used / case.count, 1e3 * elapsed / case.count))
    return [
        {
            "scale": case.scale,
            "case": case.name,
            "processor_ms": round(statistics.median(f[0] for f in found), 2),
            "processor_ms_all": [round(f[0], 2) for f in found],
            "elapsed_ms": round(statistics.median(f[1] for f in found), 2),
        }
        for case, found in zip(cases, spent, strict=True)
    ]


def _processor_seconds() -> float:
    # Workers count once they have ended, which is when a loader has gone through its batches.
    workers = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + workers.ru_utime + workers.ru_stime


def compare(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Set our loader in relation to the others, in processor time."""
    spent = {(r["scale"], r["case"]): r["processor_ms"] for r in results}
    ratios = []
    for scale in SCALES:
        for workers in WORKERS:
            ours, usual = (spent[scale, f"{k}, workers {workers}"] for k in ("pixelift", "PNG"))
            ratio: dict[str, Any] = {"scale": scale, "workers": workers}
            ratio["batches_per_step"] = {n: round(spent[scale, n] / ours, 1) for n in NETWORKS}
            ratio["png_batches_per_step"] = {n: round(spent[scale, n] / usual, 2) for n in NETWORKS}
            ratio["times_the_png_folder"] = round(usual / ours, 1)
            ratios.append(ratio)
    return ratios


def main() -> None:
    """Measure every case and write results/loader.json."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    prepared = open_dataset(Path(sys.argv[1]))
    settings = prepared.manifest.settings
    if settings.channels != "rgb":
        raise SystemExit(f"{prepared.folder} must hold RGB.")
    with tempfile.TemporaryDirectory() as name:
        files = cut_folder(prepared, Path(name))
        if not files:
            raise SystemExit(f"no photo of {prepared.folder} is {SIDE} pixels or more a side.")
        cases = []
        for scale in SCALES:
            for workers in WORKERS:
                ours = read_ours(prepared, scale=scale, workers=workers)
                usual = read_folder(Path(name), scale=scale, workers=workers)
                cases.append(Case(scale, f"pixelift, workers {workers}", OURS, ours))
                cases.append(Case(scale, f"PNG, workers {workers}", FOLDER, usual))
            for network, dials in NETWORKS.items():
                step = train(prepared, scale=scale, dials=dials)
                cases.append(Case(scale, network, STEP, step))
        results = measure(cases)
    for result in results:
        print(f"x{result['scale']} {result['case']}: {result['processor_ms']} ms of one core")
    ratios = compare(results)
    for ratio in ratios:
        print(
            f"x{ratio['scale']}, workers {ratio['workers']}: batches in the time of a step "
            f"{ratio['batches_per_step']}, {ratio['times_the_png_folder']} times the PNG folder"
        )
    made_of = {
        "photos": len(prepared.numbers("train")),
        "photos_sha256": prepared.manifest.photos_sha256,
        "png_pairs": files,
        "png_side": SIDE,
    }
    settled = {"batch": BATCH, "lr_patch": LR_PATCH, "rounds": ROUNDS, "torch": torch.__version__}
    save("loader", settled | {"made_of": made_of, "ratios": ratios, "results": results})


if __name__ == "__main__":
    main()
