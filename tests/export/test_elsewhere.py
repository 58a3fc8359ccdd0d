import os

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

from pixelift.errors import ImageWriteError, TrainingError
from pixelift.export.elsewhere import compact_weights, write_compact
from pixelift.models.fuse import fuse
from pixelift.models.repnet import RepNet
from pixelift.models.spec import build_model


class Compact(nn.Module):
    """SRVGGNetCompact as its authors describe it: the second opinion."""

    def __init__(self, *, width, depth, scale):
        super().__init__()
        layers = [nn.Conv2d(3, width, 3, padding=1), nn.PReLU(width)]
        for _ in range(depth):
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.PReLU(width)]
        self.body = nn.ModuleList([*layers, nn.Conv2d(width, 3 * scale**2, 3, padding=1)])
        self.scale = scale

    def forward(self, x):
        out = x
        for layer in self.body:
            out = layer(out)
        return F.pixel_shuffle(out, self.scale) + F.interpolate(
            x, scale_factor=self.scale, mode="nearest"
        )


def trained(**dials):
    torch.manual_seed(1)
    network = RepNet(**dials)
    with torch.no_grad():  # so that biases count too
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0, 0.1)
    return fuse(network).eval()


@pytest.mark.parametrize("dials", [{}, {"leaky": True}, {"luma": True}, {"depth": 1}])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_other_program_makes_the_same_picture(scale, dials):
    fused = trained(scale=scale, width=5, **({"depth": 3} | dials))
    depth = len(fused.body)
    other = Compact(width=5 + 12, depth=depth, scale=scale)
    other.load_state_dict(compact_weights(fused))
    lr = torch.rand(1, 3, 14, 17)
    with torch.no_grad():
        ours, theirs = fused(lr), other(lr)
    inner = (..., slice(scale, -scale), slice(scale, -scale))
    assert (ours - theirs)[inner].abs().max() < 1e-5
    assert ours.shape == theirs.shape


@pytest.mark.parametrize("dials", [{}, {"leaky": True}, {"luma": True}])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_spandrel_recognises_the_file_and_makes_the_same_picture(scale, dials, tmp_path):
    spandrel = pytest.importorskip(
        "spandrel", reason="spandrel, which needs torchvision, is not installed"
    )
    fused = trained(scale=scale, width=16, depth=4, **dials)
    write_compact(fused, tmp_path / "net.safetensors")
    loaded = spandrel.ModelLoader().load_from_file(tmp_path / "net.safetensors")
    assert (loaded.architecture.id, loaded.scale) == ("Compact", scale)
    assert (loaded.input_channels, loaded.output_channels) == (3, 3)
    lr = torch.rand(1, 3, 14, 17)
    with torch.no_grad():
        ours, theirs = fused(lr).clamp(0, 1), loaded(lr)
    inner = (..., slice(scale, -scale), slice(scale, -scale))
    assert (ours - theirs)[inner].abs().max() < 1e-5


def test_the_file_has_the_usual_permissions(tmp_path):
    path = tmp_path / "net.safetensors"
    mask = os.umask(0o022)
    try:
        write_compact(trained(scale=2, width=4, depth=1), path)
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o644


def test_the_file_holds_these_weights_and_nothing_else(tmp_path):
    fused = trained(scale=2, width=4, depth=2)
    write_compact(fused, tmp_path / "net.safetensors")
    weights = load_file(tmp_path / "net.safetensors")
    assert set(weights) == set(compact_weights(fused))
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


@pytest.mark.parametrize(
    ("architecture", "dials"),
    [
        ("repnet", {"channels": 1}),
        ("repnet", {"skips": True}),
        ("srcnn", {}),
        ("vdsr", {"width": 4, "depth": 3}),
        ("gatenet", {"width": 4, "blocks": 1}),
    ],
)
def test_what_has_no_such_layout_is_refused(architecture, dials):
    with pytest.raises(TrainingError, match=r"Export it as \.onnx"):
        compact_weights(fuse(build_model(architecture, scale=2, **dials)))


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(ImageWriteError, match="Choose another"):
        write_compact(trained(scale=2, width=4, depth=1), tmp_path)
