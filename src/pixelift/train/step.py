"""One training step."""

from functools import partial

import torch

from pixelift.data.pairs import Batch
from pixelift.train.begin import Training
from pixelift.train.config import OptimSettings, Recipe
from pixelift.train.ema import update_ema
from pixelift.train.loss import restoration_loss
from pixelift.train.ranks import Ranks
from pixelift.train.schedule import learning_rate


def train_step(
    recipe: Recipe, training: Training, batch: Batch, *, ranks: Ranks, wishes: tuple[bool, ...] = ()
) -> tuple[bool, ...]:
    """Move the weights once.

    Args:
        recipe: All settings.
        training: Changed in place; the loss of the whole batch joins its losses.
        batch: This process's share of the batch.
        ranks: Which process this is.
        wishes: What this process wants done after the step.

    Returns:
        For each wish, whether any process has it.
    """
    lr, hr = (_to_float(crops, training.device) for crops in (batch.lr, batch.hr))
    with torch.autocast(training.device.type, torch.bfloat16, enabled=training.is_bf16):
        sr = training.forward(lr)
    loss = _loss(recipe, training, sr, lr, hr)
    for group in training.optimizer.param_groups:
        group["lr"] = rate_of(recipe.optim, training.step)
    training.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    whole, agreed = ranks.average(training.network.parameters(), loss.detach(), *wishes)
    training.optimizer.step()
    update_ema(training.mean, training.network, keep=recipe.optim.ema, step=training.step)
    training.losses.append(whole)
    training.step += 1
    return agreed


def rate_of(optim: OptimSettings, step: int) -> float:
    """Look up the learning rate of a step.

    Args:
        optim: The settings.
        step: The step, from 0.

    Returns:
        The rate.
    """
    return learning_rate(
        step,
        steps=optim.steps,
        peak=optim.learning_rate,
        final=optim.final_rate,
        warmup=optim.warmup,
        falls=optim.schedule == "cosine",
    )


def _to_float(crops: torch.Tensor, device: torch.device) -> torch.Tensor:
    # First over, then to float: bytes are a quarter of the way's load.
    moved = crops.to(device, non_blocking=True)
    return moved.to(torch.float32, memory_format=torch.channels_last) / 255


def _loss(
    recipe: Recipe, training: Training, sr: torch.Tensor, lr: torch.Tensor, hr: torch.Tensor
) -> torch.Tensor:
    optim, teacher = recipe.optim, training.teacher
    share = recipe.distill.weight if teacher else 0.0
    measure = partial(restoration_loss, kind=optim.loss, frequency=optim.frequency, luma=optim.luma)
    loss = torch.zeros((), device=sr.device)
    if share < 1:
        loss = loss + (1 - share) * measure(sr, hr)
    if teacher and share > 0:
        bf16 = torch.autocast(sr.device.type, torch.bfloat16, enabled=training.is_bf16)
        with torch.no_grad(), bf16:
            shown = teacher(lr).float()
        loss = loss + share * measure(sr, shown)
    return loss
