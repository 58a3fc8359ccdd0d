import asyncio

import pytest

from pixelift.serve import desk as desk_module
from pixelift.serve.desk import Desk
from pixelift.serve.frames import Done, Order
from pixelift.serve.limits import Limits
from pixelift.serve.pool import Pool
from pixelift.serve.problems import Problem

ORDER = Order(model="balanced", scale=2, max_pixels=100)
DONE = Done(format="png", width=1, height=1, out_width=2, out_height=2, resident_bytes=0)


def finish(pool, job, size):
    """Do as if a worker had made a result of so many bytes."""
    pool._waiting.remove(job.ticket)
    pool._note(job.ticket, DONE, bytes(size))


def with_desk(story, **limits):
    async def tell():
        chosen = Limits(**limits)
        pool = Pool(["none"], workers=1, limits=chosen)
        await story(pool, Desk(pool, chosen))

    asyncio.run(tell())


def opened(pool, desk, name="a.png"):
    return desk.open(pool.submit(ORDER, b"x", share=None), name)


def test_a_job_is_told_about_from_the_queue_to_the_result():
    async def story(pool, desk):
        first, second = opened(pool, desk), opened(pool, desk)
        told = desk.describe(second)
        assert (told.state, told.place, told.result, told.problem) == ("waiting", 1, None, None)
        finish(pool, first, 9)
        told = desk.describe(desk.find(first.id))
        assert (told.state, told.progress) == ("done", 1.0)
        assert told.result.href == f"/v1/jobs/{first.id}/result"
        assert (told.result.bytes, told.result.width) == (9, 2)

    with_desk(story)


def test_names_cannot_be_guessed():
    async def story(pool, desk):
        names = {opened(pool, desk).id for _ in range(20)}
        assert len(names) == 20
        assert all(len(name) == 22 for name in names)

    with_desk(story)


def test_a_job_that_is_closed_is_cancelled_and_forgotten():
    async def story(pool, desk):
        job = opened(pool, desk)
        desk.close(job)
        assert job.ticket.state == "cancelled"
        assert len(desk) == pool.waiting == 0
        with pytest.raises(Problem, match="no such job"):
            desk.find(job.id)

    with_desk(story)


def test_results_that_nobody_fetches_make_room_the_oldest_first():
    async def story(pool, desk):
        jobs = [opened(pool, desk, f"{n}.png") for n in range(4)]
        for job in jobs[:3]:
            finish(pool, job, 40)
        desk._make_room()
        assert [job.id in desk._jobs for job in jobs] == [False, False, True, True]
        assert pool.held_bytes == 40

    with_desk(story, results_bytes=120)


def test_only_so_many_jobs_are_remembered(monkeypatch):
    monkeypatch.setattr(desk_module, "MAX_JOBS", 3)

    async def story(pool, desk):
        for _ in range(10):
            finish(pool, opened(pool, desk), 1)
        desk._make_room()
        assert len(desk) == 3

    with_desk(story)


def test_what_nobody_asks_about_is_given_up(monkeypatch):
    monkeypatch.setattr(desk_module, "SWEEP_SECONDS", 0.01)

    async def story(pool, desk):
        waiting, done, wanted = (opened(pool, desk) for _ in range(3))
        finish(pool, done, 5)
        waiting.asked -= 61
        done.asked -= 601
        sweeping = asyncio.create_task(desk.sweep())
        await asyncio.sleep(0.1)
        sweeping.cancel()
        assert list(desk._jobs) == [wanted.id]
        assert waiting.ticket.state == "cancelled"
        assert pool.held_bytes == 0

    with_desk(story)
