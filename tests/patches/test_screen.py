import numpy as np

from pixelift.patches.screen import FLAT_VARIANCE, screen_patches


def test_only_patches_of_one_colour_are_called_flat():
    variance = np.array([0.0, FLAT_VARIANCE * 0.99, FLAT_VARIANCE, 500.0])
    assert screen_patches(variance) == ["flat", "flat", "", ""]
