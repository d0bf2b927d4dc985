"""A small Ollama server that can be killed, ``python failing_ollama.py PORT LOG``, or made to fail: ``Server.share``.

It answers tasks of the form "add_K(x)" right with a chance that depends on K; which draw it is depends on the request
alone. Every answer that was sent to its end is a line in LOG. Each fault of FAULTS takes an equal part of the share.
"""

import hashlib
import json
import random
import re
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MODEL = "tiny:latest"
FAULTS = ("refuse", "reset", "busy", "hang", "cut", "garbage", "empty", "dead", "lost")
HANG_SECONDS = 3.0


def draw(body: dict) -> tuple[str, str]:
    """(identity of the request, answer)."""
    messages = [message["content"] for message in body["messages"]]
    identity = json.dumps([body["model"], messages, sorted(body["options"].items())])
    digest = hashlib.sha256(identity.encode()).hexdigest()
    k = int(re.findall(r"add_(\d+)", messages[-1])[0])
    right = int(digest[:8], 16) / 2**32 < chance(k)
    return digest, f"```python\ndef add_{k}(x):\n    return x {'+' if right else '-'} {k}\n```"


def chance(k: int) -> float:
    """How often the model solves a task."""
    return 0.2 + 0.6 * (k % 10) / 9


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, port: int, log: str, share: float = 0.0, seed: int = 1) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.share = share
        self.faults: dict[str, int] = dict.fromkeys(FAULTS, 0)
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._log = Path(log).open("a", buffering=1)  # noqa: SIM115  held as long as the server

    def fault(self) -> str:
        with self._lock:
            kind = self._random.choice(FAULTS) if self._random.random() < self.share else ""
            if kind:
                self.faults[kind] += 1
            return kind

    def answered(self, identity: str) -> None:
        with self._lock:
            self._log.write(identity + "\n")

    def handle_error(self, request, client_address) -> None:
        """Clients that went away are no news."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        model = {"model": MODEL, "name": MODEL, "digest": "d1", "size": 1, "context_length": 0, "size_vram": 1}
        known = {"/api/tags": {"models": [model]}, "/api/ps": {"models": [model]}, "/api/version": {"version": "0"}}
        self._send(known[self.path])

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/show":
            facts = {"general.architecture": "tiny", "tiny.context_length": 4096}
            self._send({"model_info": facts, "capabilities": ["completion"], "details": {}, "template": ""})
        elif self.path == "/api/generate":
            self._send({"model": MODEL, "response": "", "done": True})
        else:
            getattr(self, f"_{self.server.fault() or 'answer'}")(body)

    # -- how a chat ends -------------------------------------------------------------------------------------------

    def _answer(self, body: dict) -> None:
        identity, text = draw(body)
        pieces = self._pieces(text)
        self.server.answered(identity)
        self._send(*pieces)

    def _refuse(self, body: dict) -> None:
        self.close_connection = True

    def _reset(self, body: dict) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _busy(self, body: dict) -> None:
        self._send({"error": "server busy, please try again"}, status=503)

    def _hang(self, body: dict) -> None:
        time.sleep(HANG_SECONDS)
        self.close_connection = True

    def _cut(self, body: dict) -> None:
        pieces = self._pieces(draw(body)[1])
        self.send_response(200)
        self.send_header("Content-Length", str(sum(len(_line(piece)) for piece in pieces)))
        self.end_headers()
        self.wfile.write(_line(pieces[0]) + _line(pieces[1])[:-20])
        self.close_connection = True

    def _garbage(self, body: dict) -> None:
        self._raw(b"<html>Bad gateway? No: 200 OK</html>\n")

    def _empty(self, body: dict) -> None:
        self._raw(b"")

    def _dead(self, body: dict) -> None:
        self._send({"error": "llama runner process has terminated: signal: killed"}, status=500)

    def _lost(self, body: dict) -> None:
        self._send({"error": f"model '{MODEL}' not found"}, status=404)

    # -- wire ------------------------------------------------------------------------------------------------------

    def _pieces(self, text: str) -> list[dict]:
        half = len(text) // 2
        parts = [{"message": {"role": "assistant", "content": part}} for part in (text[:half], text[half:])]
        counts = {"done_reason": "stop", "prompt_eval_count": 20, "eval_count": 10}
        return [
            {"model": MODEL, "created_at": "2025-01-01T00:00:00Z", "done": last, **part, **(counts if last else {})}
            for part, last in zip(parts, (False, True), strict=True)
        ]

    def _send(self, *lines: dict, status: int = 200) -> None:
        self._raw(b"".join(map(_line, lines)), status)

    def _raw(self, content: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _line(piece: dict) -> bytes:
    return json.dumps(piece).encode() + b"\n"


if __name__ == "__main__":
    Server(int(sys.argv[1]), sys.argv[2]).serve_forever()
