from pathlib import PurePath

import pytest

from pixelift.image import formats


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "png"),
        (b"\xff\xd8\xff\xe1", "jpeg"),
        (b"GIF87a", "gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "webp"),
        (b"II*\0\x08", "tiff"),
        (b"MM\0+\0", "tiff"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "avif"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "avif"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1miafMA1B", "avif"),
    ],
)
def test_a_format_is_recognised_by_its_first_bytes(head, name):
    assert formats.sniff(head).name == name


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x89PNG",
        b"RIFF\x10\0\0\0WAVEfmt ",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"1,2,3\n4,5,6\n",
        b"\0\0\0\x18ftypisom\0\0\0\0mp41",
        b"P6 2 2 255 ",
        b"#?RADIANCE\n",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic",
    ],
)
def test_anything_else_has_no_format(head):
    assert formats.sniff(head) is None


@pytest.mark.parametrize(
    ("head", "label"),
    [
        (b"BM\x46\0", "BMP"),
        (b"<?xml version='1.0'?><SVG width='3'>", "SVG"),
        (b"\0\0\0\x18ftypcrx \0\0\0\0", "camera raw"),
        (b"\xff\x0a\0", "JPEG XL"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"hello", None),
    ],
)
def test_known_kinds_that_are_not_read_are_named(head, label):
    assert formats.sniff_other(head) == label
    assert not formats.is_film(head)


@pytest.mark.parametrize(
    "head",
    [
        b"\0\0\0\x18ftypmp42\0\0\0\0isommp42",
        b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
        b"\x1aE\xdf\xa3\x01\0\0\0",
        b"RIFF\x24\0\0\0AVI LIST",
    ],
)
def test_films_are_told_from_what_nobody_knows(head):
    assert formats.sniff(head) is None
    assert formats.is_film(head)


def test_an_avif_film_is_a_sequence_and_a_still_is_not():
    assert formats.is_image_sequence(b"\0\0\0\x18ftypavis\0\0\0\0avifmsf1")
    assert not formats.is_image_sequence(b"\0\0\0\x18ftypavif\0\0\0\0mif1")


@pytest.mark.parametrize(
    ("name", "path", "found"),
    [
        (None, "a.png", "png"),
        (None, "a.b.JPG", "jpeg"),
        (None, "a.tif", "tiff"),
        ("webp", "a.png", "webp"),
        ("JPG", None, "jpeg"),
        (".tif", None, "tiff"),
        ("avif", None, "avif"),
    ],
)
def test_the_name_decides_what_is_written_and_else_the_suffix(name, path, found):
    assert formats.find_writable(name, path and PurePath(path)).name == found


@pytest.mark.parametrize(
    ("name", "path"),
    [(None, "a"), (None, "a.gif"), ("heif", "a.png"), ("", "a.png"), (None, ".png"), ("xyz", None)],
)
def test_what_is_not_written_is_not_found(name, path):
    assert formats.find_writable(name, path and PurePath(path)) is None


def test_messages_name_every_format():
    assert "JPEG" in formats.readable_labels()
    assert "GIF" in formats.readable_labels()
    assert ".jpeg" in formats.writable_suffixes()
    assert ".gif" not in formats.writable_suffixes()
