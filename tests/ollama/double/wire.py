"""As much of HTTP/1.1 as an Ollama client needs: bodies with a length or in chunks, streams, a client that leaves."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 404: "Not Found", 500: "Error", 503: "Service Unavailable"}


class ApiError(Exception):
    """An answer of Ollama's kind: a status and ``{"error": message}``."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict:
        if not self.body:
            raise ApiError(400, "missing request body")
        try:
            value = json.loads(self.body)
        except ValueError as error:
            raise ApiError(400, str(error)) from error
        if not isinstance(value, dict):
            raise ApiError(400, "json: cannot unmarshal into a request")
        return value


Reply = dict | int | AsyncIterator[dict]  # a JSON document, a bare status, or a stream of JSON lines
Handler = Callable[[Request], Awaitable[Reply]]


async def serve(handler: Handler, host: str, port: int) -> asyncio.Server:
    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            ahead = b""
            while True:
                request = await read_request(reader, ahead)
                ahead = await _answer(handler, request, reader, writer)
        with contextlib.suppress(ConnectionError):
            writer.close()

    return await asyncio.start_server(connection, host, port, backlog=1024)


async def read_request(reader: asyncio.StreamReader, ahead: bytes = b"") -> Request:
    """Raises IncompleteReadError at the connection's end."""
    head = (ahead + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    headers = {key.strip().lower(): value.strip() for key, _, value in pairs}
    if headers.get("transfer-encoding") == "chunked":
        parts = []
        while size := int(await reader.readuntil(b"\r\n"), 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
        body = b"".join(parts)
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body)


async def _answer(
    handler: Handler, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bytes:
    """Write the answer; what the client sends meanwhile is returned. If it leaves, the work on its answer is ended."""
    work = asyncio.create_task(_work(handler, request, writer))
    leaves = asyncio.create_task(reader.read(1))
    try:
        await asyncio.wait({work, leaves}, return_when=asyncio.FIRST_COMPLETED)
        if leaves.done() and not leaves.result():
            raise ConnectionResetError
        await work
        return leaves.result() if leaves.done() else b""
    finally:
        for task in (work, leaves):
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await task


async def _work(handler: Handler, request: Request, writer: asyncio.StreamWriter) -> None:
    try:
        reply = await handler(request)
        if isinstance(reply, int):
            _write(writer, reply, None)
        elif isinstance(reply, dict):
            _write(writer, 200, reply)
        else:
            await _stream(writer, reply)
    except ApiError as error:
        _write(writer, error.status, {"error": error.message})
    await writer.drain()


def _write(writer: asyncio.StreamWriter, status: int, value: dict | None) -> None:
    body = b"" if value is None else json.dumps(value).encode()
    head = f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}\r\nContent-Type: application/json; charset=utf-8\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


async def _stream(writer: asyncio.StreamWriter, lines: AsyncIterator[dict]) -> None:
    """An error before the first line has its status; a later one is a line of the stream, and the last."""
    async with contextlib.aclosing(lines):
        first = await anext(lines)
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head.encode() + _chunk(first))
        try:
            async for line in lines:
                writer.write(_chunk(line))
                await writer.drain()
        except ApiError as error:
            writer.write(_chunk({"error": error.message}))
        writer.write(b"0\r\n\r\n")


def _chunk(line: dict) -> bytes:
    data = json.dumps(line).encode() + b"\n"
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"
