"""Whatever happens in the middle: no partial or wrong result, and the same command finishes it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelift.atomic import hidden_stem
from pixelift.batch.jobs import Settings, run_job
from pixelift.batch.plan import plan_jobs
from pixelift.batch.pool import run_jobs
from pixelift.infer.upscaler import Upscaler
from tests.fakes import write_model
from tests.patience import PATIENCE

COUNT = 6
# A process that holds still when the second picture is half made, and says so.
STILL = """
import sys, time
from pathlib import Path
from pixelift.batch.jobs import Settings
from pixelift.batch.plan import plan_jobs
from pixelift.batch.pool import run_jobs
from pixelift.infer.upscaler import Upscaler

def watch(job, rows, all_rows):
    if job.input.name == "1.png" and rows < all_rows and sys.argv[2] == "still":
        print("still", flush=True)
        sys.stdin.read()

jobs = plan_jobs([Path("in")], output="out", label="x2", format=None).jobs
upscaler = Upscaler(sys.argv[1], threads=1, tile=16)
for outcome in run_jobs(jobs, upscaler, settings=Settings(), watch=watch):
    print(outcome.input, outcome.ok, outcome.skipped, flush=True)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    _, path = write_model(tmp_path_factory.mktemp("model"), gain=0.0, width=4, depth=2)
    return path


@pytest.fixture(scope="module")
def upscaler(model):
    return Upscaler(model, threads=1, tile=16)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for n in range(COUNT):
        samples = rng.integers(0, 256, (90, 40, 3), dtype=np.uint8)
        Image.fromarray(samples).save(f"in/{n}.png")
    return tmp_path


def start(model, how):
    return subprocess.Popen(
        [sys.executable, "-c", STILL, str(model), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_until_still(process):
    for line in process.stdout:
        if line == "still\n":
            return
    raise AssertionError("the process ended before its second picture")


def assert_all_whole():
    assert sorted(p.name for p in Path("out").iterdir()) == [f"{n}_x2.png" for n in range(COUNT)]
    for path in Path("out").iterdir():
        with Image.open(path) as image:
            image.load()
            assert image.size == (80, 180)


def job_of(name):
    jobs = plan_jobs([Path("in")], output="out", label="x2", format=None).jobs
    return next(job for job in jobs if job.input.name == name)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_killed_leaves_whole_results_and_a_rerun_does_the_rest(model, how):
    with start(model, "still") as process:
        wait_until_still(process)
        os.kill(process.pid, how)
    shown = [path for path in Path("out").iterdir() if not path.name.startswith(".")]
    assert "1_x2.png" not in {path.name for path in shown}
    for path in shown:
        with Image.open(path) as image:
            image.load()
    # What was half made lies there under a hidden name, until the rerun clears it away.
    stem = hidden_stem(Path("out/1_x2.png"))
    assert [path for path in Path("out").iterdir() if path.name.startswith(f"{stem}-")]
    with start(model, "go") as process:
        lines = process.communicate(timeout=PATIENCE)[0].splitlines()
    assert len(lines) == COUNT
    assert all(" True " in line for line in lines)
    assert_all_whole()


@pytest.mark.parametrize(
    "moment",
    [
        "pixelift.batch.claim._clear",
        "pixelift.image.write.encode",
        "pixelift.image.write._finish",
        "pixelift.atomic._move",
    ],
)
def test_a_kill_at_any_step_of_writing_leaves_no_result_and_a_rerun_makes_it(model, moment):
    module, _, name = moment.rpartition(".")
    code = f"import importlib\nmodule = importlib.import_module({module!r})\n"
    # In one piece, since two threads say it at once.
    code += "def hold(*_, **__):\n    print('still\\n', end='', flush=True)\n"
    code += "    import time; time.sleep(60)\n"
    code += f"module.{name} = hold\n" + STILL
    command = [sys.executable, "-c", code, str(model), "go"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        wait_until_still(process)
        process.kill()
    assert [path for path in Path("out").iterdir() if not path.name.startswith(".")] == []
    with start(model, "go") as process:
        lines = process.communicate(timeout=PATIENCE)[0].splitlines()
    assert all(" True False" in line for line in lines)
    assert_all_whole()


def test_each_of_many_bad_files_is_told_by_its_own_fault(upscaler, rng):
    kinds = {"jpg": "VipsJpeg", "png": "png", "webp": "webp", "tif": "tiff2vips"}
    for n in range(16):
        samples = rng.integers(0, 256, (90, 40, 3), dtype=np.uint8)
        for suffix in kinds:
            path = Path(f"in/bad{n}.{suffix}")
            Image.fromarray(samples).save(path)
            data = path.read_bytes()
            path.write_bytes(data[: 3 * len(data) // 4])
    jobs = plan_jobs([Path("in")], output="out", label="x2", format=None).jobs
    outcomes = list(run_jobs(jobs, upscaler, settings=Settings(), workers=4))
    assert sum(outcome.ok for outcome in outcomes) == COUNT
    for outcome in outcomes:
        path = Path(outcome.input)
        if path.name.startswith("bad"):
            assert f'"{path}"' in outcome.error
            others = [word for suffix, word in kinds.items() if f".{suffix}" != path.suffix]
            reason = outcome.error.partition("(")[2]
            assert not any(word in reason for word in others), outcome.error
    assert_all_whole()


def test_two_processes_on_one_folder_share_the_work(model):
    with start(model, "still") as first:
        wait_until_still(first)
        with start(model, "go") as second:
            lines = second.communicate(timeout=PATIENCE)[0].splitlines()
        # The second did not wait for the one in work, nor touch it.
        assert f"{Path('in/1.png')} True True" in lines
        assert not Path("out/1_x2.png").exists()
        first.communicate(timeout=PATIENCE)
    assert_all_whole()


def test_an_input_that_is_removed_while_it_is_read_is_still_made(upscaler):
    job = job_of("2.png")

    def watch(job, *_):
        job.input.unlink(missing_ok=True)

    outcome = run_job(job, upscaler, settings=Settings(), watch=watch)
    assert outcome.ok or not Path("out/2_x2.png").exists()
    again = run_job(job, upscaler, settings=Settings())
    assert again.skipped if outcome.ok else "no such file" in again.error


def test_an_input_that_is_cut_short_while_it_is_read_gives_nothing(upscaler):
    rng = np.random.default_rng(0)
    large = rng.integers(0, 256, (3000, 300, 3), dtype=np.uint8)
    Image.fromarray(large).save("in/2.png")
    whole = Path("in/2.png").read_bytes()

    def watch(job, *_):
        os.truncate(job.input, 4000)

    outcome = run_job(job_of("2.png"), upscaler, settings=Settings(), watch=watch)
    assert not outcome.ok
    assert "is damaged, cut short" in outcome.error
    assert list(Path("out").iterdir()) == []
    Path("in/2.png").write_bytes(whole)
    assert run_job(job_of("2.png"), upscaler, settings=Settings()).ok


@pytest.mark.parametrize("problem", [MemoryError(), OSError(28, "No space left on device")])
def test_memory_or_disk_that_run_out_half_way_leave_nothing(upscaler, problem):
    def watch(_, rows, all_rows):
        if rows < all_rows:
            return
        raise problem

    outcome = run_job(job_of("3.png"), upscaler, settings=Settings(), watch=watch)
    assert not outcome.ok
    assert "\n" not in outcome.error
    assert list(Path("out").iterdir()) == []
    assert run_job(job_of("3.png"), upscaler, settings=Settings()).ok


def test_a_target_that_becomes_read_only_is_told(upscaler, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        # Root may write everywhere, so the answer of the system is given here.
        patch.setattr("pixelift.atomic._move", refuse)
        outcome = run_job(job_of("4.png"), upscaler, settings=Settings())
    assert 'no permission to write into "out"' in outcome.error
    assert list(Path("out").iterdir()) == []
    assert run_job(job_of("4.png"), upscaler, settings=Settings()).ok


def test_a_full_disk_found_by_the_encoder_leaves_nothing(upscaler, model):
    # In a process of its own: the limit would hold for everything pytest writes.
    code = STILL.replace(
        "jobs =", "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (999, 999))\njobs ="
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(model), "go"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout.count(" False False") == COUNT
    assert list(Path("out").iterdir()) == []
    assert run_job(job_of("0.png"), upscaler, settings=Settings()).ok
