import asyncio
import sys

import pytest

from pixelift.serve.frames import Done, Order, Ready
from pixelift.serve.process import Worker, WorkerLostError
from tests.patience import PATIENCE
from tests.serving import FAKE_WORKER

ORDER = Order(model="echo", scale=2, max_pixels=1)


def told(story, command=FAKE_WORKER):
    async def tell():
        worker = await Worker.start(command)
        try:
            async with asyncio.timeout(PATIENCE):
                return await story(worker)
        finally:
            await worker.end()

    return asyncio.run(tell())


def test_it_answers_what_it_is_told():
    async def story(worker):
        assert await worker.receive() == (Ready(), b"")
        await worker.send(ORDER, b"xy")
        answer, payload = await worker.receive()
        assert isinstance(answer, Done)
        assert payload == b"xyxy"

    told(story)


def test_who_gives_up_waiting_loses_nothing_of_the_answer():
    async def story(worker):
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(worker.receive(), 0.001)
        assert await worker.receive() == (Ready(), b"")

    told(story)


def test_one_that_has_gone_is_noticed_and_its_exit_code_known():
    async def story(worker):
        await worker.receive()
        await worker.send(Order(model="crash", scale=2, max_pixels=1))
        with pytest.raises(WorkerLostError):
            await worker.receive()
        return await worker.exit_code()

    assert told(story) == 3


def test_one_that_talks_nonsense_counts_as_gone():
    async def story(worker):
        with pytest.raises(WorkerLostError):
            await worker.receive()

    told(story, [sys.executable, "-c", "print('x' * 500)"])


def test_one_that_does_not_end_by_itself_is_ended():
    async def story(worker):
        await worker.receive()
        return await worker.exit_code()

    assert told(story) == -9
