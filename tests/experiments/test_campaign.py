import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.patience import PATIENCE
from tests.prepared import write_study_photos

CAMPAIGN = Path(__file__).parents[2] / "experiments" / "005-campaign"
RECIPE = """
[model]
architecture = "repnet"
scale = 2
dials = { width = 4, depth = 1 }

[data]
lr_patch = 12
batch = 2

[optim]
steps = 60
warmup = 1

[run]
precision = "f32"
validate_every = 20
valid_crop = 96
"""


@pytest.fixture
def campaign(monkeypatch):
    monkeypatch.syspath_prepend(str(CAMPAIGN))
    names = ("plan", "status", "gain")
    yield {name: importlib.import_module(name) for name in names}
    for name in names:
        del sys.modules[name]


def write_queue(folder, **changes):
    (folder / "tiny.toml").write_text(RECIPE)
    row = {"name": "tiny", "recipe": str(folder / "tiny.toml"), "feeds": "swift_x2"} | changes
    text = "[[training]]\n" + "\n".join(f"{key} = {json.dumps(v)}" for key, v in row.items())
    (folder / "queue.toml").write_text(text + "\n")
    return folder / "queue.toml"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"steps": 9}, "unknown field `steps`"),
        ({"name": "a b"}, "name"),
        ({"recipe": "recipes/nothing.toml"}, r"tiny: .*nothing\.toml"),
        ({"changes": ["optim.step=5"]}, "tiny: .*step"),
        ({"feeds": "swift_x4"}, "the recipe is for x2 and feeds swift_x4"),
        ({"feeds": "swyft_x2"}, "Did you mean"),
    ],
)
def test_whatever_is_wrong_with_a_queue_is_told_at_once(campaign, tmp_path, changes, told):
    with pytest.raises(SystemExit, match=told):
        campaign["plan"].read_queue(write_queue(tmp_path, **changes))


def test_two_trainings_do_not_share_a_name(campaign, tmp_path):
    path = write_queue(tmp_path)
    path.write_text(path.read_text() * 2)
    with pytest.raises(SystemExit, match="2 trainings are called tiny"):
        campaign["plan"].read_queue(path)


def test_the_queue_that_is_shipped_is_right(campaign):
    queue = campaign["plan"].read_queue(CAMPAIGN / "queue.toml")
    assert len(queue) > 0
    assert campaign["plan"].left_of(queue, {queue[0].name}) == list(queue[1:])


@pytest.mark.parametrize(
    ("batch", "cores", "count"), [(16, 2, 2), (9, 2, 1), (12, 5, 4), (4, 0, 1)]
)
def test_a_batch_is_shared_evenly(campaign, batch, cores, count):
    assert campaign["plan"].share_of(batch, cores) == count


def test_the_page_tells_what_the_last_hour_brought(campaign, tmp_path):
    queue = campaign["plan"].read_queue(write_queue(tmp_path))
    lines = [(20, 600, 30.0), (40, 5400, 30.5), (50, 9000, 30.75), (55, 9100, 30.7)]
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "log.jsonl").write_text(
        "".join(f'{{"step":{s},"seconds":{t},"psnr_y":{v}}}\n' for s, t, v in lines)
    )
    campaign["status"].write_status(tmp_path / "a.md", queue, tmp_path, state="It works.")
    page = (tmp_path / "a.md").read_text()
    assert "It works." in page
    assert "| tiny | 55 | 60 | 2.53 | 30.750 | +0.750 | +0.250 |" in page


def test_what_is_finished_is_read_from_the_results(campaign, tmp_path):
    results = tmp_path / "results.json"
    assert campaign["gain"].finished_names(results) == set()
    rows = [{"training": "a", "steps": 5, "of": 9}, {"training": "b", "steps": 9, "of": 9}]
    results.write_text(json.dumps({"rows": rows}))
    assert campaign["gain"].finished_names(results) == {"b"}


def start(folder, work):
    command = [sys.executable, CAMPAIGN / "run.py", folder / "photos", "--processes", "2"]
    command += ["--work", work, "--queue", folder / "queue.toml"]
    return subprocess.Popen([*command, "--results", folder / "none.json"])


@pytest.mark.slow
def test_killed_and_started_again_it_ends_with_the_bits_of_one_that_nobody_disturbed(tmp_path):
    write_study_photos(tmp_path)
    write_queue(tmp_path)
    assert start(tmp_path, tmp_path / "quiet").wait(300) == 0
    disturbed = start(tmp_path, tmp_path / "disturbed")
    run = tmp_path / "disturbed" / "runs" / "tiny"
    while not (run / "checkpoint.pt").exists():
        assert disturbed.poll() is None
        time.sleep(0.01)
    os.kill(disturbed.pid, signal.SIGKILL)
    disturbed.wait()
    assert start(tmp_path, tmp_path / "disturbed").wait(300) == 0
    expected = load_file(tmp_path / "quiet" / "runs" / "tiny" / "best.safetensors")
    found = load_file(run / "best.safetensors")
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())
    assert "All trainings are done." in (tmp_path / "disturbed" / "status.md").read_text()


def test_its_session_gives_way_as_a_whole(tmp_path):
    group = tmp_path / "autogroup"
    group.touch()
    code = (
        f"import sys; sys.path[:0] = [{str(CAMPAIGN)!r}]\n"
        "import os; from pathlib import Path; from run import _give_way\n"
        f"os.nice(7); _give_way(Path({str(group)!r}))"
    )
    # In the session of this test it is nobody else's business to give way.
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE)
    assert group.read_text() == ""
    subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=PATIENCE, start_new_session=True
    )
    assert int(group.read_text()) >= 7
