"""Our tiers beside interpolation, OpenCV's networks and our own SRCNN, SRResNet and EDSR.

PSNR-Y and SSIM-Y on Set5, Set14 and B100 as `pixelift evaluate` measures them; milliseconds from an
8-bit colour picture of 480x270 to the enlarged one, colour conversion and all, each method in a
process of its own and all in turns; and what that process held in memory at most. Usage:

python benchmarks/peers.py ../shared/bench ../shared/peers --run EDSR-baseline=edsr_x4.onnx ...
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import peer_methods
from peer_figure import draw
from peer_methods import DNN, RESIZERS, Image, Spec, example, open_method
from pixelift import Upscaler, list_models
from pixelift.errors import ConfigError
from pixelift.evaluate.run import Method, evaluate
from pixelift.zoo.store import find_model
from stamp import ROOT, save

SETS = ("Set5", "Set14", "B100")
TIERS = ("swift", "balanced", "fine")
"""Networks for clean pictures, as those of the sets are."""
PRECISIONS = ("f32", "bf16", "int8")
SLOW_MS, SLOW_ROUNDS = 2000, 3
"""What takes longer than that is called only so often: nothing hangs on its second digit."""
FIGURES = ROOT / "docs" / "images"


def precisions(model: str, scale: int) -> Iterator[str]:
    """List the arithmetics that this processor and this network have, float32 first."""
    for precision in PRECISIONS:
        try:
            Upscaler(model, scale=scale, engine="openvino", precision=precision)
        except ConfigError:
            continue
        yield precision


def list_methods(
    scale: int, *, runs: list[tuple[str, str]], peers: Path, threads: int
) -> list[Spec]:
    """List everything that is compared at a scale."""
    specs = []
    for card in list_models():
        if card.scale == scale and card.name in TIERS:
            for precision in precisions(card.name, scale):
                specs.append(Spec(card.name, "tier", scale, precision, threads))
    for name, file in runs:
        if find_model(file)[0].scale == scale:
            for precision in precisions(file, scale):
                specs.append(Spec(name, "run", scale, precision, threads, file))
    for name in DNN:
        file = peers / f"{name}_x{scale}.pb"
        if file.is_file():
            specs.append(Spec(f"OpenCV {name}", "dnn", scale, "f32", threads, str(file)))
    specs += [Spec(name, "resizer", scale, "u8", threads) for name in RESIZERS]
    return specs


def measure_quality(spec: Spec, bench: Path) -> dict[str, dict[str, float]]:
    """PSNR-Y and SSIM-Y on each set, by the protocol of `pixelift evaluate`."""
    method = Method(spec.name, spec.scale, open_method(spec))
    found = {}
    for name in SETS:
        result = evaluate(method, bench / name / "HR")
        if result["failed"] or result["identical"]:
            raise SystemExit(f"{spec.name} x{spec.scale} on {name}: {result['failed']}")
        found[name] = {"psnr_y": result["psnr_y"] or 0.0, "ssim_y": result["ssim_y"] or 0.0}
    return found


class Worker:
    """A process that runs one method, a call at a time."""

    def __init__(self, spec: Spec, lr: Path) -> None:
        """Start it and wait until it has warmed up."""
        command = [
            sys.executable,
            peer_methods.__file__,
            json.dumps(asdict(spec) | {"lr": str(lr)}),
        ]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._read()

    def ask(self, what: str) -> dict[str, Any]:
        """Send a line and wait for the answer."""
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()
        return self._read()

    def end(self) -> None:
        """Let it end."""
        self._process.communicate()

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._process.args} ended before its time")
        told: dict[str, Any] = json.loads(line)
        return told


def measure_time(specs: list[Spec], *, lr: Image, rounds: int) -> list[dict[str, Any]]:
    """Time all methods in turns; median milliseconds, and the largest memory of each process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lr.npy"
        np.save(path, lr)
        workers = [Worker(spec, path) for spec in specs]
        spent: list[list[float]] = [[] for _ in specs]
        for done in range(rounds):
            for worker, found in zip(workers, spent, strict=True):
                if done < SLOW_ROUNDS or found[-1] < SLOW_MS:
                    found.append(worker.ask("run")["ms"])
        peaks = [worker.ask("memory")["peak_mib"] for worker in workers]
        for worker in workers:
            worker.end()
    return [
        {
            "ms": round(statistics.median(found), 2),
            "ms_all": [round(ms, 2) for ms in found],
            "peak_mib": peak,
        }
        for found, peak in zip(spent, peaks, strict=True)
    ]


def compare(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Say of each peer which tier beats it in both quality and time, and where none does.

    Better means a higher PSNR-Y and a higher SSIM-Y on every set. For each arithmetic of our tiers
    a peer is taken in the same one, or in the quickest that it has.
    """
    verdicts = []
    peers = dict.fromkeys((row["scale"], row["name"]) for row in rows if row["kind"] != "tier")
    for scale, name in peers:
        verdict: dict[str, Any] = {"name": name, "scale": scale}
        for precision in PRECISIONS:
            tiers = [
                row
                for row in rows
                if (row["kind"], row["scale"], row["precision"]) == ("tier", scale, precision)
            ]
            if not tiers:
                continue
            own = {r["precision"]: r for r in rows if (r["scale"], r["name"]) == (scale, name)}
            peer = own.get(precision) or min(own.values(), key=lambda row: float(row["ms"]))
            better = {tier["name"] for tier in tiers if is_better(tier, peer)}
            faster = {tier["name"] for tier in tiers if tier["ms"] < peer["ms"]}
            verdict[precision] = {
                "beaten_by": sorted(better & faster),
                "better": sorted(better),
                "faster": sorted(faster),
            }
        verdicts.append(verdict)
    return verdicts


def is_better(tier: dict[str, Any], peer: dict[str, Any]) -> bool:
    """Say whether a row is ahead of another in both measures on every set."""
    return all(
        tier["quality"][name][measure] > peer["quality"][name][measure]
        for name in peer["quality"]
        for measure in ("psnr_y", "ssim_y")
    )


def main() -> None:
    """Measure everything, write the results file and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bench", type=Path)
    parser.add_argument("peers", type=Path)
    parser.add_argument("--run", action="append", default=[], metavar="NAME=FILE.onnx")
    parser.add_argument("--scales", type=int, nargs="+", default=[2, 3, 4])
    parser.add_argument("--lr", default="480x270", metavar="WIDTHxHEIGHT")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--name", default="peers", help="of the results file and the figure")
    given = parser.parse_args()
    runs = [tuple(run.split("=", 1)) for run in given.run]
    width, height = map(int, given.lr.split("x"))
    lr = example(width, height)
    rows: list[dict[str, Any]] = []
    # Times first: the sets would warm the machine up and fill its memory.
    timed: list[tuple[Spec, dict[str, Any]]] = []
    for scale in given.scales:
        specs = list_methods(scale, runs=runs, peers=given.peers, threads=given.threads)
        timed += zip(specs, measure_time(specs, lr=lr, rounds=given.rounds), strict=True)
    print("The times are taken; for what follows the machine need not be quiet.", flush=True)
    for spec, spent in timed:
        row = {"name": spec.name, "kind": spec.kind, "scale": spec.scale}
        row |= {"precision": spec.precision, "file": Path(spec.file).name}
        rows.append(row | spent | {"quality": measure_quality(spec, given.bench)})
        psnr_y = " / ".join(f"{q['psnr_y']:.2f}" for q in rows[-1]["quality"].values())
        print(
            f"{spec.name} x{spec.scale} {spec.precision}: {psnr_y} dB, {spent['ms']:.1f} ms, "
            f"{spent['peak_mib']:.0f} MiB",
            flush=True,
        )
    verdicts = compare(rows)
    draw(rows, FIGURES / f"{given.name}.png", lr=given.lr)
    settled = {"lr": given.lr, "rounds": given.rounds, "threads": given.threads}
    save(given.name, settled | {"verdicts": verdicts, "results": rows})


if __name__ == "__main__":
    main()
