"""Fixtures for the tests of the training."""

import copy

import pytest
import torch

from pixelift.models.repnet import RepNet
from pixelift.train.begin import Training


@pytest.fixture
def training():
    """Hand out a small network that is said to have been trained for 20 steps."""
    torch.manual_seed(0)
    network = RepNet(scale=2, width=4, depth=1)
    return Training(
        network=network,
        forward=network,
        mean=copy.deepcopy(network),
        optimizer=torch.optim.Adam(network.parameters()),
        device=torch.device("cpu"),
        is_bf16=False,
        step=20,
    )
