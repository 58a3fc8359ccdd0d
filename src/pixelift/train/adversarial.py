"""Fine-tuning against a critic: crisper pictures, which are judged by eye and not by PSNR."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from pixelift.data.pairs import Batch, PairDataset, batches
from pixelift.errors import TrainingError, TrainingStopped
from pixelift.metrics.haarpsi import haarpsi
from pixelift.models.discriminator import Discriminator
from pixelift.patches.dataset import PreparedSet
from pixelift.train.begin import Training, begin
from pixelift.train.checkpoint import BEST, load_checkpoint, save_weights
from pixelift.train.config import AdversarialSettings, Recipe
from pixelift.train.device import choose_workers, find_device
from pixelift.train.ema import update_ema
from pixelift.train.feed import training_pairs, validation_pairs
from pixelift.train.keep import save_state
from pixelift.train.logbook import Logbook
from pixelift.train.loss import restoration_loss
from pixelift.train.ranks import joined
from pixelift.train.step import rate_of
from pixelift.train.validate import Pairs, measure
from pixelift.train.watch import State, Watcher

LOG_EVERY = 100
"""Steps whose mean losses make one line of the log."""

MOST_SKIPPED = 10
"""Steps in a row without a finite loss after which the training gives up."""

CRITIC_GRID = 8
"""HR crops are cut to a multiple of it: the critic halves them three times."""


@dataclass
class _Critic:
    network: nn.Module
    optimizer: torch.optim.Optimizer
    settings: AdversarialSettings
    skipped: int = 0
    """Steps in a row that were left out because a loss was no number."""

    def state(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "skipped": self.skipped,
        }

    def restore(self, saved: dict[str, Any], run: Path) -> None:
        try:
            self.network.load_state_dict(saved["network"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.skipped = int(saved["skipped"])
        except (KeyError, RuntimeError, ValueError, TypeError) as error:
            raise TrainingError(
                f"the checkpoint in {run} holds no critic that fits its recipe. Start a new run "
                f"from its weights with --set run.start_from={run}"
            ) from error


def finetune(
    recipe: Recipe,
    prepared: PreparedSet,
    run: Path,
    *,
    resume: bool = False,
    watch: Watcher | None = None,
    device: str = "auto",
) -> float:
    """Train a network against a critic; whatever ends it, it resumes exactly from its checkpoint.

    The weights that are kept are the mean of the last validation: PSNR falls while pictures become
    crisper, and does not decide. HaarPSI is logged beside it.

    Args:
        recipe: All settings; `adversarial.weight` is above 0.
        prepared: The training set.
        run: Run folder; new, or with `resume` the one to go on with.
        resume: Go on from the checkpoint in `run`.
        watch: Told how it goes, and asked whether to stop.
        device: "cpu", "cuda", or "auto" for a GPU where there is one.

    Returns:
        PSNR-Y of the last validation, in dB.

    Raises:
        WrongRunError: The run folder is in use, of another recipe, or cannot be written.
        WrongDatasetError: The set does not fit the recipe.
        TrainingError: The losses stay without a number, or the checkpoint is damaged.
        TrainingStopped: The watcher wanted it; the checkpoint is that of the last step.

    Paper: C. Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative
        Adversarial Network", CVPR 2017 (the verdict beside a loss on content); T.-C. Wang et al.,
        "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", CVPR
        2018, equation 4 (feature matching on the critic's own features: no downloaded network).
    """
    torch.manual_seed(recipe.run.seed)
    pairs, dataset = validation_pairs(recipe, prepared), training_pairs(recipe, prepared)
    where, watch = find_device(device), watch or Watcher()
    with joined(where) as ranks:
        if ranks.count > 1:
            raise TrainingError("a critic is trained by one process. Start it without torchrun")
        training = begin(
            recipe, prepared, run, device=where, ranks=ranks, watch=watch, resume=resume
        )
        critic = _make_critic(recipe, where)
        if resume:
            critic.restore(load_checkpoint(run).critic, run)
        return _loop(recipe, run, training, critic, dataset, pairs=pairs, watch=watch)


def _make_critic(recipe: Recipe, device: torch.device) -> _Critic:
    settings = recipe.adversarial
    network = Discriminator(channels=recipe.model.channels, width=settings.width).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, betas=(0.9, 0.99))
    return _Critic(network, optimizer, settings)


def _loop(
    recipe: Recipe,
    run: Path,
    training: Training,
    critic: _Critic,
    dataset: PairDataset,
    *,
    pairs: Pairs,
    watch: Watcher,
) -> float:
    steps, every = recipe.optim.steps, recipe.run.validate_every
    book = Logbook(run, from_step=training.step, tell=watch.tell)
    feed = batches(
        dataset,
        first=training.step,
        last=steps,
        workers=choose_workers(recipe.data.workers, training.device),
    )
    losses: list[dict[str, float]] = []
    psnr_y = training.best
    looked = time.perf_counter()
    try:
        for _, batch in feed:
            losses.append(_step(recipe, training, critic, batch, run))
            training.step += 1
            watch.stepped(training.step)
            ends = training.step == steps
            validates = ends or training.step % every == 0
            if validates or training.step % LOG_EVERY == 0:
                line, count = _means(losses), len(losses)
                losses.clear()
                took = time.perf_counter() - looked
                training.seconds += took
                rate = count / took
                line |= {"steps_per_second": rate, "seconds": training.seconds}
                if validates:
                    line |= _validate(recipe, training, pairs, run)
                    psnr_y = line["psnr_y"]
                book.add(training.step, **line)
                left = (steps - training.step) / rate
                state = State(
                    training.step, steps, rate, left, line["loss"], line.get("psnr_y"), psnr_y
                )
                watch.report(state)
                # Only now, so that the rate is that of the training alone.
                looked = time.perf_counter()
            stops = watch.wants_stop() and not ends
            if validates or stops:
                save_state(recipe, training, run, critic=critic.state())
            if stops:
                raise TrainingStopped(f"stopped after step {training.step} of {steps}")
    finally:
        book.close()
    return psnr_y


def _step(
    recipe: Recipe, training: Training, critic: _Critic, batch: Batch, run: Path
) -> dict[str, float]:
    """Move the network and then the critic; neither moves where a loss is no number."""
    lr, hr = (crops.to(training.device).float() / 255 for crops in (batch.lr, batch.hr))
    sides = [n - n % CRITIC_GRID for n in hr.shape[2:]]
    cut = (..., slice(0, sides[0]), slice(0, sides[1]))
    with torch.autocast(training.device.type, torch.bfloat16, enabled=training.is_bf16):
        sr = training.forward(lr)
    sr = sr.float()
    optim = recipe.optim
    pixels = restoration_loss(sr, hr, kind=optim.loss, frequency=optim.frequency, luma=optim.luma)
    with _frozen(critic.network):
        verdict, seen = critic.network(sr[cut])
        with torch.no_grad():
            _, wanted = critic.network(hr[cut])
    fooling = F.softplus(-verdict).mean()
    matching = torch.stack([F.l1_loss(a, b) for a, b in zip(seen, wanted, strict=True)]).mean()
    counts = 1.0 if training.step >= critic.settings.warmup else 0.0
    weight, match = critic.settings.weight * counts, critic.settings.matching * counts
    loss = pixels + weight * fooling + match * matching
    real, _ = critic.network(hr[cut])
    fake, _ = critic.network(sr.detach()[cut])
    critic_loss = F.softplus(-real).mean() + F.softplus(fake).mean()
    if not bool(torch.isfinite(loss) & torch.isfinite(critic_loss)):
        _skip(critic, training, run)
        return {}
    critic.skipped = 0
    for group in training.optimizer.param_groups:
        group["lr"] = rate_of(recipe.optim, training.step)
    _move(training.network, training.optimizer, loss)
    _move(critic.network, critic.optimizer, critic_loss)
    update_ema(training.mean, training.network, keep=recipe.optim.ema, step=training.step)
    named = {"loss": loss, "pixels": pixels, "fooling": fooling, "critic": critic_loss}
    return {name: float(value.detach()) for name, value in named.items()}


def _move(network: nn.Module, optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(network.parameters(), 10.0)
    if bool(torch.isfinite(norm)):
        optimizer.step()


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Let gradients pass through a network without its weights collecting any."""
    for parameter in network.parameters():
        parameter.requires_grad = False
    try:
        yield
    finally:
        for parameter in network.parameters():
            parameter.requires_grad = True


def _skip(critic: _Critic, training: Training, run: Path) -> None:
    critic.skipped += 1
    if critic.skipped >= MOST_SKIPPED:
        raise TrainingError(
            f"the losses were no numbers for {MOST_SKIPPED} steps in a row, up to step "
            f"{training.step + 1}. The last checkpoint in {run} is intact; lower the rates, for "
            "instance --set adversarial.learning_rate=5e-5 --set optim.learning_rate=5e-5"
        )


def _means(losses: list[dict[str, float]]) -> dict[str, float]:
    kept = [line for line in losses if line]
    if not kept:
        return {"loss": math.inf}
    return {name: sum(line[name] for line in kept) / len(kept) for name in kept[0]}


@torch.no_grad()
def _validate(recipe: Recipe, training: Training, pairs: Pairs, run: Path) -> dict[str, float]:
    scale = recipe.model.scale
    shave = scale * int(training.mean.radius)  # type: ignore[arg-type]
    psnr_y = measure(training.mean, pairs, shave=shave)
    # What the weights that are kept have, and not the highest on the way.
    training.best = psnr_y
    save_weights(training.mean, run / BEST)
    values = []
    for lr, hr in pairs:
        sr = training.mean(lr.to(training.device)).float().cpu()[0].permute(1, 2, 0).numpy()
        values.append(haarpsi(np.clip(sr, 0, 1), hr, shave=scale))
    return {"psnr_y": psnr_y, "haarpsi": float(np.mean(values))}
