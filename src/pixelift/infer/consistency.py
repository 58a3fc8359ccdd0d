"""Which networks' results are brought into agreement with the small picture, and how far."""

from pixelift.image.consistent import LOW_SIGMA

NOISY = ("photo", "vivid")
"""Networks for pictures that have noise, blur or JPEG blocks: only slow differences are taken, of
colour and brightness, since all of them would bring the noise back."""

ALWAYS = ("vivid",)
"""Networks that invent, and whose colours may drift: projected unless that is declined."""


def sigma_of(model: str, *, consistent: bool | None) -> float | None:
    """Choose the low-pass filter of the projection; see `pixelift.image.consistent`.

    Args:
        model: Name of the network, as on its card.
        consistent: What was asked for; None leaves it to the network.

    Returns:
        Its standard deviation in LR pixels, 0 for the whole projection; None for no projection.

    Example:
        >>> sigma_of("balanced", consistent=None), sigma_of("balanced", consistent=True)
        (None, 0.0)
    """
    if not (model in ALWAYS if consistent is None else consistent):
        return None
    return LOW_SIGMA if model in NOISY else 0.0
