"""The learning rate of each step."""

import math


def learning_rate(
    step: int, *, steps: int, peak: float, final: float, warmup: int, falls: bool = True
) -> float:
    """Rise linearly, then fall along half a cosine or stay.

    Args:
        step: The step, from 0.
        steps: Steps in all.
        peak: Highest rate.
        final: Rate of the last step.
        warmup: Steps of the rise.
        falls: Whether the rate falls after the rise; otherwise it stays at the peak.

    Returns:
        The rate.

    Paper: I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
        ICLR 2017, equation 5, without restarts.

    Example:
        >>> learning_rate(0, steps=10, peak=1.0, final=0.0, warmup=4)
        0.25
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    if not falls:
        return peak
    share = min(1.0, (step - warmup) / max(1, steps - 1 - warmup))
    return final + (peak - final) * 0.5 * (1 + math.cos(math.pi * share))
