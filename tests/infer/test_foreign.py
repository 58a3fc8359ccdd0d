import importlib.util

import numpy as np
import pytest

from pixelift.errors import ConfigError, UnknownNameError, WeightsError
from pixelift.infer import foreign
from pixelift.infer.foreign import is_foreign, open_foreign
from pixelift.infer.upscaler import Upscaler
from tests import strangers
from tests.fakes import model_bytes

if importlib.util.find_spec("openvino") is None:
    pytest.skip("OpenVINO is not installed", allow_module_level=True)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Hand out a function that writes a network; nothing of it is remembered yet."""
    monkeypatch.setattr(foreign, "_found", {})

    def to(data, name="other one.onnx"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return to


def test_what_carries_our_card_is_not_foreign(write):
    assert is_foreign(write(strangers.plain()))
    assert not is_foreign(write(model_bytes()))
    assert not is_foreign(write(b"no network"))
    assert not is_foreign("balanced")
    assert not is_foreign("missing.onnx")


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_a_foreign_network_gives_what_ours_gives(write, engine, rng):
    if importlib.util.find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")
    image = rng.integers(0, 256, (37, 29, 3), dtype=np.uint8)
    theirs = Upscaler(write(strangers.plain(scale=2)), engine=engine, tile=16)
    ours = Upscaler(write(model_bytes(scale=2), "ours.onnx"), engine=engine, precision="f32")
    assert theirs.card.name == "other_one"
    assert np.abs(theirs.upscale(image).astype(int) - ours.upscale(image)).max() <= 1


def test_a_network_of_one_size_enlarges_pictures_of_any(write, rng):
    image = rng.random((45, 70, 3)).astype(np.float32)
    fixed = Upscaler(write(strangers.fixed(32, scale=2, depth=2)))
    ours = Upscaler(write(model_bytes(scale=2, depth=2), "ours.onnx"), precision="f32")
    assert np.abs(fixed.upscale(image) - ours.upscale(image)).max() < 1e-4


def test_white_of_255_is_white(write):
    upscaler = Upscaler(write(strangers.of_255()))
    assert (upscaler.upscale(np.full((5, 6, 3), 200, np.uint8)) == 203).all()


def test_luma_networks_take_colour(write, rng):
    upscaler = Upscaler(write(strangers.plain(scale=2, channels=1)))
    assert upscaler.upscale(rng.integers(0, 256, (9, 8, 3), dtype=np.uint8)).shape == (18, 16, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (3, 2)])
def test_pictures_smaller_than_the_network_takes_are_mirrored(write, size):
    upscaler = Upscaler(write(strangers.plain(scale=2)))
    assert upscaler.upscale(np.zeros((*size, 3), np.uint8)).shape == (2 * size[0], 2 * size[1], 3)


@pytest.mark.parametrize(
    ("data", "is_fine"), [(strangers.plain(), True), (strangers.with_global_pooling(), False)]
)
def test_what_was_found_out_is_remembered_by_the_hash_of_the_file(
    write, data, is_fine, tmp_path, monkeypatch
):
    monkeypatch.setenv("PIXELIFT_HOME", str(tmp_path / "home"))
    path = write(data)
    times = []
    probe = foreign.probe
    monkeypatch.setattr(foreign, "probe", lambda *words: times.append(1) or probe(*words))
    for _ in range(3):
        monkeypatch.setattr(foreign, "_found", {})
        if is_fine:
            assert open_foreign(path).card.scale == 2
        else:
            with pytest.raises(WeightsError, match=r"other one\.onnx: .*global pooling"):
                open_foreign(path)
    assert len(times) == 1
    (kept,) = (tmp_path / "home" / "probes").iterdir()
    kept.write_text("damaged")
    monkeypatch.setattr(foreign, "_found", {})
    if is_fine:
        assert open_foreign(path).card.scale == 2
        assert len(times) == 2


def test_another_scale_or_precision_is_refused(write):
    path = write(strangers.plain(scale=2))
    with pytest.raises(UnknownNameError, match="is for scale 2, not for scale 3"):
        foreign.check_scale(path, open_foreign(path).card, 3)
    with pytest.raises(ConfigError, match="runs in f32"):
        open_foreign(path, precision="bf16")
    with pytest.raises(ConfigError, match="no engine"):
        open_foreign(path, provider="ncnn")
