import io

import msgspec
import pytest

from pixelift.serve.frames import (
    HEAD,
    Done,
    Failed,
    Order,
    Progress,
    Ready,
    Stop,
    decode_answer,
    decode_order,
    encode,
    lengths,
    read_frame,
)

ORDER = Order(model="balanced", scale=4, max_pixels=100, format="png", quality=90)
DONE = Done(format="png", width=1, height=2, out_width=4, out_height=8, resident_bytes=3)


@pytest.mark.parametrize("message", [ORDER, Stop()])
def test_what_a_worker_is_told_arrives(message):
    payload = b"picture"
    frame = read_frame(io.BytesIO(encode(message, len(payload)) + payload))
    assert decode_order(frame[0]) == message
    assert frame[1] == payload


@pytest.mark.parametrize(
    "message", [Ready(), Progress(0.5), DONE, Failed(kind="failed", detail="ä")]
)
def test_what_a_worker_tells_arrives(message):
    assert decode_answer(read_frame(io.BytesIO(encode(message)))[0]) == message


@pytest.mark.parametrize("length", [0, 5, HEAD.size, HEAD.size + 3, -1])
def test_a_pipe_that_ends_too_early_is_the_end(length):
    assert read_frame(io.BytesIO((encode(ORDER, 7) + b"picture")[:length])) is None


def test_a_frame_of_absurd_length_is_refused():
    with pytest.raises(ValueError, match="no frame has"):
        lengths(HEAD.pack(2**31, 0))
    with pytest.raises(ValueError, match="no frame has"):
        lengths(HEAD.pack(1, 2**40))


def test_a_worker_cannot_make_the_server_believe_in_other_types():
    with pytest.raises(msgspec.ValidationError):
        decode_answer(msgspec.msgpack.encode({"type": "progress", "share": "much"}))
    with pytest.raises(msgspec.ValidationError):
        decode_answer(msgspec.msgpack.encode({"type": "order"}))
