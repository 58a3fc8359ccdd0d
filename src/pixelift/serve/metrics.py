"""What the service tells Prometheus about itself."""

from collections.abc import Callable, Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from pixelift.serve.pool import Ticket

MEDIA_TYPE = CONTENT_TYPE_LATEST

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)

Gauges = Callable[[], dict[str, tuple[str, float]]]
"""Tells what is measured when it is asked for: name to explanation and value."""


PLAIN_SCALES = (2, 3, 4)
"""Scales that are told apart: those that there are networks for."""


class Metrics:
    """Counters, histograms and gauges of one service."""

    def __init__(self, gauges: Gauges) -> None:
        """Start at zero.

        Args:
            gauges: What is looked up at each question.
        """
        # A series for the birth of every other one: nobody asks for them.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # its authors forgot
        self._registry = CollectorRegistry()
        self._registry.register(_Gauges(gauges))
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "pixelift_http_requests",
            "Requests that were answered.",
            ["endpoint", "status"],
            registry=self._registry,
        )
        self._latency = Histogram(
            "pixelift_http_request_seconds",
            "Time from the first byte of a request to the last of its answer.",
            ["endpoint"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._jobs = Counter(
            "pixelift_jobs",
            "Pictures that came to an end, by what became of them.",
            ["outcome"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "pixelift_job_seconds",
            "Time that a worker spent on a picture that was done.",
            ["model", "scale"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._pixels = Counter(
            "pixelift_result_pixels",
            "Pixels of all results.",
            registry=self._registry,
        )

    def answered(self, endpoint: str, *, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            endpoint: Name of what answered; never anything that a client chose.
            status: Status of the answer.
            seconds: How long it took.
        """
        self._requests.labels(endpoint, str(status)).inc()
        self._latency.labels(endpoint).observe(seconds)

    def finished(self, ticket: Ticket) -> None:
        """Count a picture.

        Args:
            ticket: A ticket that is finished.
        """
        self._jobs.labels(ticket.problem.kind if ticket.problem else "done").inc()
        if ticket.done is not None:
            order = ticket.order
            # Any factor may be asked for, and each label that is new stays in memory.
            scale = str(order.scale) if order.scale in PLAIN_SCALES else "other"
            self._seconds.labels(order.model, scale).observe(ticket.seconds)
            self._pixels.inc(ticket.done.out_width * ticket.done.out_height)

    def page(self) -> bytes:
        """Write all of it in the format of Prometheus."""
        return generate_latest(self._registry)


class _Gauges(Collector):
    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        for name, (explanation, value) in self._gauges().items():
            yield GaugeMetricFamily(name, explanation, value=value)
