"""Keeping the state of a training, as long as it is worth keeping."""

from pathlib import Path
from typing import Any

import torch

from pixelift.errors import TrainingError
from pixelift.train.begin import Training
from pixelift.train.checkpoint import (
    BEST,
    CHECKPOINT,
    Checkpoint,
    load_checkpoint,
    recipe_text,
    save_checkpoint,
)
from pixelift.train.config import Recipe
from pixelift.train.step import rate_of


def save_state(
    recipe: Recipe, training: Training, run: Path, *, critic: dict[str, Any] | None = None
) -> None:
    """Replace the checkpoint of a run.

    Args:
        recipe: All settings.
        training: The training after a step.
        run: Run folder.
        critic: State of the critic, where there is one.

    Raises:
        TrainingError: It cannot be written; the one before is intact.
    """
    save_checkpoint(
        run,
        Checkpoint(
            step=training.step,
            best=training.best,
            seconds=training.seconds,
            network=training.network.state_dict(),
            ema=training.mean.state_dict(),
            optimizer=training.optimizer.state_dict(),
            recipe=recipe_text(recipe),
            losses=torch.stack(training.losses) if training.losses else torch.zeros(0),
            critic=critic or {},
        ),
    )


def drain_losses(recipe: Recipe, training: Training, run: Path) -> float:
    """Average the losses since the last line of the log, and forget them.

    Args:
        recipe: All settings.
        training: Its losses are emptied.
        run: Run folder, for the message.

    Returns:
        The mean.

    Raises:
        TrainingError: A loss is not finite; the message says which, and what to do.
    """
    losses = torch.stack(training.losses).cpu()
    _check_losses(losses, recipe, training, run)
    training.losses.clear()
    return float(losses.mean())


def check_weights(recipe: Recipe, training: Training, run: Path) -> None:
    """Refuse to go on with weights that are no numbers: they must not replace good ones.

    Args:
        recipe: All settings.
        training: The training after a step.
        run: Run folder, for the message.

    Raises:
        TrainingError: A weight, or a loss since the last line of the log, is not finite.
    """
    if training.losses:
        _check_losses(torch.stack(training.losses).cpu(), recipe, training, run)
    sizes = torch.stack([weight.detach().norm() for weight in training.network.parameters()])
    if not bool(sizes.isfinite().all()):
        raise _broken("the weights are no longer finite", training.step, recipe, run)


def _check_losses(losses: torch.Tensor, recipe: Recipe, training: Training, run: Path) -> None:
    broken = (~losses.isfinite()).nonzero()
    if not len(broken):
        return
    first = int(broken[0])
    step = training.step - len(losses) + first + 1
    before = f"; it was {float(losses[first - 1]):.4g} one step before" if first else ""
    raise _broken(f"the loss became {float(losses[first])}{before}", step, recipe, run)


def _broken(what: str, step: int, recipe: Recipe, run: Path) -> TrainingError:
    rate = rate_of(recipe.optim, step - 1)
    # To one digit: a rate for people to type.
    lower = float(f"{recipe.optim.learning_rate / 3:.0e}")
    change = f"--set optim.learning_rate={lower:g}"
    kept = "There is no checkpoint yet: start again"
    if (run / CHECKPOINT).is_file():
        step_kept = load_checkpoint(run).step
        kept = f"The checkpoint of step {step_kept} is intact"
        if (run / BEST).is_file():
            kept += f": start another run from its best weights, --set run.start_from={run},"
        else:
            kept += ": start another run"
    return TrainingError(
        f"{what} at step {step} of {recipe.optim.steps} (learning rate {rate:.2g}). {kept} "
        f"with a lower rate, {change}, or a longer rise, --set optim.warmup="
        f"{max(1000, 2 * recipe.optim.warmup)}"
    )
