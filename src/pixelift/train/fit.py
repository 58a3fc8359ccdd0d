"""The training loop: from a recipe and a prepared set to a run folder."""

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from pixelift.data.degraded import Degrader
from pixelift.data.pairs import Batch, PairDataset, batches
from pixelift.data.sample import CropSampler
from pixelift.degrade.draw import PRESETS, resolve
from pixelift.errors import TrainingError, WrongDatasetError, WrongRunError
from pixelift.models.spec import build_model
from pixelift.patches.dataset import PreparedSet
from pixelift.train.checkpoint import (
    BEST,
    CHECKPOINT,
    Checkpoint,
    describe_origin,
    load_checkpoint,
    load_weights,
    read_run,
    recipe_text,
    save_checkpoint,
    save_weights,
    write_notes,
)
from pixelift.train.config import OptimSettings, Recipe
from pixelift.train.ema import update_ema
from pixelift.train.logbook import Logbook
from pixelift.train.schedule import learning_rate
from pixelift.train.validate import (
    PLANS,
    Pairs,
    measure,
    validation_crops,
    validation_plans,
    write_plans,
)

LOG_EVERY = 100
"""Steps whose mean loss makes one line of the log."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a training is, for whoever shows it."""

    step: int
    steps: int
    rate: float
    """Steps a second since the last report."""
    loss: float
    psnr_y: float | None
    best: float


Report = Callable[[State], None]


@dataclass
class _Training:
    network: nn.Module
    mean: nn.Module
    optimizer: torch.optim.Optimizer
    step: int = 0
    best: float = -math.inf
    seconds: float = 0.0


def fit(
    recipe: Recipe,
    prepared: PreparedSet,
    run: Path,
    *,
    resume: bool = False,
    report: Report | None = None,
    also: Mapping[str, Pairs] | None = None,
) -> float:
    """Train a network; every validation leaves a checkpoint from which it resumes exactly.

    Args:
        recipe: All settings.
        prepared: The training set.
        run: Run folder; new, or with `resume` the one to go on with.
        resume: Go on from the checkpoint in `run`.
        report: Told at each line of the log.
        also: Further pairs by name, measured and logged at each validation as psnr_y_NAME with a
            border of the scale, as papers do; they never decide which weights are kept.

    Returns:
        Best PSNR-Y on the validation crops, in dB.

    Raises:
        WrongRunError: The run folder is in use, of another recipe, or cannot be written.
        WrongDatasetError: The set does not fit the recipe.
        TrainingError: The loss is not finite, or the checkpoint is damaged.
    """
    torch.manual_seed(recipe.run.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    scale = recipe.model.scale
    sampler = CropSampler(
        prepared,
        scale=scale,
        hr_patch=recipe.data.lr_patch * scale,
        rule=recipe.data.sampling,
        seed=recipe.run.seed,
    )
    degradation = resolve(recipe.data.degrade)
    side = recipe.run.valid_crop
    pairs = validation_crops(prepared, scale=scale, side=side, degradation=degradation)
    if not pairs:
        raise WrongDatasetError(
            f"{prepared.folder} holds no validation photos. Prepare it again with --valid FOLDER."
        )
    further = dict(also or {})
    if degradation != PRESETS["clean"]:
        # What the network pays for it on pictures that nothing happened to.
        further["clean"] = validation_crops(prepared, scale=scale, side=side)
    state = _begin(recipe, prepared, run, device, resume=resume)
    if degradation != PRESETS["clean"]:
        plans = validation_plans(prepared, scale=scale, degradation=degradation)
        write_plans(run / PLANS, plans)
    forward = torch.compile(state.network) if recipe.run.compile else state.network
    book = Logbook(run, from_step=state.step)
    degrader = Degrader(degradation, recipe.data.clean_share, scale, recipe.run.seed)
    dataset = PairDataset(
        prepared, sampler, scale=scale, batch=recipe.data.batch, degrader=degrader
    )
    steps, every = recipe.optim.steps, recipe.run.validate_every
    losses: list[torch.Tensor] = []
    clock = time.perf_counter()
    try:
        for step, batch in batches(
            dataset, first=state.step, last=steps, workers=recipe.data.workers
        ):
            losses.append(_train_step(recipe, state, forward, batch, step, device))
            state.step = step + 1
            shown: dict[str, float] = {}
            validates = state.step % every == 0 or state.step == steps
            if state.step % LOG_EVERY == 0 or validates:
                now = time.perf_counter()
                shown["steps_per_second"] = len(losses) / (now - clock)
                state.seconds, clock = state.seconds + now - clock, now
                shown["seconds"] = state.seconds
                shown["loss"] = _mean_loss(losses, state.step)
            if validates:
                shown["psnr_y"] = _validate(recipe, state, pairs, run)
                for name, found in further.items():
                    shown[f"psnr_y_{name}"] = measure(state.mean, found, shave=scale)
            if shown:
                book.add(state.step, **shown)
            if validates:
                book.draw()
                clock = time.perf_counter()  # so that the rate is that of the training alone
            if shown and report:
                rate, psnr_y = shown["steps_per_second"], shown.get("psnr_y")
                report(State(state.step, steps, rate, shown["loss"], psnr_y, state.best))
    finally:
        book.close()
    return state.best


def _begin(
    recipe: Recipe, prepared: PreparedSet, run: Path, device: torch.device, *, resume: bool
) -> _Training:
    start_from = Path(recipe.run.start_from) if recipe.run.start_from else None
    _check_channels(recipe, prepared)
    network = build_model(recipe.model.architecture, scale=recipe.model.scale, **recipe.model.dials)
    if start_from and not resume:
        _warm_start(network, start_from / BEST)
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    mean = copy.deepcopy(network).eval()
    optimizer = torch.optim.Adam(network.parameters(), lr=recipe.optim.learning_rate)
    state = _Training(network, mean, optimizer)
    if resume:
        _restore(state, load_checkpoint(run), recipe, run)
        if read_run(run)[1].photos_sha256 != prepared.manifest.photos_sha256:
            raise WrongRunError(
                f"{run} was trained on other photos than those of {prepared.folder}. "
                "Name the set that it was started with, or start a new run without --resume."
            )
    elif (run / CHECKPOINT).exists():
        raise WrongRunError(
            f"{run} holds a training already. Go on with it by --resume, or choose another -o."
        )
    else:
        write_notes(run, recipe, describe_origin(prepared.manifest, start_from=start_from))
    return state


def _check_channels(recipe: Recipe, prepared: PreparedSet) -> None:
    stored = 1 if prepared.manifest.settings.channels == "y" else 3
    wanted = recipe.model.dials.get("channels", 3)
    if wanted != stored:
        raise WrongDatasetError(
            f"{prepared.folder} holds pictures of {stored} channel{'s' * (stored > 1)}, the recipe "
            f"trains a network of {wanted}. Set model.dials.channels = {stored}, or prepare the "
            "photos with another --channels."
        )


def _restore(state: _Training, saved: Checkpoint, recipe: Recipe, run: Path) -> None:
    if saved.recipe != recipe_text(recipe):
        raise WrongRunError(
            f"{run} was trained with another recipe (see {run / 'recipe.json'}). "
            "Use that recipe, or start a new run without --resume."
        )
    state.network.load_state_dict(saved.network)
    state.mean.load_state_dict(saved.ema)
    state.optimizer.load_state_dict(saved.optimizer)
    state.step, state.best, state.seconds = saved.step, saved.best, saved.seconds


def _warm_start(network: nn.Module, path: Path) -> None:
    """Take over every tensor that fits; the output layer of another scale does not."""
    own = network.state_dict()
    found = load_weights(path)
    fitting = {k: v for k, v in found.items() if k in own and own[k].shape == v.shape}
    if not fitting:
        raise WrongRunError(
            f"no tensor of {path} fits the network of the recipe. Correct run.start_from."
        )
    network.load_state_dict(fitting, strict=False)


def _train_step(
    recipe: Recipe,
    state: _Training,
    forward: Callable[[torch.Tensor], torch.Tensor],
    batch: Batch,
    step: int,
    device: torch.device,
) -> torch.Tensor:
    lr = batch.lr.to(device, torch.float32, memory_format=torch.channels_last) / 255
    hr = batch.hr.to(device, torch.float32, memory_format=torch.channels_last) / 255
    with torch.autocast(device.type, torch.bfloat16, enabled=recipe.run.precision == "bf16"):
        sr = forward(lr)
    loss = F.l1_loss(sr, hr) if recipe.optim.loss == "l1" else F.mse_loss(sr, hr)
    for group in state.optimizer.param_groups:
        group["lr"] = _rate(recipe.optim, step)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    state.optimizer.step()
    update_ema(state.mean, state.network, keep=recipe.optim.ema, step=step)
    return loss.detach()


def _rate(optim: OptimSettings, step: int) -> float:
    return learning_rate(
        step,
        steps=optim.steps,
        peak=optim.learning_rate,
        final=optim.final_rate,
        warmup=optim.warmup,
        falls=optim.schedule == "cosine",
    )


def _mean_loss(losses: list[torch.Tensor], step: int) -> float:
    mean = float(torch.stack(losses).mean())
    losses.clear()
    if not math.isfinite(mean):
        raise TrainingError(
            f"the loss became {mean} before step {step}. The last checkpoint is intact; "
            "lower the rate, for instance --set optim.learning_rate=5e-4"
        )
    return mean


def _validate(recipe: Recipe, state: _Training, pairs: Pairs, run: Path) -> float:
    radius = int(state.mean.radius)  # type: ignore[arg-type]
    shave = recipe.model.scale * radius
    value = measure(state.mean, pairs, shave=shave)
    if value > state.best:
        state.best = value
        save_weights(state.mean, run / BEST)
    save_checkpoint(
        run,
        Checkpoint(
            step=state.step,
            best=state.best,
            seconds=state.seconds,
            network=state.network.state_dict(),
            ema=state.mean.state_dict(),
            optimizer=state.optimizer.state_dict(),
            recipe=recipe_text(recipe),
        ),
    )
    return value
