import threading
import time

import pytest

from pixelift.image.ahead import Channel, ahead

PATIENCE = 10
"""Seconds after which a thread that should have gone on is taken to be stuck."""


def until(condition):
    """Wait for what another thread will bring about."""
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    assert condition()


def started(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def finish(thread):
    thread.join(PATIENCE)
    assert not thread.is_alive()


def makers():
    return [t for t in threading.enumerate() if t.name == "pixelift-ahead" and t.is_alive()]


def test_values_are_taken_in_the_order_they_were_put():
    channel = Channel(3)
    assert [channel.put(n) for n in range(3)] == [True, True, True]
    assert [channel.take() for _ in range(3)] == [0, 1, 2]
    assert not channel.is_closed


def test_putting_waits_while_the_channel_is_full():
    channel = Channel(2)
    put = []

    def work():
        for n in range(4):
            channel.put(n)
            put.append(n)

    thread = started(work)
    until(lambda: put == [0, 1])
    time.sleep(0.02)
    assert put == [0, 1]
    assert channel.take() == 0
    until(lambda: put == [0, 1, 2])
    assert channel.take() == 1
    finish(thread)
    assert [channel.take(), channel.take()] == [2, 3]


def test_taking_waits_for_a_value():
    channel = Channel(1)
    taken = []
    thread = started(lambda: taken.append(channel.take()))
    time.sleep(0.02)
    assert taken == []
    channel.put("late")
    finish(thread)
    assert taken == ["late"]


def test_what_waits_in_a_closed_channel_can_still_be_taken():
    channel = Channel(2)
    channel.put("a")
    channel.put("b")
    channel.close()
    assert channel.is_closed
    assert [channel.take() for _ in range(4)] == ["a", "b", None, None]


def test_a_closed_channel_takes_no_more_values():
    channel = Channel(2)
    channel.close()
    assert channel.put("late") is False
    assert channel.take() is None


def test_closing_may_drop_what_waits():
    channel = Channel(2)
    channel.put("unwanted")
    channel.close(drop=True)
    assert channel.take() is None


def test_closing_wakes_who_waits_for_a_value():
    channel = Channel(1)
    taken = []
    thread = started(lambda: taken.append(channel.take()))
    time.sleep(0.01)
    channel.close()
    finish(thread)
    assert taken == [None]


def test_closing_wakes_who_waits_for_room_and_its_value_is_not_taken():
    channel = Channel(1)
    channel.put("first")
    answers = []
    thread = started(lambda: answers.append(channel.put("second")))
    time.sleep(0.01)
    channel.close()
    finish(thread)
    assert answers == [False]
    assert [channel.take(), channel.take()] == ["first", None]


@pytest.mark.parametrize("count", [1, 2, 50])
@pytest.mark.parametrize("length", [0, 1, 7])
def test_the_same_values_come_in_the_same_order(count, length):
    assert list(ahead(range(length), count=count)) == list(range(length))
    assert makers() == []


@pytest.mark.parametrize("value", [0, "", False, []])
def test_values_that_count_as_false_come_too(value):
    assert list(ahead([value, 1, value], count=2)) == [value, 1, value]


def test_values_are_made_in_one_other_thread():
    threads = set()

    def values():
        for n in range(5):
            threads.add(threading.current_thread())
            yield n

    assert list(ahead(values(), count=1)) == list(range(5))
    assert len(threads) == 1
    assert threading.current_thread() not in threads


@pytest.mark.parametrize("count", [1, 3])
def test_only_so_many_values_are_made_ahead(count):
    made = []

    def values():
        for n in range(20):
            made.append(n)
            yield n

    taking = ahead(values(), count=count)
    assert made == []
    assert next(taking) == 0
    # One was handed over, `count` wait, and one more is in the maker's hands.
    until(lambda: len(made) == count + 2)
    time.sleep(0.02)
    assert len(made) == count + 2
    taking.close()


@pytest.mark.parametrize("problem", [ValueError("broken"), KeyboardInterrupt(), SystemExit(3)])
def test_what_goes_wrong_is_raised_after_the_values_before_it(problem):
    def values():
        yield 1
        yield 2
        raise problem

    taken = []
    with pytest.raises(type(problem)) as caught:
        taken.extend(ahead(values(), count=5))
    assert caught.value is problem
    assert makers() == []


def test_values_before_a_problem_are_not_lost():
    def values():
        yield from range(3)
        raise ValueError("broken")

    taking = ahead(values(), count=5)
    assert [next(taking) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="broken"):
        next(taking)


def test_who_stops_early_stops_the_maker_too():
    made = []

    def values():
        for n in range(10**9):
            made.append(n)
            yield n

    for value in ahead(values(), count=2):
        if value == 3:
            break
    until(lambda: makers() == [])
    assert len(made) <= 3 + 2 + 3


def test_a_problem_of_the_taker_stops_the_maker():
    taking = ahead(iter(range(10**9)), count=1)
    next(taking)
    with pytest.raises(KeyError):
        taking.throw(KeyError("of the taker"))
    assert makers() == []


def test_nothing_starts_before_the_first_value_is_asked_for():
    taking = ahead(range(3), count=1)
    assert makers() == []
    taking.close()
    assert list(taking) == []


def test_two_makers_do_not_disturb_each_other():
    pairs = zip(ahead(range(50), count=1), ahead(range(50, 100), count=4), strict=True)
    assert list(pairs) == list(zip(range(50), range(50, 100), strict=True))


def test_makers_can_be_chained():
    def doubled(values):
        for value in values:
            yield 2 * value

    assert list(ahead(doubled(ahead(range(9), count=1)), count=2)) == [2 * n for n in range(9)]
    until(lambda: makers() == [])
