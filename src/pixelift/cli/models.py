"""`pixelift models`: what can be used, what it costs and how well it does."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixelift.zoo.card import Card

SETS = ("Set5", "Set14", "B100")
"""Sets whose PSNR-Y is shown, those that papers report."""

SHOWN_SCALE = 4
"""Scale at which architectures are counted."""

HD_PIXELS = 1280 * 720
"""Size of the result for which papers count multiply-accumulates."""


def models(*, json: bool = False, architectures: bool = False) -> None:
    """List the models that can be used: those packaged, and those in the folder of the user.

    MACs are multiply-accumulates for a result of 1280x720 pixels; the columns at the end are
    PSNR-Y in decibels. A model is used by its name: pixelift upscale -m NAME -s SCALE.

    Args:
        json: Print all that is known about the models as JSON.
        architectures: List what can be trained instead, at the size of each paper.
    """
    import msgspec

    if architectures:
        _list_architectures(as_json=json)
        return

    from pixelift.evaluate.table import render_table
    from pixelift.zoo.store import list_models

    cards = list_models()
    if json:
        print(msgspec.json.format(msgspec.json.encode(cards), indent=2).decode())
        return
    header = ["name", "scale", "parameters", "MACs", "size", "licence", *SETS]
    print(render_table(header, [_row(card) for card in cards]))


def _list_architectures(*, as_json: bool) -> None:
    import msgspec

    from pixelift.cli.extras import require
    from pixelift.evaluate.table import render_table

    require("torch", task="the list of architectures")
    from pixelift.models.spec import describe_architectures

    found = describe_architectures(scale=SHOWN_SCALE)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    header = ["name", "what it is", "dials", "parameters", f"MACs, x{SHOWN_SCALE}"]
    rows = [
        [
            entry.name,
            entry.summary,
            ", ".join(f"{dial} {value}" for dial, value in entry.dials.items()),
            f"{entry.parameters / 1e3:.0f} K",
            f"{entry.macs_per_pixel * HD_PIXELS / SHOWN_SCALE**2 / 1e9:.1f} G",
        ]
        for entry in found
    ]
    print(render_table(header, rows))


def _row(card: "Card") -> list[str | None]:
    macs = card.macs_per_pixel * HD_PIXELS / card.scale**2
    scores = [card.scores.get(name) for name in SETS]
    return [
        card.name,
        f"x{card.scale}",
        f"{card.parameters / 1e3:.0f} K",
        f"{macs / 1e9:.1f} G",
        f"{card.bytes / 1e6:.2f} MB",
        card.licence,
        *(f"{score.psnr_y:.2f}" if score else None for score in scores),
    ]
