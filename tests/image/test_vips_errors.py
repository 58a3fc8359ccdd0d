import io
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
import pyvips
from PIL import Image

from pixelift.errors import ImageReadError
from pixelift.image import vips_errors
from pixelift.image.read import read_picture
from pixelift.image.read_rows import open_rows
from pixelift.image.vips_errors import Tries, fault_of_temporary, lines_about, own_errors
from pixelift.image.write import encode_picture


def problem_of(detail):
    problem = pyvips.Error("no")
    problem.detail = detail
    return problem


def photo(kind, *, side=200):
    rng = np.random.default_rng(0)
    stream = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(stream, kind)
    return stream.getvalue()


def test_only_libjpegs_warnings_are_taken_twice():
    odd = problem_of("VipsJpeg: Corrupt JPEG data: 3 extraneous bytes before marker 0xd9\n")
    jpeg, png = Tries("jpeg"), Tries("png")
    assert (jpeg.after(None), jpeg.after(odd), jpeg.after(odd)) == ("warning", "error", None)
    assert (png.after(None), png.after(problem_of("vipspng: libpng read error"))) == ("error", None)


def test_lost_pixels_end_it_at_once():
    tries = Tries("jpeg")
    assert tries.after(None) == "warning"
    assert tries.after(problem_of("VipsJpeg: premature end of JPEG image\n")) is None


@pytest.mark.parametrize("detail", ["", "tiff2vips: Read error at scanline 9\n"])
def test_a_note_that_somebody_took_away_is_looked_for_again_as_strictly(detail):
    tries = Tries("jpeg")
    found = [tries.after(None)] + [tries.after(problem_of(detail)) for _ in range(5)]
    assert found == ["warning"] * (1 + vips_errors.AGAIN) + ["error", None]


def test_lines_of_other_formats_are_left_out():
    problem = problem_of("tiff2vips: no more rows\nVipsJpeg: premature end\nsomething else\n\n")
    assert lines_about(problem, "jpeg") == ["VipsJpeg: premature end", "something else"]
    assert lines_about(problem, "tiff") == ["tiff2vips: no more rows", "something else"]
    assert lines_about(problem, "png") == ["something else"]


def test_what_another_thread_looked_up_is_about_no_file():
    pyvips.Image.black(1, 1)._get_pspec("pngsave_target")
    problem = pyvips.Error("no")
    assert "pngsave_target" in problem.detail
    assert lines_about(problem, "png") == []


def test_a_cut_jpeg_is_refused_also_when_another_thread_takes_its_note_away(monkeypatch):
    cut = photo("JPEG")[:-4000] + b"\xff\xd9"
    stolen = threading.Event()
    make = pyvips.Error.__init__

    def without_the_first_note(self, message, detail=None):
        make(self, message, detail)
        if not stolen.is_set():
            stolen.set()
            self.detail = ""

    monkeypatch.setattr(pyvips.Error, "__init__", without_the_first_note)
    with pytest.raises(ImageReadError, match="premature end"):
        read_picture(cut)
    assert stolen.is_set()
    stolen.clear()
    with pytest.raises(ImageReadError, match="premature end"), open_rows(cut) as rows:
        list(rows.bands)
    assert stolen.is_set()


def told_of(bad):
    try:
        with open_rows(bad) as rows:
            list(rows.bands)
    except ImageReadError as error:
        return str(error)
    raise AssertionError("a cut file was read")


@contextmanager
def working_beside(work):
    done = threading.Event()

    def go_on():
        while not done.is_set():
            work()

    threads = [threading.Thread(target=go_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    yield
    done.set()
    for thread in threads:
        thread.join()


@pytest.fixture(scope="module")
def cut():
    kinds = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF")
    return {kind: photo(kind)[: 3 * len(photo(kind)) // 4] for kind in kinds}


def test_many_threads_tell_each_fault_as_if_the_file_were_alone(cut):
    alone = {kind: told_of(data) for kind, data in cut.items()}
    picture = read_picture(photo("PNG"))

    def write():
        for format in ("png", "jpeg", "webp", "tiff"):
            encode_picture(picture, format)
            encode_picture(read_picture(photo("PNG", side=20)), format)

    asked = list(cut) * 15
    with working_beside(write), ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda kind: told_of(cut[kind]), asked))
    assert told == [alone[kind] for kind in asked]


def test_what_another_program_of_the_process_does_is_told_of_no_file(cut):
    alone = {kind: told_of(data) for kind, data in cut.items()}
    generic = {kind: told.partition(" (")[0] for kind, told in alone.items()}

    def look_up():
        # Notes a fault, and takes away whatever is noted.
        pyvips.Image.black(2, 2).invert()

    asked = list(cut) * 5
    with working_beside(look_up), ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda kind: told_of(cut[kind]), asked))
    for kind, message in zip(asked, told, strict=True):
        assert message == alone[kind] or message.startswith(generic[kind])
        assert "no property" not in message


def test_what_is_noted_before_something_is_raised_is_told_with_it():
    notes = ["VipsJpeg: premature end\n"]
    with pytest.raises(pyvips.Error) as caught, own_errors(notes):
        raise pyvips.Error("no", "VipsJpeg: and more\n")
    assert caught.value.detail == "VipsJpeg: premature end\nVipsJpeg: and more\n"


def test_a_cut_jpeg_is_refused_while_others_are_opened():
    cut, whole = photo("JPEG")[:-4000] + b"\xff\xd9", photo("JPEG", side=20)

    def read():
        with open_rows(cut) as rows:
            for _ in rows.bands:
                read_picture(whole)  # clears what libvips noted

    for _ in range(5):
        with pytest.raises(ImageReadError, match="premature end"):
            read()


def test_decoders_take_turns():
    order = []

    def other():
        with own_errors([]):
            order.append("other")

    thread = threading.Thread(target=other)
    with own_errors([]), own_errors([]):
        thread.start()
        thread.join(0.05)
        order.append("mine")
    thread.join()
    assert order == ["mine", "other"]


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        (
            'VipsImage: unable to write to "/no/v-1.v"\nsystem error: No such file or directory\n',
            "No such file or directory",
        ),
        (
            "wbuffer_write: write failed\nsystem error: No space left on device\n" * 2,
            "No space left on device",
        ),
        ("wbuffer_write: write failed\n", "it cannot be written"),
        ("VipsJpeg: premature end of JPEG image\n", None),
        ("system error: Input/output error\n", None),
    ],
)
def test_a_place_for_temporary_files_is_told_from_a_damaged_file(detail, reason):
    assert fault_of_temporary(lines_about(problem_of(detail), "jpeg")) == reason


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF", "AVIF"])
def test_no_room_for_a_temporary_file_is_not_told_as_damage(kind, tmp_path):
    path = tmp_path / "a.picture"
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (200, 100), "teal").save(
        path, kind, **{"exif": turned} if kind == "JPEG" else {}
    )
    code = (
        "import sys\nfrom pixelift.errors import ImageReadError\n"
        "from pixelift.image.read_rows import open_rows\n"
        "try:\n    with open_rows(sys.argv[1]) as rows:\n        list(rows.bands)\n"
        "except ImageReadError as error:\n    print(error)"
    )
    # libvips asks for both of these once a process.
    env = {**os.environ, "VIPS_DISC_THRESHOLD": "1k", "TMPDIR": str(tmp_path / "nowhere")}
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, env=env, check=True
    )

    assert done.stdout == (
        f'cannot read "{path}": it is decoded by way of a temporary file, which '
        f'"{tmp_path / "nowhere"}" does not take (No such file or directory). Name a folder that '
        "does: TMPDIR=FOLDER pixelift ...\n"
    )
