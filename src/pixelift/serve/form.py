"""A form with a picture in it, read as it arrives: never more of it than is allowed, and no files.

What the web framework offers would write large uploads into temporary files, and would read a
form to its end before anybody could look at its size.
"""

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from pixelift.serve.limits import FORM_BYTES, ByteBudget, Limits, Share
from pixelift.serve.problems import Problem

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FILE_FIELD = "file"

FIELDS = ("scale", "width", "height", "megapixels", "model", "consistent", "format", "quality")
"""Fields of a form beside the file."""

MAX_PARTS = 16
MAX_VALUE_BYTES = 1024
MAX_NAME_LENGTH = 120

_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f"\\/:*?<>|\u200b-\u200f\u2028-\u202e\u2066-\u2069]')


@dataclass(slots=True)
class Form:
    """What was sent."""

    data: bytearray
    """The picture's file."""

    name: str
    """What the client calls it; names the result in a header, and nothing else."""

    share: Share
    """What it takes of the budget of bytes; to be given back."""

    fields: dict[str, str] = field(default_factory=dict)
    is_file: bool = True
    """Whether the picture came as a file, with a name, and not as a line of text."""


async def read_form(request: Request, *, limits: Limits, budget: ByteBudget) -> Form:
    """Read a form.

    Args:
        request: The request; its body has not been touched.
        limits: Bytes and time that are allowed.
        budget: Bytes that all uploads share.

    Returns:
        The form, with exactly one file in it.

    Raises:
        Problem: It is no form, too large, too slow, or there is no room for it.
        ClientDisconnect: The client has gone.
    """
    boundary = _boundary(request)
    share = budget.take(_announced(request, limits))
    try:
        parts = _Parts(limits)
        parser = MultipartParser(boundary, parts.callbacks())
        async with asyncio.timeout(limits.upload_seconds):
            async for chunk in request.stream():
                parts.count(len(chunk))
                parser.write(chunk)
            parser.finalize()
        return parts.form(share)
    except TimeoutError:
        share.give_back()
        raise Problem(
            "slow-upload",
            f"The upload took more than {limits.upload_seconds:g} seconds. Send a smaller file.",
            headers={"connection": "close"},
        ) from None
    except FormParserError as err:
        share.give_back()
        raise Problem("bad-form", f"The form is damaged: {err}. Send it again.") from err
    except BaseException:
        share.give_back()
        raise


def safe_name(name: str) -> str:
    r"""Make a name of what a client calls its file; it only ever stands in a header.

    Args:
        name: Anything, a path for instance.

    Returns:
        The last part of it without what has a meaning to a file system or a terminal.

    Example:
        >>> safe_name("../../etc/passwd"), safe_name("C:\\photos\\a.jpg"), safe_name("..")
        ('passwd', 'a.jpg', 'picture')
    """
    last = re.split(r"[/\\]", name)[-1]
    last = _UNSAFE.sub("", last).strip(" .")[:MAX_NAME_LENGTH]
    return last or "picture"


def refuse_query(request: Request) -> None:
    """Refuse fields that stand in the address, where nobody would read them.

    Args:
        request: A request whose fields belong into its form.

    Raises:
        Problem: There is something behind the question mark.
    """
    if query := request.url.query:
        name = re.split("[=&]", query)[0]
        raise _wrong(
            name, "stands in the address; fields are sent in the form, as with curl: -F scale=2"
        )


def unknown_field(name: str) -> Problem:
    """Say that there is no such field.

    Args:
        name: What a client calls it.

    Returns:
        The problem, to be raised by the caller.
    """
    known = ", ".join((FILE_FIELD, *FIELDS))
    return _wrong(name, f'is not known; allowed are {known}. Send the picture as "{FILE_FIELD}".')


class _Parts:
    """Collects what the parser finds."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._bytes = 0
        self._parts = 0
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._key = ""
        self._is_file = False
        self._value = bytearray()
        self._data: bytearray | None = None
        self._is_whole = False
        self._name = ""
        self._has_name = False
        self._fields: dict[str, str] = {}

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._open,
            "on_part_data": self._take,
            "on_part_end": self._close,
            "on_end": self._end,
        }

    def count(self, length: int) -> None:
        self._bytes += length
        if self._bytes > self._limits.upload_bytes + FORM_BYTES:
            raise _too_large(self._limits)

    def form(self, share: Share) -> Form:
        if not self._is_whole:
            raise Problem("bad-form", "The form has no end. Send it again.")
        if self._data is None:
            raise Problem(
                "bad-field",
                'The form has no file. Send the picture as the field "file".',
                field=FILE_FIELD,
            )
        if not self._data:
            raise Problem("bad-field", "The file is empty. Send a picture.", field=FILE_FIELD)
        return Form(self._data, safe_name(self._name), share, self._fields, is_file=self._has_name)

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise Problem("bad-form", f"The form has more than {MAX_PARTS} parts. Send fewer.")
        self._disposition = b""
        self._value = bytearray()

    def _end_header(self) -> None:
        name, value = self._header
        if bytes(name).lower() == b"content-disposition":
            self._disposition = bytes(value)
        self._header = (bytearray(), bytearray())

    def _open(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name")
        if name is None:
            raise Problem("bad-form", "A part of the form has no name. Name it, as in -F scale=2.")
        self._key = name.decode("utf-8", "replace")
        self._is_file = self._key == FILE_FIELD
        # Before its value, which would be too long where it is the picture under another name.
        if not self._is_file and self._key not in FIELDS:
            raise unknown_field(self._key)
        if self._key in self._fields or (self._is_file and self._data is not None):
            raise _wrong(self._key, "is there twice; allowed is once. Send one request a picture.")
        if self._is_file:
            self._data = bytearray()
            self._name = _file_name(options)
            self._has_name = not options.keys().isdisjoint((b"filename", b"filename*"))

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._is_file and self._data is not None:
            if len(self._data) + end - start > self._limits.upload_bytes:
                raise _too_large(self._limits)
            self._data += memoryview(data)[start:end]
            return
        self._value += data[start:end]
        if len(self._value) > MAX_VALUE_BYTES:
            raise _wrong(self._key, f"has more than {MAX_VALUE_BYTES} bytes. Send a short value.")

    def _close(self) -> None:
        if not self._is_file:
            self._fields[self._key] = self._value.decode("utf-8", "replace").strip()

    def _end(self) -> None:
        self._is_whole = True


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise Problem(
            "no-form",
            "A form is expected, multipart/form-data with a boundary. "
            'Send one: curl -F "file=@photo.jpg"',
        )
    if len(boundary) > 70:
        raise Problem("bad-form", "The boundary is longer than the 70 characters of RFC 2046.")
    return boundary


def _announced(request: Request, limits: Limits) -> int:
    length = request.headers.get("content-length", "")
    announced = int(length) if length.isascii() and length.isdigit() else limits.upload_bytes
    if announced > limits.upload_bytes + FORM_BYTES:
        raise _too_large(limits)
    return announced


def _file_name(options: dict[bytes, bytes]) -> str:
    # Browsers and curl send UTF-8; some libraries send RFC 5987's form.
    name = options.get(b"filename", b"").decode("utf-8", "replace")
    extended = options.get(b"filename*", b"").decode("ascii", "replace")
    _, quotes, rest = extended.partition("''")
    return unquote(rest, errors="replace") if quotes else name


def _wrong(name: str, what: str) -> Problem:
    shown = name[:40]
    return Problem("bad-field", f'The field "{shown}" {what}', field=shown)


def _too_large(limits: Limits) -> Problem:
    return Problem(
        "too-many-bytes",
        f"The upload is too large; allowed are {limits.upload_bytes:,} bytes. "
        "Save the picture in a smaller format, such as JPEG.",
    )
