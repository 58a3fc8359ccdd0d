import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelift.errors import ConfigError, ShapeError
from pixelift.image.geometry import Size
from pixelift.infer.target import MAX_FACTOR, Target, as_target, choose_chain

sides = st.integers(1, 5000)


@given(sides, sides, st.fractions(1, MAX_FACTOR, max_denominator=50))
def test_each_side_is_what_the_factor_makes_of_it_halves_up(height, width, factor):
    result = Target(scale=factor).size_of(Size(height, width))
    assert result == Size(*(math.floor(n * factor + Fraction(1, 2)) for n in (height, width)))


@pytest.mark.parametrize(
    ("target", "size", "label"),
    [
        (Target(width=3840), Size(2560, 3840), "3840w"),
        (Target(height=2001), Size(2001, 3002), "2001h"),
        (Target(width=2000, height=3000), Size(3000, 2000), "2000x3000"),
        (Target(megapixels=24), Size(4000, 6000), "24mp"),
        (as_target(2.3), Size(2300, 3450), "x2.3"),
        (as_target(4), Size(4000, 6000), "x4"),
    ],
)
def test_sizes_are_met_exactly(target, size, label):
    assert target.size_of(Size(1000, 1500)) == size
    assert target.label == label


@pytest.mark.parametrize(
    "wishes",
    [
        {},
        {"scale": Fraction(2), "width": 5},
        {"megapixels": 1.0, "height": 5},
        {"scale": Fraction(1, 2)},
        {"scale": Fraction(17)},
        {"width": 0},
        {"height": 10**7},
        {"megapixels": 0.0},
        {"megapixels": math.nan},
    ],
)
def test_what_makes_no_sense_is_refused_with_what_is_allowed(wishes):
    with pytest.raises(ConfigError, match="as --"):
        Target(**wishes)


@pytest.mark.parametrize("factor", [math.nan, math.inf, 0.5])
def test_a_factor_that_is_none_is_refused(factor):
    with pytest.raises(ConfigError, match="allowed is 1 to 16"):
        as_target(factor)


def test_a_picture_is_never_made_smaller_or_more_than_16_times_as_large():
    for width in (99, 1601):
        with pytest.raises(ShapeError, match="its width may become 100 to 1600"):
            Target(width=width).size_of(Size(100, 100))


@given(sides, sides, st.fractions(1, MAX_FACTOR, max_denominator=20))
def test_a_chain_reaches_its_size_with_as_little_as_can_be(height, width, factor):
    size = Size(height, width)
    wanted = Target(scale=factor).size_of(size)
    chain = choose_chain(size, wanted, scales=(2, 3, 4))
    reached = size.scaled(math.prod(chain))
    assert reached.height >= wanted.height
    assert reached.width >= wanted.width
    assert list(chain) == sorted(chain)
    assert len(chain) == 1 or factor > 3.9 or min(height, width) < 10


def test_a_model_of_one_scale_goes_twice_and_no_further():
    assert choose_chain(Size(10, 10), Size(30, 30), scales=(2,)) == (2, 2)
    with pytest.raises(ConfigError, match="reaches a factor of 4 at most, and 5 is needed"):
        choose_chain(Size(10, 10), Size(50, 50), scales=(2,))
