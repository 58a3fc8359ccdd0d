"""Blur kernels: two-dimensional, or as a short sum of products of two one-dimensional ones."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelift.degrade.plan import Blur, Motion, Sharpen

FAINT = 0.02
"""Share of a kernel's sum that its tails, and what its short sum leaves out, may amount to."""

_SIGMAS = 3.2
"""Reach of a Gaussian in standard deviations."""
_SMALLEST = 0.15
"""Sigma in pixels below which a Gaussian is nothing but its middle."""
_SOFTENED = 0.4
"""Sigma in pixels by which the line of a motion is softened, so that it has no stairs."""


@dataclass(frozen=True, slots=True)
class Term:
    """One product of a short sum: down[y] times right[x], of odd length, the middle at zero."""

    down: NDArray[np.float64]
    right: NDArray[np.float64]


def gaussian(sigma_px: float) -> NDArray[np.float64]:
    """Sample a Gaussian.

    Args:
        sigma_px: Standard deviation in pixels.

    Returns:
        Weights of an odd number of pixels, the middle one at zero; their sum is 1.
    """
    if sigma_px < _SMALLEST:
        return np.ones(1)
    reach = math.ceil(_SIGMAS * sigma_px)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_px) ** 2)
    return np.asarray(weights / weights.sum())


def gaussian_plane(blur: Blur) -> NDArray[np.float64]:
    """Sample a Gaussian that is longer in one direction.

    Args:
        blur: Its shape.

    Returns:
        (K, K) weights, K odd, rows down; their sum is 1.

    Paper: K. Zhang, J. Liang, L. Van Gool and R. Timofte, "Designing a Practical Degradation Model
        for Deep Blind Image Super-Resolution" (BSRGAN), ICCV 2021, section 3.1; X. Wang, L. Xie,
        C. Dong and Y. Shan, "Real-ESRGAN", ICCV Workshops 2021, equation 3: exp(-x' S⁻¹ x / 2) with
        S = R diag(s1², s2²) R'.
    """
    along, across = max(blur.sigma_px, _SMALLEST), max(blur.across_px, _SMALLEST)
    angle = math.radians(blur.angle_deg)
    reach = math.ceil(_SIGMAS * max(along, across))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    main = (x * math.cos(angle) + y * math.sin(angle)) / along
    side = (y * math.cos(angle) - x * math.sin(angle)) / across
    weights = np.exp(-0.5 * (main**2 + side**2))
    plane: NDArray[np.float64] = weights / weights.sum()
    return plane


def motion_plane(motion: Motion) -> NDArray[np.float64]:
    """Sample a straight line, slightly softened.

    Args:
        motion: Its length and direction.

    Returns:
        (K, K) weights, K odd, rows down; their sum is 1.
    """
    angle, half = math.radians(motion.angle_deg), motion.length_px / 2
    reach = math.ceil(half + _SIGMAS * _SOFTENED)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    # Four points a pixel: closer than the softening, so that the line has no gaps.
    places = np.linspace(-half, half, max(1, math.ceil(4 * motion.length_px)) | 1)
    weights = np.zeros_like(x)
    for place in places:
        distance = (x - place * math.cos(angle)) ** 2 + (y - place * math.sin(angle)) ** 2
        weights += np.exp(-0.5 * distance / _SOFTENED**2)
    plane: NDArray[np.float64] = weights / weights.sum()
    return plane


def blur_terms(blur: Blur | Motion) -> list[Term]:
    """Write a blur as a short sum of products, which is many times as fast as its plane.

    Args:
        blur: The blur.

    Returns:
        One term for a Gaussian along the axes; for others as many as it takes until `FAINT` is
        left out. The weights of all of them together sum to 1.
    """
    if isinstance(blur, Blur):
        if blur.sigma_px == blur.across_px or blur.angle_deg in (0, 90):
            along, across = gaussian(blur.sigma_px), gaussian(blur.across_px)
            return [Term(along, across) if blur.angle_deg == 90 else Term(across, along)]
        return separate(gaussian_plane(blur))
    return separate(motion_plane(blur))


def sharpen_terms(sharpen: Sharpen) -> list[Term]:
    """Write an unsharp mask as a sum of two products: the picture, less a part of its blur.

    Args:
        sharpen: The mask.

    Returns:
        Two terms of one length, whose weights together sum to 1.
    """
    blur = gaussian(sharpen.sigma_px)
    middle = np.zeros_like(blur)
    middle[len(blur) // 2] = 1
    # Roots on both sides: what the first pass adds up stays where float32 counts exactly.
    kept, taken = math.sqrt(1 + sharpen.amount), math.sqrt(sharpen.amount)
    return [Term(kept * middle, kept * middle), Term(taken * blur, -taken * blur)]


def separate(plane: NDArray[np.float64]) -> list[Term]:
    """Approximate a plane by as few products as come close enough.

    Args:
        plane: (K, K) weights that sum to 1.

    Returns:
        The terms, strongest first.
    """
    down, strength, right = np.linalg.svd(plane)
    left_out = np.abs(strength).sum() - np.cumsum(np.abs(strength))
    count = int(np.argmax(left_out <= FAINT * strength[0])) + 1
    terms = [
        Term(down[:, n] * strength[n] ** 0.5, right[n] * strength[n] ** 0.5) for n in range(count)
    ]
    total = sum(float(term.down.sum() * term.right.sum()) for term in terms)
    return [Term(term.down / total, term.right) for term in terms]
