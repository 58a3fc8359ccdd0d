import numpy as np
import pytest

from pixelift.errors import ConfigError, ShapeError
from pixelift.metrics.protocol import Protocol


def test_the_protocol_says_in_one_phrase_how_a_number_was_measured():
    assert str(Protocol(shave=4)) == (
        "Y (BT.601 studio range, not rounded) of 8-bit RGB, grey files taken as RGB; "
        "4 pixels shaved from each edge"
    )
    assert str(Protocol(shave=2, channel="rgb")).startswith("R, G and B of 8-bit RGB")


def test_luma_is_not_rounded():
    grey = np.full((1, 1, 3), 128, np.uint8)

    levels, _ = Protocol(shave=0).levels(grey, grey)

    assert levels.dtype == np.float64
    assert levels[0, 0, 0] == pytest.approx(125.929412, abs=1e-6)


def test_pictures_are_rounded_to_8_bits_halves_up():
    picture = np.array([[[0.49 / 255], [0.5 / 255], [1.49 / 255], [1.2]]], np.float32)

    levels, _ = Protocol(shave=0, channel="rgb").levels(picture, picture)

    assert levels[0, 0].tolist() == [0, 1, 1, 255]


def test_every_depth_of_the_same_picture_has_the_same_levels(rng):
    picture_u8 = rng.integers(0, 256, (7, 5, 3), dtype=np.uint8)
    picture_u16 = picture_u8.astype(np.uint16) * 257
    picture = picture_u8.astype(np.float32) / np.float32(255)
    protocol = Protocol(shave=1)

    from_u16, from_u8 = protocol.levels(picture_u16, picture_u8)
    from_float, _ = protocol.levels(picture, picture_u8)

    assert np.array_equal(from_u16, from_u8)
    assert np.array_equal(from_float, from_u8)


def test_a_grey_picture_has_the_luma_of_equal_channels(rng):
    grey = rng.integers(0, 256, (6, 6), dtype=np.uint8)
    protocol = Protocol(shave=0)

    flat, one_channel = protocol.levels(grey, grey)[0], protocol.levels(*[grey[..., None]] * 2)[0]
    three, _ = protocol.levels(*[np.stack([grey] * 3, axis=2)] * 2)

    assert np.array_equal(flat, one_channel)
    assert flat == pytest.approx(three, abs=1e-10)


def test_the_border_is_shaved_from_each_edge():
    picture = np.zeros((9, 7, 3), np.uint8)
    picture[3:-3, 3:-3] = 255

    levels, _ = Protocol(shave=3).levels(picture, picture)

    assert levels.shape == (1, 3, 1)
    assert np.all(levels == 235)


def test_pictures_of_different_shape_are_refused():
    with pytest.raises(ShapeError, match=r"\(4, 4, 3\) with one of \(4, 5, 3\)"):
        Protocol(shave=0).levels(np.zeros((4, 4, 3)), np.zeros((4, 5, 3)))


def test_a_border_that_leaves_nothing_is_refused():
    with pytest.raises(ShapeError, match="shaving 4 pixels leaves nothing"):
        Protocol(shave=4).levels(np.zeros((8, 20, 3)), np.zeros((8, 20, 3)))


def test_a_metric_that_needs_more_room_says_how_much():
    picture = np.zeros((12, 20, 3), np.uint8)
    levels, _ = Protocol(shave=2).levels(picture, picture, smallest=8)
    assert levels.shape == (1, 8, 16)
    with pytest.raises(ShapeError, match=r"only 16x8 pixels .* shaving 2; XYZ needs at least 9x9"):
        Protocol(shave=2).levels(picture, picture, smallest=9, metric="XYZ")


def test_an_alpha_channel_is_refused():
    with pytest.raises(ShapeError, match="Take the alpha channel off"):
        Protocol(shave=0).levels(np.zeros((4, 4, 4)), np.zeros((4, 4, 4)))


@pytest.mark.parametrize(("shave", "channel"), [(-1, "y"), (2, "cb")])
def test_rules_that_make_no_sense_are_refused(shave, channel):
    with pytest.raises(ConfigError):
        Protocol(shave, channel)
