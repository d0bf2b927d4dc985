"""An Ollama server over real HTTP whose answers are drafts, good and bad, chosen by nothing but the request."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODELS = ("gemma3:1b", "qwen2.5-coder:0.5b")

# By the function that a problem names: what small models write, right and wrong in every way that they are wrong.
DRAFTS = {
    "evens": (
        "def evens(numbers):\n    return [n for n in numbers if n % 2 == 0]",
        "def evens(numbers):\n    return [n for n in numbers if n % 2]",
        "def evens(numbers):\n    for n in list(numbers):\n        if n % 2:\n            numbers.remove(n)",
        "def evens(numbers):\n    return [n for n in numbers if n % 2 == 0",
        "def evens(numbers):\n    return numbers[len(numbers)]",
        "def evens(numbers):\n    while True:\n        numbers = numbers + [2]\n        del numbers[0]",
    ),
    "initials": (
        "def initials(name):\n    return ''.join(word[0].upper() for word in name.split())",
        "def initials(name):\n    return '.'.join(word[0] for word in name.split())",
        "def first_letters(name):\n    return name[0]",
        "    return name[0].upper() + name[-1]",
        "def initials(name):\n    return first(name)",
        "def initials(name):\n    class Odd(Exception):\n        pass\n    raise Odd('no ' + name)",
    ),
    "mean": (
        "def mean(values):\n    return math.fsum(values) / len(values)",
        "import statistics\ndef mean(values):\n    return statistics.median(values)",
        "I am sorry, I cannot do that.",
        "def mean(values):\n    return mean(values)",
        "def mean(values):\n    return None",
        "def mean(values):\n    raise SystemExit(0)",
    ),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    requests: list[dict[str, object]]

    def do_GET(self) -> None:
        entries = [{"model": name, "name": name, "digest": sha256(name.encode()).hexdigest()} for name in MODELS]
        facts = {"/api/tags": {"models": entries}, "/api/ps": {"models": []}}
        self._answer(facts.get(self.path, {"version": "0.0.0"}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/show":
            self._answer({"details": {}, "model_info": {}, "capabilities": ["completion"]})
            return
        if self.path == "/api/generate":  # how a model is loaded
            self._answer({"model": body["model"], "created_at": "2026-08-01T00:00:00Z", "response": "", "done": True})
            return
        body.pop("stream")  # how an answer is sent, not what it says
        self.requests.append(body)
        said = body["messages"][-1]["content"]
        number = int(sha256(json.dumps(body, sort_keys=True).encode()).hexdigest(), 16)
        drafts = next(drafts for name, drafts in DRAFTS.items() if name in said)
        text = drafts[number % len(drafts)]
        if number % 3:
            text = f"Here it is:\n```python\n{text}\n```\nDraft {number % 1000}."
        counts = {"prompt_eval_count": len(said) // 4, "eval_count": len(text) // 4}
        answer = {"model": body["model"], "message": {"role": "assistant", "content": text}, "done_reason": "stop"}
        self._answer({**answer, **counts, "done": True, "created_at": "2026-08-01T00:00:00Z"})

    def _answer(self, value: object) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def fake_ollama() -> Iterator[tuple[str, list[dict[str, object]]]]:
    """Its address, and the requests to chat that it gets."""
    requests: list[dict[str, object]] = []
    handler = type("Handler", (_Handler,), {"requests": requests})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
