import io

import numpy as np
import pytest
import pyvips
from PIL import Image

from pixelift.image.geometry import Size
from pixelift.image.raw_tiff import RawTiff

TYPES = {"uchar": np.uint8, "ushort": np.uint16, "float": np.float32}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (300, 2000)])
def test_libvips_reads_the_rows_that_are_handed_out(rng, kind, bands, size):
    dtype = np.dtype(TYPES[kind])
    whole = (rng.random((*size, bands)) * (200 if kind != "float" else 1)).astype(dtype)
    parts = iter(np.array_split(whole, min(3, len(whole))))
    raw = RawTiff(Size(*size), bands=bands, dtype=dtype, ask=lambda: next(parts, None))
    image = raw.open()
    assert (image.height, image.width, image.bands, image.format) == (*size, bands, kind)
    data = np.frombuffer(image.write_to_memory(), dtype)
    assert np.array_equal(data.reshape(whole.shape), whole)


def test_rows_that_stop_coming_are_an_error_and_no_grey_picture():
    parts = iter([np.ones((40, 900, 3), np.uint8)])
    dtype = np.dtype(np.uint8)
    raw = RawTiff(Size(4000, 900), bands=3, dtype=dtype, ask=lambda: next(parts, None))
    image = raw.open()
    with pytest.raises(pyvips.Error):
        image.write_to_memory()


def test_others_read_it_too(rng):
    whole = rng.integers(0, 256, (50, 40, 3), dtype=np.uint8)
    parts = iter([whole])
    dtype = np.dtype(np.uint8)
    raw = RawTiff(Size(50, 40), bands=3, dtype=dtype, ask=lambda: next(parts, None))
    with Image.open(io.BytesIO(raw._read(10**6) + raw._read(10**6))) as image:
        assert np.array_equal(np.asarray(image), whole)
