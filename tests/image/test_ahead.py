import os
import sys
import threading

import pytest

from pixelift.image.ahead import NICENESS, Channel, ahead, give_way


def test_values_come_in_order_and_from_another_thread():
    threads = set()

    def make():
        for n in range(20):
            threads.add(threading.get_ident())
            yield n

    assert list(ahead(make(), count=3)) == list(range(20))
    assert threads != {threading.get_ident()}


def test_no_more_than_a_few_are_made_before_they_are_wanted():
    made = []

    def make():
        for n in range(100):
            made.append(n)
            yield n

    values = ahead(make(), count=2)
    assert next(values) == 0
    values.close()
    # One is handed out, two wait, and one is held by the thread that found no room for it.
    assert len(made) <= 5


def test_what_goes_wrong_is_raised_where_values_are_taken():
    def make():
        yield 1
        raise ZeroDivisionError

    values = ahead(make(), count=1)
    assert next(values) == 1
    with pytest.raises(ZeroDivisionError):
        next(values)


def test_a_closed_channel_takes_nothing_and_gives_what_waits():
    channel = Channel(2)
    assert channel.put(1)
    channel.close()
    assert channel.is_closed
    assert not channel.put(2)
    assert channel.take() == 1
    assert channel.take() is None


def test_a_channel_that_is_dropped_forgets_what_waits():
    channel = Channel(2)
    channel.put(1)
    channel.close(drop=True)
    assert channel.take() is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a niceness for each thread")
def test_a_thread_that_gives_way_does_so_alone():
    def niceness():
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    found = []

    def work():
        give_way()
        found.append(niceness())

    before = niceness()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [max(before, NICENESS)]
    assert niceness() == before


def test_a_system_that_does_not_allow_it_is_no_problem(monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr("os.setpriority", refuse, raising=False)
    give_way()
