import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request

from pixelift.serve.form import read_form, refuse_query, safe_name
from pixelift.serve.limits import FORM_BYTES, ByteBudget, Limits
from pixelift.serve.problems import Problem
from tests.serving import BOUNDARY, FORM_TYPE, form

LIMITS = Limits(upload_bytes=1000, queue_bytes=10**6)


def read(body, *, content_type=FORM_TYPE, length=None, limits=LIMITS, budget=None, pause=0.0):
    """Read a body that arrives in small pieces; None at its end stands for a client that goes."""
    pieces = [body[at : at + 7] for at in range(0, len(body or b""), 7)] if body else []

    async def receive():
        await asyncio.sleep(pause)
        if body is None:
            return {"type": "http.disconnect"}
        piece = pieces.pop(0) if pieces else b""
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    headers = [(b"content-type", content_type.encode())] if content_type else []
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    request = Request({"type": "http", "headers": headers, "method": "POST"}, receive)
    shares = budget or ByteBudget(limits.queue_bytes)
    before = shares.taken
    try:
        return asyncio.run(read_form(request, limits=limits, budget=shares))
    except BaseException:
        assert shares.taken == before, "what was taken of the budget was not given back"
        raise


def refused(*arguments, **options):
    with pytest.raises(Problem) as caught:
        read(*arguments, **options)
    return caught.value


def test_file_and_fields_arrive_whatever_pieces_they_come_in():
    data = bytes(range(256)) + f"\r\n--{BOUNDARY}".encode()[:-1]
    got = read(form({"scale": " 2 ", "file": data, "model": "bälanced"}, filename="ä b.png"))
    assert (got.data, got.name) == (data, "ä b.png")
    assert got.fields == {"scale": "2", "model": "bälanced"}


def test_what_is_taken_of_the_budget_is_what_was_announced():
    budget = ByteBudget(10**6)
    body = form({"file": b"x"})
    got = read(body, length=len(body), budget=budget)
    assert budget.taken == len(body)
    got.share.give_back()
    read(body, budget=budget)
    assert budget.taken == LIMITS.upload_bytes


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\a.jpg", "a.jpg"),
        ("/etc/../..", "picture"),
        ("", "picture"),
        ("a\r\nSet-Cookie: b=1.png", "aSet-Cookie b=1.png"),
        ('"; rm -rf ~;.png', "; rm -rf ~;.png"),
        ("\u202egnp.exe", "gnp.exe"),
        ("x" * 500, "x" * 120),
    ],
)
def test_names_lose_what_could_do_harm(name, safe):
    assert safe_name(name) == safe


def test_a_name_with_a_path_in_a_form_is_only_a_name():
    assert read(form({"file": b"x"}, filename="../../../root/.ssh/id.png")).name == "id.png"


@pytest.mark.parametrize(
    "content_type",
    [None, "image/png", "multipart/form-data", "application/json", "multipart/mixed; boundary=a"],
)
def test_what_is_no_form_is_refused(content_type):
    assert refused(b"{}", content_type=content_type).kind == "no-form"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        form({"file": b"x"})[:-6],
        f"--{BOUNDARY}\r\nbroken\r\n\r\n--{BOUNDARY}--".encode(),
        f"--{BOUNDARY}\r\nContent-Type: text/plain\r\n\r\nx\r\n--{BOUNDARY}--\r\n".encode(),
        f"--{BOUNDARY}\r\n".encode() + b"A: b\r\n" * 50 + b"\r\n",
        form({f"f{n}": "x" for n in range(40)}),
    ],
)
def test_a_damaged_form_is_refused(body):
    assert refused(body).kind in ("bad-form", "bad-field")


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"scale": "2"}, "no file"),
        ({"file": b""}, "empty"),
        ({"file": b"x", "scale": "9" * 2000}, "more than 1024 bytes"),
    ],
)
def test_what_is_wrong_with_a_field_is_told(parts, words):
    problem = refused(form(parts), limits=Limits(upload_bytes=10_000))
    assert problem.kind == "bad-field"
    assert words in problem.detail


@pytest.mark.parametrize("name", ["image", "File", "file ", "", "sclae", "i" * 300])
def test_a_picture_under_another_name_is_told_the_right_one_before_its_size(name):
    body = form({name: b"x" * 50_000, "scale": "2"})
    problem = refused(body, limits=Limits(upload_bytes=10**6))
    assert problem.kind == "bad-field"
    assert "is not known; allowed are file, scale" in problem.detail
    assert 'Send the picture as "file"' in problem.detail
    assert len(problem.detail) < 250


def test_whether_a_picture_came_as_a_file_is_known():
    assert read(form({"file": b"x"})).is_file
    text = form({"file": b"x"}).replace(b'; filename="photo.png"', b"")
    assert not read(text).is_file


@pytest.mark.parametrize(
    ("query", "name"), [("scale=2", "scale"), ("format", "format"), ("a=1&b=2", "a")]
)
def test_fields_in_the_address_are_refused_and_told_where_they_belong(query, name):
    with pytest.raises(Problem, match="fields are sent in the form") as caught:
        refuse_query(
            Request({"type": "http", "path": "/", "query_string": query.encode(), "headers": []})
        )
    assert (caught.value.kind, caught.value.field) == ("bad-field", name)
    refuse_query(Request({"type": "http", "path": "/", "query_string": b"", "headers": []}))


def test_a_field_that_is_there_twice_is_refused():
    one = form({"scale": "2"}).removesuffix(f"--{BOUNDARY}--\r\n".encode())
    assert "twice" in refused(one + one + form({"file": b"x"})).detail


def test_an_upload_that_says_it_is_too_large_is_refused_unread():
    problem = refused(None, length=1000 + FORM_BYTES + 1)
    assert problem.kind == "too-many-bytes"


def test_an_upload_that_is_too_large_without_saying_so_is_cut_off():
    assert refused(form({"file": b"x" * 1001})).kind == "too-many-bytes"
    other = b"preamble " * 10_000
    assert refused(other + form({"file": b"x"})).kind in ("too-many-bytes", "bad-form")


def test_an_upload_for_which_there_is_no_room_is_told_to_come_again():
    budget = ByteBudget(1500)
    share = budget.take(600)
    assert refused(form({"file": b"x"}), budget=budget).kind == "busy"
    share.give_back()
    assert read(form({"file": b"x"}), budget=budget).data == b"x"


def test_an_upload_that_is_too_slow_is_given_up():
    limits = Limits(upload_bytes=1000, upload_seconds=1)
    assert refused(form({"file": b"x" * 900}), limits=limits, pause=0.02).kind == "slow-upload"


def test_a_client_that_goes_leaves_nothing_behind():
    with pytest.raises(ClientDisconnect):
        read(None)
