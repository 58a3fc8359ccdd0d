"""Levels of 8 bits for what comes into a convolution and for its weights, as the engine has them.

Processors without VNNI multiply unsigned by signed bytes and add two neighbouring products in 16
bits, where too large a sum is cut off. So the input channels are paired, and steps are chosen, such
that no two weights next to each other can add up to more than fits: then the sums are
right on every x86 processor, and next to nothing is lost by it (experiments/LOG.md).
"""

import numpy as np
import torch
from torch import nn

MOST = 127
"""Largest sum of two neighbouring weights of one sign, in steps: 255 * 128 fits into 16 bits; one
less, since the engine may round a half the other way."""

SHARES = torch.linspace(0.5, 2.0, 61)
"""Ranges of weights that are tried, as shares of the largest weight."""

SWAPS = 3000
"""Exchanges of two channels that are tried. After 1,000 hardly any helps."""


def to_levels(x: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """Round to 256 levels from `low` to `high`, in float as the engine does."""
    step = (high - low) / 255
    return ((x - low) / step).round().clamp(0, 255) * step + low


def to_steps(weight: torch.Tensor, largest: torch.Tensor) -> torch.Tensor:
    """Round weights (outputs, inputs, k, k) to whole steps from -127 to 127 of each output."""
    return (weight / _steps(largest)).round().clamp(-127, 127)


def to_weights(weight: torch.Tensor, largest: torch.Tensor) -> torch.Tensor:
    """Round weights to what the whole steps stand for."""
    return to_steps(weight, largest) * _steps(largest)


def _steps(largest: torch.Tensor) -> torch.Tensor:
    return (largest / 127)[:, None, None, None].clamp(min=1e-12)


def largest_pairs(values: torch.Tensor) -> torch.Tensor:
    """Add up neighbouring input channels, those of either sign alone.

    Args:
        values: (outputs, inputs, k, k).

    Returns:
        (outputs,): the largest sum of each.
    """
    even = nn.functional.pad(values, (0, 0, 0, 0, 0, values.shape[1] % 2))
    pairs = even.view(len(even), -1, 2, *even.shape[2:])
    sums = torch.maximum(pairs.clamp(min=0).sum(2), (-pairs).clamp(min=0).sum(2))
    return sums.amax((1, 2, 3))


def largest_weights(weight: torch.Tensor) -> torch.Tensor:
    """Choose where weights are cut: at the least squared error with which no pair is too large.

    Args:
        weight: (outputs, inputs, k, k).

    Returns:
        (outputs,): the largest weight of each.
    """
    most = weight.abs().amax((1, 2, 3))
    errors = []
    for share in SHARES:
        error = (to_weights(weight, most * share) - weight).square().sum((1, 2, 3))
        fits = largest_pairs(to_steps(weight, most * share)) <= MOST
        errors.append(torch.where(fits, error, torch.inf))
    # Twice the largest weight always fits.
    return most * SHARES[torch.stack(errors).argmin(0)]


def pair_channels(weight: torch.Tensor, *, seed: int = 0) -> list[int]:
    """Put input channels beside each other whose weights add up to little.

    Args:
        weight: (outputs, inputs, k, k).
        seed: Of the exchanges that are tried.

    Returns:
        The order.
    """
    rng = np.random.default_rng(seed)
    least = weight.abs().amax((1, 2, 3))

    def cost(order: np.ndarray) -> float:
        pairs = largest_pairs(weight[:, torch.tensor(order)])
        return float(torch.maximum(least, pairs).square().sum())

    best = np.arange(weight.shape[1])
    reached = cost(best)
    for _ in range(SWAPS):
        one, other = rng.integers(len(best), size=2)
        tried = best.copy()
        tried[[one, other]] = best[[other, one]]
        if (found := cost(tried)) < reached:
            best, reached = tried, found
    return [int(channel) for channel in best]
