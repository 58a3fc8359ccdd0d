"""Several processes that train one network together, as `torchrun` starts them."""

import importlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn

from pixelift.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Ranks:
    """Which of how many processes this one is; all take the same steps with the same weights."""

    rank: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process validates and writes; the others only compute."""
        return self.rank == 0

    def check(self, batch: int) -> None:
        """Refuse a batch that cannot be shared out evenly.

        Args:
            batch: Crops in a step, of all processes together.

        Raises:
            ConfigError: It is no multiple of the processes.
        """
        if batch % self.count:
            raise ConfigError(
                f"data.batch is {batch}, which {self.count} processes cannot share evenly. "
                f"Give a multiple of {self.count}, as --set data.batch="
                f"{batch // self.count * self.count + self.count}"
            )

    def align(self, network: nn.Module) -> None:
        """Give every process the weights and statistics of the first.

        Args:
            network: The network; changed in place.
        """
        if self.count > 1:
            for tensor in network.state_dict().values():
                dist.broadcast(tensor, src=0)

    def average(
        self, parameters: Iterable[nn.Parameter], loss: torch.Tensor, *wishes: bool
    ) -> tuple[torch.Tensor, tuple[bool, ...]]:
        """Make of the gradients of shares of a batch those of the whole batch, in one exchange.

        Args:
            parameters: Whose gradients are averaged in place.
            loss: The loss of this process's share.
            *wishes: What this process wants done after the step.

        Returns:
            The loss of the whole batch, and for each wish whether any process has it.
        """
        if self.count == 1:
            return loss, wishes
        gradients = [p.grad for p in parameters if p.grad is not None]
        extra = torch.tensor([*map(float, wishes)], device=loss.device)
        parts = [*(g.reshape(-1) for g in gradients), loss.reshape(1), extra]
        flat = torch.cat(parts)
        dist.all_reduce(flat)
        *averaged, whole, agreed = flat.split([part.numel() for part in parts])
        for gradient, mean in zip(gradients, averaged, strict=True):
            gradient.copy_(mean.view_as(gradient) / self.count)
        return whole[0] / self.count, tuple(wish > 0 for wish in agreed.tolist())

    def share(self, number: float, device: torch.device) -> float:
        """Tell every process a number that only the first knows.

        Args:
            number: The number; that of the others does not matter.
            device: What is computed on.

        Returns:
            The number of the first process.
        """
        if self.count == 1:
            return number
        held = torch.tensor([number], dtype=torch.float64, device=device)
        dist.broadcast(held, src=0)
        return float(held[0])


@contextmanager
def joined(device: torch.device) -> Iterator[Ranks]:
    """Meet the other processes, where `torchrun` started some.

    Args:
        device: What this process computes on; two GPUs meet by NCCL, two processors by gloo.

    Yields:
        Which process this is; the only one where nobody else was started.
    """
    if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield Ranks()
        return
    # torch imports this with its first optimizer. By then its functions would take the group as a
    # default value and keep it, with threads that still run when the process ends: at times it
    # ended with an abort so.
    importlib.import_module("torch.distributed.nn.functional")
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
