import importlib.util

import numpy as np
import pytest

from pixelift.errors import ShapeError
from pixelift.infer import images
from pixelift.infer.upscaler import Upscaler
from tests.fakes import write_model

if not any(map(importlib.util.find_spec, ("openvino", "onnxruntime"))):
    pytest.skip("no engine is installed", allow_module_level=True)

Image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="module")
def strong(tmp_path_factory):
    """Hand out an upscaler whose network changes colours visibly."""
    folder = tmp_path_factory.mktemp("models")
    write_model(folder, name="strong", scale=2, width=8, gain=2)
    return Upscaler(folder / "strong_x2.onnx")


def drawn(rng, dtype, shape=(9, 11)):
    if np.dtype(dtype).kind == "f":
        return rng.random(shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, endpoint=True).astype(dtype)


@pytest.mark.parametrize("dtype", ["u2", "f4", "f8"])
@pytest.mark.parametrize("tail", [(), (3,), (4,)])
def test_arrays_of_both_byte_orders_give_the_same_in_their_own_order(strong, rng, dtype, tail):
    little = drawn(rng, "<" + dtype, (9, 11, *tail))
    expected = strong.upscale(little)
    big = little.astype(">" + dtype)
    result = strong.upscale(big)
    assert result.dtype == big.dtype
    assert result.dtype.byteorder == ">"
    assert (result == expected).all()
    assert (big == little).all()


@pytest.mark.parametrize(
    ("array", "advice"),
    [
        (np.zeros((2, 2), np.float16), r"array.astype\(numpy.float32\)"),
        (np.zeros((2, 2), np.int64), r"array.astype\(numpy.uint8\) if its white is 255"),
        (np.zeros((2, 2), np.int16), r"array.astype\(numpy.uint16\) if it is 65535"),
        (np.zeros((2, 2), bool), r"array.astype\(numpy.uint8\) \* 255"),
        (np.zeros((2, 2), complex), "Convert it to one of these"),
        (np.zeros((2, 2), ">i4"), "if its white is 255"),
    ],
)
def test_other_types_are_refused_with_advice_that_works(array, advice):
    with pytest.raises(ShapeError, match=f"the array is .*allowed are uint8.*{advice}"):
        images.as_channels(array)


def test_pil_images_of_floats_come_back_as_floats(strong, rng):
    array = drawn(rng, np.float32)
    result = strong.upscale(Image.fromarray(array))
    assert result.mode == "F"
    assert result.size == (22, 18)
    assert (np.asarray(result) == strong.upscale(array)).all()


def test_pil_images_of_integers_are_taken_for_16_bits(strong, rng):
    array = drawn(rng, np.uint16)
    result = strong.upscale(Image.fromarray(array.astype(np.int32)))
    assert result.mode == "I"
    assert (np.asarray(result) == strong.upscale(array)).all()


def test_16_bits_of_pil_in_the_other_byte_order_are_read_right(strong, rng):
    array = drawn(rng, np.uint16)
    image = Image.frombytes("I;16B", array.shape[::-1], array.astype(">u2").tobytes())
    assert (np.asarray(strong.upscale(image)) == strong.upscale(array)).all()


@pytest.mark.parametrize(
    ("mode", "values", "white", "given"),
    [
        ("F", (0, 255), 1, "from 0 to 255"),
        ("F", (-1, 1), 1, "from -1 to 1"),
        ("F", (0, float("nan")), 1, "from nan to nan"),
        ("I", (0, 70_000), 65_535, "from 0 to 70000"),
        ("I", (-1, 5), 65_535, "from -1 to 5"),
    ],
)
def test_values_out_of_range_are_refused(strong, mode, values, white, given):
    dtype = np.float32 if mode == "F" else np.int32
    image = Image.fromarray(np.array([values], dtype))
    with pytest.raises(ShapeError, match=f'mode "{mode}" and values {given}; .* 0 to {white}'):
        strong.upscale(image)


@pytest.mark.parametrize(("mode", "largest", "target"), [("F", 255, 1), ("I", 70_000, 65_535)])
def test_the_advice_for_values_out_of_range_works(strong, mode, largest, target):
    dtype = np.float32 if mode == "F" else np.int32
    image = Image.fromarray(np.array([[0, largest // 2, largest]], dtype))
    with pytest.raises(ShapeError) as caught:
        strong.upscale(image)
    advice = str(caught.value).partition(": image.point")[2].replace("W", str(largest))
    brought = eval(f"image.point{advice}", {"image": image})
    assert brought.getextrema() == (0, target)
    assert strong.upscale(brought).mode == mode


def test_a_mode_without_a_meaning_in_pixels_is_refused(strong):
    with pytest.raises(ShapeError, match=r'mode "LAB"; allowed are .*PIL\.ImageCms'):
        strong.upscale(Image.new("LAB", (3, 2)))


def test_what_is_no_pil_image_belongs_to_no_module():
    assert images.pil_of("a word") is None
    assert images.pil_of(Image.new("L", (1, 1))) is Image
