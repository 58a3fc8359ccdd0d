import pytest
import torch
from torch import nn

from pixelift.train.ema import update_ema


def test_the_mean_follows_its_closed_form():
    mean, network = nn.Linear(1, 1), nn.Linear(1, 1)
    nn.init.constant_(mean.weight, 0.0)
    nn.init.constant_(network.weight, 1.0)
    for step in range(10_000, 10_050):
        update_ema(mean, network, keep=0.9, step=step)
    assert mean.weight.item() == pytest.approx(1 - 0.9**50)


def test_early_on_the_mean_forgets_the_untrained_weights():
    mean, network = nn.Linear(1, 1), nn.Linear(1, 1)
    nn.init.constant_(mean.weight, 0.0)
    nn.init.constant_(network.weight, 1.0)
    update_ema(mean, network, keep=0.999, step=0)
    assert mean.weight.item() == pytest.approx(0.9)
    assert torch.equal(network.weight, torch.ones(1, 1))


def test_running_statistics_are_taken_over_as_they_are():
    mean, network = nn.BatchNorm2d(2), nn.BatchNorm2d(2)
    network(torch.randn(4, 2, 5, 5) + 3)
    update_ema(mean, network, keep=0.9, step=100)
    assert torch.equal(mean.running_mean, network.running_mean)
    assert mean.num_batches_tracked == 1
