"""A recipe: every setting of a training, strict, from TOML and from --set."""

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from pixelift.data.sample import Sampling, Share
from pixelift.degrade.draw import Degradation, resolve
from pixelift.errors import ConfigError

Positive = Annotated[int, Meta(ge=1, le=10**9)]
Rate = Annotated[float, Meta(gt=0, le=1e6)]

LARGEST_DIAL = 1024
"""More channels or layers than any network has that is trained here: a slip of the keyboard."""

Dial = Annotated[int, Meta(ge=1, le=LARGEST_DIAL)]

PixelLoss = Literal["l1", "l2", "charbonnier", "psnr"]
"""What is averaged over pixels: the absolute difference, its square, or a rounded absolute one."""


class ModelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which network is trained."""

    architecture: str = "repnet"
    """Name in the table of architectures."""
    scale: Annotated[int, Meta(ge=2, le=8)] = 4
    """LR to HR factor."""
    dials: dict[str, Dial | bool] = {}
    """What the architecture lets one set, such as width and depth."""

    @property
    def channels(self) -> int:
        """Picture channels: 3 for RGB, 1 for luma."""
        return int(self.dials.get("channels", 3))


class DataSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a training step sees."""

    lr_patch: Positive = 48
    """Side of a crop in LR pixels."""
    batch: Annotated[int, Meta(ge=1, le=4096)] = 16
    """Crops in a step."""
    sampling: Sampling = Sampling()
    """Where crops are taken."""
    degrade: str | Degradation = "clean"
    """How LR crops are made: a preset (clean, photo, real, heavy), or a table of shares and
    ranges."""
    clean_share: Share = 0.15
    """Share of the crops that are only shrunk all the same, so that clean pictures stay sharp."""
    halved_share: Share = 0.0
    """Share of the crops that are taken twice as wide and halved first: more detail in a pixel, as
    in pictures that were made smaller before."""
    workers: Annotated[int, Meta(ge=0, le=256)] | Literal["auto"] = "auto"
    """Processes that cut crops ahead of time; the crops are the same for any number. By default
    none where the processor trains, and as many as there are cores for a GPU."""

    def __post_init__(self) -> None:
        """Refuse a degradation that does not exist."""
        resolve(self.degrade)


class OptimSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the weights move."""

    steps: Positive = 20_000
    """Training steps in all."""
    optimizer: Literal["adam", "soap"] = "adam"
    """How gradients move the weights: Adam, or SOAP, which needs about a third of the steps."""
    learning_rate: Rate = 1e-3
    """Step size at the peak."""
    final_rate: Rate = 1e-6
    """Step size at the end of the cosine."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """How the step size goes on after the rise; with "constant" a step does not depend on how many
    are still to come, so that trainings of any length can be compared."""
    warmup: Annotated[int, Meta(ge=0, le=10**9)] = 200
    """Steps in which the step size rises to its peak."""
    loss: PixelLoss = "l1"
    """Mean absolute, mean squared or Charbonnier difference of pixels in [0, 1]."""
    luma: Annotated[float, Meta(ge=0, le=1)] = 0.0
    """Share of the loss that is measured on luma alone, as PSNR-Y is and as eyes mostly do."""
    frequency: Annotated[float, Meta(ge=0, le=1000)] = 0.0
    """Weight of the difference of the Fourier transforms beside it; papers take 0.05 or 0.1."""
    ema: Annotated[float, Meta(ge=0, lt=1)] = 0.999
    """How much of the running mean of the weights a step keeps."""

    def __post_init__(self) -> None:
        """Refuse a rate that would rise for the whole training."""
        if self.schedule == "cosine" and self.final_rate > self.learning_rate:
            raise ValueError(
                f"final_rate {self.final_rate:g} is above learning_rate {self.learning_rate:g}"
            )


class DistillSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Learning from a larger network beside the photos."""

    teacher: str = ""
    """A trained network of the same scale, named as in `run.start_from`; one for RGB teaches luma
    too. Empty for none. It is copied into the new run folder, which needs nothing from outside to
    go on."""
    weight: Annotated[float, Meta(ge=0, le=1)] = 0.5
    """Share of the loss that is measured against the teacher's pictures; the rest is measured
    against the photos."""


class RunSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the training is carried out."""

    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    """Start of all random streams."""
    precision: Literal["f32", "bf16"] = "bf16"
    """Number format of the convolutions; weights and sums stay float32. Where the machine has no
    instructions for bf16, that is float32 too."""
    compile: bool = False
    """Compile the network with torch.compile (needs a C++ compiler)."""
    validate_every: Positive = 1000
    """Steps from one validation and checkpoint to the next."""
    valid_crop: Positive = 480
    """Side of the centre crop of each validation photo, in HR pixels."""
    start_from: str = ""
    """Whose weights to start from: a run folder, the name of a model, or a file that `pixelift
    export` wrote. A repnet or gatenet may be narrower or shallower than the new one, which then
    starts with the same output. What belongs to another scale starts fresh; one that is wider,
    deeper or of another kind is refused."""


class AdversarialSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fine-tuning against a critic, which makes pictures crisper and less true."""

    weight: Annotated[float, Meta(ge=0, le=10)] = 0.0
    """Weight of the critic's verdict beside the loss on pixels; 0 trains without a critic."""
    matching: Annotated[float, Meta(ge=0, le=10)] = 0.1
    """Weight of the difference between what the critic sees in the two pictures."""
    width: Annotated[int, Meta(ge=4, le=256)] = 24
    """Channels of the critic at full size."""
    learning_rate: Rate = 1e-4
    """Adam's step size of the critic."""
    warmup: Annotated[int, Meta(ge=0, le=10**9)] = 200
    """Steps in which the critic alone learns, before its verdict counts."""


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of a training."""

    model: ModelSettings = ModelSettings()
    data: DataSettings = DataSettings()
    optim: OptimSettings = OptimSettings()
    run: RunSettings = RunSettings()
    distill: DistillSettings = DistillSettings()
    adversarial: AdversarialSettings = AdversarialSettings()


def load_recipe(path: Path, changes: tuple[str, ...] = ()) -> Recipe:
    """Read a recipe and apply changes to it.

    Args:
        path: A TOML file.
        changes: Assignments such as "optim.steps=500"; values are TOML, or else plain text.

    Returns:
        The recipe.

    Raises:
        ConfigError: The file cannot be read, or a key is unknown or of the wrong type; the
            message gives the path of the key.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"cannot read recipe {path}: {error.strerror}. Name a TOML file, for instance one of "
            "recipes/"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"recipe {path} is not valid TOML: {error}.") from error
    for change in changes:
        _apply(table, change)
    _refuse_unknown(table, Recipe, place="", recipe=path)
    _refuse_dials(table.get("model"), recipe=path)
    try:
        return msgspec.convert(table, Recipe)
    except msgspec.ValidationError as error:
        # "Expected `int` >= 1 - at `$.optim.steps`"
        problem, _, place = str(error).partition(" - at `$.")
        where = f": {place.rstrip('`')}" if place else ""
        raise ConfigError(f"recipe {path}{where}: {problem}.") from error


def _refuse_unknown(table: dict[str, Any], kind: Any, *, place: str, recipe: Path) -> None:  # noqa: ANN401 - a type as it is annotated
    """Refuse keys that nobody would read, and offer the nearest that somebody does."""
    structs = [k for k in (kind, *get_args(kind)) if isinstance(k, type(msgspec.Struct))]
    if not structs or not isinstance(table, dict):
        return
    known = {f.name: f.type for f in msgspec.structs.fields(structs[0])}
    for key, value in table.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            guess = f'Did you mean "{near[0]}"?' if near else f"Known: {', '.join(known)}."
            raise ConfigError(f"recipe {recipe}: {place}{key} is no setting. {guess}")
        _refuse_unknown(value, known[key], place=f"{place}{key}.", recipe=recipe)


def _refuse_dials(model: object, *, recipe: Path) -> None:
    """Name the dial that is wrong, which the check of the types does not."""
    dials = model.get("dials") if isinstance(model, dict) else None
    for dial, value in dials.items() if isinstance(dials, dict) else ():
        if dial == "scale":
            raise ConfigError(f"recipe {recipe}: the scale is no dial. Set model.scale = {value}.")
        try:
            msgspec.convert(value, Dial | bool)
        except msgspec.ValidationError as error:
            raise ConfigError(
                f"recipe {recipe}: model.dials.{dial} is {value!r}; a dial is a whole number from "
                f"1 to {LARGEST_DIAL}, a switch true or false. Run: pixelift models --architectures"
            ) from error


def _apply(table: dict[str, Any], change: str) -> None:
    key, equals, text = change.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise ConfigError(f'cannot understand --set "{change}"; write it as --set optim.steps=500')
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    for part in parts[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise ConfigError(f'--set "{change}": {part} is a value and not a table.')
    table[parts[-1]] = value
