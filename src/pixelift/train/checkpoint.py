"""The state of a training on disk: whole or not there, and never unpickled."""

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from pixelift.atomic import write_atomically
from pixelift.errors import TrainingError, WrongRunError
from pixelift.image.shown import told
from pixelift.patches.dataset import Manifest
from pixelift.train.config import Recipe

RECIPE = "recipe.json"
ORIGIN = "dataset.json"
CHECKPOINT = "checkpoint.pt"
BEST = "best.safetensors"
TEACHER = "teacher"

FREE = (("data", "workers"), ("run", "compile"))
"""Settings that may change when a run goes on."""


@dataclass(frozen=True)
class Checkpoint:
    """All that is needed to go on as if nothing had happened."""

    step: int
    best: float
    seconds: float
    network: dict[str, torch.Tensor]
    ema: dict[str, torch.Tensor]
    optimizer: dict[str, Any]
    recipe: str
    losses: torch.Tensor = field(default_factory=lambda: torch.zeros(0))
    """Losses of the steps since the last line of the log."""
    critic: dict[str, Any] = field(default_factory=dict)
    """Weights, optimizer and counts of the critic of adversarial training; else empty."""


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file; a kill or a power cut leaves the old one or the new one.

    Args:
        path: The file.
        content: What it is to hold.

    Raises:
        TrainingError: It cannot be written; the old file is as it was.
    """
    try:
        write_atomically(path, content, durable=True)
    except OSError as error:
        raise TrainingError(
            f"cannot write {path}: {error.strerror}. What was saved there before is intact; "
            "make room and go on with --resume."
        ) from error


def save_checkpoint(run: Path, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint of a run; a kill leaves either the old one or the new one.

    Args:
        run: The run folder.
        checkpoint: The state.
    """
    packed = io.BytesIO()
    torch.save(vars(checkpoint), packed)
    write_whole(run / CHECKPOINT, packed.getvalue())


def load_checkpoint(run: Path) -> Checkpoint:
    """Read the checkpoint of a run.

    Args:
        run: The run folder.

    Returns:
        The state.

    Raises:
        WrongRunError: There is none.
        TrainingError: It is damaged.
    """
    path = run / CHECKPOINT
    if not path.is_file():
        raise WrongRunError(f"no checkpoint in {run}. Start it without --resume.")
    try:
        return Checkpoint(**torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises whatever its unpickler met
        raise TrainingError(
            f"checkpoint {path} is damaged ({type(error).__name__}). "
            f"Its best weights are in {BEST}; start a new run from them with "
            f"--set run.start_from={run}"
        ) from error


def save_weights(network: nn.Module, path: Path) -> None:
    """Write weights as safetensors; a kill leaves the old file or the new one.

    Args:
        network: The network.
        path: The file.
    """
    write_whole(path, save({k: v.contiguous() for k, v in network.state_dict().items()}))


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read weights that `save_weights` wrote.

    Args:
        path: The file.

    Returns:
        Tensors by name.

    Raises:
        WrongRunError: There is no such file.
        TrainingError: It is damaged.
    """
    if not path.is_file():
        raise WrongRunError(
            f"no weights at {path}. Name a run folder that has been trained up to its first "
            "validation."
        )
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            f"cannot read the weights {path}: {error}. Copy them again, or train anew."
        ) from error


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which photos a run was trained on."""

    photos_sha256: str
    """Hash over the training photos, see `Manifest.photos_sha256`."""
    photos: int
    """Number of training photos."""
    patches_sha256: str
    """Hash of the patch table."""
    started_from: str = ""
    """Hash over the photos behind the weights that the run started from, other photos named before
    the run's own; empty where the weights were fresh."""
    taught_by: str = ""
    """The same of the photos behind the teacher; empty where there was none."""


def describe_origin(
    manifest: Manifest, *, start_from: Origin | None = None, teacher: Origin | None = None
) -> Origin:
    """Say which photos a run is trained on.

    Args:
        manifest: The manifest of the training set.
        start_from: Of the weights it starts from.
        teacher: Of the network it learns from.

    Returns:
        What `write_notes` keeps.
    """
    own = manifest.photos_sha256
    return Origin(
        photos_sha256=own,
        photos=sum(p.split == "train" for p in manifest.pictures),
        patches_sha256=manifest.patches.sha256,
        started_from=_photos_behind(start_from, own) if start_from else "",
        taught_by=_photos_behind(teacher, own) if teacher else "",
    )


def _photos_behind(before: Origin, own: str) -> str:
    # Other photos are not forgotten on the way through a run on these.
    behind = (before.photos_sha256, before.started_from, before.taught_by)
    return next((photos for photos in behind if photos not in ("", own)), own)


def write_notes(run: Path, recipe: Recipe, origin: Origin) -> None:
    """Note in a new run folder how and on what it is trained.

    Args:
        run: The run folder; made where it does not exist.
        recipe: The settings.
        origin: The photos.

    Raises:
        WrongRunError: The folder cannot be written.
    """
    try:
        run.mkdir(parents=True, exist_ok=True)
        (run / RECIPE).write_text(recipe_text(recipe) + "\n", encoding="utf-8")
        (run / ORIGIN).write_bytes(msgspec.json.encode(origin) + b"\n")
    except OSError as error:
        raise WrongRunError(
            f"cannot write to {run}: {error.strerror}. Choose another -o."
        ) from error


def read_run(run: Path) -> tuple[Recipe, Origin]:
    """Read what a run folder says of itself.

    Args:
        run: The run folder.

    Returns:
        The recipe and the photos it was trained on.

    Raises:
        WrongRunError: The folder is no run folder, or its notes are damaged.
    """
    try:
        recipe = msgspec.json.decode((run / RECIPE).read_bytes(), type=Recipe)
        return recipe, msgspec.json.decode((run / ORIGIN).read_bytes(), type=Origin)
    except (OSError, msgspec.MsgspecError) as error:
        reason = told(error) if isinstance(error, OSError) else str(error)
        raise WrongRunError(
            f"{run} is not the run folder of a training: {reason}. "
            "Name the folder that `pixelift train -o` was given."
        ) from error


def recipe_text(recipe: Recipe) -> str:
    """Write a recipe so that equal recipes give equal text."""
    return msgspec.json.encode(recipe, order="sorted").decode()


def differences(text: str, recipe: Recipe) -> list[str]:
    """List the settings in which a recipe differs from the one that a run was started with.

    How crops are cut and whether the network is compiled decide nothing about what is learned:
    both may change from one machine to the next. Settings that have come up since the run was
    started count as their defaults.

    Args:
        text: What `recipe_text` wrote.
        recipe: The recipe to go on with.

    Returns:
        Sentences such as "optim.steps is 30 and was 20"; empty where they are the same.

    Raises:
        msgspec.MsgspecError: The text is no recipe.
    """
    before = msgspec.to_builtins(msgspec.json.decode(text, type=Recipe))
    now = msgspec.to_builtins(recipe)
    return [
        f"{section}.{key} is {value!r} and was {before[section][key]!r}"
        for section, settings in now.items()
        for key, value in settings.items()
        if value != before[section][key] and (section, key) not in FREE
    ]
