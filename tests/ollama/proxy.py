"""A proxy between client and server that spoils what it is told to: every fault of a network and of a server."""

import asyncio
import contextlib
import json
import random
import struct
from collections import Counter
from collections.abc import Callable

from wire import Request, read_request

STATUS = {
    "missing": (404, "model 'x' not found"),
    "options": (400, 'option "min_p" must be of type float32'),
    "terminated": (500, "llama runner process has terminated: signal: killed"),
    "memory": (500, "cudaMalloc failed: out of memory"),
    "busy": (503, "server busy, please try again.  maximum pending requests exceeded"),
    "gateway": (502, "upstream connect error"),
}
AFTER = 200  # bytes of an answer after which it is spoiled

PASSING = (
    "refuse",
    "reset",
    "reset-late",
    "silence",
    "stall",
    "terminated",
    "busy",
    "gateway",
    "truncated-json",
    "empty",
    "html",
)
"""What the client has to get over by trying again."""
LASTING = ("options", "memory", "unfinished", "repeat-error", "endless")
"""What fails a call: its client is told, and asks again when it sees fit."""


class Proxy:
    """Forwards to ``upstream``; ``fault(request number)`` names what happens to a chat, "" for nothing."""

    def __init__(self, upstream: str, fault: Callable[[int], str]) -> None:
        host, port = upstream.removeprefix("http://").split(":")
        self._upstream = host, int(port)
        self._fault = fault
        self._door = asyncio.Lock()
        self.done: Counter[str] = Counter()
        self.chats = 0

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self._address = self._server.sockets[0].getsockname()[:2]
        return f"http://127.0.0.1:{self._address[1]}"

    async def stop(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            request = await read_request(reader)
            fault = ""
            if request.path == "/api/chat":
                self.chats += 1
                fault = self._fault(self.chats)
                self.done[fault] += 1
            await self._answer(request, fault, reader, writer)
        with contextlib.suppress(ConnectionError):
            writer.close()

    async def _answer(
        self, request: Request, fault: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        match fault:
            case "reset":
                _reset(writer)
            case "refuse":
                # Nobody listens for a moment; the calls of this moment find a closed door.
                _reset(writer)
                async with self._door:
                    self._server.close()
                    await asyncio.sleep(0.05)
                    self._server = await asyncio.start_server(self._serve, *self._address, backlog=1024)
            case "silence":
                await reader.read()
            case "empty":
                writer.write(_reply(200, b""))
            case "html":
                writer.write(_reply(200, b"<html>a captive portal</html>"))
            case "repeat-error":
                writer.write(_reply(200, b'{"error": "token repeat limit reached"}\n'))
            case "endless":
                writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
                line = {"model": "x", "message": {"role": "assistant", "content": "more "}, "done": False}
                while True:
                    writer.write(json.dumps(line).encode() + b"\n")
                    await writer.drain()
                    await asyncio.sleep(0)  # a buffer that has room would not let the client say that it has enough
            case _ if fault in STATUS:
                status, words = STATUS[fault]
                writer.write(_reply(status, json.dumps({"error": words}).encode()))
            case _:
                await self._forward(request, fault, reader, writer)

    async def _forward(
        self, request: Request, fault: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        up_reader, up_writer = await asyncio.open_connection(*self._upstream)
        try:
            headers = {**request.headers, "content-length": str(len(request.body)), "connection": "close"}
            headers.pop("transfer-encoding", None)
            lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
            up_writer.write(f"{request.method} {request.path} HTTP/1.1\r\n{lines}\r\n".encode() + request.body)
            head = await up_reader.readuntil(b"\r\n\r\n")
            chunked = b"transfer-encoding: chunked" in head.lower()
            if fault in ("truncated-json", "unfinished") and chunked:
                await self._ended_early(up_reader, writer, fault)
                return
            writer.write(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            sent = 0
            while data := await self._next(up_reader, reader, chunked):
                if fault in ("reset-late", "stall") and sent + len(data) > AFTER:
                    writer.write(data[: AFTER - sent])
                    await writer.drain()
                    if fault == "stall":
                        await reader.read()
                    _reset(writer)
                    return
                writer.write(data)
                await writer.drain()
                sent += len(data)
                if chunked and data == b"0\r\n\r\n":
                    return
                if not chunked:
                    return
        finally:
            up_writer.close()

    async def _next(self, up_reader: asyncio.StreamReader, reader: asyncio.StreamReader, chunked: bool) -> bytes:
        """The next chunk, or a plain body whole; nothing when the client has left."""
        read = asyncio.create_task(_chunk(up_reader) if chunked else up_reader.read(1 << 24))
        leaves = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({read, leaves}, return_when=asyncio.FIRST_COMPLETED)
            return read.result() if read.done() else b""
        finally:
            for task in (read, leaves):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
                    await task

    async def _ended_early(self, up_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: str) -> None:
        """An answer that ends properly as HTTP and not as JSON, or without the line that says it is done."""
        lines = b""
        while (chunk := await _chunk(up_reader)) != b"0\r\n\r\n":
            lines += chunk.split(b"\r\n", 1)[1][:-2]
        kept = lines.rstrip(b"\n").rsplit(b"\n", 1)[0] + b"\n" if fault == "unfinished" else lines[:-40]
        writer.write(_reply(200, kept))


async def _chunk(reader: asyncio.StreamReader) -> bytes:
    size = await reader.readuntil(b"\r\n")
    return size + await reader.readexactly(int(size, 16) + 2)


def _reply(status: int, body: bytes) -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


def _reset(writer: asyncio.StreamWriter) -> None:
    socket = writer.get_extra_info("socket")
    if socket is not None:
        socket.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SOL_SOCKET, SO_LINGER: closing resets
    writer.transport.abort()


def faults(share: float, kinds: tuple[str, ...], seed: int = 0) -> Callable[[int], str]:
    """A share of all chats meets a fault, each kind as likely as another."""
    draw = random.Random(seed)
    return lambda number: draw.choice(kinds) if draw.random() < share else ""
