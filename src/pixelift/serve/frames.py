"""What the server and its workers tell each other, and how it goes through a pipe.

A frame is a message in MessagePack and a payload, the bytes of a picture. Nothing is pickled: a
worker decodes what strangers send, and must not be able to talk the server into anything.
"""

import struct
from typing import BinaryIO

import msgspec

from pixelift.infer.target import Target, as_target

HEAD = struct.Struct("<IQ")
"""Before each frame: bytes of the message, bytes of the payload."""

MAX_MESSAGE_BYTES = 64 * 1024
MAX_PAYLOAD_BYTES = 2**33
"""A larger frame can only be a mistake."""


class Order(msgspec.Struct, kw_only=True, frozen=True, tag="order"):
    """To a worker: enlarge the picture of the payload."""

    model: str
    scale: int | float | None = None
    """Factor; None where a size is asked for."""

    width: int | None = None
    height: int | None = None
    megapixels: float | None = None
    consistent: bool | None = None
    """Whether the result is to agree with the picture; None leaves it to the model."""

    max_pixels: int
    """The input may have so many."""

    result_pixels: int | None = None
    """The result may have so many; None where that follows from those of the input."""

    format: str | None = None
    """Format of the result; None takes the input's where it can be written, and else PNG."""

    quality: int | None = None

    @property
    def target(self) -> Target:
        """How large the result is to be."""
        if self.scale is not None:
            return as_target(self.scale)
        return Target(width=self.width, height=self.height, megapixels=self.megapixels)


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """To a worker: give up the order you are working on."""


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """From a worker: the default network is loaded."""


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """From a worker: so much is done, 0 to 1."""

    share: float


class Done(msgspec.Struct, kw_only=True, frozen=True, tag="done"):
    """From a worker: the payload is the result."""

    format: str
    width: int
    height: int
    out_width: int
    out_height: int
    model: str = ""
    """The network that made it."""

    why: str = ""
    """What was seen of the picture, where the order left the choice to the worker."""

    resident_bytes: int
    """Memory of the worker when it was done; 0 where the system does not tell."""


class Failed(msgspec.Struct, kw_only=True, frozen=True, tag="failed"):
    """From a worker: there is no result."""

    kind: str
    """One of `problems.KINDS`."""

    detail: str


ToWorker = Order | Stop
FromWorker = Ready | Progress | Done | Failed

_encoder = msgspec.msgpack.Encoder()
decode_order = msgspec.msgpack.Decoder(Order | Stop).decode
"""Reads what a worker is told."""
decode_answer = msgspec.msgpack.Decoder(Ready | Progress | Done | Failed).decode
"""Reads what a worker tells."""


def encode(message: ToWorker | FromWorker, payload_bytes: int = 0) -> bytes:
    """Make the beginning of a frame; its payload, if any, is written after it.

    Args:
        message: The message.
        payload_bytes: Length of the payload.

    Returns:
        Head and message.

    Example:
        >>> head = encode(Progress(0.5))
        >>> decode_answer(head[HEAD.size:])
        Progress(share=0.5)
    """
    body = _encoder.encode(message)
    return HEAD.pack(len(body), payload_bytes) + body


def lengths(head: bytes) -> tuple[int, int]:
    """Read the head of a frame.

    Args:
        head: `HEAD.size` bytes.

    Returns:
        Bytes of the message and of the payload.

    Raises:
        ValueError: They are larger than any frame.
    """
    message, payload = HEAD.unpack(head)
    if message > MAX_MESSAGE_BYTES or payload > MAX_PAYLOAD_BYTES:
        raise ValueError(f"no frame has {message} and {payload} bytes")
    return message, payload


def read_frame(stream: BinaryIO) -> tuple[bytes, bytes] | None:
    """Read a frame from a pipe, waiting for it.

    Args:
        stream: The pipe.

    Returns:
        Message and payload; None when the other side has gone.
    """
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    message_bytes, payload_bytes = lengths(head)
    message, payload = stream.read(message_bytes), stream.read(payload_bytes)
    if len(message) < message_bytes or len(payload) < payload_bytes:
        return None
    return message, payload
