import io

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms

from pixelift.image import metadata
from pixelift.image.icc import D65, SRGB, SRGB_CURVE, Curve, make_profile

P3 = ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06))


def to_srgb(levels, profile):
    """Let lcms, which Pillow has, bring colours of a profile to sRGB."""
    mode = "L" if metadata.icc_channels(profile) == 1 else "RGB"
    image = Image.new(mode, (1, 1), levels)
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return ImageCms.profileToProfile(
        image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
    ).getpixel((0, 0))


@pytest.mark.parametrize("level", [0, 1, 20, 55, 128, 200, 255])
def test_linear_light_becomes_the_level_of_srgb(level):
    light = level / 255
    srgb = 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    found = to_srgb((level,) * 3, make_profile(Curve(1.0)))
    assert np.abs(np.array(found) - srgb * 255).max() <= 1
    # lcms interpolates the curve of grey between few points, too far apart in the dark.
    grey = to_srgb(level, make_profile(Curve(1.0), is_grey=True))
    assert level == 1 or np.abs(np.array(grey) - srgb * 255).max() <= 1


def test_a_profile_of_srgb_changes_nothing(rng):
    for colour in rng.integers(0, 256, (50, 3)).tolist():
        found = to_srgb(tuple(colour), make_profile(SRGB_CURVE))
        assert np.abs(np.subtract(found, colour)).max() <= 1


def test_colours_of_other_primaries_move_as_published():
    # Green and a pale red of Display P3, by CSS Color 4.
    profile = make_profile(SRGB_CURVE, primaries=P3)
    assert to_srgb((0, 255, 0), profile)[1] == 255
    assert np.abs(np.subtract(to_srgb((200, 150, 150), profile), (209, 147, 149))).max() <= 2


def test_white_is_white_whatever_its_chromaticity():
    for white in (D65, (0.3457, 0.3585), (0.31, 0.316), (0.4476, 0.4074)):
        profile = make_profile(Curve(2.2), white=white)
        assert np.abs(np.subtract(to_srgb((255,) * 3, profile), 255)).max() <= 1


def test_libvips_takes_the_profiles(rng):
    image = pyvips.Image.new_from_array(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    image = image.copy(interpretation="srgb").copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", make_profile(Curve(1.0)))
    assert image.icc_transform("srgb", embedded=True).avg() > image.avg()


@pytest.mark.parametrize(
    ("primaries", "white"),
    [
        (((0.0, 0.0), (0.3, 0.6), (0.15, 0.06)), D65),
        (((0.3, 0.3), (0.3, 0.3), (0.3, 0.3)), D65),
        (SRGB, (0.0, 0.0)),
        (SRGB, (0.9, 0.05)),
        (SRGB, (float("nan"), 0.3)),
    ],
)
def test_colours_that_cannot_be_have_no_profile(primaries, white):
    assert make_profile(Curve(2.2), primaries=primaries, white=white) is None


def test_a_profile_says_for_how_many_channels_it_is():
    assert metadata.icc_channels(make_profile(Curve(2.2))) == 3
    assert metadata.icc_channels(make_profile(Curve(2.2), is_grey=True)) == 1
