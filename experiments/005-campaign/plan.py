"""The queue of the campaign: read and checked as a whole before anything is trained."""

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import msgspec

from pixelift.errors import PixeliftError
from pixelift.train.config import Recipe, load_recipe
from pixelift.zoo.store import find_model

ROOT = Path(__file__).resolve().parents[2]


class Training(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One training of the queue."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    """Name of its run folder."""

    recipe: str
    """Path of the recipe, from the root of the repository."""

    changes: tuple[str, ...] = ()
    """Settings that are changed, as for `pixelift train --set`."""

    feeds: str
    """Name and scale of the packaged network that it is to replace, as "fine_x4"."""

    def settings(self) -> Recipe:
        """Load the recipe with its changes.

        Raises:
            PixeliftError: It is missing or makes no sense.
        """
        return load_recipe(ROOT / self.recipe, self.changes)


class _Queue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    training: tuple[Training, ...]


def read_queue(path: Path) -> tuple[Training, ...]:
    """Read a queue.

    Args:
        path: The TOML file.

    Returns:
        Its trainings, in their order.

    Raises:
        SystemExit: Whatever is wrong with any of them, so that it is told before an hour is wasted.
    """
    try:
        queue = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _Queue)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise SystemExit(f"cannot read the queue {path}: {error}. Correct it.") from error
    names = [training.name for training in queue.training]
    for name in names:
        if names.count(name) > 1:
            raise SystemExit(f"{path}: {names.count(name)} trainings are called {name}. Rename.")
    for training in queue.training:
        try:
            recipe = training.settings()
            card, _ = find_model(training.feeds)
        except PixeliftError as error:
            raise SystemExit(f"{path}, {training.name}: {error}") from error
        if card.scale != recipe.model.scale:
            raise SystemExit(
                f"{path}, {training.name}: the recipe is for x{recipe.model.scale} and feeds "
                f"{training.feeds}. Correct one of them."
            )
    return queue.training


def share_of(batch: int, cores: int) -> int:
    """Tell how many processes can share a batch evenly, at most one for each core.

    Args:
        batch: Crops in a step.
        cores: Cores.

    Returns:
        The number of processes.
    """
    return max(n for n in range(1, max(1, cores) + 1) if batch % n == 0)


def left_of(queue: Collection[Training], finished: Collection[str]) -> list[Training]:
    """List the trainings that are still to be done.

    Args:
        queue: All trainings.
        finished: Names of those that are done.

    Returns:
        The others, in their order.
    """
    return [training for training in queue if training.name not in finished]
