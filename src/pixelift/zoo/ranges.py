"""What a network needs to run in 8-bit integers: a small file beside its weights."""

from pathlib import Path
from typing import Annotated

import msgspec

from pixelift.errors import WeightsError
from pixelift.zoo.card import Card

SUFFIX = ".int8.json"
"""Stands in the place of ".onnx" in the name of the file."""

MAX_BYTES = 1 << 20
"""Size of the largest file that is read; ours have some KB."""

Many = Annotated[list[float], msgspec.Meta(min_length=1, max_length=4096)]
Order = Annotated[list[int], msgspec.Meta(max_length=4096)]


class Layer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a convolution is rounded."""

    low: float
    """Smallest value that comes in; 0, or the value of a whole step below 0."""
    high: float
    """Largest value that comes in."""
    weights: Many
    """Largest weight of each output channel."""
    bias: Many
    """What is added to each output channel, so that rounding changes no mean."""
    order: Order = []
    """Order in which the input channels are computed; empty for the one that they have.

    Processors without VNNI add the products of two neighbours in 16 bits. So that no such sum is
    cut off, large weights are put beside small ones, or beside ones of the other sign."""


class Ranges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a network is rounded, and what that costs."""

    sha256: str
    """Of the .onnx file that this was found for."""
    loss_db: float
    """PSNR-Y that is lost against float32, in dB: the largest mean of the sets in `measured_on`."""
    measured_on: str
    """Those sets, with the loss of each."""
    layers: Annotated[list[Layer], msgspec.Meta(min_length=1, max_length=1024)]
    """The convolutions of the trained part in order, without the first and the last one, which are
    not rounded."""


def read_ranges(card: Card, weights: Path) -> Ranges | None:
    """Read what stands beside a network.

    Args:
        card: Its card.
        weights: Its .onnx file.

    Returns:
        The ranges; None where there are none, or only those of another version of the network.

    Raises:
        WeightsError: The file cannot be read, is too large or damaged.
    """
    path = weights.with_name(weights.stem + SUFFIX)
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise WeightsError(f"{path} has more than {MAX_BYTES} bytes. Restore it, or delete it.")
        ranges = msgspec.json.decode(data, type=Ranges)
    except (OSError, msgspec.MsgspecError) as err:
        raise WeightsError(
            f"{path} cannot be used: {err}. Restore the file, or delete it to do without int8."
        ) from err
    return ranges if ranges.sha256 == card.sha256 else None
