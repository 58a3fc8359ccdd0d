"""Trained networks that a training begins with: the one it starts from, and its teacher."""

from pathlib import Path

import torch
from torch import nn

from pixelift.errors import WrongRunError
from pixelift.image.color import STUDIO_MATRIX, STUDIO_OFFSET
from pixelift.models.fuse import fuse
from pixelift.models.grow import grow
from pixelift.models.repnet import RepNet
from pixelift.models.spec import build_model
from pixelift.train.checkpoint import BEST, RECIPE, load_weights, read_run
from pixelift.train.config import ModelSettings, Recipe


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


def warm_start(network: nn.Module, run: Path) -> str:
    """Begin with the weights of a trained network: all of it, or what fits.

    Args:
        network: Freshly drawn; changed in place.
        run: The run folder of the trained network.

    Returns:
        A sentence that says what was taken over.

    Raises:
        WrongRunError: The folder is no run, has no weights yet, or none that fit.
        TrainingError: Its weights are damaged.
    """
    own, found = network.state_dict(), load_weights(run / BEST)
    fitting = {k: v for k, v in found.items() if k in own and own[k].shape == v.shape}
    if len(fitting) < len(own):
        trained, recipe = load_trained(run)
        if isinstance(network, RepNet) and isinstance(trained, RepNet) and grow(trained, network):
            dials = ", ".join(f"{dial} {value}" for dial, value in recipe.model.dials.items())
            fresh = "" if trained.scale == network.scale else "; the tail is of another scale: new"
            return f"started from {run}, grown from a repnet x{trained.scale} ({dials}){fresh}"
    if not fitting:
        raise WrongRunError(
            f"no tensor of {run / BEST} fits the network of the recipe. Correct run.start_from."
        )
    network.load_state_dict(fitting, strict=False)
    if len(fitting) == len(own):
        return f"started from {run}: all {len(own)} tensors fit"
    return f"started from {run}: {len(fitting)} of {len(own)} tensors fit, the others are new"


def load_teacher(run: Path, model: ModelSettings) -> nn.Module:
    """Load the network that another one learns from.

    A network for RGB teaches one for luma as well: it is shown the luma as a grey picture.

    Args:
        run: Run folder of the teacher.
        model: Of the network that learns.

    Returns:
        The teacher, fused, that is as quick as it gets, and without gradients.

    Raises:
        WrongRunError: The folder is no run, has no weights yet, or is of another scale or of other
            channels.
        TrainingError: Its weights are damaged.
    """
    if run.suffix == ".onnx":
        raise WrongRunError(
            f"distill.teacher is {run}: a teacher is a run folder, not an exported file. "
            "Name the folder that `pixelift train -o` was given."
        )
    teacher, _ = load_trained(run)
    scale, channels = int(teacher.scale), int(teacher.channels)  # type: ignore[arg-type]
    wanted = model.dials.get("channels", 3)
    if scale != model.scale or channels < wanted:
        raise WrongRunError(
            f"the teacher {run} is x{scale} with {channels} channels, the recipe is "
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
