"""The training loop: from a recipe and a prepared set to a run folder."""

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
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
    TEACHER,
    Checkpoint,
    describe_origin,
    is_recipe,
    keep_teacher,
    load_checkpoint,
    read_run,
    recipe_text,
    save_checkpoint,
    save_weights,
    write_notes,
)
from pixelift.train.config import OptimSettings, Recipe
from pixelift.train.ema import update_ema
from pixelift.train.logbook import Logbook
from pixelift.train.loss import restoration_loss
from pixelift.train.schedule import learning_rate
from pixelift.train.validate import Pairs, measure, validation_crops
from pixelift.train.weights import load_teacher, warm_start

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
    teacher: nn.Module | None = None
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
    tell: Callable[[str], None] | None = None,
    also: Mapping[str, Pairs] | None = None,
) -> float:
    """Train a network; every validation leaves a checkpoint from which it resumes exactly.

    Args:
        recipe: All settings.
        prepared: The training set.
        run: Run folder; new, or with `resume` the one to go on with.
        resume: Go on from the checkpoint in `run`.
        report: Told at each line of the log.
        tell: Told in a sentence what the weights start from, where they are not fresh.
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
    state = _begin(recipe, prepared, run, device, resume=resume, tell=tell or (lambda _: None))
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
    recipe: Recipe,
    prepared: PreparedSet,
    run: Path,
    device: torch.device,
    *,
    resume: bool,
    tell: Callable[[str], None],
) -> _Training:
    _check_channels(recipe, prepared)
    start_from, teacher = (
        Path(text) if text else None for text in (recipe.run.start_from, recipe.distill.teacher)
    )
    network = build_model(recipe.model.architecture, scale=recipe.model.scale, **recipe.model.dials)
    if start_from and not resume:
        tell(warm_start(network, start_from))
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    mean = copy.deepcopy(network).eval()
    optimizer = torch.optim.Adam(network.parameters(), lr=recipe.optim.learning_rate)
    state = _Training(network, mean, optimizer)
    if teacher:
        found = load_teacher(run / TEACHER if resume else teacher, recipe.model)
        state.teacher = found.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
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
        origin = describe_origin(prepared.manifest, start_from=start_from, teacher=teacher)
        write_notes(run, recipe, origin)
        if teacher:
            keep_teacher(teacher, run)
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
    if not is_recipe(saved.recipe, recipe):
        raise WrongRunError(
            f"{run} was trained with another recipe (see {run / 'recipe.json'}). "
            "Use that recipe, or start a new run without --resume."
        )
    state.network.load_state_dict(saved.network)
    state.mean.load_state_dict(saved.ema)
    state.optimizer.load_state_dict(saved.optimizer)
    state.step, state.best, state.seconds = saved.step, saved.best, saved.seconds


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
    loss = _loss(recipe, state, sr, lr, hr)
    for group in state.optimizer.param_groups:
        group["lr"] = _rate(recipe.optim, step)
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    state.optimizer.step()
    update_ema(state.mean, state.network, keep=recipe.optim.ema, step=step)
    return loss.detach()


def _loss(
    recipe: Recipe, state: _Training, sr: torch.Tensor, lr: torch.Tensor, hr: torch.Tensor
) -> torch.Tensor:
    optim, share = recipe.optim, recipe.distill.weight if state.teacher else 0.0
    loss = torch.zeros((), device=sr.device)
    if share < 1:
        of_photos = restoration_loss(sr, hr, kind=optim.loss, frequency=optim.frequency)
        loss = loss + (1 - share) * of_photos
    if state.teacher and share > 0:
        # In bf16 whatever the student's format: what it sees of the teacher's rounding is nothing
        # beside what both have yet to learn.
        with torch.no_grad(), torch.autocast(sr.device.type, torch.bfloat16):
            shown = state.teacher(lr).float()
        of_teacher = restoration_loss(sr, shown, kind=optim.loss, frequency=optim.frequency)
        loss = loss + share * of_teacher
    return loss


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
