import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelift.batch.maps import check_maps, write_maps
from pixelift.errors import ConfigError, ImageWriteError
from pixelift.infer import effort as effort_module
from pixelift.infer.upscaler import Upscaler
from tests.fakes import write_model

if not any(map(importlib.util.find_spec, ("openvino", "onnxruntime"))):
    pytest.skip("no engine is installed", allow_module_level=True)


@pytest.fixture
def upscaler(tmp_path, monkeypatch):
    """Two networks to choose between, in a folder with a picture."""
    for name in ("small", "large"):
        write_model(tmp_path / "models", name=name, scale=2, width=4, depth=2)
    monkeypatch.setenv("PIXELIFT_HOME", str(tmp_path))
    monkeypatch.setattr(effort_module, "TIERS", ("small", "large"))
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)).save("a.png")
    return Upscaler(scale=2, effort="auto")


def test_both_maps_are_written_as_large_as_the_pictures_they_are_about(upscaler):
    write_maps(
        Path("a.png"),
        upscaler,
        explanation=Path("why.png"),
        spread=Path("sure.png"),
        overwrite=False,
    )
    with Image.open("why.png") as why, Image.open("sure.png") as sure:
        assert why.height > 30
        assert sure.height > 60
        assert np.ptp(np.asarray(sure)[:60, :80]) > 0


def test_a_map_does_not_replace_a_file_unless_told(upscaler):
    Path("why.png").write_text("mine")
    words = {"explanation": Path("why.png"), "spread": None}
    with pytest.raises(ImageWriteError, match="overwrite"):
        write_maps(Path("a.png"), upscaler, **words, overwrite=False)
    assert Path("why.png").read_text() == "mine"
    write_maps(Path("a.png"), upscaler, **words, overwrite=True)
    assert Path("why.png").stat().st_size > 100


@pytest.mark.parametrize(
    ("inputs", "path", "message"),
    [
        (("a.png", "b.png"), "why.png", "draws one picture"),
        ((".",), "why.png", "draws one picture"),
        (("a.png",), "a.png", "would replace the input"),
        (("a.png",), "none/why.png", "mkdir -p none"),
    ],
)
def test_maps_that_cannot_be_drawn_are_refused_before_the_work(upscaler, inputs, path, message):
    for option in ("explanation", "spread"):
        words = {"explanation": None, "spread": None} | {option: Path(path)}
        with pytest.raises(ConfigError, match=message):
            check_maps(tuple(map(Path, inputs)), upscaler, **words)


@pytest.mark.parametrize("inputs", [("-",), ("a.png",), (".",)])
def test_what_passes_by_has_no_map(upscaler, inputs):
    for option, name in (("explanation", "--explain"), ("spread", "--confidence")):
        words = {"explanation": None, "spread": None} | {option: Path("why.png")}
        with pytest.raises(ConfigError, match=f"{name} draws one picture that is a file, and no p"):
            check_maps(tuple(map(Path, inputs)), upscaler, **words, passes_by=True)
        assert not Path("why.png").exists()


def test_a_map_that_is_there_already_is_told_before_the_work(upscaler):
    Path("why.png").write_text("mine")
    words = {"explanation": Path("why.png"), "spread": None}
    with pytest.raises(ConfigError, match=r"--explain why\.png exists already"):
        check_maps((Path("a.png"),), upscaler, **words)
    check_maps((Path("a.png"),), upscaler, **words, overwrite=True)


def test_maps_need_two_names_of_pictures(upscaler):
    one = (Path("a.png"),)
    with pytest.raises(ConfigError, match="Give two names"):
        check_maps(one, upscaler, explanation=Path("m.png"), spread=Path("m.png"))
    with pytest.raises(ConfigError, match=r"has no ending of a picture. Allowed are \.png"):
        check_maps(one, upscaler, explanation=Path("m.txt"), spread=None)


@pytest.mark.usefixtures("upscaler")
def test_a_single_network_has_nothing_to_explain():
    single = Upscaler("small", scale=2)
    with pytest.raises(ConfigError, match="Add --effort auto"):
        check_maps((Path("a.png"),), single, explanation=Path("why.png"), spread=None)
