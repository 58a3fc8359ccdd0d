"""The card of a network: what its weights promise, as strict TOML beside the weights."""

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from pixelift.errors import ConfigError, WeightsError

METADATA_KEY = "pixelift.card"
"""Under this key of its ONNX metadata an exported network carries its own card, as JSON."""

NAME_LENGTH = 100
NAME_PATTERN = rf"^[A-Za-z0-9][A-Za-z0-9._-]{{0,{NAME_LENGTH - 1}}}$"
Name = Annotated[str, msgspec.Meta(pattern=NAME_PATTERN)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$")]


class Score(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How well a network did on one test set, by the protocol of `pixelift evaluate`."""

    psnr_y: float
    """PSNR-Y in decibels, mean over the pictures of the set."""
    ssim_y: float
    """SSIM-Y, mean over the pictures of the set."""


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a network promises; everything that the code knows about a network stands here."""

    name: Name
    """What people call it; together with the scale it names the files, as in "balanced_x4"."""
    scale: Annotated[int, msgspec.Meta(ge=1, le=16)]
    """HR pixels per LR pixel along each axis."""
    channels: Literal["rgb", "y"]
    """What the network takes: RGB in [0, 1], or BT.601 studio luma as 8-bit level / 255."""
    radius: Annotated[int, msgspec.Meta(ge=0, le=1024)]
    """Receptive-field radius in LR pixels; a halo at least this wide makes tiles exact."""
    parameters: Count
    """Trained numbers in the network, as exported."""
    macs_per_pixel: Count
    """Multiply-accumulates per LR pixel."""
    base: Literal["bicubic", "none"]
    """What the network's residual is added to, in float32; "none" paints the picture itself."""
    sha256: Sha256 = ""
    """Hash of the .onnx file; empty only in the card that a file carries inside itself."""
    bytes: Count = 0
    """Size of the .onnx file; 0 only in the card that a file carries inside itself."""
    licence: str
    """Licence of the weights, as an SPDX expression."""
    architecture: str
    """Which architecture it is, by the name that recipes use."""
    recipe: str
    """File name of the training recipe."""
    dataset_sha256: Sha256
    """Hash of the manifest of the prepared training set; empty when it is not known."""
    training: str
    """One line for people: machine, time, photos."""
    scores: dict[str, Score]
    """Measured scores by test set, as {"Set5": ...}."""

    @property
    def key(self) -> str:
        """Name and scale in one word, as the files are named: "balanced_x4"."""
        return f"{self.name}_x{self.scale}"

    @property
    def planes(self) -> int:
        """Number of channels of the network's input and output: 3 or 1."""
        return 3 if self.channels == "rgb" else 1


def check_name(name: str) -> None:
    """Refuse a name that no card may hold, before the work on its network.

    Args:
        name: What a network is to be called.

    Raises:
        ConfigError: A card of that name could not be read again.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        close = clean_name(name) or "mine"
        raise ConfigError(
            f'a network cannot be called "{name}"; allowed are up to {NAME_LENGTH} letters a to z, '
            f"digits, dots, dashes and underscores, a letter or digit first, as --name {close}"
        )


def clean_name(name: str) -> str:
    """Make a name of the name of a folder, which may be any.

    Args:
        name: What the folder is called.

    Returns:
        The nearest name that a card may hold: without accents, a dash for what else is not
        allowed. Empty where nothing is left.

    Example:
        >>> [clean_name(name) for name in ("run two", "été", "_run", "日本")]
        ['run-two', 'ete', 'run', '']
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).lstrip("._-")[:NAME_LENGTH].rstrip("-")


def parse_card(text: str) -> Card:
    """Read a card from TOML; unknown, missing and mistyped fields are refused.

    Args:
        text: The TOML.

    Returns:
        The card.

    Raises:
        WeightsError: The text is no TOML or no card; says which field is wrong.
    """
    try:
        return msgspec.toml.decode(text, type=Card)
    except msgspec.MsgspecError as err:
        raise WeightsError(f"the card is not valid: {err}") from err


def render_card(card: Card) -> str:
    """Write a card as TOML, the inverse of `parse_card`.

    Written by hand, since neither the standard library nor msgspec alone can write TOML and
    a card needs only strings, numbers and one level of tables.

    Args:
        card: The card.

    Returns:
        The TOML, one line for each field, scores last.
    """
    fields = msgspec.to_builtins(card)
    scores = fields.pop("scores")
    lines = [f"{key} = {_toml_value(value)}" for key, value in fields.items()]
    lines += ["", "[scores]"]
    for name, score in scores.items():
        values = ", ".join(f"{key} = {_toml_value(value)}" for key, value in score.items())
        lines.append(f"{_toml_value(name)} = {{ {values} }}")
    return "\n".join(lines) + "\n"


def _toml_value(value: str | float) -> str:
    # JSON's escapes are TOML's, but for DEL, which JSON leaves as it is and TOML forbids.
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def card_to_metadata(card: Card) -> str:
    """Write a card as the JSON that goes into the network's file under `METADATA_KEY`.

    Args:
        card: The card; its hash and size are left out, since a file cannot hold its own hash.

    Returns:
        The JSON.
    """
    return msgspec.json.encode(msgspec.structs.replace(card, sha256="", bytes=0)).decode()


def card_from_onnx(data: bytes) -> Card:
    """Read the card that an exported network carries inside itself.

    Args:
        data: The whole .onnx file.

    Returns:
        The card, with neither hash nor size.

    Raises:
        WeightsError: The bytes are no ONNX network, or hold no card, or a wrong one.
    """
    text = read_metadata(data).get(METADATA_KEY)
    if text is None:
        raise WeightsError(
            "the network holds no card, so its scale and radius are not known; "
            "allowed are files written by: pixelift export RUN -o FILE.onnx"
        )
    try:
        return msgspec.json.decode(text, type=Card)
    except msgspec.MsgspecError as err:
        raise WeightsError(f"the card inside the network is not valid: {err}") from err


GRAPH_FIELD, METADATA_FIELD = 7, 14
"""Fields of ModelProto in onnx.proto; those of StringStringEntryProto are 1 (key) and 2."""
FIXED_SIZES = {1: 8, 5: 4}
VARINT, LENGTH_DELIMITED = 0, 2
MAX_FIELDS = 10_000
"""A network has some ten fields outside of its graph; a file of zeros would have millions."""


def read_metadata(data: bytes) -> dict[str, str]:
    """Read the metadata of an ONNX file without the onnx package, which the light wing lacks.

    Args:
        data: The whole .onnx file.

    Returns:
        The metadata; empty when the network has none.

    Raises:
        WeightsError: The bytes are cut off, or are no ONNX network.
    """
    metadata: dict[str, str] = {}
    has_graph = False
    try:
        for field, value in _fields(data):
            has_graph |= field == GRAPH_FIELD
            if field == METADATA_FIELD:
                entry = dict(_fields(value))
                metadata[entry.get(1, b"").decode()] = entry.get(2, b"").decode()
    except (IndexError, ValueError) as err:
        raise WeightsError("the file is cut off or is no ONNX network") from err
    if not has_graph:
        raise WeightsError("the file is empty or is no ONNX network")
    return metadata


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    # Walks one level of a protobuf message: number and bytes of each field, b"" for numbers.
    at = 0
    for _ in range(MAX_FIELDS):
        if at == len(message):
            return
        tag, at = _varint(message, at)
        kind, size = tag & 7, 0
        if kind == VARINT:
            _, at = _varint(message, at)
        elif kind == LENGTH_DELIMITED:
            size, at = _varint(message, at)
        elif kind in FIXED_SIZES:
            at += FIXED_SIZES[kind]
        else:
            raise ValueError(f"wire type {kind}")
        if at + size > len(message):
            raise IndexError("a field ends behind its message")
        yield tag >> 3, message[at : at + size]
        at += size
    raise ValueError(f"more than {MAX_FIELDS} fields")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        value |= (message[at] & 0x7F) << shift
        at += 1
        if message[at - 1] < 0x80:
            return value, at
    raise ValueError("a number of more than ten bytes")
