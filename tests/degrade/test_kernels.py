import numpy as np
import pytest

from pixelift.degrade.kernels import blur_terms, gaussian, gaussian_plane, motion_plane, separate
from pixelift.degrade.plan import Blur, Motion

SOME = [
    Blur(sigma_px=1.3, across_px=1.3),
    Blur(sigma_px=2.4, across_px=0.8, angle_deg=0.0),
    Blur(sigma_px=2.4, across_px=0.8, angle_deg=90.0),
    Blur(sigma_px=2.4, across_px=0.8, angle_deg=33.0),
    Motion(length_px=6.0, angle_deg=120.0),
    Motion(length_px=0.0, angle_deg=0.0),
    Blur(sigma_px=0.0, across_px=0.0),
]


def plane_of(blur):
    return sum(np.outer(term.down, term.right) for term in blur_terms(blur))


def moments(plane):
    """Give the covariance of a plane of weights: across, down, and mixed, in squared pixels."""
    reach = plane.shape[0] // 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return tuple(float((plane * part).sum()) for part in (x * x, y * y, x * y))


@pytest.mark.parametrize("blur", SOME, ids=str)
def test_a_blur_keeps_brightness_and_place(blur):
    plane = plane_of(blur)
    assert plane.sum() == pytest.approx(1)
    assert plane.shape[0] % 2 == plane.shape[1] % 2 == 1
    assert plane == pytest.approx(plane[::-1, ::-1], abs=1e-9)


def test_a_gaussian_has_the_spread_that_it_is_named_after():
    weights = gaussian(2.0)
    places = np.arange(len(weights)) - len(weights) // 2
    assert (weights * places**2).sum() == pytest.approx(4.0, rel=0.02)


def test_an_oblong_gaussian_has_the_covariance_of_its_axes_and_angle():
    plane = gaussian_plane(Blur(sigma_px=3.0, across_px=1.0, angle_deg=30.0))
    across, down, mixed = moments(plane)
    # R diag(9, 1) R': 9 cos² + sin², 9 sin² + cos², 8 sin cos
    assert across == pytest.approx(7.0, rel=0.03)
    assert down == pytest.approx(3.0, rel=0.03)
    assert mixed == pytest.approx(8 * np.sqrt(3) / 4, rel=0.03)


def test_a_gaussian_along_an_axis_is_the_plane_in_one_term():
    for angle in (0.0, 90.0):
        blur = Blur(sigma_px=2.0, across_px=0.7, angle_deg=angle)
        (term,) = blur_terms(blur)
        plane = gaussian_plane(blur)
        across, down, _ = moments(plane)
        assert (across > down) == (angle == 0)
        reach, rows = plane.shape[0] // 2, len(term.down) // 2
        columns = len(term.right) // 2
        middle = plane[reach - rows : reach + rows + 1, reach - columns : reach + columns + 1]
        assert np.outer(term.down, term.right) == pytest.approx(middle, abs=2e-3)


def test_a_motion_is_as_long_as_it_says_and_goes_where_it_points():
    across, down, mixed = moments(motion_plane(Motion(length_px=12.0, angle_deg=0.0)))
    assert across == pytest.approx(12.0, rel=0.1)  # of a line of length l: l² / 12
    assert down < 0.5
    assert mixed == pytest.approx(0, abs=1e-9)
    _, _, falling = moments(motion_plane(Motion(length_px=12.0, angle_deg=45.0)))
    assert falling > 4  # right and down, since y points down


def test_a_short_sum_comes_close_to_its_plane():
    plane = gaussian_plane(Blur(sigma_px=2.4, across_px=0.8, angle_deg=33.0))
    terms = separate(plane)
    assert len(terms) < len(plane) / 2
    short = sum(np.outer(term.down, term.right) for term in terms)
    assert np.abs(short - plane).max() < 0.02 * plane.max()
