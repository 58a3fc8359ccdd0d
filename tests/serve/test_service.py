import asyncio
import json
import sys

import pytest

from pixelift.errors import ConfigError
from pixelift.serve import service as service_module
from pixelift.serve.limits import Limits
from pixelift.serve.service import WORKERS, Service, Settings, default_workers, worker_command


def test_each_worker_has_all_cores_unless_told(monkeypatch):
    monkeypatch.setattr(service_module, "usable_cores", lambda: 8)
    command = worker_command(Settings(engine="onnxruntime"))
    assert command[0] == sys.executable
    told = json.loads(command[-1])
    assert (told["threads"], told["engine"]) == (8, "onnxruntime")
    assert told["memory_bytes"] == Limits().worker_bytes
    assert json.loads(worker_command(Settings(threads=5))[-1])["threads"] == 5


def test_there_are_no_more_workers_than_memory_allows(monkeypatch):
    monkeypatch.setattr(service_module, "usable_cores", lambda: 8)
    monkeypatch.setattr(service_module, "total_memory", lambda: 2**36)
    assert default_workers(Limits(result_pixels=10**12)) == 1
    assert default_workers(Limits(result_pixels=10**6)) == WORKERS
    monkeypatch.setattr(service_module, "total_memory", lambda: 2**30)
    assert default_workers(Limits(result_pixels=10**6)) == 1
    monkeypatch.setattr(service_module, "total_memory", lambda: None)
    assert default_workers(Limits(result_pixels=10**6)) == WORKERS
    monkeypatch.setattr(service_module, "usable_cores", lambda: 1)
    assert default_workers(Limits(result_pixels=10**6)) == 1


@pytest.mark.parametrize("workers", [-1, 100_000])
def test_a_number_of_workers_that_makes_no_sense_is_refused(workers):
    with pytest.raises(ConfigError, match=f"workers is {workers}"):
        Service(Settings(workers=workers))


def test_it_offers_the_packaged_models():
    service = Service(Settings())
    assert service.offers["balanced"] == [2, 3, 4]
    assert service.pool.size == default_workers(service.limits)


def test_a_worker_that_cannot_start_ends_it_with_one_line():
    service = Service(Settings(workers=1, precision="f64"))
    with pytest.raises(ConfigError, match='no precision "f64"'):
        asyncio.run(service.start())
