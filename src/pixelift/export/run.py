"""From a run folder to an .onnx file with its card inside."""

from pathlib import Path

from pixelift.atomic import replacing
from pixelift.errors import ImageWriteError, TrainingError
from pixelift.export.parity import check_parity
from pixelift.export.to_onnx import export_onnx, has_residual
from pixelift.models.colour import in_colour
from pixelift.models.fuse import fuse
from pixelift.models.repnet import RepNet
from pixelift.models.spec import count_macs, count_parameters
from pixelift.train.checkpoint import read_run
from pixelift.train.logbook import LOG, read_log
from pixelift.train.weights import load_trained
from pixelift.zoo.card import Card, card_from_onnx, card_to_metadata, check_name

LICENCE = "MIT"
"""Licence that exported weights are given; change it in the card where yours is another."""


def export_run(run: Path, path: Path, *, name: str) -> Card:
    """Write the best network of a run as ONNX and check that it gives what torch gives.

    A RepNet that was trained on luma becomes a network for RGB pictures (`in_colour`).

    Args:
        run: The run folder.
        path: The .onnx file to write; an existing one is replaced.
        name: What the network is called in its card.

    Returns:
        The card, as it stands inside of the file.

    Raises:
        ConfigError: No network may be called so.
        WrongRunError: The folder is no run, or has no weights yet.
        TrainingError: Its weights or its log are damaged.
        WeightsError: The file does not give what torch gives.
        ImageWriteError: The file cannot be written.
    """
    check_name(name)
    network, recipe = load_trained(run)
    if isinstance(network, RepNet) and network.channels == 1:
        # As RGB the file needs no detour over YCbCr, here or in any other program.
        network = in_colour(network)
    _, origin = read_run(run)
    fused = fuse(network)
    log = read_log(run)
    measured = [line["psnr_y"] for line in log if "psnr_y" in line]
    if not measured:
        raise TrainingError(f"{run / LOG} tells of no validation. Copy the whole run folder.")
    minutes = max(line.get("seconds", 0.0) for line in log) / 60
    # A card must not keep quiet about photos that came in with the first weights.
    before = "".join(
        f"; {how} of other photos ({photos[:12]})"
        for how, photos in (
            ("started from weights", origin.started_from),
            ("taught by a network", origin.taught_by),
        )
        if photos not in ("", origin.photos_sha256)
    )
    dials = ", ".join(f"{key} {value}" for key, value in recipe.model.dials.items())
    card = Card(
        name=name,
        scale=recipe.model.scale,
        channels="rgb" if fused.channels == 3 else "y",
        radius=int(fused.radius),  # type: ignore[arg-type]
        parameters=count_parameters(fused),
        macs_per_pixel=count_macs(fused),
        base="bicubic" if has_residual(fused) else "none",
        licence=LICENCE,
        architecture=f"{recipe.model.architecture} ({dials})",
        recipe=f"{name}_x{recipe.model.scale}.toml",
        dataset_sha256=origin.photos_sha256,
        training=(
            f"{log[-1]['step']} steps in {minutes:.0f} minutes on {origin.photos} photos; "
            f"{max(measured):.2f} dB on the validation crops{before}"
        ),
        scores={},
    )
    try:
        # The name is given only to a file that was checked.
        with replacing(path, durable=True) as unchecked:
            export_onnx(fused, unchecked, card_json=card_to_metadata(card))
            check_parity(network, unchecked, card)
            card_from_onnx(unchecked.read_bytes())  # or nobody could open the file
    except OSError as error:
        raise ImageWriteError(
            f"cannot write {path}: {error.strerror}. Choose another -o."
        ) from error
    return card
