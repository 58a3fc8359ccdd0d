"""Writing a trained network as ONNX: LR picture in, HR picture out, whatever lies between."""

import io
import warnings
from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from pixelift.atomic import write_atomically
from pixelift.models.interpolation import BASE_RADIUS, BicubicBase
from pixelift.zoo.card import METADATA_KEY

OPSET = 18

EXAMPLE_SIDE = 16
"""Side in LR pixels of the picture that a network is traced with; the file takes any size."""


def has_residual(network: nn.Module) -> bool:
    """Say whether a network predicts what interpolation lost, so that its file names "residual".

    Args:
        network: Any network of the table of architectures.
    """
    return hasattr(network, "trunk") or hasattr(network, "parts")


def export_onnx(fused: nn.Module, path: Path, *, card_json: str) -> None:
    """Write a fused network as a complete super-resolver that any ONNX engine runs.

    A network with a `trunk` becomes `sr = DepthToSpace(residual + base)`, where `residual` is what
    the trained trunk gives and `base` is bicubic interpolation as a fixed convolution. One with
    `parts` becomes `sr = interpolated + residual` at HR size. The name "residual" is kept in the
    file, so that an engine can run what leads to it at low precision and the sum in float32. Any
    other network is written as it is; where it works on the interpolated picture, interpolation is
    in the file too.

    Args:
        fused: What `pixelift.models.fuse.fuse` returned.
        path: The file; replaced as a whole.
        card_json: The card, kept in the file's metadata.

    Paper: W. Shi et al., CVPR 2016 (sub-pixel convolution); J. Kim et al., CVPR 2016 (residual).
    """
    channels = int(fused.channels)  # type: ignore[arg-type]
    if hasattr(fused, "trunk"):
        model = _trace(_Trunk(fused), channels=channels, outputs=("residual",))
        _add_base(model, fused)
    elif hasattr(fused, "parts"):
        model = _trace(_Parts(fused), channels=channels, outputs=("sr", "residual"))
    else:
        model = _trace(fused, channels=channels, outputs=("sr",))
    graph = model.graph
    del graph.output[:]
    shape: list[str | int | None] = ["batch", channels, "sr_height", "sr_width"]
    graph.output.append(helper.make_tensor_value_info("sr", TensorProto.FLOAT, shape))
    graph.name = "pixelift"
    del graph.value_info[:]
    del model.metadata_props[:]
    model.metadata_props.add(key=METADATA_KEY, value=card_json)
    model.producer_name, model.producer_version, model.doc_string = "pixelift", "", ""
    onnx.checker.check_model(model, full_check=True)
    write_atomically(path, model.SerializeToString(deterministic=True))


class _Trunk(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        return self.network.trunk(lr)  # type: ignore[operator]


class _Parts(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, lr: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        interpolated, residual = self.network.parts(lr)  # type: ignore[operator]
        return interpolated + residual, residual


def _add_base(model: onnx.ModelProto, fused: nn.Module) -> None:
    base = next(m for m in fused.modules() if isinstance(m, BicubicBase))
    kernel = base.kernel.detach().cpu().numpy()
    model.graph.initializer.append(numpy_helper.from_array(kernel, "base.kernel"))
    pads = [BASE_RADIUS] * 4
    scale, shared = int(fused.scale), int(getattr(fused, "shared", 1))  # type: ignore[arg-type]
    residual = "residual"
    if shared > 1:
        # All channels receive the same.
        copies, residual = [residual] * shared, "residuals"
        model.graph.node.append(helper.make_node("Concat", copies, [residual], residual, axis=1))
    model.graph.node.extend(
        [
            helper.make_node(
                "Conv", ["lr", "base.kernel"], ["base"], "base", group=base.channels, pads=pads
            ),
            helper.make_node("Add", [residual, "base"], ["sum"], "sum"),
            helper.make_node("DepthToSpace", ["sum"], ["sr"], "sr", blocksize=scale, mode="CRD"),
        ]
    )


def _trace(network: nn.Module, *, channels: int, outputs: tuple[str, ...]) -> onnx.ModelProto:
    stream = io.BytesIO()
    example = torch.zeros(1, channels, EXAMPLE_SIDE, EXAMPLE_SIDE)
    axes = {0: "batch", 2: "height", 3: "width"}
    with warnings.catch_warnings():
        # The exporter that needs no further package is marked as the older of the two.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval().float(),
            (example,),
            stream,  # type: ignore[arg-type]  # taken as ever, though the hints lack it
            dynamo=False,
            opset_version=OPSET,
            input_names=["lr"],
            output_names=list(outputs),
            dynamic_axes={"lr": axes, **dict.fromkeys(outputs, axes)},
        )
    return onnx.load_from_string(stream.getvalue())
