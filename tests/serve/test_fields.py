import pytest

from pixelift.infer.target import Target, parse_factor
from pixelift.serve.fields import offers_of, order_of
from pixelift.serve.form import Form
from pixelift.serve.limits import ByteBudget, Limits
from pixelift.serve.problems import Problem
from pixelift.zoo.store import list_models
from tests.fakes import make_card
from tests.serving import picture

LIMITS = Limits(result_pixels=1600)
OFFERS = {"auto": [2, 3, 4], "balanced": [2, 3, 4], "tiny": [2]}


def made(data=None, **fields):
    data = bytearray(picture() if data is None else data)
    form = Form(data, "photo.png", ByteBudget(10).take(1), fields)
    return order_of(form, offers=OFFERS, limits=LIMITS)


def refused(data=None, **fields):
    with pytest.raises(Problem) as caught:
        made(data, **fields)
    return caught.value


def test_without_a_word_it_is_what_the_command_line_does():
    order = made()
    assert (order.model, order.scale, order.format, order.quality) == ("auto", 4, None, None)
    assert order.max_pixels == 100


def test_fields_become_an_order_and_empty_ones_count_as_left_out():
    order = made(scale="2", model="tiny", format="webp", quality="70")
    assert (order.model, order.scale, order.format, order.quality) == ("tiny", 2, "webp", 70)
    assert order.max_pixels == 400
    assert made(model="tiny").scale == 2
    assert made(scale="", quality="").scale == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale", "17"),
        ("scale", "0.5"),
        ("scale", "0"),
        ("scale", "1e1"),
        ("scale", "nan"),
        ("scale", "2x"),
        ("width", "0"),
        ("width", "2.5"),
        ("width", "x2"),
        ("height", "1000001"),
        ("height", "-3"),
        ("megapixels", "0"),
        ("megapixels", "1e5"),
        ("megapixels", "inf"),
        ("megapixels", "x2"),
        ("scale", "-2"),
        ("scale", "²"),
        ("scale", "9" * 5000),
        ("model", "big"),
        ("model", "/etc/passwd.onnx"),
        ("model", "../balanced"),
        ("model", "balanced_x5"),
        ("model", "auto_x4"),
        ("model", "tiny_x4"),
        ("format", "gif"),
        ("format", "exe"),
        ("quality", "0"),
        ("quality", "101"),
        ("quality", "90.5"),
        ("quality", "good"),
        ("consistent", "yes"),
        ("consistent", "1"),
    ],
)
def test_a_value_that_is_not_allowed_is_told_with_those_that_are(name, value):
    problem = refused(**{name: value})
    assert (problem.kind, problem.field) == ("bad-field", name)
    assert "allowed are" in problem.detail
    assert len(problem.detail) < 200


@pytest.mark.parametrize(
    ("word", "scale", "max_pixels"),
    [
        ("2", 2, 400),
        ("2.5", 2.5, 256),
        ("x2", 2, 400),
        ("X3", 3, 177),
        ("4.0", 4, 100),
        ("1", 1, 1600),
    ],
)
def test_a_scale_is_what_it_is_on_the_command_line(word, scale, max_pixels):
    order = made(scale=word)
    assert (order.scale, order.max_pixels) == (scale, max_pixels)
    assert isinstance(order.scale, type(scale))
    assert order.target.scale == parse_factor(word)


@pytest.mark.parametrize("word", ["2.33333", "1.1", "8/3", "15.999999", "11/6"])
def test_a_scale_comes_through_exactly(word):
    assert made(scale=word).target.scale == parse_factor(word)


def test_a_size_takes_the_place_of_a_scale():
    assert made(width="640").target == Target(width=640)
    assert made(height="480").target == Target(height=480)
    assert made(width="640", height="480").target == Target(width=640, height=480)
    assert made(megapixels="1.5").target == Target(megapixels=1.5)
    order = made(width="640", scale="")
    assert (order.scale, order.max_pixels, order.result_pixels) == (None, 1600, 1600)


@pytest.mark.parametrize(
    "sizes", [("scale", "width"), ("scale", "megapixels"), ("height", "megapixels")]
)
def test_a_size_that_is_told_twice_is_refused(sizes):
    problem = refused(**dict.fromkeys(sizes, "2"))
    assert (problem.kind, problem.field) == ("bad-field", sizes[1])
    assert f"The fields {sizes[0]} and {sizes[1]} both tell the size" in problem.detail


def test_a_scale_that_a_model_does_not_reach_is_refused():
    assert made(model="tiny", scale="4").scale == 4  # two networks, one after the other
    problem = refused(model="tiny", scale="4.5")
    assert (problem.field, "1 to 4 with this model" in problem.detail) == ("scale", True)


def test_a_model_may_be_named_with_its_scale():
    order = made(model="balanced_x3")
    assert (order.model, order.scale) == ("balanced_x3", 3)
    assert made(model="balanced_x3", scale="2").scale == 2
    assert refused(model="balanced_x3", scale="10").field == "scale"


@pytest.mark.parametrize(
    ("word", "format"),
    [("jpg", "jpeg"), ("JPEG", "jpeg"), (".png", "png"), ("tif", "tiff"), ("jpe", "jpeg")],
)
def test_a_format_may_be_called_by_its_ending(word, format):
    assert made(format=word).format == format


@pytest.mark.parametrize(
    ("fields", "consistent"),
    [({}, None), ({"consistent": "true"}, True), ({"consistent": "false"}, False)],
)
def test_agreement_with_the_picture_is_asked_for_or_left_to_the_model(fields, consistent):
    assert made(**fields).consistent is consistent


def test_a_field_that_nobody_knows_is_refused():
    problem = refused(sclae="2")
    assert problem.field == "sclae"
    assert (
        "file, scale, width, height, megapixels, model, consistent, format, quality"
        in problem.detail
    )


def test_a_name_where_a_file_is_meant_is_told_with_how_to_send_one():
    form = Form(bytearray(b"photo.jpg"), "picture", ByteBudget(10).take(1), {}, is_file=False)
    with pytest.raises(Problem, match=r'is text and no picture; .* -F "file=@photo.jpg"'):
        order_of(form, offers=OFFERS, limits=LIMITS)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"hello", "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"%PDF-1.7\n\xff\xd8\xff", "PDF"),
        (b"#!/bin/sh\n", "no picture"),
        (b"<?php __HALT_COMPILER();", "no picture"),
        (b"\x89PNG", "no picture"),
    ],
)
def test_a_file_that_is_no_picture_is_refused_by_its_first_bytes(data, words):
    problem = refused(data)
    assert problem.kind == "no-picture"
    assert words in problem.detail


def test_offers_are_names_and_scales():
    cards = [make_card(name="b", scale=4), make_card(name="b", scale=2), make_card(name="a")]
    assert offers_of(cards) == {"b": [2, 4], "a": [2]}
    packaged = offers_of(list_models())
    assert packaged["balanced"] == packaged["auto"] == [2, 3, 4]
    assert next(iter(packaged)) == "auto"
