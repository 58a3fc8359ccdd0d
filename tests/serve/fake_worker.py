"""A worker that does what the model of its order says; started by tests of the pool."""

import sys
import time

from pixelift.serve.frames import (
    Done,
    Failed,
    Progress,
    Ready,
    Stop,
    decode_order,
    encode,
    read_frame,
)


def tell(answer, payload=b""):
    sys.stdout.buffer.write(encode(answer, len(payload)) + payload)
    sys.stdout.buffer.flush()


def main():
    inbox = sys.stdin.buffer
    tell(Ready())
    while (frame := read_frame(inbox)) is not None:
        order, data = decode_order(frame[0]), frame[1]
        if isinstance(order, Stop):
            continue
        if order.model == "hang":
            time.sleep(300)
        if order.model == "crash":
            sys.exit(3)
        if order.model == "crash-late":
            tell(Progress(0.5))
            sys.exit(3)
        if order.model == "hog":
            sys.exit(86)
        if order.model == "garbage":
            sys.stdout.buffer.write(b"\xff" * 100)
            sys.stdout.buffer.flush()
            time.sleep(300)
        if order.model == "obey":
            tell(Progress(0.25))
            read_frame(inbox)
            tell(Failed(kind="cancelled", detail="stopped"))
            continue
        if order.model == "refuse":
            tell(Failed(kind="bad-picture", detail="it is no good"))
            continue
        size = {"width": 1, "height": 1, "out_width": 2, "out_height": 2}
        tell(Done(format="png", resident_bytes=1000, **size), data * order.scale)


if __name__ == "__main__":
    main()
