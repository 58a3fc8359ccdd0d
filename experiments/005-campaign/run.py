"""Train the queue, one training after the other, and go on wherever it was stopped.

    nohup nice -n 19 python experiments/005-campaign/run.py PHOTOS [--work FOLDER] &

PHOTOS holds train/ and valid/. Killed at any moment and started again it goes on from the last
checkpoint, and from the packaged network where the work folder is gone. WORK/status.md tells how
far it is; WORK/pid holds what to pause it with: kill -STOP -- -$(cat WORK/pid), and -CONT.
"""

import argparse
import fcntl
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gain import finished_names
from plan import ROOT, Training, left_of, read_queue, share_of
from status import write_status
from workers import Workers

from pixelift.errors import PixeliftError
from pixelift.train.checkpoint import CHECKPOINT
from pixelift.train.logbook import read_log
from study import prepare_set

HERE = Path(__file__).resolve().parent
STATUS_EVERY_S = 60.0
ROOM_BYTES = 2 << 30
"""What has to be free on the disk before a training starts."""

PATIENCE_S = 30
"""How long another campaign in the same folder is waited for."""

TRIES = 3
"""How often a training is started again that has not come a step further."""


class StoppedError(Exception):
    """A signal asked to stop."""


def main(words: Sequence[str] | None = None) -> int:
    """Check everything, then train."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path, help="folder with train/ and valid/")
    parser.add_argument("--work", type=Path, default=HERE / "work", help="for the set and the runs")
    parser.add_argument("--queue", type=Path, default=HERE / "queue.toml")
    parser.add_argument("--results", type=Path, default=HERE / "results.json")
    parser.add_argument("--device", default="cpu", help="cpu, or cuda")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    chosen = parser.parse_args(words)
    queue = read_queue(chosen.queue)
    chosen.work.mkdir(parents=True, exist_ok=True)
    with (chosen.work / "lock").open("w") as lock:
        _take(lock, chosen.work)
        if os.getpgrp() != os.getpid():  # the leader of a session leads its group already
            os.setsid()
        _give_way()
        (chosen.work / "pid").write_text(f"{os.getpid()}\n")
        signal.signal(signal.SIGTERM, _stop)
        signal.signal(signal.SIGINT, _stop)
        try:
            prepare_set(chosen.photos, chosen.work / "photos", channels="rgb")
            return _train_all(queue, chosen, lock.fileno())
        except StoppedError:
            return 143
        except PixeliftError as error:
            raise SystemExit(str(error)) from error


def _give_way(autogroup: Path = Path("/proc/self/autogroup")) -> None:
    """Carry the priority over to the session as a whole.

    Linux shares the cores out among sessions first, where autogroups are on: nice alone only says
    who waits for whom within one, and half of the cores would be gone.
    """
    if os.getsid(0) == os.getpid() and autogroup.exists():
        with suppress(OSError):
            autogroup.write_text(str(os.nice(0)))


def _train_all(queue: Sequence[Training], chosen: argparse.Namespace, lock: int) -> int:
    runs, failed = chosen.work / "runs", []
    runs.mkdir(exist_ok=True)
    done = {t.name for t in queue if _steps_of(runs / t.name) >= t.settings().optim.steps}
    for training in left_of(queue, done | finished_names(chosen.results)):
        if not _train(training, queue, chosen, lock):
            failed.append(training.name)
    state = "All trainings are done." if not failed else f"Given up: {', '.join(failed)}."
    write_status(chosen.work / "status.md", queue, runs, state=state)
    print(state)
    return 1 if failed else 0


def _train(
    training: Training, queue: Sequence[Training], chosen: argparse.Namespace, lock: int
) -> bool:
    run = chosen.work / "runs" / training.name
    recipe, tries = training.settings(), TRIES
    count = 1 if chosen.device == "cuda" else share_of(recipe.data.batch, chosen.processes)
    while tries:
        free = shutil.disk_usage(chosen.work).free
        if free < ROOM_BYTES:
            raise SystemExit(
                f"{chosen.work} has {free >> 20} MiB left; a training needs {ROOM_BYTES >> 20}. "
                "Make room, and start the same command again."
            )
        before = _steps_of(run)
        words = [
            "train",
            str(ROOT / training.recipe),
            "--data",
            str(chosen.work / "photos"),
            "-o",
            str(run),
        ]
        words += [word for change in training.changes for word in ("--set", change)]
        words += ["--device", chosen.device]
        words += ["--resume"] if (run / CHECKPOINT).is_file() else []
        log = chosen.work / f"{training.name}.log"
        code = _watch(Workers(words, count=count, log=log, lock=lock), training, queue, chosen)
        if code == 0:
            return True
        tries = TRIES if _steps_of(run) > before else tries - 1
    print(
        f"{training.name} fails again and again; see {chosen.work / training.name}.log", flush=True
    )
    return False


def _watch(
    workers: Workers, training: Training, queue: Sequence[Training], chosen: argparse.Namespace
) -> int:
    state = f"{training.name} is being trained, written {{}} UTC."
    try:
        while True:
            now = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
            write_status(
                chosen.work / "status.md", queue, chosen.work / "runs", state=state.format(now)
            )
            if (code := workers.wait(STATUS_EVERY_S)) is not None:
                return code
    finally:
        workers.stop()


def _steps_of(run: Path) -> int:
    log = read_log(run)
    return int(log[-1]["step"]) if log else 0


def _take(lock: IO[str], work: Path) -> None:
    """Wait for the processes of a campaign that was killed, which save before they end."""
    for _ in range(PATIENCE_S):
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(1)
    raise SystemExit(f"another campaign works in {work}. Wait for it, or name another --work.")


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise StoppedError


if __name__ == "__main__":
    sys.exit(main())
