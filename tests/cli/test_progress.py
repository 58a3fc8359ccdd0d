from pathlib import Path

from pixelift.batch.jobs import Outcome
from pixelift.batch.naming import Job
from pixelift.cli.progress import Bar
from pixelift.image.formats import FORMATS


def outcome(name, side):
    return Outcome(
        input=name,
        output=name,
        ok=True,
        error=None,
        width=1,
        height=1,
        out_width=side,
        out_height=side,
        seconds=1.0,
        model="fake",
        scale=4,
    )


def test_the_bar_goes_as_far_as_the_work(tmp_path):
    jobs = []
    for name, length in (("a", 30), ("b", 10)):
        (tmp_path / name).write_bytes(b"x" * length)
        jobs.append(Job(tmp_path / name, Path("out"), FORMATS["png"]))
    with Bar(jobs) as bar:
        task = bar._progress.tasks[0]
        assert task.total == 40
        bar.watch(jobs[0], 1, 3)
        assert task.completed == 10
        bar.finish(outcome(str(jobs[0].input), 1000))
        assert task.completed == 30
        assert bar.describe().startswith("1 of 2 pictures, ")
        assert bar.describe().endswith(" MP/s")
        bar.finish(outcome(str(jobs[1].input), None))
        assert task.completed == task.total
