"""Pixelift between other steps of a program that holds its pictures as numpy arrays.

    python examples/numpy_pipeline.py PHOTO OUTPUT

Shrinks a photo, enlarges it again in two ways, measures both, and writes them side by side.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import pixelift


def main(photo: Path, output: Path) -> dict[str, float]:
    """Write bicubic and Pixelift beside each other; returns PSNR-Y in dB of both."""
    with Image.open(photo) as image:
        original = np.asarray(image.convert("RGB"))
    height, width = (side // 4 * 4 for side in original.shape[:2])
    original = original[:height, :width]
    small = Image.fromarray(original).resize((width // 4, height // 4), Image.Resampling.BICUBIC)

    bicubic = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))
    restored = pixelift.upscale(np.asarray(small), scale=4)  # uint8 in, uint8 out, (H, W, 3)

    scores = {
        name: pixelift.psnr(picture, original, shave=4)
        for name, picture in (("bicubic", bicubic), ("pixelift", restored))
    }
    Image.fromarray(np.concatenate([bicubic, restored], axis=1)).save(output)
    return scores


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), Path(sys.argv[2])))
