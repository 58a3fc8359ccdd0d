"""IPTC: captions and credits of press photos, in the wrapping of JPEG and without any.

JPEG keeps them among the resources of Photoshop, TIFF as they are. Of those resources only this one
is carried along: others say where paths and guides lie, and hold a thumbnail.
"""

import struct

MOST_BYTES = 60_000
"""More is left out: JPEG gives 64 KiB to all resources together."""

MARK = b"Photoshop 3.0\0"
"""What resources begin with in JPEG, and nowhere else."""

_RESOURCE, _NUMBER = b"8BIM", 1028
_BEGINNING = b"\x1c"


def unwrapped(resources: bytes) -> bytes | None:
    r"""Take IPTC out of the resources of Photoshop.

    Args:
        resources: What JPEG holds; or IPTC as it is, which is handed back.

    Returns:
        IPTC; None where there is none, or more than a file can hold.

    Example:
        >>> unwrapped(wrapped(b"\x1c\x02\x78\0\x02Hi"))
        b'\x1c\x02x\x00\x02Hi'
    """
    data = resources.removeprefix(MARK)
    found = data if data.startswith(_BEGINNING) else b""
    at = 0
    while not found and data[at : at + 4] == _RESOURCE and at + 12 <= len(data):
        (number,) = struct.unpack_from(">H", data, at + 4)
        # A name whose length is a byte, and the length of what follows; both of even size.
        at += 6 + (data[at + 6] + 2) // 2 * 2
        if at + 4 > len(data):
            break
        (length,) = struct.unpack_from(">I", data, at)
        if number == _NUMBER:
            found = data[at + 4 : at + 4 + length]
            break
        at += 4 + length + length % 2
    whole = found[: _end(found)]
    return whole if 0 < len(whole) <= MOST_BYTES else None


def _end(iptc: bytes) -> int:
    """Find where the last whole value ends: zeros may stand behind it."""
    at = 0
    while iptc[at : at + 1] == _BEGINNING and at + 5 <= len(iptc):
        (length,) = struct.unpack_from(">H", iptc, at + 3)
        end = at + 5 + length
        if length & 0x8000:
            # That many bytes hold the length of a long value.
            bytes_of_length = length & 0x7FFF
            place = at + 5
            end = place + bytes_of_length
            end += int.from_bytes(iptc[place:end], "big") if bytes_of_length <= 4 else len(iptc)
        if end > len(iptc):
            break
        at = end
    return at


def wrapped(iptc: bytes) -> bytes:
    """Put IPTC among the resources of Photoshop, as JPEG holds it.

    Args:
        iptc: What `unwrapped` returned.

    Returns:
        The resources.
    """
    head = MARK + _RESOURCE + struct.pack(">HHI", _NUMBER, 0, len(iptc))
    return head + iptc + bytes(len(iptc) % 2)
