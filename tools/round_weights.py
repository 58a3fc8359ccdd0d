"""Find out how networks are rounded to 8-bit integers, and write it beside their weights.

For each packaged network ranges are chosen on crops of the training photos and measured on Set5,
crops of the validation photos, and drawn writing; the best of some widths is kept. To be done after
every training. Where the loss is too large, "auto" does not use the file.

Usage: python tools/round_weights.py PHOTOS SET5_HR [NAME_xN ...]
"""

import itertools
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))

from pixelift import list_models
from pixelift.evaluate.run import evaluate, open_method
from pixelift.image.resize import downscale
from pixelift.infer.engine_openvino import CUT, shared_core
from pixelift.infer.openvino_parts import add_after, constant_of, trained_chain
from pixelift.zoo.card import Card
from pixelift.zoo.ranges import SUFFIX, Layer, Ranges
from pixelift.zoo.store import find_model, read_weights
from tools.int8_levels import largest_weights, pair_channels, to_levels, to_weights

TIERS = ("swift", "balanced")
"""What is rounded without being named. `fine` is not yet, so that `--effort auto` keeps what it
saves beside it; `photo` loses too much, and of `vivid` PSNR does not tell (experiments/LOG.md)."""
CROPS, SIDE, SEED = 32, 64, 0
"""LR crops that ranges are chosen on."""
VALID_SIDE, SHEET = 320, 256
STRETCHES = (1.0, 1.1, 1.2)
"""How far ranges reach, as multiples of the largest value on the crops: writing in full colours
goes further than photos do. Narrower ones cost more (experiments/LOG.md)."""


@dataclass(frozen=True)
class Step:
    """A convolution and what follows it."""

    weight: torch.Tensor
    bias: torch.Tensor
    slope: float
    """Of negative values."""

    def bend(self, x: torch.Tensor) -> torch.Tensor:
        """Apply what stands behind the convolution."""
        return nn.functional.leaky_relu(x, self.slope)


def steps_of(card: Card, path: Path) -> list[Step]:
    """Read all convolutions but the last one."""
    model = shared_core().read_model(read_weights(card, path))
    model.reshape([1, card.planes, -1, -1])
    outputs = (output for op in model.get_ops() for output in op.outputs())
    residual = next(output.get_node() for output in outputs if CUT in output.get_names())
    steps = []
    for convolution in (trained_chain(residual) or [])[:-1]:
        total = add_after(convolution)
        if total is None:
            raise SystemExit(f"{card.key} has a convolution without a bias")
        bend = next(iter(total.output(0).get_target_inputs())).get_node()
        kind = bend.get_type_name()
        slope = constant_of(bend.input_value(1).get_node()) if kind == "PRelu" else np.zeros(1)
        weight = constant_of(convolution.input_value(1).get_node())
        bias = constant_of(total.input_value(1).get_node())
        if kind not in ("Relu", "PRelu") or slope is None or slope.size != 1:
            raise SystemExit(f"{card.key}: {kind} is not known")
        steps.append(
            Step(torch.tensor(weight), torch.tensor(bias).ravel(), float(slope.ravel()[0]))
        )
    return steps


def draw_crops(photos: Path, scale: int) -> torch.Tensor:
    """Draw LR crops of the training photos."""
    rng = np.random.default_rng(SEED)
    files = sorted(path for path in (photos / "train").rglob("*.*"))
    crops = []
    for path in rng.choice(np.array(files, object), CROPS):
        with Image.open(path) as file:
            photo = np.asarray(file.convert("RGB"))
        top, left = (rng.integers(0, side - SIDE * scale) for side in photo.shape[:2])
        part = photo[top : top + SIDE * scale, left : left + SIDE * scale]
        crops.append(downscale(part, scale).transpose(2, 0, 1))
    return torch.tensor(np.stack(crops), dtype=torch.float32) / 255


def draw_sheets(folder: Path) -> Path:
    """Draw what no photo has: writing and lines in full colours, at a size of their own."""
    folder.mkdir()
    for ink, paper in itertools.product(("black", "red", "blue", "yellow"), ("white", "black")):
        sheet = Image.new("RGB", (SHEET, SHEET), paper)
        pen = ImageDraw.Draw(sheet)
        for line in range(6):
            size = 12 + 6 * line
            pen.text(
                (8, line * SHEET // 6), "Pixelift 0123 abcdef", ink, ImageFont.load_default(size)
            )
        pen.line([(0, SHEET // 2), (SHEET, SHEET // 3)], ink, 3)
        sheet.save(folder / f"{ink}_{paper}.png")
    return folder


def range_of(x: torch.Tensor, stretch: float) -> tuple[float, float]:
    """Choose the range of what comes in; 0 is a level of its own."""
    low, high = (stretch * value for value in (min(0.0, float(x.min())), float(x.max())))
    step = (high - low) / 255
    zero = round(-low / step)
    return float(-zero * step), float((255 - zero) * step)


def choose(steps: list[Step], crops: torch.Tensor, stretch: float) -> list[Layer]:
    """Choose ranges layer by layer, on what the rounded layers before make."""
    head = steps[0]
    exact = head.bend(nn.functional.conv2d(crops, head.weight, head.bias, padding=1))
    rounded, layers = exact, []
    for step in steps[1:]:
        low, high = range_of(rounded, stretch)
        order = pair_channels(step.weight)
        largest = largest_weights(step.weight[:, order])
        coarse = to_weights(step.weight, largest)
        exact = nn.functional.conv2d(exact, step.weight, step.bias, padding=1)
        rounded = nn.functional.conv2d(to_levels(rounded, low, high), coarse, step.bias, padding=1)
        shift = (exact - rounded).mean((0, 2, 3))
        layers.append(Layer(low, high, largest.tolist(), shift.tolist(), order))
        exact, rounded = step.bend(exact), step.bend(rounded + shift[:, None, None])
    return layers


def crop_valid(photos: Path, folder: Path) -> Path:
    """Write the middle of every validation photo as PNG."""
    folder.mkdir()
    for path in sorted((photos / "valid").rglob("*.*")):
        with Image.open(path) as file:
            left, top = (file.width - VALID_SIDE) // 2, (file.height - VALID_SIDE) // 2
            middle = file.convert("RGB").crop((left, top, left + VALID_SIDE, top + VALID_SIDE))
            middle.save(folder / f"{path.stem}.png")
    return folder


def losses(path: Path, scale: int, sets: dict[str, Path]) -> dict[str, float]:
    """Measure what int8 costs against float32 on each set, in dB."""
    found = {}
    for name, folder in sets.items():
        scores: list[Any] = [
            evaluate(open_method(str(path), scale=scale, precision=precision), folder)["psnr_y"]
            for precision in ("f32", "int8")
        ]
        found[name] = round(scores[0] - scores[1], 4)
    return found


def main(words: list[str]) -> None:
    """Round every network that is asked for, or all."""
    photos, set5 = Path(words[0]), Path(words[1])
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sets = {"Set5": set5, "photos/valid": crop_valid(photos, folder / "valid")}
        sets["drawn"] = draw_sheets(folder / "drawn")
        for card in list_models():
            if card.key not in words[2:] and (words[2:] or card.name not in TIERS):
                continue
            card, path = find_model(card.name, scale=card.scale)
            steps, crops = steps_of(card, path), draw_crops(photos, card.scale)
            copy = Path(shutil.copy(path, folder))
            best: Ranges | None = None
            for stretch in STRETCHES:
                layers = choose(steps, crops, stretch)
                tried = Ranges(card.sha256, 0.0, "", layers)
                beside = copy.with_name(copy.stem + SUFFIX)
                beside.write_bytes(msgspec.json.encode(tried))
                found = losses(copy, card.scale, sets)
                print(card.key, stretch, found, flush=True)
                told = ", ".join(f"{name} {loss:.4f} dB" for name, loss in found.items())
                loss = max(found.values())
                if best is None or loss < best.loss_db:
                    best = Ranges(card.sha256, loss, told, layers)
            if best is not None:
                text = msgspec.json.format(msgspec.json.encode(best), indent=0)
                path.with_name(path.stem + SUFFIX).write_bytes(text + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])
