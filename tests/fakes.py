"""Small networks of the ONNX contract, made on the spot, so that no test needs trained weights."""

import hashlib
import itertools
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pixelift.infer import tiling
from pixelift.zoo.card import METADATA_KEY, Card, Score, card_to_metadata, render_card

BASE_RADIUS = 2


def cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weigh a neighbour by Keys' cubic with a = -1/2."""
    x = np.abs(distance)
    near = (1.5 * x - 2.5) * x**2 + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))


def bicubic_phases(scale: int) -> NDArray[np.float64]:
    """Make the 5 taps of each of the output phases of one LR pixel: (scale, 5)."""
    phase = (np.arange(scale) + 0.5) / scale - 0.5
    return cubic(phase[:, None] - np.arange(-2, 3)[None, :])


def base_kernels(scale: int, channels: int) -> NDArray[np.float32]:
    """Make the depthwise kernels of the bicubic base: (channels * scale**2, 1, 5, 5)."""
    taps = bicubic_phases(scale)
    planes = np.einsum("ai,bj->abij", taps, taps).reshape(scale * scale, 1, 5, 5)
    return np.tile(planes, (channels, 1, 1, 1)).astype(np.float32)


def make_model(
    *,
    scale: int = 2,
    channels: int = 3,
    width: int = 16,
    depth: int = 3,
    gain: float = 1.0,
    seed: int = 0,
) -> onnx.ModelProto:
    """Make a network of the contract with random weights; a `gain` of 0 leaves the bicubic base.

    Args:
        scale: LR to HR factor.
        channels: 3 for "rgb", 1 for "y".
        width: Channels between the convolutions.
        depth: Number of 3x3 convolutions, which is also the radius of the trunk.
        gain: Strength of the residual; 1 gives roughly plus and minus a tenth of the range.
        seed: Seed of the weights.
    """
    rng = np.random.default_rng(seed)
    out = channels * scale * scale
    sides = [channels, *[width] * (depth - 1), out]
    nodes, constants, x = [], [], "lr"
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sides)):
        is_last = i == depth - 1
        weight = rng.normal(0, np.sqrt(2 / (9 * fan_in)), (fan_out, fan_in, 3, 3))
        weight = weight * 0.15 * gain if is_last else weight
        bias = np.zeros(fan_out) if is_last else rng.normal(0, 0.1, fan_out)
        constants += [
            numpy_helper.from_array(weight.astype(np.float32), f"w{i}"),
            numpy_helper.from_array(bias.astype(np.float32), f"b{i}"),
        ]
        y = "residual" if is_last else f"conv{i}"
        nodes.append(
            helper.make_node(
                "Conv", [x, f"w{i}", f"b{i}"], [y], kernel_shape=[3, 3], pads=[1, 1, 1, 1]
            )
        )
        if not is_last:
            nodes.append(helper.make_node("Relu", [y], [f"act{i}"]))
        x = f"act{i}"
    constants.append(numpy_helper.from_array(base_kernels(scale, channels), "base_kernels"))
    nodes += [
        helper.make_node(
            "Conv",
            ["lr", "base_kernels"],
            ["base"],
            kernel_shape=[5, 5],
            pads=[2, 2, 2, 2],
            group=channels,
        ),
        helper.make_node("Add", ["residual", "base"], ["sum"]),
        helper.make_node("DepthToSpace", ["sum"], ["sr"], blocksize=scale, mode="CRD"),
    ]
    sizes = ["batch", channels, "height", "width"], ["batch", channels, "out_height", "out_width"]
    graph = helper.make_graph(
        nodes,
        "fake",
        [helper.make_tensor_value_info("lr", TensorProto.FLOAT, sizes[0])],
        [helper.make_tensor_value_info("sr", TensorProto.FLOAT, sizes[1])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def make_card(
    *, name: str = "fake", scale: int = 2, channels: int = 3, depth: int = 3, data: bytes = b""
) -> Card:
    """Make the card of a network; with `data`, the one that stands beside its file."""
    return Card(
        name=name,
        scale=scale,
        channels="rgb" if channels == 3 else "y",
        radius=max(depth, BASE_RADIUS),
        parameters=1234,
        macs_per_pixel=5678,
        base="bicubic",
        sha256=hashlib.sha256(data).hexdigest() if data else "",
        bytes=len(data),
        licence="CC0-1.0",
        architecture="fake",
        recipe="fake.toml",
        dataset_sha256="0" * 64,
        training="not trained",
        scores={"Set5": Score(psnr_y=30.5, ssim_y=0.875)},
    )


def model_bytes(*, name: str = "fake", with_card: bool = True, **model: int | float) -> bytes:
    """Make the bytes of an .onnx file as `pixelift export` writes them."""
    made = make_model(**model)
    if with_card:
        sizes = {k: v for k, v in model.items() if k in ("scale", "channels", "depth")}
        card = make_card(name=name, **sizes)
        made.metadata_props.add(key=METADATA_KEY, value=card_to_metadata(card))
    return made.SerializeToString()


def write_model(folder: Path, *, name: str = "fake", **model: int | float) -> tuple[Card, Path]:
    """Write a network and its card into a folder, as a package or a user's folder holds them."""
    data = model_bytes(name=name, **model)
    sizes = {k: v for k, v in model.items() if k in ("scale", "channels", "depth")}
    card = make_card(name=name, data=data, **sizes)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{card.key}.onnx"
    path.write_bytes(data)
    (folder / f"{card.key}.toml").write_text(render_card(card), encoding="utf-8")
    return card, path


def run_tiled(engine, image, **options):
    """Run an engine, which takes (1, C, H, W), as what enlarges a tile and keeps a part of it."""

    def restore(tile, keep):
        lr = np.ascontiguousarray(tile.transpose(2, 0, 1)[None])
        return engine(lr)[0].transpose(1, 2, 0)[keep.slices]

    return tiling.run_tiled(restore, image, **options)
