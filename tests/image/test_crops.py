import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelift.image.crops import downscale_crops
from pixelift.image.geometry import Box
from pixelift.image.resize import downscale


def drawn(seed, shape):
    """Draw noise, or black and white: kernels overshoot most at steps."""
    noise = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return noise if seed % 2 else (noise > 127) * np.uint8(255)


@st.composite
def places(draw):
    """Draw a scale, two sizes of picture, and a box in each, often at a border."""
    scale = draw(st.integers(2, 8))
    height, width = (draw(st.integers(1, 6)) for _ in range(2))
    shapes, boxes = [], []
    for _ in range(draw(st.integers(1, 3))):
        spare = [draw(st.integers(0, 6)) for _ in range(2)]
        odd = [draw(st.integers(0, scale - 1)) for _ in range(2)]
        top, left = (draw(st.sampled_from([0, n, n // 2])) for n in spare)
        sides = ((n + m) * scale + k for n, m, k in zip((height, width), spare, odd, strict=True))
        shapes.append(tuple(sides))
        boxes.append(Box(top, left, height, width).scaled(scale))
    return scale, shapes, boxes


@settings(max_examples=200)
@given(places(), st.sampled_from([1, 3]), st.integers(0, 1 << 30))
def test_a_crop_is_bit_for_bit_that_of_the_shrunk_picture(place, channels, seed):
    scale, shapes, boxes = place
    pictures = [drawn(seed + n, (*shape, channels)) for n, shape in enumerate(shapes)]
    crops = downscale_crops(pictures, boxes, scale=scale)
    for picture, box, crop in zip(pictures, boxes, crops, strict=True):
        assert np.array_equal(crop, downscale(picture, scale)[box.unscaled(scale).slices])


@pytest.mark.parametrize("scale", [2, 3, 4, 5])
@pytest.mark.parametrize("channels", [1, 3])
def test_at_every_border_of_a_larger_picture_too(scale, channels, frozen):
    picture = frozen(drawn(scale, (240, 300, channels)))
    side = 60
    tops, lefts = (0, 60, 180), (0, 120, 240)
    boxes = [Box(top, left, side, side) for top in tops for left in lefts]
    crops = downscale_crops([picture] * len(boxes), boxes, scale=scale)
    whole = downscale(picture, scale)
    for box, crop in zip(boxes, crops, strict=True):
        assert np.array_equal(crop, whole[box.unscaled(scale).slices])


def test_a_box_beside_the_grid_is_refused():
    picture = np.zeros((40, 40, 3), np.uint8)
    boxes = [Box(0, 0, 8, 8), Box(2, 0, 8, 8)]
    with pytest.raises(ValueError, match="does not lie on the grid of scale 4"):
        downscale_crops([picture, picture], boxes, scale=4)
