"""Whether an exported file gives what the trained network gives."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from pixelift.errors import WeightsError
from pixelift.infer.engine import open_engine
from pixelift.zoo.card import Card

TOLERANCE = 1e-4
"""Largest difference that rounding may make, in [0, 1]; an 8-bit level is 39 times that."""


def parity(network: nn.Module, path: Path, card: Card, *, seed: int = 0) -> float:
    """Measure how far the engine's float32 output is from torch's on a random picture.

    Args:
        network: The network as trained.
        path: The exported file.
        card: Its card.
        seed: Start of the random picture.

    Returns:
        Largest absolute difference, pictures being in [0, 1].
    """
    generator = torch.Generator().manual_seed(seed)
    lr = torch.rand(1, card.planes, 37, 51, generator=generator)
    with torch.no_grad():
        expected = network(lr).numpy()
    sr = open_engine(card, path, precision="f32")(lr.numpy())
    return float(np.abs(sr - expected).max())


def check_parity(network: nn.Module, path: Path, card: Card) -> None:
    """Refuse an exported file that does not give what the trained network gives.

    Args:
        network: The network as trained.
        path: The exported file.
        card: Its card.

    Raises:
        WeightsError: The outputs differ by more than `TOLERANCE`.
    """
    difference = parity(network, path, card)
    if not difference <= TOLERANCE:
        raise WeightsError(
            f"{path} differs from the trained network by {difference:.1e}; allowed is "
            f"{TOLERANCE:.0e}. Report this: the file must not be used."
        )
