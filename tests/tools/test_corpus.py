"""The corpus of hard pictures through the whole path, file to file: what is kept is kept."""

import io

import numpy as np
import pytest
from PIL import Image

from pixelift.image.read import read_picture
from pixelift.image.resize import resize_bicubic
from pixelift.image.write import encode_picture
from pixelift.infer.upscaler import Upscaler
from tests.fakes import write_model
from tools import corpus

CORPUS = {hard.name: hard.data for hard in corpus.hard_pictures()}


@pytest.fixture(scope="module")
def upscaler(tmp_path_factory):
    _, path = write_model(tmp_path_factory.mktemp("model"), gain=0.0, width=4, depth=2)
    return Upscaler(path, threads=1, precision="f32")


@pytest.mark.parametrize("name", CORPUS)
def test_a_hard_picture_comes_out_larger_and_otherwise_as_it_was(name, upscaler):
    before = read_picture(CORPUS[name])
    if before.format == "gif":
        return  # read and not written; the batch makes PNG of it
    after = read_picture(upscaler.upscale(CORPUS[name]))
    assert after.size == before.size.scaled(2)
    assert after.format == before.format
    assert after.depth == before.depth
    assert after.is_grey == before.is_grey
    assert (after.alpha is None) == (before.alpha is None)
    assert after.icc == before.icc
    # EXIF must state a resolution, and 72 dpi is how it says that none is known.
    says_in_exif = before.format in ("webp", "avif") and before.exif is not None
    assert after.dpi == before.dpi or (says_in_exif and after.dpi == (72, 72))
    assert (after.exif is None) == (before.exif is None)
    expected = np.clip(resize_bicubic(before.pixels, after.size), 0, 1)
    covered = np.ones(after.pixels.shape[:2], bool) if after.alpha is None else after.alpha > 0.2
    lossy = before.format in ("jpeg", "webp", "avif")
    difference = np.abs(after.pixels - expected)[covered]
    assert difference.mean() < (0.04 if lossy or before.size.pixels < 200 else 0.01)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_applied_once_and_the_tag_corrected(orientation, upscaler):
    data = CORPUS[f"turned {orientation}.jpg"]
    with Image.open(io.BytesIO(upscaler.upscale(data))) as image:
        assert image.getexif()[0x112] == 1
        assert image.getexif()[0x10F] == "Camera"
        side = (40, 48) if orientation > 4 else (48, 40)
        assert image.size == (2 * side[0], 2 * side[1])
    assert read_picture(upscaler.upscale(data)).dpi == (
        (150, 300) if orientation > 4 else (300, 150)
    )


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "avif"])
@pytest.mark.parametrize("to", ["jpeg", "tiff"])
def test_camera_date_and_place_go_from_any_format_into_another(suffix, to, upscaler):
    sr = upscaler.picture(read_picture(CORPUS[f"exif.{suffix}"]))
    with Image.open(io.BytesIO(encode_picture(sr, to))) as image:
        exif = image.getexif()
        assert (exif[0x10F], exif[0x112]) == ("Camera", 1)
        assert exif.get_ifd(0x8769)[0x9003] == "2024:05:06 07:08:09"
        assert [float(n) for n in exif.get_ifd(0x8825)[2]] == [52.0, 31.0, 12.25]


def test_a_dark_16_bit_picture_stays_dark(upscaler):
    after = read_picture(upscaler.upscale(CORPUS["dark 16.png"]))
    assert after.depth == 16
    assert after.pixels.max() * 65535 < 210


def test_the_corpus_is_written_to_a_folder(tmp_path):
    assert corpus.main([str(tmp_path / "new")]) == 0
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(CORPUS)
