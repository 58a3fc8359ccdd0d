"""Exports a network as large as `fine` may be, for benchmarks/memory.py.

In a process of its own: the system counts the memory of whoever starts a process as that process's.
Usage: python benchmarks/wide_network.py WIDTH DEPTH SCALE FILE.onnx
"""

import sys
from pathlib import Path

import torch

from pixelift.export.to_onnx import export_onnx
from pixelift.models.fuse import fuse
from pixelift.models.spec import build_model, count_macs, count_parameters
from pixelift.zoo.card import Card, card_to_metadata


def make_network(path: Path, *, width: int, depth: int, scale: int) -> None:
    """Export a RepNet that was never trained: memory does not depend on what it learned."""
    torch.manual_seed(0)
    network = fuse(build_model("repnet", scale=scale, width=width, depth=depth))
    card = Card(
        name=path.stem,
        scale=scale,
        channels="rgb",
        radius=int(network.radius),
        parameters=count_parameters(network),
        macs_per_pixel=count_macs(network),
        base="bicubic",
        licence="MIT",
        architecture=f"repnet (width {width}, depth {depth})",
        recipe="",
        dataset_sha256="",
        training="not trained",
        scores={},
    )
    export_onnx(network, path, card_json=card_to_metadata(card))


if __name__ == "__main__":
    width, depth, scale, name = sys.argv[1:]
    make_network(Path(name), width=int(width), depth=int(depth), scale=int(scale))
