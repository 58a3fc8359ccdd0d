import numpy as np
import pytest
import pyvips

from pixelift.degrade.jpeg import compress_jpeg, quality_table
from tests.prepared import natural_photo


def by_libvips(image, quality, *, halves_colour):
    height, width, channels = image.shape
    picture = pyvips.Image.new_from_memory(
        np.ascontiguousarray(image), width, height, channels, "uchar"
    )
    coded = picture.jpegsave_buffer(Q=quality, subsample_mode="on" if halves_colour else "off")
    decoded = pyvips.Image.jpegload_buffer(coded).write_to_memory()
    return np.frombuffer(decoded, np.uint8).reshape(image.shape)


@pytest.mark.parametrize("quality", [10, 30, 50, 75, 95])
@pytest.mark.parametrize("halves_colour", [True, False])
def test_it_is_what_a_real_file_gives_but_for_rounding(rng, quality, halves_colour):
    # A size that fills no whole block, and no even number of pixels.
    image = natural_photo(rng, 91, 77)
    ours = compress_jpeg(image, quality=quality, halves_colour=halves_colour).astype(int)
    theirs = by_libvips(image, quality, halves_colour=halves_colour).astype(int)
    # A frequency that lies between two multiples may be rounded to either, and then moves a block.
    assert np.mean(ours != theirs) < 0.03
    assert np.abs(ours - theirs).mean() < 0.03


def test_luma_alone_is_what_a_real_grey_file_gives(rng):
    image = natural_photo(rng, 64, 48)[..., :1].copy()
    ours = compress_jpeg(image, quality=40, halves_colour=True).astype(int)
    theirs = by_libvips(image, 40, halves_colour=True).astype(int)
    assert np.mean(ours != theirs) < 0.03


def test_tables_are_those_of_the_standard_at_quality_50_and_ones_at_100():
    assert quality_table(50, is_colour=False)[0].tolist() == [16, 11, 10, 16, 24, 40, 51, 61]
    assert quality_table(50, is_colour=True)[1].tolist() == [18, 21, 26, 66, 99, 99, 99, 99]
    assert (quality_table(100, is_colour=False) == 1).all()
    assert quality_table(1, is_colour=False).max() == 255
    assert quality_table(25, is_colour=False)[0, 0] == 32
    assert quality_table(75, is_colour=False)[0, 0] == 8


@pytest.mark.parametrize("value", [0, 7, 128, 255])
def test_a_plain_grey_stays_what_it_is_at_good_quality(value):
    image = np.full((20, 20, 3), value, np.uint8)
    assert np.array_equal(compress_jpeg(image, quality=98, halves_colour=True), image)


def test_lower_quality_loses_more(rng, frozen):
    image = frozen(natural_photo(rng, 64, 64))
    lost = [
        np.abs(compress_jpeg(image, quality=q, halves_colour=True).astype(int) - image).mean()
        for q in (95, 75, 50, 25, 5)
    ]
    assert lost == sorted(lost)


def test_a_single_pixel_and_a_line_are_fine():
    for shape in ((1, 1, 3), (1, 9, 3), (17, 1, 3), (3, 1, 1)):
        assert compress_jpeg(
            np.full(shape, 99, np.uint8), quality=50, halves_colour=True
        ).shape == (shape)
