import numpy as np
import pytest

from pixelift.degrade.filters import filter_picture, pick_nearest, resize_taps
from pixelift.degrade.kernels import blur_terms
from pixelift.degrade.plan import Blur, Motion
from pixelift.image.geometry import Size
from pixelift.image.resize import downscale

KERNELS = ["cubic", "bare-cubic", "linear", "area", "lanczos", "stride"]
BLURS = [
    Blur(sigma_px=1.3, across_px=1.3),
    Blur(sigma_px=2.4, across_px=0.8, angle_deg=33.0),
    Motion(length_px=5.0, angle_deg=70.0),
]


def picture(rng, height, width, channels=3):
    return rng.integers(0, 256, (height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_no_kernel_moves_the_picture(kernel, scale):
    # A ramp stays the ramp of the LR pixels' centres under a kernel in line, and under no other: a
    # shift of a tenth of a pixel would be a tenth of a level times the slope.
    side, slope = 48, 4
    ramp = np.tile(np.arange(side) * slope, (side, 1)).astype(np.uint8)[..., None]
    for image, axis in ((ramp, 1), (ramp.swapaxes(0, 1), 0)):
        lr = filter_picture(image, Size(side // scale, side // scale), kernel=kernel)
        line = lr[..., 0].astype(float).mean(axis=1 - axis)[4:-4]
        centres = (np.arange(side // scale) + 0.5) * scale - 0.5
        # Halves go up, hence the half; nothing else is off.
        off = line - centres[4:-4] * slope
        assert 0 <= off.min() <= off.max() <= 0.5


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_nearest_pixel_stays_in_line_and_keeps_all_of_the_noise(rng, scale):
    image = picture(rng, 12 * scale, 9 * scale)
    small = pick_nearest(image, Size(12, 9))
    before, after = (scale - 1) // 2, scale // 2
    pair = [image[n::scale, n::scale].astype(int) for n in (before, after)]
    assert np.array_equal(small, (pair[0] + pair[1] + 1) // 2)
    if scale == 3:
        assert np.array_equal(small, image[1::3, 1::3])


def test_the_nearest_pixel_is_found_in_pictures_that_grow_and_in_single_pixels(rng):
    image = picture(rng, 5, 7)
    assert pick_nearest(image, Size(15, 21)).shape == (15, 21, 3)
    assert np.array_equal(pick_nearest(image, Size(15, 21))[1::3, 1::3], image)
    assert pick_nearest(image[:1, :1], Size(4, 3)).tolist() == [[image[0, 0].tolist()] * 3] * 4


@pytest.mark.parametrize("scale", [2, 4])
def test_bare_cubic_is_not_widened(scale):
    # Whatever it shrinks by, four samples with the weights that OpenCV documents for the middle
    # between two samples.
    taps = resize_taps("bare-cubic", 16 * scale, 16)
    weights = taps.weights[0][taps.weights[0] != 0]
    assert weights.tolist() == [-0.09375, 0.59375, 0.59375, -0.09375]


@pytest.mark.parametrize("blur", BLURS, ids=str)
@pytest.mark.parametrize("kernel", [None, "cubic", "stride"])
def test_no_blur_moves_the_picture(blur, kernel):
    side = 64
    target = side if kernel is None else side // 4
    ramp = np.tile(np.arange(side) * 3, (side, 1)).astype(np.uint8)[..., None]
    lr = filter_picture(ramp, Size(target, target), kernel=kernel, terms=blur_terms(blur))
    inside = slice(target // 4, -target // 4)
    centres = (np.arange(target) + 0.5) * (side // target) - 0.5
    off = lr[inside, inside, 0].astype(float) - centres[inside] * 3
    assert np.abs(off).max() <= 0.51


@pytest.mark.parametrize("kernel", [*KERNELS, None])
@pytest.mark.parametrize("value", [0, 1, 127, 254, 255])
def test_a_plain_colour_stays_what_it_is(kernel, value):
    size = Size(40, 36) if kernel is None else Size(17, 11)
    image = np.full((40, 36, 3), value, np.uint8)
    for blur in BLURS:
        lr = filter_picture(image, size, kernel=kernel, terms=blur_terms(blur))
        assert (lr == value).all()


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_cubic_is_that_of_the_benchmarks_up_to_the_rounding_between_its_passes(rng, scale):
    image = picture(rng, 24 * scale, 17 * scale)
    ours = filter_picture(image, Size(24, 17), kernel="cubic").astype(int)
    assert np.abs(ours - downscale(image, scale)).max() <= 1


def test_area_is_the_mean_of_what_a_pixel_covers(rng):
    image = picture(rng, 12, 20)
    mean = image.reshape(3, 4, 5, 4, 3).mean(axis=(1, 3))
    ours = filter_picture(image, Size(3, 5), kernel="area")
    assert np.array_equal(ours, np.floor(mean + 0.5).astype(np.uint8))


def test_sizes_that_are_no_multiples_keep_the_middle_in_the_middle(rng):
    image = picture(rng, 41, 41)
    # Mirror-symmetric in, mirror-symmetric out: no kernel leans to a side.
    image = np.maximum(image, image[::-1, ::-1])
    for kernel in KERNELS:
        for side in (29, 60):
            out = filter_picture(image, Size(side, side), kernel=kernel).astype(int)
            assert np.abs(out - out[::-1, ::-1]).max() <= 1


def test_bands_leave_no_trace(rng):
    # A picture larger than a band in both directions against one that is cut from it.
    image = picture(rng, 260, 300)
    terms = blur_terms(BLURS[1])
    whole = filter_picture(image, Size(130, 150), kernel="lanczos", terms=terms)
    part = filter_picture(image[40:200, 60:240], Size(80, 90), kernel="lanczos", terms=terms)
    assert np.array_equal(whole[30:90, 40:110], part[10:70, 10:80])


def test_a_blur_beyond_the_border_sees_the_mirror_image(rng):
    image = picture(rng, 30, 30)
    framed = np.pad(image, ((15, 15), (15, 15), (0, 0)), mode="symmetric")
    terms = blur_terms(BLURS[1])
    blurred = filter_picture(image, Size(30, 30), kernel=None, terms=terms)
    inside = filter_picture(framed, Size(60, 60), kernel=None, terms=terms)[15:-15, 15:-15]
    assert np.array_equal(blurred, inside)


def test_the_input_is_never_written_to(rng, frozen):
    filter_picture(frozen(picture(rng, 16, 16)), Size(8, 8), kernel="area")


def test_every_weight_sums_to_one():
    for kernel in KERNELS:
        for length, target in ((48, 12), (50, 31), (31, 50)):
            assert resize_taps(kernel, length, target).weights.sum(axis=1) == pytest.approx(1)
