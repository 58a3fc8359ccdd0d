"""Lab of TIFF becomes sRGB: by the white that all programs mean but libvips."""

from typing import Final

import pyvips

from pixelift.image.source import PictureFile
from pixelift.image.vips import operate

_WHITE_POINT = 318
_D65_X, _SAME = 0.3127, 0.005
_D50: Final = [96.422, 100.0, 82.521]
_FROM_D50 = [
    [0.9555766, -0.0230393, 0.0631636],
    [-0.0282895, 1.0099416, 0.0210077],
    [0.0122982, -0.0204830, 1.3299098],
]
"""Bradford's matrix from D50 to D65."""


def to_srgb(image: pyvips.Image, file: PictureFile) -> pyvips.Image:
    """Convert Lab to sRGB of 16 bits.

    The white is D50, as in Photoshop and by Adobe's technical note on TIFF, and libtiff's default;
    libvips takes D65, which turns saturated colours to others. A file may state D65.

    Args:
        image: What `load` returned.
        file: The file.

    Returns:
        Red, green and blue, and alpha where there is one.
    """
    usual = operate("colourspace", image, "rgb16")
    white = file.tags.get(_WHITE_POINT)
    if white is not None and white.value and abs(white.value - _D65_X) < _SAME:
        return usual
    colours = operate("extract_band", image, 0, n=3)
    if colours.interpretation != "lab":
        colours = operate("colourspace", colours, "lab")
    light = operate("recomb", operate("Lab2XYZ", colours, temp=_D50), _matrix())
    result = operate("colourspace", operate("copy", light, interpretation="xyz"), "rgb16")
    if image.bands == 3:
        return result
    return operate("bandjoin", [result, operate("extract_band", usual, 3)])


def _matrix() -> pyvips.Image:
    return pyvips.Image.new_from_array(_FROM_D50)
