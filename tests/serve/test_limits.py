import pytest

from pixelift.errors import ConfigError
from pixelift.serve.limits import ByteBudget, Limits
from pixelift.serve.problems import Problem


def test_the_input_may_have_as_many_pixels_as_make_the_largest_result():
    limits = Limits(result_pixels=1600)
    assert limits.input_pixels(4) == 100
    assert limits.input_pixels(2) == 400


@pytest.mark.parametrize("name", ["upload_bytes", "result_pixels", "queue_length", "job_seconds"])
def test_a_limit_of_nothing_is_refused(name):
    with pytest.raises(ConfigError, match=name.replace("_", " ")):
        Limits(**{name: 0})


def test_a_larger_result_allows_a_worker_more_memory():
    assert Limits(result_pixels=10**8).worker_bytes > Limits(result_pixels=10**6).worker_bytes


def test_what_does_not_fit_the_budget_is_told_to_come_again():
    budget = ByteBudget(100)
    first = budget.take(60)
    with pytest.raises(Problem, match="60 bytes are waiting") as caught:
        budget.take(41)
    assert caught.value.status == 429
    assert caught.value.headers == {"retry-after": "1"}
    first.give_back()
    assert budget.take(100) is not None


def test_a_share_that_is_given_back_twice_counts_once():
    budget = ByteBudget(100)
    budget.take(30)
    share = budget.take(60)
    share.give_back()
    share.give_back()
    assert budget.taken == 30
