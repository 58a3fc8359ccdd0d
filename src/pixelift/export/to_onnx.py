"""Writing a trained network as ONNX: one trunk, one fixed base, one sum."""

import io
import warnings
from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from pixelift.models.interpolation import BASE_RADIUS, BicubicBase
from pixelift.zoo.card import METADATA_KEY

OPSET = 18


def export_onnx(fused: nn.Module, path: Path, *, card_json: str) -> None:
    """Write a fused network as a complete super-resolver that any ONNX engine runs.

    The graph is `sr = DepthToSpace(residual + base)`, where `residual` is what the trained trunk
    gives and `base` is bicubic interpolation as a fixed convolution. Both names are kept in the
    file, so that an engine can run the trunk at low precision and the sum in float32.

    Args:
        fused: What `pixelift.models.fuse.fuse` returned.
        path: The file; replaced as a whole.
        card_json: The card, kept in the file's metadata.

    Paper: W. Shi et al., CVPR 2016 (sub-pixel convolution); J. Kim et al., CVPR 2016 (residual).
    """
    scale, channels = int(fused.scale), int(fused.channels)  # type: ignore[arg-type]
    model = _export_trunk(fused, channels)
    graph = model.graph
    base = next(m for m in fused.modules() if isinstance(m, BicubicBase))
    kernel = base.kernel.detach().cpu().numpy()
    graph.initializer.append(numpy_helper.from_array(kernel, "base.kernel"))
    graph.node.extend(
        [
            helper.make_node(
                "Conv",
                ["lr", "base.kernel"],
                ["base"],
                "base",
                group=channels,
                pads=[BASE_RADIUS] * 4,
            ),
            helper.make_node("Add", ["residual", "base"], ["sum"], "sum"),
            helper.make_node("DepthToSpace", ["sum"], ["sr"], "sr", blocksize=scale, mode="CRD"),
        ]
    )
    del graph.output[:]
    shape: list[str | int | None] = ["batch", channels, "sr_height", "sr_width"]
    graph.output.append(helper.make_tensor_value_info("sr", TensorProto.FLOAT, shape))
    graph.name = "pixelift"
    del graph.value_info[:]
    del model.metadata_props[:]
    model.metadata_props.add(key=METADATA_KEY, value=card_json)
    model.producer_name, model.producer_version, model.doc_string = "pixelift", "", ""
    onnx.checker.check_model(model, full_check=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(model.SerializeToString(deterministic=True))
    partial.replace(path)


class _Trunk(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        return self.network.trunk(lr)  # type: ignore[operator]


def _export_trunk(fused: nn.Module, channels: int) -> onnx.ModelProto:
    stream = io.BytesIO()
    example = torch.zeros(1, channels, 16, 16)
    axes = {0: "batch", 2: "height", 3: "width"}
    with warnings.catch_warnings():
        # The exporter that needs no further package is marked as the older of the two.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Trunk(fused).eval().float(),
            (example,),
            stream,  # type: ignore[arg-type]  # taken as ever, though the hints lack it
            dynamo=False,
            opset_version=OPSET,
            input_names=["lr"],
            output_names=["residual"],
            dynamic_axes={"lr": axes, "residual": axes},
        )
    return onnx.load_from_string(stream.getvalue())
