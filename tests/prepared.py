"""A small training set for tests of the torch wing: made once, in a second."""

import numpy as np
from PIL import Image

from pixelift.patches.collect import collect_photos
from pixelift.patches.dataset import Settings, open_dataset
from pixelift.patches.prepare import prepare


def textured_photo(rng, height, width):
    """Draw stripes and blobs: something that a network can learn from."""
    y, x = np.mgrid[:height, :width]
    waves = sum(
        np.sin(x * rng.uniform(0.05, 1) + y * rng.uniform(-1, 1) + rng.uniform(0, 6))[..., None]
        * rng.uniform(-1, 1, 3)
        for _ in range(6)
    )
    picture = np.where(waves > 0.3, 200, 60) + 15 * waves
    return np.clip(picture, 0, 255).astype(np.uint8)


def natural_photo(rng, height, width):
    """Draw what every screen lets pass: detail of all sizes, as much of each as photos have."""
    down, right = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    frequency = np.hypot(down, right)
    frequency[0, 0] = 1
    spectrum = np.fft.rfft2(rng.standard_normal((3, height, width))) / frequency
    layers = np.fft.irfft2(spectrum, s=(height, width))
    layers /= layers.std(axis=(1, 2), keepdims=True)
    picture = 120 + 12 * layers[:1] + 3 * layers
    return np.clip(picture.transpose(1, 2, 0), 0, 255).astype(np.uint8)


def write_study_photos(folder):
    """Write what a study starts from below a folder: photos/train, photos/valid, bench/Set14/HR."""
    rng = np.random.default_rng(3)
    for place, count in (("photos/train", 2), ("photos/valid", 1), ("bench/Set14/HR", 1)):
        (folder / place).mkdir(parents=True)
        for n in range(count):
            Image.fromarray(natural_photo(rng, 144, 192)).save(folder / place / f"{n}.png")


def make_prepared(folder, *, photos=4, side=96, valid=1, channels="rgb"):
    """Prepare a set of drawn photos below a folder and open it."""
    rng = np.random.default_rng(5)
    for split, count in (("train", photos), ("valid", valid)):
        (folder / split).mkdir(parents=True)
        for n in range(count):
            picture = textured_photo(rng, side, side + 24)
            Image.fromarray(picture).save(folder / split / f"{n}.png")
    sources = collect_photos([folder / "train"], "train")
    sources += collect_photos([folder / "valid"], "valid")
    # Drawn stripes are neither sharp nor all different: the screens would leave some out.
    settings = Settings(channels=channels, holdout=0, screens=False)
    prepare(sources, folder / "set", settings=settings, workers=1)
    return open_dataset(folder / "set")
