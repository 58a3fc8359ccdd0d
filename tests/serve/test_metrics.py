import asyncio

from prometheus_client.parser import text_string_to_metric_families

from pixelift.serve.frames import Done, Order
from pixelift.serve.metrics import MEDIA_TYPE, Metrics
from pixelift.serve.pool import Ticket
from pixelift.serve.problems import Problem

DONE = Done(format="png", width=3, height=2, out_width=6, out_height=4, resident_bytes=0)


def samples(metrics):
    families = text_string_to_metric_families(metrics.page().decode())
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def ticket(**changes):
    async def make():
        return Ticket(Order(model="balanced", scale=2, max_pixels=1), None)

    made = asyncio.run(make())
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def test_requests_and_pictures_are_counted():
    metrics = Metrics(dict)
    metrics.answered("health", status=200, seconds=0.2)
    metrics.answered("health", status=200, seconds=0.2)
    metrics.finished(ticket(done=DONE, seconds=0.3))
    metrics.finished(ticket(problem=Problem("too-long", "It took too long.")))
    found = samples(metrics)
    assert found["pixelift_http_requests_total", "health", "200"] == 2
    assert found["pixelift_http_request_seconds_bucket", "health", "0.25"] == 2
    assert found["pixelift_http_request_seconds_bucket", "health", "0.1"] == 0
    assert found["pixelift_jobs_total", "done"] == found["pixelift_jobs_total", "too-long"] == 1
    assert found["pixelift_job_seconds_count", "balanced", "2"] == 1
    assert found[("pixelift_result_pixels_total",)] == 24


def test_gauges_are_looked_up_when_they_are_asked_for():
    values = {"pixelift_things": ("How many there are.", 1.0)}
    metrics = Metrics(lambda: values)
    assert samples(metrics)[("pixelift_things",)] == 1
    values["pixelift_things"] = ("How many there are.", 5.0)
    assert samples(metrics)[("pixelift_things",)] == 5


def test_services_do_not_share_their_counters():
    one, other = Metrics(dict), Metrics(dict)
    one.answered("health", status=200, seconds=0.1)
    assert ("pixelift_http_requests_total", "health", "200") not in samples(other)
    assert MEDIA_TYPE.startswith("text/plain")
