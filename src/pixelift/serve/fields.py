"""What a form may ask for, and the order for a worker that comes of it."""

import re
from collections.abc import Mapping, Sequence

from pixelift.image.formats import HEAD_BYTES, WRITABLE, find_writable, readable_labels, sniff
from pixelift.image.formats import sniff_other as name_of
from pixelift.infer.auto import AUTO
from pixelift.infer.upscaler import DEFAULT_MODEL
from pixelift.serve.form import Form
from pixelift.serve.frames import Order
from pixelift.serve.limits import Limits
from pixelift.serve.problems import Problem
from pixelift.zoo.card import Card
from pixelift.zoo.store import DEFAULT_SCALE

Offers = Mapping[str, Sequence[int]]
"""The scales of each model, by its name."""

FIELDS = ("scale", "model", "format", "quality")
"""Fields of a form beside the file."""

FORMATS = tuple(fmt.name for fmt in WRITABLE)


def offers_of(cards: Sequence[Card]) -> Offers:
    """List what may be asked for.

    Args:
        cards: The networks.

    Returns:
        Names and scales, "auto" first. A path is not among them, whatever a request says.
    """
    offers: dict[str, list[int]] = {}
    for card in cards:
        offers.setdefault(card.name, []).append(card.scale)
    named = {name: sorted(scales) for name, scales in offers.items()}
    return {AUTO: named[DEFAULT_MODEL]} | named if DEFAULT_MODEL in named else named


def order_of(form: Form, *, offers: Offers, limits: Limits) -> Order:
    """Make an order of a form.

    Args:
        form: What was sent.
        offers: What may be asked for.
        limits: How large the result may be.

    Returns:
        The order; all of it is known to be allowed.

    Raises:
        Problem: A field is unknown or wrong, or the file is no picture.
    """
    fields = {name: value for name, value in form.fields.items() if value}
    for name in form.fields:
        if name not in FIELDS:
            raise _wrong(name[:40], "is not known", f"file, {', '.join(FIELDS)}")
    model = fields.get("model", AUTO)
    if model not in offers:
        raise _wrong("model", f'is "{_short(model)}"', ", ".join(offers))
    scales = offers[model]
    default = DEFAULT_SCALE if DEFAULT_SCALE in scales else scales[-1]
    scale = _number(fields, "scale", default)
    if scale is None or scale not in scales:
        told = f"is {scale}" if scale is not None else f'is "{_short(fields["scale"])}"'
        raise _wrong("scale", told, ", ".join(map(str, scales)))
    format = fields.get("format")
    if format is not None and (format not in FORMATS or find_writable(format, None) is None):
        raise _wrong("format", f'is "{_short(format)}"', ", ".join(FORMATS))
    quality = _number(fields, "quality", None)
    if "quality" in fields and (quality is None or not 1 <= quality <= 100):
        raise _wrong("quality", f'is "{_short(fields["quality"])}"', "whole numbers from 1 to 100")
    _check_kind(form)
    return Order(
        model=model,
        scale=scale,
        max_pixels=limits.input_pixels(scale),
        format=format,
        quality=quality,
    )


def _number(fields: Mapping[str, str], name: str, default: int | None) -> int | None:
    value = fields.get(name)
    if value is None:
        return default
    return int(value) if re.fullmatch(r"[0-9]{1,4}", value) else None


def _check_kind(form: Form) -> None:
    head = bytes(form.data[:HEAD_BYTES])
    if sniff(head) is None:
        other = name_of(head)
        what = f"The file is {other}" if other else "The file is no picture"
        raise Problem(
            "no-picture", f"{what}; allowed are {readable_labels()}. Convert it to PNG first."
        )


def _short(value: str) -> str:
    return value if len(value) <= 40 else f"{value[:40]}…"


def _wrong(name: str, what: str, allowed: str) -> Problem:
    return Problem("bad-field", f'The field "{name}" {what}; allowed are {allowed}.', field=name)
