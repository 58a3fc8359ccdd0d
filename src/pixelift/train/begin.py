"""What a training has in hand, and how it comes by it: fresh, from other weights, or resumed."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import torch
from torch import nn

from pixelift.errors import TrainingError, WrongDatasetError, WrongRunError
from pixelift.models.spec import build_model
from pixelift.patches.dataset import PreparedSet
from pixelift.train.checkpoint import (
    CHECKPOINT,
    TEACHER,
    Checkpoint,
    describe_origin,
    differences,
    load_checkpoint,
    read_run,
    write_notes,
)
from pixelift.train.config import Recipe
from pixelift.train.device import computes_in_bf16
from pixelift.train.ranks import Ranks
from pixelift.train.soap import Soap
from pixelift.train.watch import Watcher
from pixelift.train.weights import keep_trained, open_trained, prepare_teacher, warm_start

OPTIMIZERS = {"adam": torch.optim.Adam, "soap": Soap}


@dataclass
class Training:
    """All that changes while a network is trained, and what it is trained with."""

    network: nn.Module
    forward: Callable[[torch.Tensor], torch.Tensor]
    """The network, compiled where that is wanted."""
    mean: nn.Module
    """Holds the running mean of the weights."""
    optimizer: torch.optim.Optimizer
    device: torch.device
    is_bf16: bool
    """Whether convolutions compute in bf16."""
    teacher: nn.Module | None = None
    step: int = 0
    """Steps done."""
    best: float = -math.inf
    seconds: float = 0.0
    losses: list[torch.Tensor] = field(default_factory=list)
    """Losses of the steps since the last line of the log, scalars on the device."""


def begin(
    recipe: Recipe,
    prepared: PreparedSet,
    run: Path,
    *,
    device: torch.device,
    ranks: Ranks,
    watch: Watcher,
    resume: bool,
) -> Training:
    """Build what a training needs, and note in a new run folder how it was begun.

    Args:
        recipe: All settings.
        prepared: The training set.
        run: Run folder; new, or with `resume` the one to go on with.
        device: What is computed on.
        ranks: Which process this is; the first alone writes.
        watch: Told what the weights start from.
        resume: Go on from the checkpoint in `run`.

    Returns:
        The training before its next step.

    Raises:
        WrongRunError: The run folder is in use, of another recipe, or cannot be written; or the
            weights to start from do not fit.
        WrongDatasetError: The set does not fit the recipe.
        TrainingError: The checkpoint or other weights are damaged.
    """
    model = recipe.model
    network = build_model(model.architecture, scale=model.scale, **model.dials)
    _check_channels(recipe, prepared)
    start = teacher = None
    if recipe.run.start_from and not resume:
        start = open_trained(recipe.run.start_from, scale=model.scale)
        watch.tell(warm_start(network, start))
    _place(network, device)
    ranks.align(network)
    is_bf16 = recipe.run.precision == "bf16" and computes_in_bf16(device)
    if recipe.run.precision == "bf16" and not is_bf16:
        watch.tell("this machine has no instructions for bf16: training in float32")
    training = Training(
        network=network,
        forward=torch.compile(network) if recipe.run.compile else network,
        mean=copy.deepcopy(network).eval(),
        optimizer=OPTIMIZERS[recipe.optim.optimizer](
            network.parameters(), lr=recipe.optim.learning_rate
        ),
        device=device,
        is_bf16=is_bf16,
    )
    if recipe.distill.teacher:
        kept = str(run / TEACHER) if resume else recipe.distill.teacher
        teacher = open_trained(kept, scale=model.scale)
        training.teacher = prepare_teacher(teacher, model)
        _place(training.teacher, device)
    if resume:
        _restore(training, load_checkpoint(run), recipe, run)
        if read_run(run)[1].photos_sha256 != prepared.manifest.photos_sha256:
            raise WrongRunError(
                f"{run} was trained on other photos than those of {prepared.folder}. "
                "Name the set that it was started with, or start a new run without --resume."
            )
    elif (run / CHECKPOINT).exists():
        raise WrongRunError(
            f"{run} holds a training already. Go on with it by --resume, or choose another -o."
        )
    elif ranks.leads:
        write_notes(
            run,
            recipe,
            describe_origin(
                prepared.manifest,
                start_from=start.origin if start else None,
                teacher=teacher.origin if teacher else None,
            ),
        )
        if teacher:
            keep_trained(teacher, run / TEACHER)
    return training


def _place(network: nn.Module, device: torch.device) -> None:
    # In place; channels last is how convolutions on a processor and on tensor cores want it.
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def _check_channels(recipe: Recipe, prepared: PreparedSet) -> None:
    stored = 1 if prepared.manifest.settings.channels == "y" else 3
    wanted = recipe.model.channels
    if wanted not in (1, 3):
        raise WrongDatasetError(
            f"the recipe trains a network of {wanted} channels; pictures have 3, or 1 as luma. "
            "Set model.dials.channels = 3, or 1"
        )
    # Luma is made of RGB where crops are cut; the way back there is not.
    if wanted > stored:
        raise WrongDatasetError(
            f"{prepared.folder} holds luma alone, the recipe trains a network for RGB. Prepare the "
            "photos into another folder without --channels y, or set model.dials.channels = 1"
        )


def _restore(training: Training, saved: Checkpoint, recipe: Recipe, run: Path) -> None:
    try:
        changed = differences(saved.recipe, recipe)
        if changed:
            raise WrongRunError(
                f"{run} was trained with another recipe: {'; '.join(changed)}. "
                "Use that recipe, or start a new run without --resume."
            )
        training.network.load_state_dict(saved.network)
        training.mean.load_state_dict(saved.ema)
        training.optimizer.load_state_dict(saved.optimizer)
    except (msgspec.MsgspecError, RuntimeError, ValueError, KeyError) as error:
        raise TrainingError(
            f"the checkpoint in {run} does not hold what its recipe tells of "
            f"({str(error).splitlines()[0]}). Start a new run from its best weights with "
            f"--set run.start_from={run}"
        ) from error
    training.step, training.best, training.seconds = saved.step, saved.best, saved.seconds
    training.losses = list(saved.losses.to(training.device))
