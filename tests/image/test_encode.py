import dataclasses
import threading

import numpy as np
import pytest
import pyvips

from pixelift.image.encode import encode, sample_type
from pixelift.image.formats import FORMATS, WRITABLE
from pixelift.image.geometry import Size
from pixelift.image.rows import Header, Rows

HEADER = Header(Size(60, 30), 3)


def encoded(samples, heights, fmt, header=HEADER):
    target = pyvips.Target.new_to_memory()
    bands = iter(np.split(samples, np.cumsum(heights)[:-1]))
    encode(Rows(header, bands), fmt, target, quality=None)
    return bytes(target.get("blob"))


@pytest.mark.parametrize("fmt", WRITABLE, ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_how_rows_arrive_makes_no_difference_to_a_single_byte(rng, fmt, dtype):
    samples = rng.integers(0, 256, (60, 30, 3)).astype(dtype)
    samples = samples / np.float32(255) if dtype == np.float32 else samples
    assert encoded(samples, (60,), fmt) == encoded(samples, (1, 2, 57), fmt)


def test_samples_are_asked_for_in_the_type_that_is_written():
    deep = dataclasses.replace(HEADER, depth=16)
    assert sample_type(HEADER, FORMATS["png"]) == np.uint8
    assert sample_type(deep, FORMATS["png"]) == np.uint16
    assert sample_type(deep, FORMATS["avif"]) == np.uint16
    assert sample_type(deep, FORMATS["jpeg"]) == np.uint8
    # Laid on white first, and rounded then.
    clear = dataclasses.replace(HEADER, has_alpha=True)
    assert sample_type(clear, FORMATS["jpeg"]) == np.float32


def test_what_goes_wrong_where_rows_are_made_ends_the_encoder(rng):
    def bands():
        yield rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        encode(Rows(HEADER, bands()), FORMATS["png"], pyvips.Target.new_to_memory(), quality=None)
    assert "pixelift-encode" not in {thread.name for thread in threading.enumerate()}


def test_rows_that_are_missing_are_an_error(rng):
    samples = rng.integers(0, 256, (30, 30, 3), dtype=np.uint8)
    for fmt in WRITABLE:
        with pytest.raises(pyvips.Error):
            encoded(samples, (30,), fmt)


@pytest.mark.parametrize("gives_way", [False, True])
def test_only_who_asks_for_it_has_the_encoder_give_way(rng, monkeypatch, gives_way):
    threads = []
    monkeypatch.setattr(
        "pixelift.image.encode.give_way", lambda: threads.append(threading.current_thread().name)
    )
    samples = rng.integers(0, 256, (60, 30, 3), dtype=np.uint8)
    target = pyvips.Target.new_to_memory()
    rows = Rows(HEADER, iter([samples]))
    encode(rows, FORMATS["png"], target, quality=None, gives_way=gives_way)
    assert threads == (["pixelift-encode"] if gives_way else [])
