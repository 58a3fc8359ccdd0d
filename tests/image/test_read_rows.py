import gc
import io
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image

from pixelift.errors import ImageReadError, TooManyPixelsError
from pixelift.image import decode
from pixelift.image.depth import to_float
from pixelift.image.geometry import Size
from pixelift.image.read import read_picture
from pixelift.image.read_rows import open_rows
from pixelift.image.rows import Header, collect


def encoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def turned(orientation):
    exif = Image.Exif()
    exif[0x112] = orientation
    return exif


def assert_same(rows_picture, picture):
    assert Header.of(rows_picture) == Header.of(picture)
    assert np.array_equal(rows_picture.pixels, picture.pixels)
    if picture.alpha is not None:
        assert np.array_equal(rows_picture.alpha, picture.alpha)


def streamed(source, **options):
    with open_rows(source, **options) as rows:
        return collect(rows)


@pytest.fixture(scope="module")
def photo():
    """Make something smooth with noise, of 45x37 pixels: no multiple of what is decoded at once."""
    rng = np.random.default_rng(11)
    down, across = np.mgrid[0:37, 0:45] * 4
    smooth = np.stack([across, down, (across + down) / 2], -1)
    return Image.fromarray((smooth + rng.integers(0, 40, smooth.shape)).astype(np.uint8))


CASES = [
    *[(mode, "PNG") for mode in ("RGB", "RGBA", "L", "LA", "P", "1")],
    *[(mode, "TIFF") for mode in ("RGB", "RGBA", "L", "LA", "CMYK", "F")],
    *[(mode, "JPEG") for mode in ("RGB", "L", "CMYK")],
    *[(mode, kind) for mode in ("RGB", "L") for kind in ("WEBP", "AVIF", "GIF")],
    ("RGBA", "WEBP"),
]


@pytest.mark.parametrize(("mode", "kind"), CASES)
@pytest.mark.parametrize("source", ["bytes", "path"])
def test_rows_are_those_of_the_whole_picture(photo, mode, kind, source, tmp_path):
    image = photo.convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    if mode == "F":
        image = image.point(lambda value: value / 300)
    data = encoded(image, kind, **({"dpi": (300, 150)} if kind != "WEBP" else {}))
    path = tmp_path / "photo.bin"
    path.write_bytes(data)
    assert_same(streamed(path if source == "path" else data), read_picture(data))


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("mode", ["RGB", "LA"])
def test_a_photo_that_lies_on_its_side_is_set_upright(photo, mode, orientation, tmp_path):
    data = encoded(photo.convert(mode), "PNG", exif=turned(orientation), dpi=(300, 150))
    path = tmp_path / "turned.png"
    path.write_bytes(data)
    picture = read_picture(data)
    assert picture.size == (Size(45, 37) if orientation > 4 else Size(37, 45))
    assert_same(streamed(data), picture)
    assert_same(streamed(path), picture)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".avif"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_rows_of_16_bits_are_not_rounded(rng, suffix, channels):
    samples = rng.integers(0, 65536, (19, 33, channels)).astype(np.uint16)
    image = pyvips.Image.new_from_array(samples)
    image = image.copy(interpretation="grey16" if channels < 3 else "rgb16")
    options = {"bitdepth": 12} if suffix == ".avif" else {}
    data = image.write_to_buffer(suffix, **options)
    with open_rows(data) as rows:
        assert rows.header.depth == 16
        assert {band.dtype for band in rows.bands} == {np.dtype(np.uint16)}
    assert_same(streamed(data), read_picture(data))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("side", [(1, 1), (1, 16), (17, 1), (16, 33)])
def test_the_smallest_pictures_and_whole_bands_are_read(rng, kind, side):
    samples = rng.integers(0, 256, (*side, 3), dtype=np.uint8)
    picture = streamed(encoded(Image.fromarray(samples), kind))
    assert np.array_equal(np.rint(picture.pixels * 255), samples)


def test_the_header_is_there_before_any_row(photo):
    with open_rows(encoded(photo, "JPEG", dpi=(240, 240))) as rows:
        assert rows.header.size == Size(37, 45)
        assert (rows.header.channels, rows.header.has_alpha, rows.header.depth) == (3, False, 8)
        assert (rows.header.format, rows.header.dpi) == ("jpeg", (240, 240))
        heights = [len(band) for band in rows.bands]
    assert sum(heights) == 37
    assert len(heights) > 1


def test_a_grey_webp_is_known_as_grey_before_any_row(photo):
    grey = encoded(photo.convert("L"), "WEBP", lossless=True)
    with open_rows(grey) as rows:
        assert rows.header.channels == 1
        assert next(rows.bands).shape[1:] == (45, 1)
    see_through = photo.convert("LA").convert("RGBA")
    see_through.putalpha(Image.linear_gradient("L").resize(see_through.size))
    with open_rows(encoded(see_through, "WEBP", lossless=True)) as rows:
        assert (rows.header.channels, rows.header.bands) == (1, 2)
        picture = collect(rows)
    assert np.array_equal(np.rint(picture.alpha * 255), np.asarray(see_through)[..., 3])


def test_one_coloured_pixel_at_the_end_makes_a_webp_coloured(photo):
    image = photo.convert("L").convert("RGB")
    image.putpixel((44, 36), (255, 0, 0))
    with open_rows(encoded(image, "WEBP", lossless=True)) as rows:
        assert rows.header.channels == 3
        assert np.array_equal(np.rint(collect(rows).pixels * 255), np.asarray(image))


@pytest.mark.parametrize(("kind", "orientation"), [("PNG", 1), ("JPEG", 6), ("WEBP", 1)])
def test_rows_may_be_taken_in_another_thread(photo, kind, orientation, tmp_path):
    path = tmp_path / "photo.bin"
    path.write_bytes(encoded(photo, kind, exif=turned(orientation)))
    taken = []
    with open_rows(path) as rows:
        thread = threading.Thread(target=lambda: taken.append(collect(rows)))
        thread.start()
        thread.join()
    assert_same(taken[0], read_picture(path))


def open_files():
    gc.collect()
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs the list of open files")
def test_the_file_is_closed_however_the_context_ends(photo, tmp_path):
    path = tmp_path / "photo.png"
    photo.save(path)
    before = open_files()
    for _ in range(3):
        with open_rows(path) as rows:
            next(rows.bands)
        with pytest.raises(KeyError), open_rows(path):
            raise KeyError
    del rows
    assert open_files() == before


def test_too_many_pixels_are_refused_with_the_way_to_allow_them(photo):
    data = encoded(photo, "PNG")
    assert streamed(data, max_pixels=37 * 45).size == Size(37, 45)
    with pytest.raises(TooManyPixelsError) as caught, open_rows(data, max_pixels=37 * 45 - 1):
        pass
    assert "45x37 = 1 megapixels" in str(caught.value)
    assert f"max_pixels={37 * 45}" in str(caught.value)


@pytest.mark.parametrize("share", [0.1, 0.95])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"exif": turned(6)}),
        ("PNG", {}),
        ("PNG", {"exif": turned(3)}),
        ("TIFF", {}),
        ("WEBP", {}),
        ("AVIF", {}),
        ("GIF", {}),
    ],
)
def test_a_file_that_is_cut_short_is_refused(photo, kind, options, share, tmp_path):
    data = encoded(photo, kind, **options)
    path = tmp_path / "cut.bin"
    path.write_bytes(data[: int(len(data) * share)])
    for source in (path, path.read_bytes()):
        with pytest.raises(ImageReadError, match="damaged") as caught:
            streamed(source)
        assert "\n" not in str(caught.value)


def test_damage_further_down_is_found_when_those_rows_are_taken(rng):
    noise = rng.integers(0, 256, (300, 300, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), "PNG", compress_level=1)
    at = data.index(b"IDAT", len(data) * 3 // 4)
    damaged = data[: at + 4] + bytes(500) + data[at + 504 :]
    taken = []
    with (
        open_rows(damaged) as rows,
        pytest.raises(ImageReadError, match="damaged"),
    ):
        taken.extend(rows.bands)
    above = np.concatenate(taken)
    assert len(above) > 100
    assert np.array_equal(above, noise[: len(above)])


def test_a_jpeg_with_oddities_that_lose_nothing_starts_over_without_a_seam(photo, monkeypatch):
    # Large enough that rows are out before the oddity is met.
    data = encoded(photo.resize((300, 500)), "JPEG", quality=95, restart_marker_rows=1)
    expected = read_picture(data)
    # Bytes before a marker that belong to nothing: libjpeg warns of them and drops them.
    at = data.index(b"\xff\xd3", len(data) // 2)
    odd = data[:at] + b"\x12\x34\x56" * 20 + data[at:]
    heights, starts = [], []
    load = decode.load

    def counted(file, fail_on, **options):
        starts.append((fail_on, sum(heights)))
        return load(file, fail_on, **options)

    monkeypatch.setattr(decode, "load", counted)
    bands = []
    with open_rows(odd) as rows:
        for band in rows.bands:
            bands.append(band)
            heights.append(len(band))
    assert [fail_on for fail_on, _ in starts] == ["warning", "error"]
    assert starts[1][1] > 0
    assert np.array_equal(to_float(np.concatenate(bands)), expected.pixels)


def test_a_cut_jpeg_whose_end_was_put_back_on_is_refused(photo):
    data = encoded(photo.resize((900, 700)), "JPEG", quality=95)
    with pytest.raises(ImageReadError, match="premature end"):
        streamed(data[: len(data) // 2] + b"\xff\xd9")


def test_floats_of_another_range_are_refused_when_they_come(rng):
    samples = rng.random((40, 3, 1), np.float32)
    samples[35, 1] = 255
    image = pyvips.Image.new_from_array(samples).copy(interpretation="b-w")
    with open_rows(image.write_to_buffer(".tif")) as rows:
        assert rows.header.depth == 32
        assert np.array_equal(next(rows.bands), samples[:16])
        with pytest.raises(ImageReadError, match=r"run from .* to 255; allowed is 0 to 1"):
            list(rows.bands)


def test_pages_are_refused_before_any_row(photo):
    data = encoded(photo, "TIFF", save_all=True, append_images=[photo])
    with pytest.raises(ImageReadError, match="allowed is one still picture"), open_rows(data):
        pass


@pytest.mark.parametrize("content", [b"", b"no picture at all"])
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(ImageReadError, match="cannot read the given"), open_rows(content):
        pass


def test_a_missing_file_is_refused(tmp_path):
    with (
        pytest.raises(ImageReadError, match="there is no such file"),
        open_rows(tmp_path / "no.png"),
    ):
        pass


def test_a_png_that_claims_more_rows_than_it_has_is_refused():
    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 64, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(9 * 32))) + chunk(b"IEND", b"")
    with pytest.raises(ImageReadError, match="damaged"):
        streamed(b"\x89PNG\r\n\x1a\n" + head + body)
