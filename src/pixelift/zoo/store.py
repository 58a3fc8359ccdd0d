"""From the name of a network to its verified file: packaged, the user's own, or a path."""

import hashlib
import os
import re
from pathlib import Path

import msgspec

from pixelift.errors import UnknownNameError, WeightsError, unknown_name
from pixelift.zoo.card import NAME_PATTERN, Card, card_from_onnx, parse_card

PACKAGED_CARDS = Path(__file__).parent / "cards"
PACKAGED_WEIGHTS = Path(__file__).parent / "weights"
HOME_VARIABLE = "PIXELIFT_HOME"
"""Environment variable; `models/` in this folder holds the user's own cards and networks."""
DEFAULT_SCALE = 4
MAX_BYTES = 256 * 2**20
"""Larger network files are refused unread: no network that this package can run is near it."""
FOREIGN = frozenset({".pt", ".pth", ".ckpt", ".bin", ".pkl", ".safetensors", ".pb"})
"""Endings of trained weights that are not ours; most are pickled, and could run code."""
HASH_PREFIX = 12
"""Hexadecimal digits of a hash that a message shows."""


def list_models() -> list[Card]:
    """List the networks that can be called by name, the packaged and the user's own.

    Only cards are read; hashes are checked when a network is used.

    Returns:
        The cards, sorted by name and scale.

    Raises:
        WeightsError: A card is damaged.
    """
    found: dict[tuple[str, int], Card] = {}
    for cards, _ in reversed(_folders()):
        for path in sorted(cards.glob("*.toml")):
            card = _load_card(path)
            found[card.name, card.scale] = card
    return [found[key] for key in sorted(found)]


def find_model(name: str | os.PathLike[str], *, scale: int | None = None) -> tuple[Card, Path]:
    """Find a network and verify its file against the hash on its card.

    A network in the user's folder goes before a packaged one of the same name, so that a
    retrained network can take the packaged one's place.

    Args:
        name: A name as "balanced", a name with its scale as "balanced_x4", or the path of an
            .onnx file that `pixelift export` wrote.
        scale: HR pixels per LR pixel; None takes the scale in the name or in the file, and
            else 4.

    Returns:
        The card and the path of the .onnx file.

    Raises:
        UnknownNameError: There is no such network, or not with this scale.
        WeightsError: The file is missing, damaged, too large or carries no card.
    """
    if os.fspath(name).lower().endswith(".onnx"):
        return _open_file(Path(name), scale)
    if Path(name).suffix.lower() in FOREIGN:
        raise UnknownNameError(
            f'no model "{name}". Weights as other programs keep them are never loaded; allowed are '
            "names and the .onnx files that pixelift export writes. Run: pixelift models"
        )
    # A name with a slash in it would lead out of the folder of cards.
    if not re.fullmatch(NAME_PATTERN, os.fspath(name)):
        raise UnknownNameError(
            f'no model "{name}". A model is a name of letters, digits, dot, dash and underscore, '
            f"or the path of a file that ends in .onnx. Run: pixelift models"
        )
    base, in_name = _split_name(os.fspath(name))
    if scale is not None and in_name is not None and scale != in_name:
        raise UnknownNameError(
            f'model "{name}" is for scale {in_name}, not for scale {scale}. '
            f'Use the name "{base}", or scale {in_name}.'
        )
    wanted = scale or in_name or DEFAULT_SCALE
    for cards, weights in _folders():
        path = cards / f"{base}_x{wanted}.toml"
        if path.is_file():
            card = _load_card(path)
            onnx = weights / f"{base}_x{wanted}.onnx"
            read_weights(card, onnx)
            return card, onnx
    raise _not_found(base, wanted)


def find_scales(name: str | os.PathLike[str]) -> tuple[int, ...]:
    """List the scales that a model has networks for.

    Args:
        name: As for `find_model`; a file, or a name with its scale, has that scale alone.

    Returns:
        The scales, ascending; at least one.

    Raises:
        UnknownNameError: There is no such network.
        WeightsError: The file is missing, damaged, too large or carries no card.
    """
    text = os.fspath(name)
    base, in_name = _split_name(text)
    if text.lower().endswith(".onnx") or in_name is not None:
        return (find_model(name)[0].scale,)
    found = {
        offered
        for cards, _ in _folders()
        for stem, offered in (_split_name(path.stem) for path in cards.glob("*.toml"))
        if stem == base and offered is not None
    }
    return tuple(sorted(found)) if found else (find_model(name)[0].scale,)


def read_weights(card: Card, path: Path) -> bytes:
    """Read the file of a network; the bytes that are returned are the ones that were verified.

    Args:
        card: Its card; one without a hash is taken on trust.
        path: The .onnx file.

    Returns:
        The whole file.

    Raises:
        WeightsError: The file is missing, unreadable, too large, or not what the card says.
    """
    data = _read_bounded(path)
    found = hashlib.sha256(data).hexdigest()
    if card.sha256 and found != card.sha256:
        raise WeightsError(
            f"{path} is damaged or of another version: its card expects sha256 "
            f"{card.sha256[:HASH_PREFIX]}..., found {found[:HASH_PREFIX]}... ({len(data)} bytes). "
            f"Restore the file; if it came with Pixelift, reinstall Pixelift."
        )
    return data


def _folders() -> list[tuple[Path, Path]]:
    # Pairs of a folder of cards and a folder of networks, the first to look into first.
    folders = [(PACKAGED_CARDS, PACKAGED_WEIGHTS)]
    if home := os.environ.get(HOME_VARIABLE):
        own = Path(home).expanduser() / "models"
        folders.insert(0, (own, own))
    return folders


def _split_name(name: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(.+)_x(\d{1,2})", name)
    return (match[1], int(match[2])) if match else (name, None)


def _load_card(path: Path) -> Card:
    try:
        card = parse_card(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, WeightsError) as err:
        raise WeightsError(
            f"{path}: {err}. Restore the file; if it came with Pixelift, reinstall Pixelift."
        ) from err
    if path.stem != card.key:
        raise WeightsError(
            f'{path} holds the card of "{card.key}"; the file name must be {card.key}.toml. '
            f"Rename it, and its .onnx file too."
        )
    return card


def _open_file(path: Path, scale: int | None) -> tuple[Card, Path]:
    data = _read_bounded(path)
    try:
        card = card_from_onnx(data)
    except WeightsError as err:
        raise WeightsError(f"{path}: {err}") from err
    if scale is not None and scale != card.scale:
        raise UnknownNameError(
            f"{path} is for scale {card.scale}, not for scale {scale}. Use scale {card.scale}."
        )
    # With its hash on the card, the file cannot change unseen between here and the engine.
    found = hashlib.sha256(data).hexdigest()
    return msgspec.structs.replace(card, sha256=found, bytes=len(data)), path


def _read_bounded(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise WeightsError(
                f"{path} has {size} bytes; a network file may have {MAX_BYTES} at most. "
                f"Give a file that pixelift export wrote."
            )
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except OSError as err:
        reason = err.strerror or str(err)
        raise WeightsError(
            f"cannot read the network {path}: {reason}. Check the path; "
            f"if the file came with Pixelift, reinstall Pixelift."
        ) from err


def _not_found(name: str, scale: int) -> UnknownNameError:
    stems = {path.stem for cards, _ in _folders() for path in cards.glob("*.toml")}
    known = [(base, offered) for base, offered in map(_split_name, stems) if offered is not None]
    scales = sorted(offered for base, offered in known if base == name)
    if scales:
        offers = ", ".join(map(str, scales))
        return UnknownNameError(
            f'model "{name}" has no scale {scale}. Its scales: {offers}. Run: pixelift models'
        )
    return unknown_name("model", name, {base for base, _ in known}, hint="pixelift models")
