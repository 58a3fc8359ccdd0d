import json
from http import HTTPStatus
from pathlib import Path

from pixelift.serve.problems import KINDS, TYPE_PREFIX, Problem

PAGE = Path(__file__).parents[2] / "docs" / "serving.md"


def test_every_status_is_one_of_http():
    assert all(HTTPStatus(kind.status).value >= 400 for kind in KINDS.values())


def test_the_body_is_that_of_rfc_9457():
    problem = Problem("bad-field", "The field is\nwrong.", field="scale")
    assert json.loads(problem.encoded()) == {
        "type": TYPE_PREFIX + "bad-field",
        "title": "A field of the form is wrong",
        "status": 422,
        "detail": "The field is wrong.",
        "field": "scale",
    }


def test_a_field_that_has_nothing_to_do_with_it_is_left_out():
    assert "field" not in json.loads(Problem("busy", "Later.", retry_after=3).encoded())


def test_when_to_come_again_is_a_header():
    assert Problem("busy", "Later.", retry_after=3).headers == {"retry-after": "3"}


def test_the_documentation_names_every_kind():
    text = PAGE.read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"`{kind}`" not in text] == []
