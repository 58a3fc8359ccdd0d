import threading
from pathlib import Path

import pytest
from PIL import Image

from pixelift.batch.jobs import Settings
from pixelift.batch.plan import plan_jobs
from pixelift.batch.pool import run_jobs
from pixelift.infer.upscaler import Upscaler
from tests.fakes import write_model


@pytest.fixture(scope="module")
def upscaler(tmp_path_factory):
    _, path = write_model(tmp_path_factory.mktemp("model"), gain=0.0, width=4, depth=2)
    return Upscaler(path, threads=1)


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for n in range(9):
        Image.new("RGB", (20 + 40 * (n % 2), 30), "teal").save(f"{n}.png")
    Path("4.png").write_bytes(b"")
    return plan_jobs([Path()], output="out", label="x2", format=None).jobs


def test_outcomes_come_in_the_order_of_the_jobs_and_one_failure_costs_one_picture(jobs, upscaler):
    outcomes = list(run_jobs(jobs, upscaler, settings=Settings()))
    assert [outcome.input for outcome in outcomes] == [f"{n}.png" for n in range(9)]
    assert [outcome.ok for outcome in outcomes] == [n != 4 for n in range(9)]
    assert len(list(Path("out").iterdir())) == 8


def test_what_is_in_work_is_given_up_without_a_trace_when_nobody_waits_for_it(jobs, upscaler):
    began = threading.Event()

    def watch(job, *_):
        if job.input.name == "1.png":
            began.set()

    outcomes = run_jobs(jobs, upscaler, settings=Settings(), watch=watch, workers=1)
    next(outcomes)
    began.wait(20)
    outcomes.close()
    names = {path.name for path in Path("out").iterdir()}
    assert "0_x2.png" in names
    assert "8_x2.png" not in names
    assert not [name for name in names if name.startswith(".")]
    # And the same command finishes it.
    again = list(run_jobs(jobs, upscaler, settings=Settings()))
    assert sum(outcome.skipped for outcome in again) == len(names)
    assert len(list(Path("out").iterdir())) == 8
