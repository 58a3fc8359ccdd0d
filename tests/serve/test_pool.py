import asyncio

import pytest

from pixelift.errors import ConfigError
from pixelift.serve.frames import Order
from pixelift.serve.limits import ByteBudget, Limits
from pixelift.serve.pool import Pool
from pixelift.serve.problems import Problem
from tests.patience import PATIENCE
from tests.serving import FAKE_WORKER


def order(model="echo"):
    return Order(model=model, scale=2, max_pixels=100)


def with_pool(story, *, workers=1, command=FAKE_WORKER, **limits):
    """Tell a story with a running pool; give up where it takes too long."""

    async def tell():
        finished = []
        pool = Pool(command, workers=workers, limits=Limits(**limits), on_finished=finished.append)
        await pool.start()
        try:
            async with asyncio.timeout(PATIENCE):
                await story(pool)
        finally:
            await pool.stop()
        assert pool.ready == pool.busy == 0
        return finished

    return asyncio.run(tell())


async def until(condition):
    while not condition():
        await asyncio.sleep(0.01)


async def submitted(pool, *models, **options):
    tickets = [pool.submit(order(model), b"ab", share=None, **options) for model in models]
    for ticket in tickets:
        await ticket.finished.wait()
    return tickets


def test_pictures_come_back_each_on_its_own_ticket():
    async def story(pool):
        tickets = [pool.submit(order(), bytes([n]) * 9, share=None) for n in range(7)]
        for n, ticket in enumerate(tickets):
            await ticket.finished.wait()
            assert (ticket.state, ticket.progress) == ("done", 1.0)
            assert ticket.result == bytes([n]) * 18
        assert pool.held_bytes == 7 * 18
        pool.release(tickets[0])
        pool.release(tickets[0])
        assert pool.held_bytes == 6 * 18

    assert len(with_pool(story, workers=2)) == 7


def test_a_picture_larger_than_a_pipe_goes_through():
    async def story(pool):
        ticket = pool.submit(order(), bytearray(b"x" * 3_000_000), share=None)
        await ticket.finished.wait()
        assert len(ticket.result) == 6_000_000

    with_pool(story)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("refuse", "bad-picture"),
        ("crash", "bad-picture"),
        ("crash-late", "failed"),
        ("hog", "out-of-memory"),
        ("garbage", "failed"),
    ],
)
def test_a_worker_that_fails_costs_its_own_picture_and_no_other(model, kind):
    async def story(pool):
        bad, good = await submitted(pool, model, "echo")
        assert bad.problem.kind == ("bad-picture" if model == "garbage" else kind)
        assert (bad.state, good.state) == ("failed", "done")
        assert pool.lost == (0 if model == "refuse" else 1)

    finished = with_pool(story)
    assert [ticket.state for ticket in finished] == ["failed", "done"]


def test_a_picture_that_takes_too_long_is_given_up_and_its_worker_is_free_again():
    async def story(pool):
        slow, good = await submitted(pool, "hang", "echo")
        assert slow.problem.kind == "too-long"
        assert good.state == "done"

    with_pool(story, job_seconds=1)


def test_a_queue_that_is_full_refuses_and_says_when_to_come_again():
    async def story(pool):
        running = pool.submit(order("obey"), b"", share=None)
        await until(lambda: running.state == "running")
        waiting = [pool.submit(order(), b"", share=None) for _ in range(2)]
        assert [pool.place(ticket) for ticket in waiting] == [0, 1]
        with pytest.raises(Problem) as caught:
            pool.submit(order(), b"", share=None)
        assert caught.value.kind == "busy"
        assert 1 <= int(caught.value.headers["retry-after"]) <= 60
        pool.cancel(running)
        for ticket in waiting:
            await ticket.finished.wait()

    with_pool(story, queue_length=2)


def test_a_picture_that_waits_is_cancelled_at_once():
    async def story(pool):
        running = pool.submit(order("obey"), b"", share=None)
        budget = ByteBudget(100)
        waiting = pool.submit(order(), b"", share=budget.take(100))
        pool.cancel(waiting)
        assert (waiting.state, waiting.problem.kind) == ("cancelled", "cancelled")
        assert pool.waiting <= 1
        assert budget.taken == 0
        pool.cancel(running)
        await running.finished.wait()
        assert running.state == "cancelled"
        (good,) = await submitted(pool, "echo")
        assert good.state == "done"
        assert pool.lost == 0

    with_pool(story)


def test_a_worker_that_does_not_hear_that_it_is_to_stop_is_killed():
    async def story(pool):
        stuck = pool.submit(order("hang"), b"", share=None)
        await until(lambda: stuck.state == "running")
        pool.cancel(stuck)
        await stuck.finished.wait()
        assert stuck.state == "cancelled"
        (good,) = await submitted(pool, "echo")
        assert good.state == "done"

    with_pool(story)


def test_workers_wait_while_too_many_results_are_not_fetched():
    async def story(pool):
        first, *others = (pool.submit(order(), b"x" * 60, share=None) for _ in range(3))
        await first.finished.wait()
        await asyncio.sleep(0.3)
        assert [ticket.state for ticket in others] == ["waiting", "waiting"]
        pool.release(first)
        await others[0].finished.wait()
        assert pool.held_bytes == 120

    with_pool(story, results_bytes=100)


def test_what_waits_when_the_service_stops_is_told_so():
    async def story(pool):
        running = pool.submit(order("hang"), b"", share=None)
        waiting = pool.submit(order(), b"", share=None)
        await until(lambda: running.state == "running")
        await pool.stop()
        assert running.problem.kind == waiting.problem.kind == "stopping"
        with pytest.raises(Problem, match="about to stop"):
            pool.check_room()

    with_pool(story)


def test_workers_that_cannot_start_are_told_in_one_line():
    pool = Pool(["/bin/false"], workers=1, limits=Limits())
    with pytest.raises(ConfigError, match="cannot be started"):
        asyncio.run(pool.start())
