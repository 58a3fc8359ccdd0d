"""A trained RepNet in the layout of an architecture that other programs know."""

from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn

from pixelift.atomic import write_atomically
from pixelift.errors import ImageWriteError, TrainingError
from pixelift.models.colour import in_colour
from pixelift.models.fuse import fuse
from pixelift.models.interpolation import BASE_RADIUS, BicubicBase
from pixelift.models.repnet import RepNet
from pixelift.train.weights import load_trained

CORNERS = ((-1, -1), (-1, 1), (1, -1), (1, 1))
"""Shifts whose 3x3 surroundings cover the 5x5 pixels of the interpolation between them."""


def compact_weights(fused: nn.Module) -> dict[str, torch.Tensor]:
    """Write a fused RepNet in the layout of SRVGGNetCompact ("Compact"), the same function exactly.

    Compact is a plain chain too: 3x3 convolutions of one width with a PReLU behind each but the
    last, PixelShuffle, and the nearest pixel added where we add bicubic interpolation. So the
    interpolation has to go through the chain: in channels of their own, whose PReLU has slope 1
    and changes nothing, the picture is handed on; the last convolution of the body makes four
    shifted copies of it, and the tail weighs their surroundings as the 5x5 kernel does, less the
    nearest pixel. That takes 12 channels more, and is exact but for the outermost pixel of a
    tile, where the two pad differently.

    Args:
        fused: A RepNet that went through `pixelift.models.fuse.fuse`, for RGB, with one or more
            convolutions in its body.

    Returns:
        The weights by their names there: "body.0.weight" and so on.

    Raises:
        TrainingError: The network is of another architecture, has no body or skips, or is for luma.

    Paper: X. Wang et al., "Real-ESRGAN", ICCV workshops 2021; the architecture is that of its
        small networks (SRVGGNetCompact), as public code has it.
    """
    if not isinstance(fused, RepNet) or not len(fused.body) or fused.skips or fused.channels != 3:
        raise TrainingError(
            "only a repnet for RGB with a body and without skips has the layout of other programs' "
            "Compact. Export it as .onnx, which any program with ONNX Runtime runs"
        )
    scale, leak, shared, body = fused.scale, fused.leak, fused.shared, fused.body
    channels, copies = 3, 3 * len(CORNERS)
    kernels = [_plain(fused.head), *(_plain(convolution) for convolution in body)]
    tail = _plain(fused.tail)
    own = kernels[0].weight.shape[0]
    width = own + copies
    slopes = torch.full((width,), leak)
    slopes[own:] = 1.0
    weights: dict[str, torch.Tensor] = {}
    for at, convolution in enumerate(kernels):
        is_last = at == len(kernels) - 1
        inputs = channels if at == 0 else width
        weight, bias = torch.zeros(width, inputs, 3, 3), torch.zeros(width)
        weight[:own, : convolution.weight.shape[1]] = convolution.weight.detach()
        bias[:own] = _bias(convolution)
        start = 0 if at == 0 else own
        for c in range(channels):
            if not is_last:
                weight[own + c, start + c, 1, 1] = 1.0
                continue
            for number, (row, column) in enumerate(CORNERS):
                weight[own + channels * number + c, start + c, 1 + row, 1 + column] = 1.0
        weights[f"body.{2 * at}.weight"], weights[f"body.{2 * at}.bias"] = weight, bias
        weights[f"body.{2 * at + 1}.weight"] = slopes.clone()
    number = 2 * len(kernels)
    weight = torch.zeros(channels * scale**2, width, 3, 3)
    repeats = (shared, 1, 1, 1)
    weight[:, :own] = tail.weight.detach().repeat(*repeats)
    weight[:, own:] = _base_by_corners(fused, scale)
    weights[f"body.{number}.weight"] = weight
    weights[f"body.{number}.bias"] = _bias(tail).repeat(shared)
    return weights


def _plain(module: object) -> nn.Conv2d:
    if not isinstance(module, nn.Conv2d):
        raise TrainingError("the network is not fused. Give what pixelift.models.fuse.fuse returns")
    return module


def _bias(convolution: nn.Conv2d) -> torch.Tensor:
    if convolution.bias is None:
        return torch.zeros(convolution.weight.shape[0])
    return convolution.bias.detach()


def _base_by_corners(fused: nn.Module, scale: int) -> torch.Tensor:
    """Share the 5x5 kernels of the interpolation, less the nearest pixel, out to four copies."""
    base = next(module for module in fused.modules() if isinstance(module, BicubicBase))
    kernel = base.kernel.detach().clone()  # (3 * scale**2, 1, 5, 5)
    kernel[:, 0, BASE_RADIUS, BASE_RADIUS] -= 1.0
    planes = scale**2
    shared = torch.zeros(3 * planes, 3 * len(CORNERS), 3, 3)
    covered = torch.zeros(5, 5, dtype=torch.bool)
    for number, (row, column) in enumerate(CORNERS):
        for y in range(3):
            for x in range(3):
                # The copy at p holds the picture at p + corner; the tail looks at p + (y, x) - 1.
                place = BASE_RADIUS + row + y - 1, BASE_RADIUS + column + x - 1
                if covered[place]:
                    continue
                covered[place] = True
                for c in range(3):
                    rows = slice(c * planes, (c + 1) * planes)
                    shared[rows, 3 * number + c, y, x] = kernel[rows, 0, place[0], place[1]]
    return shared


def export_compact(run: Path, path: Path) -> int:
    """Write the best network of a run in the layout of Compact.

    Args:
        run: The run folder.
        path: The .safetensors file; replaced as a whole.

    Returns:
        Number of weights in the file.

    Raises:
        WrongRunError: The folder is no run, or has no weights yet.
        TrainingError: Its weights are damaged, or its architecture has no such layout.
        ImageWriteError: The file cannot be written.
    """
    network, _ = load_trained(run)
    if isinstance(network, RepNet) and network.channels == 1:
        network = in_colour(network)
    return write_compact(fuse(network), path)


def write_compact(fused: nn.Module, path: Path) -> int:
    """Write the weights as a .safetensors file.

    Args:
        fused: See `compact_weights`.
        path: The file; replaced as a whole.

    Returns:
        Number of weights in the file.

    Raises:
        TrainingError: See `compact_weights`.
        ImageWriteError: The file cannot be written.
    """
    weights = {name: weight.contiguous() for name, weight in compact_weights(fused).items()}
    # As bytes: a file that safetensors writes itself can be read by its owner alone.
    content = save(weights, metadata={"architecture": "SRVGGNetCompact"})
    try:
        write_atomically(path, content, durable=True)
    except OSError as error:
        raise ImageWriteError(
            f"cannot write {path}: {error.strerror}. Choose another -o."
        ) from error
    return sum(weight.numel() for weight in weights.values())
