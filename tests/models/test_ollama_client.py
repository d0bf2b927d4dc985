"""The Ollama client against a small real server whose answers a test scripts, faults included."""

import asyncio
import contextlib
import json
import os
import struct
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from evo.models import (
    BackendUnavailable,
    CallFailed,
    Chat,
    Message,
    ModelMissing,
    OllamaBackend,
    Patience,
    Sampling,
    open_backend,
)
from evo.models import retry as retry_module
from evo.models.failures import (
    Aborted,
    BadRequest,
    ConnectionBroken,
    EmptyReply,
    Endless,
    Garbled,
    NoFirstToken,
    OutOfMemory,
    PromptTooLong,
    RunnerDied,
    ServerBusy,
    ServerError,
    Stalled,
)

MODEL = "gemma3:1b"
DIGEST = "ab" * 32
GOOD = {
    "model": MODEL,
    "created_at": "2026-08-01T00:00:00Z",
    "message": {"role": "assistant", "content": "def f(): return 1"},
    "done": True,
    "done_reason": "stop",
    "total_duration": 2_000_000_000,
    "prompt_eval_count": 30,
    "eval_count": 7,
}
TAGS = {"models": [{"model": MODEL, "name": MODEL, "digest": DIGEST, "size": 1}]}
SHOW = {
    "template": "{{ .Prompt }}",
    "details": {"format": "gguf", "quantization_level": "Q4_K_M", "parameter_size": "999.89M"},
    "model_info": {"general.architecture": "gemma3", "gemma3.context_length": 32768},
    "capabilities": ["completion"],
}


def reply(status: int, body: object) -> bytes:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n"
    return head.encode() + payload


class Double:
    """Answers /api/chat with what ``script`` says, one entry per request; the last one is repeated."""

    def __init__(self) -> None:
        self.script: list[bytes | str] = [reply(200, GOOD)]
        self.requests: list[dict[str, Any]] = []
        self.facts: dict[str, bytes] = {
            "/api/tags": reply(200, TAGS),
            "/api/show": reply(200, SHOW),
            "/api/version": reply(200, {"version": "0.32.15"}),
        }
        self.left = asyncio.Event()
        self.in_flight = self.most = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                path = head.split()[1]
                length = next((int(v) for k, v in _headers(head) if k == "content-length"), 0)
                body = await reader.readexactly(length)
                if path != "/api/chat":
                    writer.write(self.facts[path])
                    continue
                self.requests.append(json.loads(body))
                self.in_flight += 1
                self.most = max(self.most, self.in_flight)
                try:
                    if await self._chat(reader, writer):
                        break
                finally:
                    self.in_flight -= 1
        writer.close()

    async def _chat(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """True when the connection is at its end."""
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if answer == "hang":
            await reader.read()  # ends when the client goes
            self.left.set()
            return True
        if answer == "stall":
            body = json.dumps({**GOOD, "done": False}).encode() + b"\n"
            writer.write(reply(200, body).replace(b"Content-Length: ", b"Content-Length: 9"))
            await reader.read()
            return True
        if answer == "reset":
            writer.write(reply(200, GOOD)[:60])
            await writer.drain()
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(1, 13, linger)  # SOL_SOCKET, SO_LINGER: close by reset
            return True
        if answer == "slow":
            await asyncio.sleep(0.05)
            answer = reply(200, GOOD)
        assert isinstance(answer, bytes)
        writer.write(answer)
        return False


def _headers(head: str) -> list[tuple[str, str]]:
    pairs = (line.partition(":") for line in head.split("\r\n")[1:] if line)
    return [(key.lower(), value.strip()) for key, _, value in pairs]


@pytest.fixture
async def double(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Double]:
    double = Double()
    server = await asyncio.start_server(double.serve, "127.0.0.1", 0)
    monkeypatch.setenv("OLLAMA_HOST", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    monkeypatch.setattr(retry_module.random, "uniform", lambda low, high: 0.001)
    yield double
    server.close()


@pytest.fixture
async def backend(double: Double) -> AsyncIterator[OllamaBackend]:
    backend = OllamaBackend()
    yield backend
    await backend.aclose()


def chat(**changes: Any) -> Chat:
    values: dict[str, Any] = {
        "model": MODEL,
        "messages": (Message("system", "be brief"), Message("user", "write f")),
        "seed": 5,
        "temperature": 0.6,
        "max_tokens": 64,
        "sampling": Sampling(min_p=0.05, context=2048),
    }
    return Chat(**{**values, **changes})


async def test_a_request_carries_every_option(double: Double, backend: OllamaBackend) -> None:
    completion = await backend.chat(chat())
    assert (completion.text, completion.prompt_tokens, completion.completion_tokens, completion.finish) == (
        "def f(): return 1",
        30,
        7,
        "stop",
    )
    sent = double.requests[0]
    assert sent["options"] == {
        "seed": 5,
        "temperature": 0.6,
        "top_k": 40,
        "top_p": 0.9,
        "min_p": 0.05,
        "repeat_penalty": 1.0,
        "repeat_last_n": 64,
        "num_predict": 64,
        "num_ctx": 2048,
    }
    assert sent["stream"] is True
    always = (await backend.describe(MODEL)).options
    assert always == {"keep_alive": "30m", "think": False, "repeat_last_n": 64}
    assert {**sent["options"], **sent}.items() >= always.items(), "what is recorded is what is sent"
    assert sent["messages"][0] == {"role": "system", "content": "be brief"}


async def test_stop_words_are_sent_when_there_are_any(double: Double, backend: OllamaBackend) -> None:
    await backend.chat(chat(sampling=Sampling(stop=("\nassert",))))
    assert double.requests[0]["options"]["stop"] == ["\nassert"]


@pytest.mark.parametrize(
    ("changes", "text", "finish"),
    [
        ({"done_reason": "length"}, "def f(): return 1", "length"),
        ({"message": {"role": "assistant", "content": ""}}, "", "stop"),
        ({"message": {"role": "assistant", "content": "", "thinking": "hm"}}, "", "thinking"),
        ({"prompt_eval_count": None, "eval_count": None}, "def f(): return 1", "stop"),
    ],
)
async def test_answers_that_are_valid(
    double: Double, backend: OllamaBackend, changes: dict[str, Any], text: str, finish: str
) -> None:
    double.script = [reply(200, {**GOOD, **changes})]
    completion = await backend.chat(chat())
    assert (completion.text, completion.finish) == (text, finish)


@pytest.mark.parametrize(
    "fault",
    [
        reply(503, {"error": "server busy, please try again. maximum pending requests exceeded"}),
        reply(500, {"error": "llama runner process has terminated: signal: killed"}),
        reply(500, {"error": "model runner has unexpectedly stopped"}),
        "reset",
        reply(200, b""),
        reply(200, b"<html>proxy</html>"),
        reply(200, [1, 2]),
        reply(502, ["odd"]),
    ],
    ids=["busy", "terminated", "stopped", "reset", "empty", "garbage", "list", "odd-error"],
)
async def test_what_passes_is_tried_again(double: Double, backend: OllamaBackend, fault: bytes | str) -> None:
    double.script = [fault, fault, reply(200, GOOD)]
    assert (await backend.chat(chat())).completion_tokens == 7
    assert len(double.requests) == 3


OOM = "model requires more system memory (9.1 GiB) than is available (2.0 GiB)"


@pytest.mark.parametrize(
    ("fault", "kind", "words", "requests"),
    [
        (reply(404, {"error": "model not found"}), ModelMissing, "ollama pull gemma3:1b", 1),
        (reply(401, {"error": "unauthorized"}), BackendUnavailable, "set OLLAMA_API_KEY", 1),
        (reply(400, {"error": "invalid option\nmin_q"}), BadRequest, "invalid option min_q (HTTP 400)", 1),
        (reply(400, {"error": "prompt exceeds the context length"}), PromptTooLong, "raise pipeline.context", 1),
        (reply(500, {"error": "out of memory"}), OutOfMemory, "lower pipeline.context", 1),
        (reply(500, {"error": OOM}), OutOfMemory, "9.1 GiB", 1),
        (reply(500, {"error": "boom"}), ServerError, "boom (HTTP 500)", 1),
        (reply(500, {"error": "token repeat limit reached"}), Aborted, "repeated one token", 1),
        (reply(500, {"error": "llama runner process has terminated"}), RunnerDied, "terminated", 4),
        (reply(200, {**GOOD, "done": False, "done_reason": None}), Aborted, "done = false", 1),
        (reply(200, {**GOOD, "done_reason": "load"}), Garbled, "ended with 'load'", 4),
        (reply(200, {**GOOD, "prompt_eval_count": 2048}), PromptTooLong, "does not fit into the context of 2048", 1),
        (reply(200, {"error": "token repeat limit reached"}), Aborted, "repeated one token", 1),
        (reply(200, {"error": "llama runner process no longer running: 2"}), RunnerDied, "no longer running", 4),
        (
            reply(200, b"".join(json.dumps({**GOOD, "done": False}).encode() + b"\n" for _ in range(200))),
            Endless,
            "64",
            1,
        ),
        (reply(200, b""), EmptyReply, "an empty reply", 4),
        (reply(503, {"error": "server busy"}), ServerBusy, "OLLAMA_MAX_QUEUE", 101),
        (reply(502, b"<html>"), ConnectionBroken, "HTTP 502", 4),
        ("reset", ConnectionBroken, MODEL, 4),
        (reply(200, b"{"), Garbled, "not what the protocol says", 4),
    ],
)
async def test_what_stays_is_one_line(
    double: Double, backend: OllamaBackend, fault: bytes | str, kind: type[Exception], words: str, requests: int
) -> None:
    double.script = [fault]
    with pytest.raises(kind) as caught:
        await backend.chat(chat())
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(double.requests) == requests


@pytest.mark.parametrize(("script", "kind"), [("hang", NoFirstToken), ("stall", Stalled)])
async def test_a_server_that_hangs_is_given_up_after_two_tries(
    double: Double, monkeypatch: pytest.MonkeyPatch, script: str, kind: type[Exception]
) -> None:
    monkeypatch.setattr("evo.models.ollama.host._READ", 1e9)
    monkeypatch.setattr("evo.models.ollama.lanes._WRITE", 1e9)
    double.script = [script]
    backend = OllamaBackend(patience=Patience(first=0.2, between=0.2, load=0.0))
    with pytest.raises(kind):
        await backend.chat(chat())
    assert len(double.requests) == 2
    await backend.aclose()


async def test_a_cancelled_call_closes_its_connection(double: Double, backend: OllamaBackend) -> None:
    double.script = ["hang"]
    call = asyncio.create_task(backend.chat(chat()))
    while not double.requests:
        await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.wait_for(double.left.wait(), 2)
    double.script = [reply(200, GOOD)]
    await backend.chat(chat())  # and the slot is free again


async def test_no_more_calls_in_flight_than_slots(double: Double) -> None:
    double.script = ["slow"]
    backend = OllamaBackend(slots=3)
    answers = await asyncio.gather(*(backend.chat(chat(seed=seed)) for seed in range(20)))
    assert len(answers) == len(double.requests) == 20
    assert double.most == 3
    assert sorted(request["options"]["seed"] for request in double.requests) == list(range(20))
    await backend.aclose()


async def test_facts_about_a_model(backend: OllamaBackend) -> None:
    info = await backend.describe(MODEL)
    assert (info.digest, info.quantization, info.parameters) == (DIGEST, "Q4_K_M", "999.89M")
    assert (info.context, info.server_version, info.backend) == (32768, "ollama 0.32.15", "ollama")
    with pytest.raises(ModelMissing, match=r"ollama pull llama3\.2:3b"):
        await backend.describe("llama3.2:3b")


async def test_a_model_that_cannot_chat_is_refused(double: Double, backend: OllamaBackend) -> None:
    double.facts["/api/show"] = reply(200, {**SHOW, "capabilities": ["embedding"]})
    with pytest.raises(ModelMissing, match=r"cannot chat \(embedding\)"):
        await backend.describe(MODEL)


@pytest.mark.parametrize("facts", [reply(200, b"<html>"), reply(200, {"models": 3}), reply(401, {"error": "no"})])
async def test_a_server_that_is_not_ollama(double: Double, backend: OllamaBackend, facts: bytes) -> None:
    double.facts["/api/tags"] = facts
    with pytest.raises(BackendUnavailable) as caught:
        await backend.models()
    assert "\n" not in str(caught.value)


async def test_no_server(monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int) -> None:
    backend = OllamaBackend(f"http://user:secret@127.0.0.1:{unused_tcp_port}")
    with pytest.raises(BackendUnavailable, match="ollama serve") as caught:
        await backend.models()
    assert "secret" not in str(caught.value)
    monkeypatch.setattr(retry_module.random, "uniform", lambda low, high: 0.001)
    with pytest.raises(CallFailed, match="no connection"):
        await backend.chat(chat())
    await backend.aclose()


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("one:1,two:2", "http://one:1, http://two:2\n"),
        ("one:port:x", "OLLAMA_HOST: not an address (Port could not be cast to integer value as 'port:x'); "),
        ("http://[", "OLLAMA_HOST: not an address (Invalid IPv6 URL); "),
    ],
)
def test_a_process_begins_with_any_ollama_host(named: str, found: str) -> None:
    """Importing the official client alone would fail: it reads OLLAMA_HOST as one address."""
    program = """if True:
        from evo.models import BackendUnavailable, OllamaBackend
        try:
            print(OllamaBackend().host)
        except BackendUnavailable as error:
            print(error)
    """
    environment = {**os.environ, "OLLAMA_HOST": named}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(found)


async def test_pull_shows_its_progress(double: Double, backend: OllamaBackend) -> None:
    steps = [{"status": "pulling", "total": 10, "completed": done} for done in (0, 5, 10)] + [{"status": "success"}]
    double.facts["/api/pull"] = reply(200, "\n".join(map(json.dumps, steps)).encode())
    seen: list[tuple[str, int, int | None]] = []
    await backend.pull(MODEL, lambda *step: seen.append(step))
    assert seen == [(MODEL, 0, 10), (MODEL, 5, 10), (MODEL, 10, 10)]
    double.facts["/api/pull"] = reply(200, {"error": "pull model manifest: file does not exist"})
    with pytest.raises(ModelMissing, match="manifest"):
        await backend.pull("nonsense")


async def test_auto_takes_the_models_that_the_server_has(double: Double) -> None:
    chosen = await open_backend("auto")
    assert (chosen.backend.name, chosen.models) == ("ollama", (MODEL,))
    assert "http://127.0.0.1" in chosen.reason
    await chosen.backend.aclose()


async def test_ollama_by_name_says_what_to_pull(double: Double) -> None:
    with pytest.raises(ModelMissing, match=r"ollama pull qwen2\.5:1\.5b"):
        await open_backend("ollama", [MODEL, "qwen2.5:1.5b"])
    with pytest.raises(Exception, match=r"pipeline\.context = 40000: gemma3:1b was trained for 32768"):
        await open_backend("ollama", [MODEL], context=40_000)
