"""A running mean of the weights, which is better than any single step's."""

import torch
from torch import nn


@torch.no_grad()
def update_ema(mean: nn.Module, network: nn.Module, *, keep: float, step: int) -> None:
    """Move the mean towards the weights of this step.

    Early on the mean keeps less, so that it does not stick to the untrained weights.

    Args:
        mean: The network that holds the mean; changed in place.
        network: The network that is trained.
        keep: Share of the mean that is kept in the long run.
        step: The step, from 0.
    """
    keep = min(keep, (1 + step) / (10 + step))
    # All at once: on a GPU, a call for each weight takes longer than the sums.
    torch._foreach_lerp_(list(mean.parameters()), list(network.parameters()), 1 - keep)
    # Running statistics of batch norms are means already.
    for statistic, fresh in zip(mean.buffers(), network.buffers(), strict=True):
        statistic.copy_(fresh)
