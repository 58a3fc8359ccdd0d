import errno
import io
import os

import numpy as np
import pytest
import pyvips
import tifffile

from pixelift.errors import ImageReadError
from pixelift.image.read import read_picture
from pixelift.image.read_rows import open_rows
from pixelift.image.rows import collect
from tests.image.test_read import lab50, levels
from tests.tiny_tiff import filled, tiny_tiff

COLOURS = np.array(
    [[(200, 100, 50), (0, 0, 0), (255, 255, 255)], [(10, 200, 90), (40, 60, 220), (128, 128, 128)]],
    np.uint8,
)


def lab_tiff(photometric, *, offset, order="<", alpha=False):
    lab = lab50(pyvips.Image.new_from_array(COLOURS).copy(interpretation="srgb")).numpy()
    channels = [lab[..., 0] * 2.55, lab[..., 1] + offset, lab[..., 2] + offset]
    channels += [np.full(lab.shape[:2], 51)] if alpha else []
    samples = (np.rint(np.stack(channels, axis=-1)).astype(int) & 255).astype(np.uint8)
    stream = io.BytesIO()
    extra = {"extrasamples": ["unassalpha"]} if alpha else {}
    tifffile.imwrite(
        stream, samples, photometric=photometric, byteorder=order, planarconfig="contig", **extra
    )
    return stream.getvalue()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("photometric", "offset"), [("cielab", 0), ("icclab", 128)])
def test_both_kinds_of_lab_become_srgb(photometric, offset, order, tmp_path):
    data = lab_tiff(photometric, offset=offset, order=order)
    picture = read_picture(data)
    # One step of L, a or b is several levels of a saturated colour.
    assert np.abs(levels(picture.pixels) - COLOURS.astype(int)).max() <= 5
    path = tmp_path / "lab.tif"
    path.write_bytes(data)
    with open_rows(path) as rows:
        assert (collect(rows).pixels == picture.pixels).all()
    assert path.read_bytes() == data


def test_alpha_beside_lab_stays():
    picture = read_picture(lab_tiff("cielab", offset=0, alpha=True))
    assert picture.alpha == pytest.approx(0.2, abs=0.001)
    assert np.abs(levels(picture.pixels) - COLOURS.astype(int)).max() <= 5


@pytest.mark.parametrize("kind", [1, 3, 4])
@pytest.mark.parametrize("order", ["<", ">"])
def test_lab_is_found_in_whatever_type_the_tag_has(kind, order):
    data = tiny_tiff(filled((128, 20, 0)), 8, kind=kind, order=order)
    # L = 50.2, a = 20, b = 0.
    assert np.abs(levels(read_picture(data).pixels)[0, 0] - [152, 107, 120]).max() <= 1


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_lab_of_another_number_of_channels_is_refused(channels):
    with pytest.raises(ImageReadError, match=f"it has {channels} channel"):
        read_picture(tiny_tiff(filled(range(channels)), 8))


def test_channels_that_nobody_knows_are_refused_and_not_taken_for_rgb():
    stream = io.BytesIO()
    deep = np.zeros((2, 3, 3), np.uint16)
    tifffile.imwrite(stream, deep, photometric="icclab")
    with pytest.raises(ImageReadError, match="it is Lab with samples of 16 bits"):
        read_picture(stream.getvalue())
    inks = tiny_tiff(filled((1, 2, 3, 4)), 5, tags={332: (3, [2])})
    with pytest.raises(ImageReadError, match="its 4 channels are of a kind that is not read"):
        read_picture(inks)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.ENOENT, errno.EIO])
def test_a_place_for_temporary_files_that_takes_none_is_told(number, monkeypatch, tmp_path):
    path = tmp_path / "lab.tif"
    path.write_bytes(lab_tiff("cielab", offset=0))

    def refuse():
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    monkeypatch.setenv("TMPDIR", "/nowhere")
    with pytest.raises(ImageReadError) as told:
        read_picture(path)
    assert os.strerror(number) in str(told.value)
    assert ('which "/nowhere" does not take' in str(told.value)) == (number != errno.EIO)
