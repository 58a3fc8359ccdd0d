import asyncio
import time

import pytest
import uvicorn

from pixelift.serve.protocol import PatientProtocol
from tests.patience import PATIENCE


class Hasty(PatientProtocol):
    header_seconds = 0.3
    read_seconds = 0.3
    max_connections = 3


async def answer(scope, receive, send):
    """Answer at once, or with more than a client takes."""
    del receive
    if scope["type"] != "http":
        return
    size = 50_000_000 if scope["path"] == "/much" else 2
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", str(size).encode())],
        }
    )
    for _ in range(0, size, 100_000):
        body = b"x" * min(size, 100_000)
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def with_server(story):
    async def tell():
        config = uvicorn.Config(
            answer, http=Hasty, port=0, lifespan="off", log_level="critical", timeout_keep_alive=60
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            async with asyncio.timeout(PATIENCE):
                await story(port, server)
        finally:
            server.should_exit = True
            await serving

    asyncio.run(tell())


@pytest.mark.parametrize("beginning", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX: "])
def test_a_header_that_does_not_end_ends_the_connection(beginning):
    async def story(port, server):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(beginning)
        started = time.monotonic()
        assert await read_all(reader) == b""
        assert time.monotonic() - started > 0.2
        assert not server.server_state.connections
        writer.close()

    with_server(story)


def test_a_second_header_that_does_not_end_ends_the_connection_too():
    async def story(port, server):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.write(b"GET / HTTP/1.1\r\nHost")
        assert (await read_all(reader)).endswith(b"xx")
        assert not server.server_state.connections
        writer.close()

    with_server(story)


def test_a_client_that_does_not_read_is_left():
    async def story(port, server):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        writer.write(b"GET /much HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readline()
        while server.server_state.connections:
            await asyncio.sleep(0.05)
        writer.close()

    with_server(story)


def test_a_client_that_reads_gets_all_of_it():
    async def story(port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /much HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert len(await read_all(reader)) > 50_000_000
        writer.close()

    with_server(story)


def test_there_are_only_so_many_connections():
    async def story(port, server):
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        ends = [await read_all(reader) for reader, _ in opened[3:]]
        assert ends == [b"", b""]
        assert len(server.server_state.connections) <= 3
        for _, writer in opened:
            writer.close()

    with_server(story)


async def read_all(reader):
    """Read to the end, whichever way the connection ends."""
    parts = []
    try:
        while part := await reader.read(2**20):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)
