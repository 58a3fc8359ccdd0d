import io
import struct
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pixelift.image import metadata, png_text

PROMPT = "a cat on a mat, ümläuts\nSteps: 20, Sampler: Euler"
WORKFLOW = '{"prompt": "日本語"}'


def described_png(size=(5, 4)):
    info = PngInfo()
    info.add_text("parameters", PROMPT)
    info.add_text("Title", "long " * 1000, zip=True)
    info.add_itxt("workflow", WORKFLOW, "de", "Ablauf")
    info.add_itxt("packed", "z" * 3000, zip=True)
    info.add_text("Title", "a second one")
    info.add_text("Raw profile type exif", "\nexif\n 8\n45786966\n")
    info.add_itxt("XML:com.adobe.xmp", "<x/>")
    stream = io.BytesIO()
    Image.new("RGB", size, "red").save(stream, "PNG", pnginfo=info)
    return stream.getvalue()


def plain_png(size=(5, 4)):
    stream = io.BytesIO()
    Image.effect_noise(size, 50).save(stream, "PNG")
    return stream


def kinds(stream):
    return [chunk.kind for chunk in metadata.png_chunks(stream)]


def test_texts_are_taken_as_they_lie():
    texts = png_text.read_texts(io.BytesIO(described_png()))
    assert [text[:4] for text in texts] == [b"tEXt", b"zTXt", b"iTXt", b"iTXt", b"tEXt"]
    assert texts[0] == b"tEXtparameters\0" + PROMPT.encode("latin-1")
    assert b"\0\0de\0Ablauf\0" + WORKFLOW.encode() in texts[2]


def test_what_is_added_is_read_by_pillow_without_decoding_the_picture():
    stream = plain_png()
    pixels = Image.open(stream).tobytes()
    png_text.add_texts(stream, png_text.read_texts(io.BytesIO(described_png())), xmp=b"<x>1</x>")
    stream.seek(0)
    with Image.open(stream) as image:
        # What is in `info` before the pixels are asked for stands before them.
        info = dict(image.info)
        assert image.tobytes() == pixels
    assert info["parameters"] == PROMPT
    assert info["Title"] in ("a second one", "long " * 1000)
    assert str(info["workflow"]) == WORKFLOW
    assert info["workflow"].lang == "de"
    assert info["packed"] == "z" * 3000
    assert info["xmp"] == b"<x>1</x>"
    assert "Raw profile type exif" not in info


def test_every_chunk_is_whole_and_in_its_place():
    stream = plain_png()
    before = kinds(stream)
    png_text.add_texts(stream, [b"tEXta\0b", b"zTXtc\0\0" + zlib.compress(b"d")])
    assert kinds(stream) == [b"IHDR", b"tEXt", b"zTXt", *before[1:]]
    with Image.open(stream) as image:
        image.verify()


@pytest.mark.parametrize("block", [1, 7, 1 << 20])
def test_however_much_is_moved_at_once_nothing_is_lost(block, monkeypatch):
    monkeypatch.setattr("pixelift.image.png_text._BLOCK", block)
    stream = plain_png((60, 40))
    whole = stream.getvalue()
    png_text.add_texts(stream, [b"tEXta\0b"])
    assert stream.getvalue()[:33] == whole[:33]
    assert stream.getvalue()[33 + 15 :] == whole[33:]


def test_without_texts_a_file_stays_as_it_is():
    stream = plain_png()
    whole = stream.getvalue()
    png_text.add_texts(stream, ())
    assert stream.getvalue() == whole


def test_texts_without_a_word_and_beyond_all_measure_are_left_out(monkeypatch):
    stream = plain_png()
    png_text.add_texts(stream, [b"tEXt\0nothing", b"tEXt" + b"k" * 80 + b"\0x", b"tEXta\0b"])
    assert png_text.read_texts(stream) == (b"tEXta\0b",)
    monkeypatch.setattr("pixelift.image.png_text.MOST_BYTES", 2)
    assert png_text.read_texts(stream) == ()


def test_a_text_that_would_unpack_to_gigabytes_is_not_unpacked():
    bomb = b"zTXtbomb\0\0" + zlib.compress(bytes(10_000_000))
    stream = plain_png()
    png_text.add_texts(stream, [bomb])
    assert png_text.read_texts(stream) == (bomb,)
    length = struct.unpack(">I", stream.getvalue()[33:37])[0]
    assert length == len(bomb) - 4
