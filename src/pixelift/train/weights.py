"""Trained networks that a training begins with: the one it starts from, and its teacher."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from pixelift.errors import UnknownNameError, WrongRunError
from pixelift.image.color import STUDIO_MATRIX, STUDIO_OFFSET
from pixelift.models.colour import in_luma
from pixelift.models.fuse import fuse
from pixelift.models.gatenet import GateNet
from pixelift.models.grow import find_gate_obstacle, find_obstacle, grow, grow_gates
from pixelift.models.repnet import RepNet
from pixelift.models.spec import all_dials, build_model
from pixelift.train.checkpoint import (
    BEST,
    RECIPE,
    Origin,
    load_weights,
    read_run,
    save_weights,
    write_notes,
)
from pixelift.train.config import ModelSettings, Recipe
from pixelift.train.exported import load_exported
from pixelift.zoo.card import NAME_PATTERN


class Trained(NamedTuple):
    """A trained network, as it is trained (not fused), and where it is from."""

    network: nn.Module
    model: ModelSettings
    origin: Origin
    source: str
    """What it was asked for by."""


def load_trained(run: Path) -> tuple[nn.Module, Recipe]:
    """Build the network of a run with its best weights.

    Args:
        run: The run folder of a training, which may still be going on.

    Returns:
        The network as it is trained (not fused), and its recipe.

    Raises:
        WrongRunError: The folder is no run, or has no weights yet.
        TrainingError: Its weights are damaged.
    """
    recipe, _ = read_run(run)
    model = recipe.model
    # Building a network draws numbers, which must not move what the caller draws next.
    with torch.random.fork_rng(devices=()):
        network = build_model(model.architecture, scale=model.scale, **model.dials)
    weights = load_weights(run / BEST)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise WrongRunError(
            f"{run / BEST} holds another network than {run / RECIPE} tells of. "
            "Copy the whole run folder again."
        ) from error
    return network.eval(), recipe


def open_trained(source: str, *, scale: int) -> Trained:
    """Open a trained network: of a run, of an exported file, or one that has a name.

    Args:
        source: A run folder, the path of an .onnx file, or the name of a model.
        scale: Which network of a name is preferred.

    Returns:
        The network.

    Raises:
        WrongRunError: The folder is no run or has no weights yet; or there is neither a folder nor
            a model of this name, or none that can be trained on.
        TrainingError: The weights of the run are damaged.
        WeightsError: The file of the model is missing or damaged.
    """
    folder = Path(source)
    if folder.is_dir() or not (source.lower().endswith(".onnx") or re.match(NAME_PATTERN, source)):
        network, recipe = load_trained(folder)
        return Trained(network, recipe.model, read_run(folder)[1], source)
    try:
        exported, model, origin = load_exported(source, scale=scale)
    except UnknownNameError as error:
        raise WrongRunError(f"{source} is no run folder, and there is {error}") from error
    return Trained(exported, model, origin, source)


def keep_trained(trained: Trained, run: Path) -> None:
    """Write a network as a run folder, as far as another training needs one.

    Args:
        trained: The network.
        run: The folder; made where it does not exist.

    Raises:
        WrongRunError: The folder cannot be made.
        TrainingError: The weights cannot be written.
    """
    write_notes(run, Recipe(model=trained.model), trained.origin)
    save_weights(trained.network, run / BEST)


def warm_start(network: nn.Module, trained: Trained) -> str:
    """Begin with the weights of a trained network, none of which may be left out.

    But for what belongs to another scale, or to other picture channels: that starts fresh.

    Args:
        network: Freshly drawn; changed in place.
        trained: The trained network.

    Returns:
        A sentence that says what was taken over, and what is new.

    Raises:
        WrongRunError: It is of another architecture, deeper, wider, or computes in another way.
    """
    source, small = trained.source, trained.network
    if type(small) is not type(network):
        raise WrongRunError(
            f"{source} is a {type(small).__name__}, the recipe trains a {type(network).__name__}. "
            f'Set model.architecture = "{trained.model.architecture}", or name another '
            "run.start_from"
        )
    if isinstance(small, RepNet) and isinstance(network, RepNet):
        return _start_repnet(network, small, trained)
    if isinstance(small, GateNet) and isinstance(network, GateNet):
        return _start_gatenet(network, small, trained)
    return _start_other(network, trained)


def _start_repnet(network: RepNet, small: RepNet, trained: Trained) -> str:
    source = trained.source
    if network.channels < small.channels:
        # What is for RGB and has learned on luma is trained on in luma.
        small = in_luma(small) or small
    _refuse(find_obstacle(small, network), source)
    note = "" if small.leak == network.leak else "; it becomes leaky: the output changes"
    own, found = _shapes(network), _shapes(small)
    # The same numbers beside an identity or without one are other kernels.
    if own == found and _identities(network) == _identities(small):
        network.load_state_dict(small.state_dict())
        return f"started from {source}: all {len(own)} tensors fit{note}"
    grow(small, network)
    dials = _told(trained.model.dials)
    fresh = _told_fresh(network, small)
    if small.channels == network.channels and small.shared != network.shared:
        fresh = "; only one of the two has the dial luma: the tail is new"
    return f"started from {source}, grown from a repnet x{small.scale} ({dials}){fresh}{note}"


def _start_gatenet(network: GateNet, small: GateNet, trained: Trained) -> str:
    source = trained.source
    _refuse(find_gate_obstacle(small, network), source)
    own, found = _shapes(network), _shapes(small)
    if own == found:
        network.load_state_dict(small.state_dict())
        return f"started from {source}: all {len(own)} tensors fit"
    grow_gates(small, network)
    dials, fresh = _told(trained.model.dials), _told_fresh(network, small)
    return f"started from {source}, grown from a gatenet x{small.scale} ({dials}){fresh}"


def _refuse(obstacle: str, source: str) -> None:
    if obstacle:
        raise WrongRunError(
            f"{source} cannot start this network: {obstacle}, or name another run.start_from"
        )


def _told_fresh(network: RepNet | GateNet, small: RepNet | GateNet) -> str:
    if small.channels != network.channels:
        return "; the picture has other channels: head and tail are new"
    return "" if small.scale == network.scale else "; the tail is of another scale: new"


def _start_other(network: nn.Module, trained: Trained) -> str:
    """Take over what fits, where all that does not is due to another scale or other channels."""
    source, model = trained.source, trained.model
    own, found = _shapes(network), _shapes(trained.network)
    fitting = {name for name, shape in found.items() if own.get(name) == shape}
    # What the trained network would be at this scale and for these pictures.
    dials = model.dials | {"channels": int(network.channels)}  # type: ignore[arg-type]
    with torch.random.fork_rng(devices=()):
        scale = int(network.scale)  # type: ignore[arg-type]
        likened = _shapes(build_model(model.architecture, scale=scale, **dials))
    lost = [n for n in found if n not in fitting and likened.get(n) == found[n]]
    residual = getattr(trained.network, "residual", None)
    if lost or residual != getattr(network, "residual", None):
        dials = all_dials(model.architecture, **model.dials)
        what = f"{len(lost)} of its {len(found)} tensors have no place there"
        what = what if lost else "only one of the two has the dial residual"
        raise WrongRunError(
            f"{source} cannot start this network: {what}. Set model.dials as it has them "
            f"({_told(dials)}), or name another run.start_from"
        )
    weights = trained.network.state_dict()
    network.load_state_dict({name: weights[name] for name in fitting}, strict=False)
    if len(fitting) == len(own) == len(found):
        return f"started from {source}: all {len(own)} tensors fit"
    told = f"started from {source}: {len(fitting)} of {len(own)} tensors fit"
    if len(fitting) < len(own):
        told += ", the others are new"
    left_out = len(found) - len(fitting)
    return told + (f"; {left_out} for its scale or channels are left out" if left_out else "")


def _told(dials: Mapping[str, int | bool]) -> str:
    return ", ".join(f"{dial} {value}" for dial, value in dials.items())


def _shapes(network: nn.Module) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in network.state_dict().items()}


def _identities(network: RepNet) -> list[bool]:
    return [bool(getattr(convolution, "identity", False)) for convolution in network.body]


def prepare_teacher(trained: Trained, model: ModelSettings) -> nn.Module:
    """Make a trained network one that another one learns from.

    A network for RGB teaches one for luma as well: it is shown the luma as a grey picture.

    Args:
        trained: The teacher.
        model: Of the network that learns.

    Returns:
        The teacher, fused, that is as quick as it gets, and without gradients.

    Raises:
        WrongRunError: The teacher is of another scale or of other channels.
    """
    teacher = trained.network
    scale, channels = int(teacher.scale), int(teacher.channels)  # type: ignore[arg-type]
    wanted = model.channels
    if scale != model.scale or channels < wanted:
        raise WrongRunError(
            f"the teacher {trained.source} is x{scale} with {channels} channels, the recipe is "
            f"x{model.scale} with {wanted}. Choose another distill.teacher."
        )
    fused = fuse(teacher)
    shown = fused if channels == wanted else OnLuma(fused)
    return shown.eval().requires_grad_(requires_grad=False)


class OnLuma(nn.Module):
    """A network for RGB, made one for luma: it is shown a grey picture and gives its luma back."""

    weights: torch.Tensor

    def __init__(self, network: nn.Module) -> None:
        """Wrap a network.

        Args:
            network: Takes and gives RGB in [0, 1].
        """
        super().__init__()
        self.network = network
        weights = torch.tensor(STUDIO_MATRIX[0] / 255, dtype=torch.float32).view(1, 3, 1, 1)
        self.register_buffer("weights", weights, persistent=False)
        self._black = float(STUDIO_OFFSET[0]) / 255

    def forward(self, luma: torch.Tensor) -> torch.Tensor:
        """Map (N, 1, H, W) to (N, 1, scale * H, scale * W); black is 16 / 255, white 235 / 255."""
        grey = (luma - self._black) / self.weights.sum()
        sr = self.network(grey.expand(-1, 3, -1, -1)).float()
        return (sr * self.weights).sum(dim=1, keepdim=True) + self._black
