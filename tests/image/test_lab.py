import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from pixelift.image.read import read_picture
from tests.image.test_read import levels
from tests.tiny_tiff import tiny_tiff

COLOURS = np.array(
    [[(255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)], [(200, 100, 50)] * 4], np.uint8
)


def lab_of(rgb):
    """Lab as Photoshop means it, by LittleCMS: signed bytes."""
    return ImageCms.profileToProfile(
        Image.fromarray(rgb),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )


def test_saturated_colours_come_out_as_in_other_programs():
    stream = io.BytesIO()
    lab_of(COLOURS).save(stream, "TIFF")
    found = levels(read_picture(stream.getvalue()).pixels)
    # Steps of whole L, a and b are several levels of a saturated colour.
    assert np.abs(found - COLOURS.astype(int)).max() <= 10


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        # L = 50.2, a = 60, b = -50 by LittleCMS; and where the file states D65.
        ({}, [183, 70, 207]),
        ({318: (5, [3127, 10000, 329, 1000])}, [175, 75, 206]),
    ],
)
def test_the_white_is_d50_unless_the_file_states_d65(tags, expected, alpha):
    values = [128, 60, 256 - 50] + [51] * alpha
    samples = np.full((2, 2, len(values)), values, np.uint8)
    extra = {338: (3, [2])} if alpha else {}
    picture = read_picture(tiny_tiff(samples, 8, tags={**tags, **extra}))
    assert np.abs(levels(picture.pixels)[0, 0] - expected).max() <= 2
    assert not alpha or picture.alpha == pytest.approx(0.2, abs=0.001)
