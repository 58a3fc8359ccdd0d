"""How a number was measured: what is rounded, which channel is compared, how much is shaved."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import ConfigError, ShapeError
from pixelift.image.color import luma
from pixelift.image.depth import to_float, to_u8
from pixelift.image.resize import shave as shave_edges

Channel = Literal["y", "rgb"]
"""What is compared: "y" is BT.601 studio luma, "rgb" the three channels together."""

PEAK = 255.0
"""Top of the range in 8-bit levels; for Y too, although Y ends at 235: the field's rule."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """The rules by which two pictures are compared.

    Both are rounded to 8 bits first, because a saved file is what a reader sees. The luma made
    from them is not rounded again: so BasicSR and the papers measured with it do, while KAIR
    rounds, which moves PSNR-Y by up to some hundredths of a dB.

    Example:
        >>> print(Protocol(shave=4, channel="rgb"))
        R, G and B of 8-bit RGB, grey files taken as RGB; 4 pixels shaved from each edge
    """

    shave: int
    """Pixels cut from every edge before measuring, in HR pixels; papers use the scale."""
    channel: Channel = "y"
    """What is compared."""
    rounding: Literal["8-bit"] = "8-bit"
    """What both pictures are rounded to; recorded, so that numbers measured otherwise differ."""

    def __post_init__(self) -> None:
        """Refuse what cannot be measured.

        Raises:
            ConfigError: A negative border, or a channel that does not exist.
        """
        if self.shave < 0:
            raise ConfigError(f"cannot shave {self.shave} pixels; give 0 or more, as the scale.")
        if self.channel not in ("y", "rgb"):
            raise ConfigError(f'no channel "{self.channel}" to measure; give "y" or "rgb".')

    def __str__(self) -> str:
        """Say the rules in one phrase, for the captions of tables."""
        channel = "Y (BT.601 studio range, not rounded)" if self.channel == "y" else "R, G and B"
        return (
            f"{channel} of {self.rounding} RGB, grey files taken as RGB; "
            f"{self.shave} pixels shaved from each edge"
        )

    def levels(
        self,
        sr: NDArray[np.generic],
        hr: NDArray[np.generic],
        *,
        smallest: int = 1,
        metric: str = "the metric",
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bring two pictures to what is compared.

        One channel is taken as equal R, G and B, so that a grey file has the luma 16 to 235 of
        the grey picture it shows.

        Args:
            sr: Super-resolved picture, (H, W), (H, W, 1) or (H, W, 3) RGB; float32 in [0, 1],
                uint8 or uint16.
            hr: Reference picture of the same height, width and number of channels.
            smallest: Pixels that must be left along each side.
            metric: What needs that many, for the message.

        Returns:
            Two arrays (channels, H - 2 shave, W - 2 shave), float64 in 8-bit levels; one channel
            for "y" and for grey pictures, three else.

        Raises:
            ShapeError: The shapes differ, are no picture's, or the border leaves too few pixels.
        """
        if sr.shape != hr.shape:
            raise ShapeError(
                f"cannot compare a picture of shape {sr.shape} with one of {hr.shape}; "
                "both must have the same. Cut the HR picture to a multiple of the scale."
            )
        planes = self._planes(sr), self._planes(hr)
        height, width = planes[0].shape[1:]
        if min(height, width) < smallest:
            raise ShapeError(
                f"only {width}x{height} pixels are left after shaving {self.shave}; {metric} needs "
                f"at least {smallest}x{smallest}. Measure larger pictures, or shave less."
            )
        return planes

    def _planes(self, picture: NDArray[np.generic]) -> NDArray[np.float64]:
        rgb = picture[..., None] if picture.ndim == 2 else picture
        if rgb.ndim != 3 or rgb.shape[2] not in (1, 3):
            raise ShapeError(
                f"picture is {picture.shape}; allowed are (H, W), (H, W, 1) and (H, W, 3). "
                "Take the alpha channel off."
            )
        rgb_u8 = rgb if rgb.dtype == np.uint8 else to_u8(to_float(rgb))
        levels = shave_edges(rgb_u8, self.shave).astype(np.float64)
        # Divided in float64 and not by `to_float`: the step of float32 would show in the sixth
        # decimal of a high PSNR.
        planes = luma(levels / PEAK)[None] if self.channel == "y" else np.moveaxis(levels, 2, 0)
        return np.ascontiguousarray(planes)
