import pytest

from pixelift.train.schedule import learning_rate

OPTIONS = {"steps": 101, "peak": 1.0, "final": 0.1, "warmup": 10}


@pytest.mark.parametrize(
    ("step", "rate"), [(0, 0.1), (9, 1.0), (10, 1.0), (55, 0.55), (100, 0.1), (500, 0.1)]
)
def test_the_rate_rises_then_falls_along_a_cosine(step, rate):
    assert learning_rate(step, **OPTIONS) == pytest.approx(rate)


def test_there_may_be_no_warmup():
    assert learning_rate(0, **(OPTIONS | {"warmup": 0})) == pytest.approx(1.0)


def test_a_constant_rate_rises_and_stays():
    rates = [
        learning_rate(n, steps=50, peak=2.0, final=0.0, warmup=10, falls=False) for n in range(50)
    ]
    assert rates[:2] == [0.2, 0.4]
    assert set(rates[9:]) == {2.0}
