import os
import time

import pytest

from pixelift.errors import DatasetError
from pixelift.patches import pool
from pixelift.patches.pool import default_workers, run_all


def double(number):
    time.sleep(0.02 if number == 0 else 0)
    return 2 * number


def threads(_):
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "VIPS_CONCURRENCY")
    return [os.environ.get(name) for name in names]


def die(number):
    if number == 3:
        os.kill(os.getpid(), 9)
    return number


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_tasks(workers):
    assert list(run_all(double, range(20), workers=workers)) == [2 * n for n in range(20)]


def test_tasks_are_taken_only_a_few_ahead():
    taken = []
    tasks = (taken.append(n) or n for n in range(1000))
    results = run_all(double, tasks, workers=2)
    next(results)
    assert len(taken) <= 9
    results.close()


def test_workers_have_one_thread_each_and_nothing_else_is_told_so(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("VIPS_CONCURRENCY", raising=False)
    assert list(run_all(threads, range(2), workers=2)) == [["1", "1", "1"]] * 2
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "VIPS_CONCURRENCY" not in os.environ


def test_a_worker_that_is_killed_is_told_with_how_to_go_on():
    with pytest.raises(DatasetError, match=r"one of 2 processes was killed.* as --workers 1"):
        list(run_all(die, range(9), workers=2))


def test_there_are_no_more_workers_than_photos_cores_and_memory(monkeypatch):
    monkeypatch.setattr(pool, "usable_cores", lambda: 8)
    monkeypatch.setattr(pool, "free_memory", lambda: None)
    assert [default_workers(n) for n in (0, 3, 100)] == [1, 3, 8]
    monkeypatch.setattr(pool, "free_memory", lambda: 5 << 30)
    assert default_workers(100) == 5
    monkeypatch.setattr(pool, "free_memory", lambda: 1 << 20)
    assert default_workers(100) == 1
