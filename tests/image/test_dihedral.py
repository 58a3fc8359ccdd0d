import numpy as np
import pytest

from pixelift.image.dihedral import DIHEDRAL, inverse, transform


@pytest.mark.parametrize("code", DIHEDRAL)
def test_inverse_undoes_transform(code, rng, frozen):
    picture = frozen(rng.integers(0, 255, (3, 5, 3)))
    assert np.array_equal(inverse(transform(picture, code), code), picture)


def test_the_eight_are_all_different(rng):
    picture = rng.random((4, 4))
    assert len({transform(picture, code).tobytes() for code in DIHEDRAL}) == 8


@pytest.mark.parametrize("code", DIHEDRAL)
def test_lr_and_hr_stay_aligned(code, rng):
    lr = rng.random((3, 5))
    hr = lr.repeat(2, axis=0).repeat(2, axis=1)
    assert np.array_equal(transform(hr, code)[::2, ::2], transform(lr, code))
