"""Fixtures of the service's tests."""

import pytest

from pixelift.serve.limits import Limits
from pixelift.serve.service import Settings
from tests.serving import running

LIMITS = Limits(upload_bytes=2_000_000, result_pixels=4_000_000, queue_length=8)


@pytest.fixture(scope="session")
def service_url():
    """Hand out the address of one service with real workers, for all tests that change nothing."""
    with running(Settings(limits=LIMITS, workers=1, threads=1)) as (url, _):
        yield url
