import numpy as np
import pytest

from pixelift.image import h273
from tests.image.test_icc import to_srgb


def test_srgb_needs_no_profile():
    assert h273.profile_of(1, 13, is_grey=False) is None
    assert h273.profile_of(9, 13, is_grey=True) is None


@pytest.mark.parametrize("primaries", [1, 4, 5, 6, 7, 9, 11, 12])
@pytest.mark.parametrize("transfer", [1, 4, 5, 6, 7, 8, 13, 14, 15])
def test_white_and_black_stay_in_every_kind_that_is_read(primaries, transfer):
    assert h273.unread(primaries, transfer) is None
    icc = h273.profile_of(primaries, transfer, is_grey=False)
    if icc is not None:
        assert np.abs(np.subtract(to_srgb((255,) * 3, icc), 255)).max() <= 1
        assert to_srgb((0, 0, 0), icc) == (0, 0, 0)


@pytest.mark.parametrize("numbers", [(9, 16), (9, 18), (10, 13), (22, 13), (1, 9), (1, 17), (0, 0)])
def test_what_no_profile_holds_is_named(numbers):
    assert h273.unread(*numbers)
