import pytest
from starlette.datastructures import Headers

from pixelift.serve.app import PAGE
from pixelift.serve.gate import (
    PUBLIC,
    Access,
    check_host,
    check_origin,
    check_token,
    host_name,
    known_hosts,
)
from pixelift.serve.problems import Problem

ACCESS = Access(
    hosts=known_hosts(["Photos.Example:443", "bücher.example", "https://other.example/"]),
    token="s3cret",
)


def kind_of(check, *arguments):
    try:
        check(*arguments)
    except Problem as problem:
        return problem.kind
    return None


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8000",
        "LOCALHOST",
        "127.0.0.1:8000",
        "[::1]:8000",
        "192.168.1.9",
        "photos.example",
        "photos.example:8443",
        "photos.example.",
        "photos.example.:443",
        "PHOTOS.Example.:8443",
        "localhost.:8000",
        "127.0.0.1.:8000",
        "[0:0:0:0:0:0:0:1]",
        "photos.example:",
        "xn--bcher-kva.example",
        "other.example:1",
    ],
)
def test_addresses_and_known_names_are_let_in(host):
    assert kind_of(check_host, host, ACCESS) is None


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8000",
        "photos.example.evil",
        "[::1].evil",
        "1",
        "@127.0.0.1x",
        "photos.example..",
        "photos.example:x",
        "evil.example@localhost",
        "localhost/evil.example",
        "[::1",
        "[localhost]",
        ".",
        ":8000",
        "photos.example:80:80",
    ],
)
def test_a_name_that_could_have_been_made_to_point_here_is_refused(host):
    assert kind_of(check_host, host, ACCESS) == "wrong-host"


def test_a_name_is_cut_out_of_the_header():
    assert host_name("[fe80::1]:80") == "fe80::1"
    assert host_name("Example.ORG.") == "example.org"


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, None),
        ({"host": "localhost:8000", "origin": "http://localhost:8000"}, None),
        ({"host": "photos.example", "origin": "https://photos.example"}, None),
        ({"host": "photos.example:443", "origin": "https://photos.example"}, None),
        ({"host": "Photos.example.:80", "origin": "http://photos.example"}, None),
        ({"host": "[::1]:8000", "origin": "http://[::1]:8000"}, None),
        ({"host": "photos.example:80", "origin": "https://photos.example"}, "cross-origin"),
        ({"host": "photos.example", "origin": "https://photos.example:8443"}, "cross-origin"),
        ({"host": "", "origin": "file://"}, "cross-origin"),
        ({"host": "localhost:8000", "origin": "http://localhost:9000"}, "cross-origin"),
        ({"host": "localhost:8000", "origin": "https://evil.example"}, "cross-origin"),
        ({"host": "localhost:8000", "origin": "null"}, "cross-origin"),
        ({"host": "localhost:8000", "sec-fetch-site": "cross-site"}, "cross-origin"),
        ({"host": "localhost:8000", "sec-fetch-site": "same-site"}, "cross-origin"),
        ({"host": "localhost:8000", "sec-fetch-site": "same-origin"}, None),
        ({"host": "localhost:8000", "sec-fetch-site": "none"}, None),
    ],
)
def test_what_a_page_of_another_site_sends_is_refused(headers, kind):
    assert kind_of(check_origin, Headers(headers)) == kind


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Bearer s3cret", None),
        ("bearer  s3cret ", None),
        ("Bearer s3cre", "no-token"),
        ("Bearer", "no-token"),
        ("Basic s3cret", "no-token"),
        ("s3cret", "no-token"),
        ("Bearer ä", "no-token"),
        ("", "no-token"),
    ],
)
def test_only_the_token_itself_is_the_token(value, kind):
    assert kind_of(check_token, Headers({"authorization": value}), ACCESS) == kind
    assert kind_of(check_token, Headers({"authorization": value}), Access()) is None


def test_the_page_needs_no_token_and_everything_else_does():
    assert {*PAGE, "/health", "/openapi.json"} == PUBLIC
