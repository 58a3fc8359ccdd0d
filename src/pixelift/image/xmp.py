"""What an XMP packet may still say of a picture: upright, of another size, alone in its file.

A packet is a file of XML that nobody vouches for. It is parsed to find where things are, and only
the bytes of those that are no longer true are changed. One with a document type, which could hold
entities without end, or with a fault is not carried along.
"""

import re
from xml.parsers import expat

from pixelift.image.geometry import Size

MOST_BYTES = 1 << 24
"""A longer packet is left out."""

_TIFF, _EXIF = "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/"
_CAMERA = "http://ns.google.com/photos/1.0/camera/"
_SIDES = {
    (_TIFF, "ImageWidth"): 1,
    (_TIFF, "ImageLength"): 0,
    (_EXIF, "PixelXDimension"): 1,
    (_EXIF, "PixelYDimension"): 0,
}
_ORIENTATION = (_TIFF, "Orientation")

_GONE = {
    ("http://ns.adobe.com/xap/1.0/", "Thumbnails"),
    ("http://ns.adobe.com/xmp/note/", "HasExtendedXMP"),
    ("http://ns.google.com/photos/1.0/container/", "Directory"),
    *((_CAMERA, f"MotionPhoto{end}") for end in ("", "Version", "PresentationTimestampUs")),
    *((_CAMERA, f"MicroVideo{end}") for end in ("", "Version", "Offset")),
    (_CAMERA, "MicroVideoPresentationTimestampUs"),
}
"""What leads to further parts of a file: a thumbnail, more XMP, a film. They do not come along."""

_GONE_ALL = {
    "http://ns.adobe.com/hdr-gain-map/1.0/",
    "http://ns.apple.com/HDRGainMap/1.0/",
    "http://ns.google.com/photos/1.0/depthmap/",
    "http://ns.google.com/photos/1.0/image/",
}
"""Vocabularies of such parts."""

_OF_THE_OLD_SIZE = {
    *((_EXIF, f"Subject{what}") for what in ("Area", "Location")),
    *((_EXIF, f"FocalPlane{what}") for what in ("XResolution", "YResolution", "ResolutionUnit")),
}
_OF_THE_LYING_PICTURE = {
    ("http://www.metadataworkinggroup.com/schemas/regions/", "Regions"),
    ("http://ns.microsoft.com/photo/1.2/", "RegionInfo"),
}

_NAME = re.compile(rb"<[^\s/>]+")
_ATTRIBUTE = re.compile(rb"""\s+([^\s=]+)\s*=\s*("[^"]*"|'[^']*')""")
_END = re.compile(rb"\s*/?>")

Name = tuple[str, str]
"""A name by its vocabulary and what it is called there."""


def fitting_xmp(xmp: bytes, size: Size, *, was_turned: bool = False) -> bytes | None:
    """Make XMP fit a picture that stands upright and may have another size than it had.

    Args:
        xmp: The packet.
        size: Size of the picture.
        was_turned: Whether it lay on its side: then places in it that the packet tells are wrong.

    Returns:
        The packet, with orientation 1 and that size wherever it states them, and without what is
        no longer true or no longer there; None for one that can not be parsed or is too long.

    Example:
        >>> packet = b'<a xmlns:t="http://ns.adobe.com/tiff/1.0/" t:Orientation="6"/>'
        >>> fitting_xmp(packet, Size(2, 3))
        b'<a xmlns:t="http://ns.adobe.com/tiff/1.0/" t:Orientation="1"/>'
    """
    data = xmp.rstrip(b"\0")
    if not data or len(data) > MOST_BYTES:
        return None
    wanted = {name: str((size.height, size.width)[side]) for name, side in _SIDES.items()}
    wanted[_ORIENTATION] = "1"
    gone = _GONE | (_OF_THE_LYING_PICTURE if was_turned else set())
    try:
        editor = _Editor(data, wanted, gone)
        if editor.has_other_sizes:
            editor = _Editor(data, wanted, gone | _OF_THE_OLD_SIZE)
        # What is written must be XML again, whatever was read, with every prefix explained.
        expat.ParserCreate("utf-8", " ").Parse(editor.result(), True)  # noqa: FBT003 - it takes no names
    except (expat.ExpatError, ValueError):
        return None
    return editor.result()


class _Editor:
    """Finds what has to be changed in a packet."""

    def __init__(self, data: bytes, wanted: dict[Name, str], gone: set[Name]) -> None:
        self.has_other_sizes = False
        self._data = data
        self._wanted = wanted
        self._gone = gone
        self._edits: list[tuple[int, int, bytes]] = []
        self._vocabularies: list[dict[str, str]] = [{}]
        # Of each element that is open: where it starts, where its tag ends, what it becomes.
        self._open: list[tuple[int, int, bytes | None, Name]] = []
        # How many of them lie in one that is changed as a whole, itself counted.
        self._within = 0
        # UTF-8 whatever the packet says of itself: places are counted in these bytes.
        self._parser = expat.ParserCreate("utf-8")
        self._parser.ordered_attributes = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.Parse(data, True)  # noqa: FBT003 - it takes no names

    def result(self) -> bytes:
        """Make the changed packet."""
        parts, at = [], 0
        for start, end, text in sorted(self._edits):
            parts += [self._data[at:start], text]
            at = end
        return b"".join([*parts, self._data[at:]])

    def _refuse(self, *_: object) -> None:
        raise ValueError("a document type")

    def _start(self, qualified: str, attributes: list[str]) -> None:
        known = dict(self._vocabularies[-1])
        for given, address in zip(attributes[::2], attributes[1::2], strict=True):
            if given == "xmlns" or given.startswith("xmlns:"):
                known[given.removeprefix("xmlns").removeprefix(":")] = address
        self._vocabularies.append(known)
        start = self._parser.CurrentByteIndex
        prefix, _, local = qualified.rpartition(":")
        name = known.get(prefix, ""), local
        value = None if self._within else self._value(name)
        instead = None if value is None else b""
        if value:
            # The tag may have explained its own prefix; as a rule one around it has.
            is_explained = self._vocabularies[-2].get(prefix) == name[0]
            mark = f":{prefix}" if prefix else ""
            where = "" if is_explained else f' xmlns{mark}="{name[0]}"'
            instead = f"<{qualified}{where}>{value}</{qualified}>".encode()
        is_plain = value is None and not self._within
        self._open.append((start, self._tag_end(start, look=is_plain), instead, name))
        self._within += not is_plain

    def _end(self, _: str) -> None:
        self._vocabularies.pop()
        start, tag_end, instead, name = self._open.pop()
        self._within -= bool(self._within)
        if instead is None:
            return
        end = tag_end
        # What is begun and ended in one tag has no other.
        if self._data[tag_end - 2 : tag_end] != b"/>":
            close = self._parser.CurrentByteIndex
            end = self._data.index(b">", close) + 1
            self._note(name, self._data[tag_end:close])
        self._edits.append((start, end, instead))

    def _value(self, name: Name) -> str | None:
        """Say what a property becomes: "" where it goes, None where it stays."""
        if name in self._wanted:
            return self._wanted[name]
        return "" if name in self._gone or name[0] in _GONE_ALL else None

    def _note(self, name: Name, stated: bytes) -> None:
        if name in _SIDES and stated.strip() != self._wanted[name].encode():
            self.has_other_sizes = True

    def _tag_end(self, start: int, *, look: bool) -> int:
        """Find the end of a tag, and on the way the attributes that have to be changed."""
        at = _matched(_NAME, self._data, start)
        while found := _ATTRIBUTE.match(self._data, at):
            at = found.end()
            prefix, _, local = found[1].decode().rpartition(":")
            # An attribute without a prefix is of no vocabulary.
            name = self._vocabularies[-1].get(prefix, "") if prefix else "", local
            value = self._value(name) if look else None
            if value:
                self._note(name, found[2][1:-1])
                self._edits.append((found.start(2) + 1, found.end(2) - 1, value.encode()))
            elif value is not None:
                self._edits.append((found.start(), found.end(), b""))
        return _matched(_END, self._data, at)


def _matched(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    found = pattern.match(data, at)
    if found is None:
        raise ValueError("no tag")
    return found.end()
