"""Which pictures of a folder are results of others in it: by name, by their picture, by their size.

A name alone may be the picture's own. A file is taken for a result where its name is made of that
of another picture there, and it has to the pixel the size that the name says of that picture.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from pixelift.errors import PixeliftError
from pixelift.image.find import why_no_file
from pixelift.image.geometry import Size
from pixelift.image.read import read_size

# What Target.label writes: x4, x2.5, 3840w, 2160h, 3840x2160, 24mp.
_NAME = re.compile(
    r"(?P<stem>.+)_(?:x(?P<factor>\d[\d.]{0,11})|(?P<w>\d{1,7})w|(?P<h>\d{1,7})h"
    r"|(?P<both>\d{1,7}x\d{1,7})|(?P<mp>\d[\d.]{0,11}(?:e[+-]\d\d)?)mp)",
    re.DOTALL,
)

_ROUNDED = 5e-6
"""By how much of itself a number may be off that was written with six digits, as labels are."""


def find_results(pictures: Iterable[Path], folder: Path) -> dict[Path, Path]:
    """Tell which pictures of a folder were made of others in it, whatever they were made with.

    A result lies beside its picture; or the folders of the pictures are mirrored in a folder that
    lies among them.

    Args:
        pictures: All pictures of the folder, at any depth.
        folder: Where their paths begin.

    Returns:
        The picture that each result is of.
    """
    pictures = list(pictures)
    by_stem: defaultdict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in pictures:
        for stem in {path.stem, path.name}:
            by_stem[path.parent, stem].append(path)
    results = {}
    for path in pictures:
        named = _NAME.fullmatch(path.stem)
        if named is None:
            continue
        parts = path.parent.relative_to(folder).parts
        places = [folder.joinpath(*parts[depth:]) for depth in range(len(parts) + 1)]
        made_of = (
            source
            for place in places
            for source in _sources(place, named["stem"], by_stem)
            if source != path and may_be_result(path, source)
        )
        if (source := next(made_of, None)) is not None:
            results[path] = source
    return results


def _sources(
    place: Path, stem: str, by_stem: Mapping[tuple[Path, str], list[Path]]
) -> Iterator[Path]:
    yield from by_stem.get((place, stem), ())
    # A picture without an ending, or with that of something else, is in no list; it was named.
    if not why_no_file(place / stem):
        yield place / stem


def may_be_result(path: Path, source: Path) -> bool:
    """Tell whether a file has the size that its name says of a picture.

    Args:
        path: What may be the result.
        source: The picture.

    Returns:
        Whether it has; true where one of them cannot be read, since then only the name can tell.
    """
    named = _NAME.fullmatch(path.stem)
    if named is None:
        return False
    size, was = _size_now(path), _size_now(source)
    return size is None or was is None or _fits(named, size, was)


def _fits(named: "re.Match[str]", size: Size, was: Size) -> bool:
    if named["both"]:
        return f"{size.width}x{size.height}" == named["both"]
    if named["w"]:
        is_asked, factor = size.width == int(named["w"]), size.width / was.width
    elif named["h"]:
        is_asked, factor = size.height == int(named["h"]), size.height / was.height
    else:
        try:
            number = float(named["factor"] or named["mp"])
        except ValueError:  # 1.2.3
            return False
        is_asked = True
        factor = number if named["factor"] else math.sqrt(number * 1e6 / was.pixels)
    sides = ((was.height, size.height), (was.width, size.width))
    return is_asked and all(_is_rounded(before * factor, now) for before, now in sides)


def _is_rounded(exact: float, side: int) -> bool:
    slack = exact * _ROUNDED
    return math.floor(exact - slack + 0.5) <= side <= max(1, math.floor(exact + slack + 0.5))


def _size_now(path: Path) -> Size | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return _size_of(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=1 << 16)
def _size_of(path: Path, length: int, changed: int) -> Size | None:
    # A folder that is watched is looked at every second: what has not changed is not opened again.
    del length, changed
    try:
        return read_size(path)
    except (PixeliftError, OSError):
        return None
