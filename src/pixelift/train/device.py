"""What a training computes on, and in which numbers."""

import os

import torch

from pixelift.errors import ConfigError, EngineUnavailableError
from pixelift.machine import usable_cores

DEVICES = ("auto", "cpu", "cuda")

MAX_WORKERS = 12
"""Processes that cut crops beside a GPU, at most."""


def find_device(name: str) -> torch.device:
    """Choose what to compute on.

    Args:
        name: "cpu", "cuda", or "auto" for a GPU where there is one.

    Returns:
        The device; under torchrun each process on a machine gets a GPU of its own.

    Raises:
        ConfigError: Another name.
        EngineUnavailableError: There is no GPU that torch can use.
    """
    if name not in DEVICES:
        raise ConfigError(f'no device "{name}"; allowed are {", ".join(DEVICES)}.')
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise EngineUnavailableError(
            "torch finds no GPU here. Install a torch with CUDA and its driver, or say --device cpu"
        )
    if name == "cpu" or not has_gpu:
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    _tune(device)
    return device


def _tune(device: torch.device) -> None:
    torch.cuda.set_device(device)
    # All crops have one size, so that the search for the quickest kernels pays; what float32 is
    # left beside bf16 (the kernels being collapsed) need not be slow.
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")


def computes_in_bf16(device: torch.device) -> bool:
    """Tell whether a device is quicker in bf16 than in float32.

    Args:
        device: The device.

    Returns:
        Whether it has instructions for it; a processor without would emulate them slowly.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # torch offers no public name
    return any(getattr(torch.cpu, probe, bool)() for probe in probes)


def choose_workers(wanted: int | str, device: torch.device, *, processes: int = 1) -> int:
    """Choose how many processes cut crops ahead of time.

    On the processor there are none: every core is busy training, and cutting in the same process
    costs least (docs/measurements.md). A GPU would wait for one process.

    Args:
        wanted: The number, or "auto".
        device: What computes.
        processes: Processes of this training on this machine.

    Returns:
        The number for each of them.
    """
    if isinstance(wanted, int):
        return wanted
    if device.type == "cpu":
        return 0
    return max(1, min(MAX_WORKERS, usable_cores() // processes - 1))
