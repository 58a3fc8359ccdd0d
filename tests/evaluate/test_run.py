import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelift.errors import ConfigError, DatasetError, OutOfMemoryError, UnknownNameError
from pixelift.evaluate.run import Method, describe_machine, evaluate, name_of_set, open_method
from pixelift.image.resize import upscale
from pixelift.metrics.psnr import psnr
from pixelift.metrics.ssim import ssim


@pytest.fixture
def hr(tmp_path, rng):
    """A set of two pictures, 41x37, in a folder called HR as those of benchmarks are."""
    folder = tmp_path / "Two" / "HR"
    folder.mkdir(parents=True)
    for name in ("one", "two"):
        smooth = np.kron(rng.integers(0, 256, (8, 9, 3)), np.ones((5, 5, 1)))
        Image.fromarray(smooth[:37, :41].astype(np.uint8)).save(folder / f"{name}.png")
    return folder


def pixels_of(path):
    return np.asarray(Image.open(path))


@pytest.mark.parametrize(
    ("flags", "told"),
    [("fma avx2 avx512f avx512_vnni", " (AVX-512, VNNI)"), ("fma avx2", " (AVX2)"), ("sse", "")],
)
def test_a_machine_is_told_with_its_instructions(flags, told, monkeypatch):
    cpuinfo = f"model name\t: Some CPU\nflags\t\t: {flags}\n"
    monkeypatch.setattr(Path, "is_file", lambda _: True)
    monkeypatch.setattr(Path, "read_text", lambda _, **__: cpuinfo)
    assert describe_machine().startswith(f"Some CPU{told}, ")


def test_a_result_has_the_fields_that_other_programs_read_and_says_how_it_came_about(hr):
    result = evaluate(open_method("bicubic", scale=2), hr)

    fields = ["model", "scale", "set", "n", "psnr_y", "ssim_y", "images"]
    assert list(result)[:7] == fields
    assert [result[field] for field in fields[:4]] == ["bicubic", 2, "Two", 2]
    assert [list(image) for image in result["images"]] == [["name", "psnr_y", "ssim_y"]] * 2
    assert result["protocol"].endswith("2 pixels shaved from each edge")
    assert result["machine"] == describe_machine()
    assert result["lr"] == "MATLAB bicubic of HR, 8-bit"
    assert result["failed"] == result["identical"] == []


def test_the_scores_are_those_of_the_metrics_and_their_means(hr):
    seen = []

    def remember(lr_u8):
        seen.append(lr_u8)
        return upscale(lr_u8, 3)

    result = evaluate(Method("mine", 3, remember), hr)

    for image, lr_u8 in zip(result["images"], seen, strict=True):
        true = pixels_of(hr / f"{image['name']}.png")[:36, :39]
        assert image["psnr_y"] == pytest.approx(psnr(upscale(lr_u8, 3), true, shave=3), abs=1e-5)
        assert image["ssim_y"] == pytest.approx(ssim(upscale(lr_u8, 3), true, shave=3), abs=1e-5)
    for score in ("psnr_y", "ssim_y"):
        assert result[score] == pytest.approx(np.mean([i[score] for i in result["images"]]))


def test_given_lr_pictures_are_used(hr, tmp_path):
    for path in hr.iterdir():
        folder = tmp_path / "LR"
        folder.mkdir(exist_ok=True)
        Image.fromarray(pixels_of(path)[:36:2, :40:2]).save(folder / path.name)
    seen = []

    def remember(lr_u8):
        seen.append(lr_u8)
        return upscale(lr_u8, 2)

    result = evaluate(Method("mine", 2, remember), hr, lr=tmp_path / "LR")

    assert np.array_equal(seen[0], pixels_of(hr / "one.png")[:36:2, :40:2])
    assert result["lr"] == "given"


def test_identical_pictures_have_no_psnr_in_json_and_do_not_spoil_the_mean(hr):
    perfect = iter([True, False])

    def guess(lr_u8):
        truth = pixels_of(hr / "one.png")[:36, :40]
        return truth if next(perfect) else upscale(lr_u8, 2)

    result = evaluate(Method("oracle", 2, guess), hr)

    assert result["identical"] == ["one"]
    assert result["images"][0] == {"name": "one", "psnr_y": None, "ssim_y": 1.0}
    assert result["psnr_y"] == result["images"][1]["psnr_y"]
    assert result["ssim_y"] == pytest.approx((1 + result["images"][1]["ssim_y"]) / 2, abs=1e-6)
    json.dumps(result, allow_nan=False)


def test_a_bad_picture_is_listed_and_the_others_are_done(hr):
    (hr / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    problems = []

    result = evaluate(open_method("bicubic", scale=2), hr, on_image=problems.append)

    assert result["n"] == 2
    assert [failure["name"] for failure in result["failed"]] == ["broken"]
    assert problems == [result["failed"][0]["error"], None, None]
    assert "broken.png" in problems[0]


def test_a_set_of_bad_pictures_only_has_no_scores(hr):
    def fail(lr_u8):
        raise OutOfMemoryError(f"no memory for {lr_u8.shape}")

    result = evaluate(Method("mine", 2, fail), hr)

    assert (result["n"], result["psnr_y"], result["ssim_y"]) == (0, None, None)
    assert len(result["failed"]) == 2


def test_the_number_of_pictures_is_told_before_the_first(hr):
    told = []

    evaluate(open_method("bicubic", scale=2), hr, on_start=told.append, on_image=told.append)

    assert told == [2, None, None]


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(DatasetError):
        evaluate(open_method("bicubic", scale=2), tmp_path)


def test_a_set_is_named_after_its_folder_or_the_one_around_hr(tmp_path, monkeypatch):
    for folder in ("Set5/HR", "photos"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "Set5" / "HR")

    assert name_of_set(tmp_path / "Set5" / "HR") == "Set5"
    assert name_of_set(tmp_path / "photos") == "photos"
    assert name_of_set(tmp_path / "." / "Set5" / "HR" / "..") == "Set5"


def test_a_scale_that_does_not_enlarge_is_refused():
    with pytest.raises(ConfigError, match="scale 0 is no factor"):
        open_method("bicubic", scale=0)


def test_a_model_that_does_not_exist_is_refused():
    with pytest.raises(UnknownNameError):
        open_method("bicubik", scale=2)


# Published figures of bicubic interpolation; B100 and Set14 as grey files taken as RGB give them.
@pytest.mark.parametrize(
    ("name", "scale", "psnr_y"),
    [
        ("Set5", 2, 33.66),
        ("Set5", 3, 30.39),
        ("Set5", 4, 28.42),
        *[
            pytest.param(*figure, marks=pytest.mark.slow)
            for figure in [
                ("Set14", 2, 30.33),
                ("Set14", 3, 27.63),
                ("Set14", 4, 26.09),
                ("B100", 2, 29.56),
                ("B100", 3, 27.21),
                ("B100", 4, 25.96),
            ]
        ],
    ],
)
def test_bicubic_has_its_published_psnr(shared, name, scale, psnr_y):
    result = evaluate(open_method("bicubic", scale=scale), shared / "bench" / name / "HR")

    assert result["set"] == name
    assert result["n"] == {"Set5": 5, "Set14": 14, "B100": 100}[name]
    assert result["psnr_y"] == pytest.approx(psnr_y, abs=0.02)


def test_what_cannot_be_measured_is_told_with_its_file(hr):
    Image.new("RGB", (1, 1)).save(hr / "dot.png")
    os.mkfifo(hr / "pipe.png")
    told = []

    result = evaluate(open_method("bicubic", scale=2), hr, on_image=told.append)

    assert result["n"] == 2
    assert [failure["name"] for failure in result["failed"]] == ["dot", "pipe"]
    messages = [message for message in told if message]
    assert messages == [failure["error"] for failure in result["failed"]]
    assert messages[0].startswith(f'cannot measure "{hr / "dot.png"}": ')
    assert messages[1].startswith(f'cannot read "{hr / "pipe.png"}": it is a pipe')
