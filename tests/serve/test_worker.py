import io
import os
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from pixelift import Upscaler, read_picture
from pixelift.infer.target import Target
from pixelift.serve.frames import (
    Done,
    Failed,
    Order,
    Progress,
    Ready,
    decode_answer,
    encode,
    read_frame,
)
from pixelift.serve.worker import StoppedError, Studio, WorkerSettings, resident_bytes
from tests.fakes import write_model
from tests.patience import PATIENCE
from tests.serving import picture

HALL = Path(__file__).parents[2] / "examples" / "great_hall.jpg"
SETTINGS = WorkerSettings(threads=1, engine="openvino")


def order(**changes):
    return Order(**{"model": "balanced", "scale": 2, "max_pixels": 10**6} | changes)


@pytest.fixture(scope="module")
def studio():
    return Studio(SETTINGS)


def fulfil(studio, data, **changes):
    return studio.fulfil(order(**changes), data, progress=lambda _: None)


def test_a_picture_comes_out_as_the_library_makes_it(studio):
    data = picture()
    done, result = fulfil(studio, data)
    expected = Upscaler("balanced", scale=2, threads=1).upscale(data)
    assert result == expected
    assert (done.format, done.width, done.height) == ("png", 16, 12)
    assert (done.out_width, done.out_height) == (32, 24)


def test_agreement_with_the_picture_is_for_the_order_that_asks(studio):
    data = picture()
    plain = fulfil(studio, data)[1]
    expected = Upscaler("balanced", scale=2, consistent=True, threads=1).upscale(data)
    assert fulfil(studio, data, consistent=True)[1] == expected != plain
    assert fulfil(studio, data)[1] == plain


@pytest.mark.slow
def test_with_auto_a_picture_gets_the_network_that_fits_it_and_it_is_told(studio):
    with Image.open(HALL) as hall:
        small = hall.resize((hall.width // 4, hall.height // 4), Image.Resampling.BICUBIC)
    for kind, model, why in (("JPEG", "photo", "JPEG rounded"), ("PNG", "balanced", "no blocks")):
        stream = io.BytesIO()
        small.save(stream, kind, quality=25)
        data = stream.getvalue()
        done, result = fulfil(studio, data, model="auto", format="png")
        assert done.model == model
        assert why in done.why
        named, same = fulfil(studio, data, model=model, format="png")
        assert (named.model, named.why) == (model, "")
        assert same == result


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "tiff", "avif"])
def test_it_is_written_in_the_format_that_was_asked_for(studio, format):
    done, result = fulfil(studio, picture(), format=format)
    assert done.format == read_picture(result).format == format


def test_what_is_only_read_is_written_as_png(studio):
    done, result = fulfil(studio, picture(format="gif"))
    assert done.format == read_picture(result).format == "png"


def test_quality_counts(studio):
    small, large = (fulfil(studio, picture(), format="jpeg", quality=q)[1] for q in (10, 95))
    assert len(small) < len(large)


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"max_pixels": 100}, "too-many-pixels", "16x12"),
        ({"model": "nothing"}, "bad-field", 'no model "nothing"'),
        ({"scale": 70}, "bad-field", "70"),
    ],
)
def test_what_cannot_be_done_is_told(studio, changes, kind, words):
    answer, result = fulfil(studio, picture(), **changes)
    assert (answer.kind, result) == (kind, b"")
    assert words in answer.detail


def test_a_damaged_picture_is_told(studio):
    answer, _ = fulfil(studio, picture()[:-20])
    assert answer.kind == "bad-picture"


def test_a_result_that_the_format_cannot_hold_is_told_before_the_work(studio):
    answer, _ = fulfil(studio, picture(height=1, width=9000), format="webp")
    assert answer.kind == "bad-result"
    assert "16383" in answer.detail


def test_progress_rises_and_can_end_the_work(studio):
    shares = []
    studio.fulfil(order(), picture(height=2400, width=4), progress=shares.append)
    assert shares == sorted(shares)
    assert len(shares) >= 5

    def stop(share):
        if share > 0.2:
            raise StoppedError

    answer, _ = studio.fulfil(order(), picture(height=2400, width=4), progress=stop)
    assert answer == Failed(kind="cancelled", detail="It was cancelled.")


def test_a_mistake_of_ours_is_told_as_one_and_logged(studio, capsys):
    def fail(_):
        raise ZeroDivisionError("ours")

    answer, _ = studio.fulfil(order(), picture(), progress=fail)
    assert answer.kind == "failed"
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_only_some_networks_stay_loaded(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXELIFT_HOME", str(tmp_path))
    monkeypatch.setattr("pixelift.serve.worker.KEPT_NETWORKS", 4)
    for n in range(4):
        for scale in (2, 3):
            write_model(tmp_path / "models", name=f"net{n}", scale=scale, width=4, depth=2)
    studio = Studio(SETTINGS)
    two, three = Target(scale=Fraction(2)), Target(scale=Fraction(3))
    first = studio.upscaler("net0", two).network
    assert studio.upscaler("net0", two).network is first
    assert studio.upscaler("net0", Target(width=7)).network is not first  # of the next scale
    assert studio.upscaler("net0").loaded == 2
    studio.upscaler("net1", two)
    studio.upscaler("net1", three)
    assert studio.upscaler("net0", two).network is first
    studio.upscaler("net2", two)  # net1 goes, which was used before net0
    assert studio.upscaler("net0", two).network is first
    studio.upscaler("net3", two)
    studio.upscaler("net3", three)
    studio.upscaler("net2", three)
    studio.upscaler("net2", two)
    assert studio.upscaler("net0", two).network is not first


@pytest.mark.parametrize(
    ("size", "out"),
    [
        ({"scale": 2.5}, (40, 30)),
        ({"scale": 5}, (80, 60)),
        ({"scale": None, "width": 20}, (20, 15)),
        ({"scale": None, "width": 20, "height": 40}, (20, 40)),
        ({"scale": None, "megapixels": 0.01}, (115, 87)),
    ],
)
def test_results_have_the_size_that_was_asked_for(studio, size, out):
    done, result = fulfil(studio, picture(), **size)
    assert (done.out_width, done.out_height) == out
    made = read_picture(result).size
    assert (made.width, made.height) == out


def test_a_size_that_is_larger_than_results_may_be_is_refused_before_the_work(studio):
    answer, _ = fulfil(studio, picture(), scale=None, width=64, result_pixels=3000)
    assert (answer.kind, "0.003 megapixels" in answer.detail) == ("too-many-pixels", True)
    answer, _ = fulfil(studio, picture(), scale=None, width=1000)
    assert (answer.kind, "width" in answer.detail) == ("bad-field", True)


def start(settings=SETTINGS):
    return subprocess.Popen(
        [sys.executable, "-m", "pixelift.serve.worker", msgspec.json.encode(settings).decode()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def answers(process):
    while (frame := read_frame(process.stdout)) is not None:
        yield decode_answer(frame[0]), frame[1]


def tell(process, message, payload=b""):
    process.stdin.write(encode(message, len(payload)) + payload)
    process.stdin.flush()


def test_the_process_works_until_its_input_ends_and_writes_no_file():
    with start() as process:
        heard = answers(process)
        assert next(heard)[0] == Ready()
        limits = Path(f"/proc/{process.pid}/limits")
        if limits.exists():
            (line,) = (row for row in limits.read_text().splitlines() if "Max file size" in row)
            assert line.split()[3:5] == ["0", "0"]
        for _ in range(2):
            tell(process, order(), picture())
            told, result = next((a, p) for a, p in heard if not isinstance(a, Progress))
            assert isinstance(told, Done)
            assert read_picture(result).size.width == 32
        # A worker whose server was killed in the middle of an order does not go on with it.
        tell(process, order(max_pixels=10**8), picture(height=3000, width=3000))
        next(heard)
        process.stdin.close()
        assert process.wait(PATIENCE) == 0
        assert not any(isinstance(told, Done) for told, _ in heard)
        process.stdout.close()
        process.stderr.close()


def test_a_worker_that_takes_too_much_memory_ends_itself():
    with start(msgspec.structs.replace(SETTINGS, memory_bytes=1)) as process:
        assert process.wait(PATIENCE) == 86
        assert process.communicate()[1] == b""


def test_a_worker_that_cannot_load_its_network_says_why():
    with start(msgspec.structs.replace(SETTINGS, precision="f64")) as process:
        (told, _), *_ = answers(process)
        process.communicate(timeout=PATIENCE)
        assert isinstance(told, Failed)
        assert 'no precision "f64"' in told.detail


def test_it_knows_its_own_memory():
    if not Path("/proc/self/statm").exists():
        pytest.skip("this system does not tell as Linux does")
    assert 2**20 < resident_bytes() < 2**36


def test_the_signal_of_a_kill_is_what_the_server_sees():
    with start() as process:
        next(answers(process))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == -signal.SIGKILL
