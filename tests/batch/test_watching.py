from pathlib import Path

from pixelift.batch.plan import plan_jobs
from pixelift.batch.watching import new_jobs


def test_a_picture_is_handed_out_once_and_only_when_it_has_stopped_growing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    steps = iter(
        [
            lambda: Path("in/a.png").write_bytes(b"half"),
            lambda: Path("in/a.png").write_bytes(b"half and half"),
            lambda: None,
            lambda: Path("in/b.png").write_bytes(b"b"),
            lambda: Path("in/a.png").unlink(),
            lambda: None,
            lambda: Path("in/b.png").write_bytes(b"changed"),
            lambda: None,
        ]
    )

    def plan():
        return plan_jobs([Path("in")], output="out", label="x2", format=None).jobs

    found = []
    looks = new_jobs(plan, wait=lambda: next(steps)())
    for _ in range(9):
        found.append([job.input.name for job in next(looks)])
    assert found == [[], [], [], ["a.png"], [], ["b.png"], [], [], ["b.png"]]
