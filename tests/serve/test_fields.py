import pytest

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
        ("scale", "5"),
        ("scale", "2.5"),
        ("scale", "-2"),
        ("scale", "²"),
        ("scale", "9" * 5000),
        ("model", "big"),
        ("model", "/etc/passwd.onnx"),
        ("model", "../balanced"),
        ("model", "balanced_x4"),
        ("format", "gif"),
        ("format", ".png"),
        ("format", "exe"),
        ("quality", "0"),
        ("quality", "101"),
        ("quality", "good"),
    ],
)
def test_a_value_that_is_not_allowed_is_told_with_those_that_are(name, value):
    problem = refused(**{name: value})
    assert (problem.kind, problem.field) == ("bad-field", name)
    assert "allowed are" in problem.detail
    assert len(problem.detail) < 200


def test_a_scale_that_another_model_has_is_refused():
    assert refused(model="tiny", scale="4").field == "scale"


def test_a_field_that_nobody_knows_is_refused():
    assert refused(sclae="2").field == "sclae"


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
