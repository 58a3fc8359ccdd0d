"""What a form may ask for, and the order for a worker that comes of it."""

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction

from pixelift.image.formats import HEAD_BYTES, WRITABLE, find_writable, readable_labels, sniff
from pixelift.image.formats import sniff_other as name_of
from pixelift.infer.auto import AUTO
from pixelift.infer.target import MAX_FACTOR, MAX_MEGAPIXELS, MAX_SIDE, parse_factor
from pixelift.infer.upscaler import DEFAULT_MODEL
from pixelift.serve.form import FIELDS, Form, unknown_field
from pixelift.serve.frames import Order
from pixelift.serve.limits import Limits
from pixelift.serve.problems import Problem
from pixelift.zoo.card import Card
from pixelift.zoo.store import DEFAULT_SCALE

Offers = Mapping[str, Sequence[int]]
"""The scales of each model, by its name."""

FORMATS = tuple(fmt.name for fmt in WRITABLE)

FORMAT_NAMES = (*FORMATS, "jpg", "tif")
"""What a client may write for them; their other endings are taken too."""

SIZES = ("scale", "width", "height", "megapixels")
"""Fields that tell how large the result is to be."""

CHOICES = {"true": True, "false": False}
"""How a client may write yes and no."""

_WHOLE = "[0-9]{1,7}"
_PART = r"[0-9]{1,6}(\.[0-9]{0,20})?|\.[0-9]{1,20}"

NUMBERS = {
    "scale": (MAX_FACTOR, ".{1,40}", f"1 to {MAX_FACTOR}, as 4, 2.5 or x2"),
    "width": (MAX_SIDE, _WHOLE, f"whole numbers from 1 to {MAX_SIDE}"),
    "height": (MAX_SIDE, _WHOLE, f"whole numbers from 1 to {MAX_SIDE}"),
    "megapixels": (MAX_MEGAPIXELS, _PART, f"more than 0, up to {MAX_MEGAPIXELS}, as 24"),
    "quality": (100, _WHOLE, "whole numbers from 1 to 100"),
}
"""The largest value, how it is written, and what is told of that."""


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
        form: What was sent; empty fields count as left out.
        offers: What may be asked for.
        limits: How large the result may be.

    Returns:
        The order; all of it is known to be allowed.

    Raises:
        Problem: A field is unknown or wrong, or the file is no picture.
    """
    for name in form.fields:
        if name not in FIELDS:
            raise unknown_field(name)
    fields = {name: value for name, value in form.fields.items() if value}
    model = fields.get("model", AUTO)
    scales = _scales(model, offers)
    size = {name: _number(name, fields[name]) for name in SIZES if name in fields}
    size = size or {"scale": Fraction(DEFAULT_SCALE if DEFAULT_SCALE in scales else scales[-1])}
    scale = _checked_scale(size, fields, scales)
    format = find_writable(fields["format"], None) if "format" in fields else None
    if "format" in fields and format is None:
        raise _wrong("format", f'is "{_short(fields["format"])}"', ", ".join(FORMAT_NAMES))
    quality = _number("quality", fields["quality"]) if "quality" in fields else None
    consistent = _choice("consistent", fields["consistent"]) if "consistent" in fields else None
    _check_kind(form)
    return Order(
        model=model,
        consistent=consistent,
        scale=None if scale is None else int(scale) if scale.denominator == 1 else float(scale),
        width=_whole(size.get("width")),
        height=_whole(size.get("height")),
        megapixels=float(size["megapixels"]) if "megapixels" in size else None,
        max_pixels=limits.input_pixels(scale or 1),
        result_pixels=limits.result_pixels,
        format=format.name if format else None,
        quality=_whole(quality),
    )


def _scales(model: str, offers: Offers) -> Sequence[int]:
    """Tell the trained scales of a model, also of one that is named with its scale."""
    if model in offers:
        return offers[model]
    base, _, scale = model.rpartition("_x")
    if base in offers and base != AUTO and scale in map(str, offers[base]):
        return [int(scale)]
    raise _wrong("model", f'is "{_short(model)}"', ", ".join(offers))


def _number(name: str, value: str) -> Fraction:
    """Read a number as the command line does, within what is allowed."""
    top, pattern, allowed = NUMBERS[name]
    number = parse_factor(value) if re.fullmatch(pattern, value) else None
    if number is None or not (1 if name != "megapixels" else 0) <= number <= top or not number:
        raise _wrong(name, f'is "{_short(value)}"', allowed)
    return number


def _choice(name: str, value: str) -> bool:
    if value.lower() not in CHOICES:
        raise _wrong(name, f'is "{_short(value)}"', " and ".join(CHOICES))
    return CHOICES[value.lower()]


def _checked_scale(
    size: Mapping[str, Fraction], fields: Mapping[str, str], scales: Sequence[int]
) -> Fraction | None:
    """Refuse a size that is asked for in two ways, and a factor that a model does not reach."""
    if len(size) > 1 and set(size) != {"width", "height"}:
        raise Problem(
            "bad-field",
            f"The fields {' and '.join(size)} both tell the size; allowed is a scale, or a width "
            "and a height or one of these, or megapixels. Send one of them.",
            field=list(size)[-1],
        )
    scale = size.get("scale")
    # At most two networks, one after the other.
    most = max(scales) ** 2
    if scale is not None and scale > most:
        raise _wrong("scale", f'is "{_short(fields["scale"])}"', f"1 to {most} with this model")
    return scale


def _whole(number: Fraction | None) -> int | None:
    return None if number is None else int(number)


def _check_kind(form: Form) -> None:
    head = bytes(form.data[:HEAD_BYTES])
    if sniff(head) is None:
        other = name_of(head)
        what = f"The file is {other}" if other else "The file is no picture"
        advice = "Convert it to PNG first."
        if other is None and not form.is_file:
            what, advice = (
                "The field file is text and no picture",
                'With curl: -F "file=@photo.jpg"',
            )
        raise Problem("no-picture", f"{what}; allowed are {readable_labels()}. {advice}")


def _short(value: str) -> str:
    return value if len(value) <= 40 else f"{value[:40]}…"


def _wrong(name: str, what: str, allowed: str) -> Problem:
    return Problem("bad-field", f'The field "{name}" {what}; allowed are {allowed}.', field=name)
