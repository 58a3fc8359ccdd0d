"""Damaged pictures against a running service: a small part of benchmarks/fuzzing.py."""

from collections import Counter

import httpx

from benchmarks.damage import damaged_pictures, whole_pictures
from tests.patience import PATIENCE


def test_damaged_pictures_are_done_or_refused_and_leave_nothing_behind(service_url):
    with httpx.Client(base_url=service_url, timeout=PATIENCE) as client:

        def send(data):
            answer = client.post("/v1/upscale", files={"file": data}, data={"scale": "2"})
            assert answer.status_code == 200 or answer.json()["status"] == answer.status_code
            return answer.status_code

        assert {send(data) for data in whole_pictures()} == {200}
        statuses = Counter(send(data) for data in damaged_pictures(250, seed=99))
        numbers = client.get("/metrics").text
    assert set(statuses) <= {200, 413, 415, 422}
    assert min(statuses[status] for status in (200, 415, 422)) > 0
    for name in ("queue_bytes", "queue_pictures", "workers_busy"):
        assert f"pixelift_{name} 0.0" in numbers
