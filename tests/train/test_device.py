import pytest
import torch

from pixelift.errors import ConfigError, EngineUnavailableError
from pixelift.train import device as device_module
from pixelift.train.device import MAX_WORKERS, choose_workers, computes_in_bf16, find_device

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


def test_the_processor_is_chosen_where_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert find_device("auto") == find_device("cpu") == CPU
    with pytest.raises(EngineUnavailableError, match="say --device cpu"):
        find_device("cuda")
    with pytest.raises(ConfigError, match="allowed are auto, cpu, cuda"):
        find_device("gpu")


def test_each_process_of_a_machine_gets_a_gpu_of_its_own(monkeypatch):
    chosen = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(device_module, "_tune", chosen.append)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert find_device("auto") == torch.device("cuda", 3)
    assert chosen == [torch.device("cuda", 3)]
    assert find_device("cpu") == CPU


def test_bf16_is_used_where_there_are_instructions_for_it(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    assert not computes_in_bf16(CPU)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True, raising=False)
    assert computes_in_bf16(CPU)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 5))
    assert not computes_in_bf16(GPU)


def test_crops_are_cut_beside_a_gpu_and_not_beside_a_processor(monkeypatch):
    monkeypatch.setattr(device_module, "usable_cores", lambda: 16)
    assert choose_workers("auto", CPU) == 0
    assert choose_workers("auto", GPU) == MAX_WORKERS
    assert choose_workers("auto", GPU, processes=4) == 3
    assert choose_workers(2, CPU) == choose_workers(2, GPU) == 2
    monkeypatch.setattr(device_module, "usable_cores", lambda: 1)
    assert choose_workers("auto", GPU) == 1
