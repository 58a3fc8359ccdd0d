import io

import numpy as np
import pytest
from PIL import Image

from pixelift.batch import piping
from pixelift.batch.piping import pipe_picture
from pixelift.errors import ImageReadError
from pixelift.infer.upscaler import Upscaler
from tests.fakes import write_model
from tests.prepared import natural_photo


@pytest.fixture(scope="module")
def upscaler(tmp_path_factory):
    _, path = write_model(tmp_path_factory.mktemp("model"), gain=0.0, width=4, depth=2)
    return Upscaler(path, threads=1)


def piped(data, upscaler, **options):
    settings = {"format": None, "quality": None, "max_pixels": 10**6} | options
    target = io.BytesIO()
    pipe_picture(io.BytesIO(data), target, upscaler, **settings)
    with Image.open(target) as image:
        return image.format, image.size


def drawn(format):
    stream = io.BytesIO()
    Image.fromarray(np.arange(60, dtype=np.uint8).reshape(4, 5, 3)).save(stream, format)
    return stream.getvalue()


def test_the_format_is_kept_or_the_one_that_is_asked_for(upscaler):
    assert piped(drawn("JPEG"), upscaler) == ("JPEG", (10, 8))
    assert piped(drawn("GIF"), upscaler) == ("PNG", (10, 8))
    assert piped(drawn("PNG"), upscaler, format="webp", quality=50) == ("WEBP", (10, 8))


@pytest.mark.slow
def test_a_picture_from_a_pipe_is_looked_at():
    stream = io.BytesIO()
    natural = natural_photo(np.random.default_rng(4), 96, 128)
    Image.fromarray(natural).save(stream, "JPEG", quality=25)
    target = io.BytesIO()
    options = {"format": "png", "quality": None, "max_pixels": 10**6}
    pipe_picture(io.BytesIO(stream.getvalue()), target, Upscaler(scale=2), **options)
    expected = Upscaler("photo", scale=2).upscale(np.asarray(Image.open(stream)))
    assert np.array_equal(np.asarray(Image.open(target)), expected)


def test_bytes_that_are_no_picture_or_too_many_give_nothing(upscaler, monkeypatch):
    with pytest.raises(ImageReadError, match="it is empty"):
        piped(b"", upscaler)
    monkeypatch.setattr(piping, "MAX_BYTES", 100)
    with pytest.raises(ImageReadError, match="on stdin has more than"):
        piped(b"x" * 101, upscaler)
