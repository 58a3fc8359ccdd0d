"""Which measure of the small picture tells where the best network pays, and in which cells?

    python experiments/004-effort/run.py SHARED [--every N] [--most N]

Enlarges photos/train, photos/valid and B100 with the two best packaged networks, holds
the gain of each cell against measures of the LR picture, and writes results.json and figures/.
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot
from numpy.typing import NDArray
from scipy.stats import spearmanr

from pixelift import Upscaler
from pixelift.evaluate.datasets import find_sources, load_pair
from pixelift.image import picture as picture_module
from pixelift.image.color import luma
from pixelift.image.depth import to_float, to_u8
from pixelift.image.geometry import Size
from pixelift.image.resize import downscale, upscale
from pixelift.image.rows import gather, picture_rows
from pixelift.infer.cells import BLOCK, CELL
from pixelift.infer.cover import cover
from pixelift.infer.detail import beyond_share, cell_areas, fine_energy
from pixelift.infer.network import Network
from pixelift.infer.route import Router
from pixelift.infer.stages import enlarge_rows
from pixelift.patches.score import EDGE_THRESHOLD, gradient_magnitude

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "benchmarks"))

SETS = {
    "photos/train": "photos/train",
    "photos/valid": "photos/valid",
    "B100": "bench/B100/HR",
}
CONTEXT = 7
"""LR pixels around a rectangle that are computed with it: half of the radius of fine x4."""
SHARES = np.linspace(0, 1, 21)

Map = NDArray[np.float32]


@dataclass(frozen=True)
class Picture:
    """Maps of one picture at LR size."""

    name: str
    cheap: Map
    """Squared error of the cheaper network, in squared 8-bit levels."""
    best: Map
    """The same of the best."""
    measures: dict[str, Map]


def measures(lr: NDArray[np.uint8], residual: Map) -> dict[str, Map]:
    """Measure every LR pixel; cells take the mean, and of `variance` the variance."""
    y = luma(to_float(lr)).astype(np.float32)
    gradient = gradient_magnitude(y)
    even = tuple(n - n % 2 for n in y.shape)
    restored = np.zeros_like(y)
    cut = y[: even[0], : even[1]]
    restored[: even[0], : even[1]] = (upscale(downscale(cut, 2), 2) - cut) ** 2
    frame = np.pad(to_float(lr), ((2, 2), (2, 2), (0, 0)), mode="symmetric")
    return {
        "fine energy (chosen)": fine_energy(np.ascontiguousarray(frame.transpose(2, 0, 1))),
        "restoration error of the LR": restored,
        "edge density": (gradient > EDGE_THRESHOLD).astype(np.float32),
        "gradient energy": gradient**2,
        "variance": y,
        "residual of the cheaper network": residual,
    }


def measure_picture(
    name: str, lr: NDArray[np.uint8], hr: NDArray[np.uint8], router: Router
) -> Picture:
    """Enlarge with both networks and measure."""
    scale = router.card.scale
    true = luma(to_float(hr))

    def shrunk(values: NDArray[np.float64]) -> Map:
        height, width = lr.shape[:2]
        cells = values[: height * scale, : width * scale].reshape(height, scale, width, scale)
        return cells.mean(axis=(1, 3)).astype(np.float32)

    def run(network: Network) -> NDArray[np.float64]:
        rows = picture_rows(picture_module.Picture(to_float(lr)))
        size, kind = rows.header.size.scaled(scale), np.dtype(np.float32)
        sr = gather(enlarge_rows(rows, [network], size=size, dtype=kind, tile=256), kind)
        return luma(to_float(to_u8(sr)))

    cheap, best = run(router.cheap), run(router.best)
    plain = luma(np.clip(upscale(to_float(lr), scale), 0, 1))
    return Picture(
        name,
        shrunk((cheap - true) ** 2),
        shrunk((best - true) ** 2),
        measures(lr, shrunk((cheap - plain) ** 2)),
    )


def in_cells(values: Map, side: int, *, name: str = "") -> NDArray[np.float64]:
    """Average over cells; the last ones may be smaller."""
    rows, columns = (np.arange(0, n, side) for n in values.shape)

    def sums(of: NDArray[Any]) -> NDArray[np.float64]:
        return np.add.reduceat(
            np.add.reduceat(of.astype(np.float64), rows, axis=0), columns, axis=1
        )

    count = sums(np.ones(values.shape))
    mean = sums(values) / count
    return sums(values.astype(np.float64) ** 2) / count - mean**2 if name == "variance" else mean


def losses(
    pictures: list[Picture], side: int, choose: Callable[[Picture], NDArray[np.bool_]]
) -> tuple[list[float], float, float]:
    """Loss in dB of each picture, share of pixels, and work beside the best network everywhere."""
    found, chosen, pixels, work, whole = [], 0, 0, 0, 0
    for picture in pictures:
        cells = choose(picture)
        height, width = picture.best.shape
        is_best = cells.repeat(side, 0).repeat(side, 1)[:height, :width]
        error = np.where(is_best, picture.best, picture.cheap).mean(dtype=np.float64)
        found.append(10 * np.log10(error / picture.best.mean(dtype=np.float64)))
        chosen, pixels = chosen + int(is_best.sum()), pixels + is_best.size
        per_block = max(1, BLOCK * CELL // side)
        for top in range(0, cells.shape[0], per_block):
            for left in range(0, cells.shape[1], per_block):
                block = cells[top : top + per_block, left : left + per_block]
                boxes = cover(block, cell=side, halo=CONTEXT)
                work += sum(
                    (b.height * side + 2 * CONTEXT) * (b.width * side + 2 * CONTEXT) for b in boxes
                )
                whole += block.size * side**2
    return found, chosen / pixels, work / whole


def beyond(picture: Picture, *, name: str, side: int, spared: float) -> NDArray[np.bool_]:
    """All cells but those of the least detail that together hold a share of it, as in `Router`."""
    values = in_cells(picture.measures[name], side, name=name)
    return beyond_share(values, cell_areas(Size(*picture.best.shape), cell=side), spared=spared)


def needed(pictures: list[Picture], name: str, side: int, allowed: float) -> dict[str, float]:
    """Find the largest share to spare whose mean loss is allowed, and what it takes."""
    low, high = 0.0, 1.0
    for _ in range(12):
        middle = (low + high) / 2
        found, *_ = losses(pictures, side, partial(beyond, name=name, side=side, spared=middle))
        mean = np.mean(found)
        low, high = (middle, high) if mean <= allowed else (low, middle)
    found, share, work = losses(pictures, side, partial(beyond, name=name, side=side, spared=low))
    return {
        "spared": round(low, 4),
        "share": round(share, 4),
        "work": round(work, 4),
        "loss_db": round(float(np.mean(found)), 4),
        "worst_db": round(float(np.max(found)), 4),
    }


def gap(picture: Picture) -> float:
    """How many dB the cheaper network is below the best, everywhere."""
    return float(10 * np.log10(picture.cheap.mean() / picture.best.mean()))


def curve(
    pictures: list[Picture], side: int, key: Callable[[Picture], NDArray[Any]]
) -> list[float]:
    """Mean loss in dB when of all cells those with the highest key get the best network."""
    keys = np.concatenate([key(p).ravel() for p in pictures])
    result = []
    for share in SHARES:
        cut = np.quantile(keys, 1 - share) if share < 1 else -np.inf
        found, *_ = losses(pictures, side, lambda p, cut=cut: key(p) > cut)
        result.append(round(float(np.mean(found)), 4))
    return result


def study(pictures: dict[str, list[Picture]], config: dict[str, Any]) -> dict[str, Any]:
    """Compare measures at the chosen cell, and cells by the chosen measure."""
    train = pictures["photos/train"]
    names = list(train[0].measures)
    chosen = names[0]
    result: dict[str, Any] = {"measures": {}, "cells": {}, "curves": {}, "chosen": {}}
    gains = np.concatenate([in_cells(p.cheap - p.best, CELL).ravel() for p in train])
    for name in names:
        values = [in_cells(p.measures[name], CELL, name=name).ravel() for p in train]
        result["measures"][name] = {
            "rank_correlation": round(float(spearmanr(np.concatenate(values), gains).statistic), 4),
            **needed(train, name, CELL, config["allowed_db"]),
        }
        if name in (chosen, "edge density", "variance"):
            result["curves"][name] = curve(train, CELL, partial(_relative, name=name))
    result["curves"]["oracle"] = curve(
        train, CELL, lambda p: in_cells(p.cheap - p.best, CELL) / p.best.mean()
    )
    for side in config["cells"]:
        result["cells"][str(side)] = needed(train, chosen, side, config["allowed_db"])
    spared = needed(pictures[config["chosen_on"]], chosen, CELL, config["chosen_db"])["spared"]
    for name, found in pictures.items():
        loss, share, work = losses(
            found, CELL, partial(beyond, name=chosen, side=CELL, spared=spared)
        )
        result["chosen"][name] = {
            "spared": spared,
            "share": round(share, 4),
            "work": round(work, 4),
            "loss_db": round(float(np.mean(loss)), 4),
            "worst_db": round(float(np.max(loss)), 4),
            "gap_db": round(float(np.mean([gap(p) for p in found])), 4),
            "gaps_db": {p.name: round(gap(p), 3) for p in sorted(found, key=gap, reverse=True)},
        }
    return result


def _relative(picture: Picture, *, name: str) -> NDArray[np.float64]:
    values = in_cells(picture.measures[name], CELL, name=name)
    return values / max(float(values.mean()), 1e-9)


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw the loss against the share of cells."""
    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    for name, losses_db in result["curves"].items():
        axes.plot(100 * SHARES, losses_db, marker=".", label=name)
    axes.axhline(0.03, color="grey", linewidth=0.8)
    axes.set_xlabel("cells that get the best network, %")
    axes.set_ylabel("PSNR-Y below the best network, dB")
    axes.set_title("photos/train")
    axes.legend()
    axes.grid(alpha=0.3)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Measure, compare, write."""
    from stamp import stamp  # noqa: PLC0415  (lies with the benchmarks)

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path, help="folder with photos/ and bench/")
    parser.add_argument("--every", type=int, help="take every so manieth photo of photos/train")
    parser.add_argument("--most", type=int, default=1000, help="pictures of each set")
    parser.add_argument("--results", type=Path, default=HERE, help="for results.json and figures")
    chosen = parser.parse_args()
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    router = Upscaler(scale=config["scale"], effort="auto", precision="f32").network
    if not isinstance(router, Router):
        raise SystemExit("the packaged networks leave no choice")
    pictures = {}
    for name, folder in SETS.items():
        place = chosen.shared / folder
        parts = sorted(path for path in place.iterdir() if path.is_dir()) or [place]
        sources = [
            source
            for part in parts
            for source in find_sources(part, scale=config["scale"], lr=None)
        ]
        if name == "photos/train":
            sources = sources[:: chosen.every or config["every"]]
        pictures[name] = [
            measure_picture(source.name, *load_pair(source, scale=config["scale"]), router)
            for source in sources[: chosen.most]
        ]
        print(f"{name}: {len(pictures[name])} pictures", flush=True)
    networks = [router.cheap.card.key, router.best.card.key]
    counts = {name: len(found) for name, found in pictures.items()}
    result = {"config": config, "networks": networks, "pictures": counts}
    result |= study(pictures, config)
    text = json.dumps({"made_by": stamp()} | result, indent=1)
    chosen.results.mkdir(parents=True, exist_ok=True)
    (chosen.results / "results.json").write_text(text + "\n", encoding="utf-8")
    draw(result, chosen.results / "figures" / "curves.png")
    print(json.dumps(result["chosen"], indent=1))


if __name__ == "__main__":
    main()
