import numpy as np
import pytest

from pixelift.errors import ShapeError
from pixelift.image.depth import to_float, to_u8, to_u16


@pytest.mark.parametrize(("dtype", "back"), [(np.uint8, to_u8), (np.uint16, to_u16)])
def test_every_integer_level_survives_the_way_through_float(dtype, back):
    levels = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    assert np.array_equal(back(to_float(levels)), levels)


def test_halves_round_up_and_what_lies_outside_is_clipped():
    values = np.array([-1, 0.5 / 255, 0.49 / 255, 2], np.float64)
    assert to_u8(values).tolist() == [0, 1, 0, 255]


def test_rounding_leaves_the_input_alone(frozen):
    values = frozen(np.array([0.5], np.float32))
    assert to_u8(values)[0] == 128
    assert to_u16(values)[0] == 32768


def test_float64_becomes_float32_and_float32_stays_itself():
    same = np.zeros(2, np.float32)
    assert to_float(same) is same
    assert to_float(np.zeros(2)).dtype == np.float32


def test_other_types_are_refused_with_what_is_allowed():
    with pytest.raises(ShapeError, match=r"int64; allowed are uint8, uint16 and float32"):
        to_float(np.zeros(2, np.int64))
