from pathlib import Path

import pytest
from PIL import Image

from pixelift.batch import jobs
from pixelift.batch.jobs import Settings, check_result, run_job
from pixelift.batch.plan import plan_jobs
from pixelift.errors import ImageWriteError, OutOfMemoryError
from pixelift.image.geometry import Size
from pixelift.image.rows import Header
from pixelift.infer.upscaler import Upscaler
from tests.fakes import write_model


@pytest.fixture(scope="module")
def upscaler(tmp_path_factory):
    """A network that is plain interpolation."""
    _, path = write_model(tmp_path_factory.mktemp("model"), gain=0.0, width=4, depth=2)
    return Upscaler(path)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder but for a.png, which is 6 pixels wide and 4 high."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (6, 4), "teal").save("a.png")
    return tmp_path


def one_job(name, output=None):
    (job,) = plan_jobs([Path(name)], output=output, label="x2", format=None).jobs
    return job


def test_the_outcome_tells_what_was_made(folder, upscaler):
    outcome = run_job(one_job("a.png", "new/"), upscaler, settings=Settings())

    assert (outcome.input, outcome.output) == ("a.png", "new/a_x2.png")
    assert outcome.ok
    assert outcome.error is None
    assert (outcome.width, outcome.height) == (6, 4)
    assert (outcome.out_width, outcome.out_height) == (12, 8)
    assert (outcome.model, outcome.scale) == ("fake", 2)
    with Image.open(folder / "new" / "a_x2.png") as image:
        assert image.size == (12, 8)


def test_a_failure_is_told_in_the_outcome_and_leaves_nothing(folder, upscaler):
    outcome = run_job(one_job("missing.png"), upscaler, settings=Settings())

    assert not outcome.ok
    assert "there is no such file" in outcome.error
    assert outcome.output is outcome.width is outcome.out_width is None
    assert [path.name for path in folder.iterdir()] == ["a.png"]


def test_a_picture_above_the_limit_is_refused(folder, upscaler):
    job = one_job("a.png")

    refused = run_job(job, upscaler, settings=Settings(max_pixels=23))
    done = run_job(job, upscaler, settings=Settings(max_pixels=24))

    assert "max_pixels=24" in refused.error
    assert done.ok
    assert (folder / "a_x2.png").is_file()


def test_a_result_that_exists_is_replaced_only_when_told(folder, upscaler):
    (folder / "a_x2.png").write_text("precious")
    job = one_job("a.png")

    kept = run_job(job, upscaler, settings=Settings())
    assert "--overwrite" in kept.error
    assert (folder / "a_x2.png").read_text() == "precious"
    assert run_job(job, upscaler, settings=Settings(overwrite=True)).ok


HEADER = Header(Size(10, 10), 3)


def test_a_result_larger_than_its_format_holds_is_refused_before_the_work():
    check_result(one_job("a.webp"), HEADER, Size(40, 16_380))
    with pytest.raises(ImageWriteError, match="would be 16384x40; WebP holds at most 16383"):
        check_result(one_job("a.webp"), HEADER, Size(40, 16_384))


def test_a_result_that_must_be_held_whole_and_does_not_fit_is_refused(monkeypatch):
    monkeypatch.setattr(jobs, "free_memory", lambda: 10**9)

    check_result(one_job("a.webp"), HEADER, Size(8000, 10_000))
    with pytest.raises(OutOfMemoryError, match=r"takes about 1\.2 GB .* 1\.0 GB are free"):
        check_result(one_job("a.webp"), HEADER, Size(10_000, 10_000))


def test_a_result_that_streams_is_never_too_large_for_the_memory(monkeypatch):
    monkeypatch.setattr(jobs, "free_memory", lambda: 10**6)

    for name in ("a.png", "a.tif"):
        check_result(one_job(name), HEADER, Size(100_000, 100_000))


def test_nothing_is_refused_where_the_free_memory_is_not_known(monkeypatch):
    monkeypatch.setattr(jobs, "free_memory", lambda: None)

    check_result(one_job("a.webp"), HEADER, Size(16_000, 16_000))
