import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pixelift.errors import ConfigError
from pixelift.train.checkpoint import load_checkpoint, load_weights
from pixelift.train.logbook import read_log
from pixelift.train.ranks import Ranks, joined
from tests.patience import PATIENCE
from tests.prepared import make_prepared

RECIPE = """
[model]
scale = 2
dials = { width = 6, depth = 1 }
[data]
lr_patch = 10
batch = 6
[optim]
steps = 12
warmup = 4
frequency = 0.05
learning_rate = 3e-3
[run]
precision = "f32"
validate_every = 6
valid_crop = 48
"""


def test_alone_a_process_leads_and_changes_nothing():
    with joined(torch.device("cpu")) as ranks:
        assert (ranks, ranks.leads) == (Ranks(0, 1), True)
        weight = torch.nn.Parameter(torch.ones(3))
        weight.grad = torch.full((3,), 2.0)
        asked = (True, False)
        loss, wishes = ranks.average([weight], torch.tensor(0.5), *asked)
        assert (float(loss), wishes) == (0.5, asked)
        assert torch.equal(weight.grad, torch.full((3,), 2.0))
        assert ranks.share(30.5, torch.device("cpu")) == 30.5


def test_a_batch_that_cannot_be_shared_is_refused():
    Ranks(0, 3).check(12)
    with pytest.raises(ConfigError, match=r"16, which 3 processes .* --set data.batch=18"):
        Ranks(0, 3).check(16)


@pytest.mark.slow
def test_two_processes_of_torchrun_learn_what_one_learns(tmp_path):
    prepared = make_prepared(tmp_path)
    (tmp_path / "tiny.toml").write_text(RECIPE)
    train = ["-m", "pixelift", "train", "tiny.toml", "--data", prepared.folder, "--device", "cpu"]
    alone = start(tmp_path, "-W", "ignore", *train, "-o", "one")
    launch = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    both = start(tmp_path, *launch, *train, "-o", "two")
    for process in (alone, both):
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err
        # Told once, by the first process alone.
        assert [line.partition(":")[0] for line in out.splitlines()] == [
            "step 6",
            "step 12",
            "one" if process is alone else "two",
        ]

    one, two = (load_checkpoint(tmp_path / name) for name in ("one", "two"))
    for part in ("network", "ema"):
        for key, value in getattr(one, part).items():
            assert torch.allclose(value, getattr(two, part)[key], atol=2e-5), (part, key)
    first = load_weights(tmp_path / "one" / "best.safetensors")
    assert not torch.equal(first["head.wide"], torch.zeros_like(first["head.wide"]))
    for a, b in zip(*(read_log(tmp_path / name) for name in ("one", "two")), strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-4)
        assert a["psnr_y"] == pytest.approx(b["psnr_y"], abs=1e-2)


MEETING = """
import os, sys, torch
from pixelift.train.ranks import joined

torch.set_num_threads(1)
with joined(torch.device("cpu")) as ranks:
    weight = torch.nn.Parameter(torch.ones(3))
    torch.optim.Adam([weight])
    weight.grad = torch.ones(3)
    ranks.average([weight], torch.tensor(0.5))
    print(len(os.listdir("/proc/self/task")))
names = [open(f"/proc/self/task/{t}/comm").read() for t in os.listdir("/proc/self/task")]
print(*(name.strip() for name in names if "gloo" in name))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads of threads where Linux tells of them")
def test_no_thread_of_the_exchange_is_left_to_abort_a_process_that_ends(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    group = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    both = [start(tmp_path, "-c", MEETING, **group, RANK=rank) for rank in "01"]
    for process in both:
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err
        during, after = out.splitlines()
        assert int(during) > 3
        assert after == ""


def start(folder, *arguments, **settings):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"} | settings
    environment["PYTHONPATH"] = str(Path(__file__).parents[2] / "src")
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
