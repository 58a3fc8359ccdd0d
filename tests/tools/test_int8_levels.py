import pytest
import torch

from tools.int8_levels import (
    MOST,
    largest_pairs,
    largest_weights,
    pair_channels,
    to_levels,
    to_steps,
    to_weights,
)


@pytest.fixture
def weight():
    return torch.randn((12, 8, 3, 3), generator=torch.Generator().manual_seed(3))


def test_there_are_256_levels_and_nothing_beyond_them():
    made = to_levels(torch.linspace(-1, 2, 5000), 0.0, 1.0)
    assert len(made.unique()) == 256
    assert (made.min(), made.max()) == (0, 1)


def test_neighbours_of_one_sign_are_added_up():
    weight = torch.zeros((1, 5, 1, 1))
    weight[0, :, 0, 0] = torch.tensor([3.0, -4.0, 2.0, 1.0, -2.5])
    assert largest_pairs(weight).tolist() == [4.0]
    weight[0, 3] = 2.5
    assert largest_pairs(weight).tolist() == [4.5]


@pytest.mark.parametrize("inputs", [3, 8])
def test_no_two_neighbours_are_more_than_fits(weight, inputs):
    part = weight[:, :inputs]
    largest = largest_weights(part)
    assert (largest_pairs(to_steps(part, largest)) <= MOST).all()
    assert (to_weights(part, largest) - part).abs().max() < part.abs().max() / 60


def test_pairing_lets_steps_be_finer(weight):
    order = pair_channels(weight)
    assert sorted(order) == list(range(8))
    before = largest_weights(weight).square().sum()
    assert largest_weights(weight[:, order]).square().sum() < 0.95 * before
