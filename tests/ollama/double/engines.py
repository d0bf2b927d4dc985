"""What generates: llama.cpp with a real model, or a quick stand-in whose every answer a test can compute.

The stand-in is for counting calls and for faults that no real model shows on demand; nothing is claimed from it.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from wire import ApiError

FLASH = {"auto": "AUTO", "on": "ENABLED", "off": "DISABLED"}


@dataclass
class Piece:
    """A piece of an answer. ``final`` is there at the end: counts, seconds, why it ended."""

    text: str = ""
    thinking: str = ""
    final: dict | None = None


def ended(prompt: int, tokens: int, reason: str, prompt_seconds: float = 0.0, seconds: float = 0.0) -> Piece:
    return Piece(
        final={
            "done_reason": reason,
            "prompt_eval_count": prompt,
            "prompt_eval_duration": int(prompt_seconds * 1e9),
            "eval_count": tokens,
            "eval_duration": int(seconds * 1e9),
        }
    )


class LlamaEngine:
    """One loaded GGUF file with ``parallel`` slots of ``context`` tokens and the prompt cache that Ollama leaves on.

    flash: of FLASH.
    """

    def __init__(self, path: Path, parallel: int, context: int, flash: str) -> None:
        os.environ.setdefault("GOMP_SPINCOUNT", "3000")  # before the library is loaded: others use these cores too
        import xllamacpp

        self._folder = tempfile.mkdtemp(prefix="double-")
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.hostnames = [str(Path(self._folder) / "engine.sock")]
        params.n_parallel, params.n_ctx = parallel, parallel * context
        params.flash_attn_type = getattr(xllamacpp.llama_flash_attn_type, f"LLAMA_FLASH_ATTN_TYPE_{FLASH[flash]}")
        params.cache_ram_mib = 0
        params.warmup = params.ui = False
        params.verbosity = -1
        for cpu in (params.cpuparams, params.cpuparams_batch):
            cpu.n_threads = len(os.sched_getaffinity(0))
        try:
            self._server = xllamacpp.Server(params)
        except RuntimeError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise ApiError(500, f"unable to load model: {path}") from error
        self._threads = ThreadPoolExecutor(parallel)

    async def generate(self, messages: list[dict], options: dict) -> AsyncIterator[Piece]:
        while True:
            try:
                async with contextlib.aclosing(self._once(messages, options)) as pieces:
                    async for piece in pieces:
                        yield piece
            except _Overflow as overflow:
                messages = cut(messages, overflow.tokens, overflow.context)
            else:
                return

    async def _once(self, messages: list[dict], options: dict) -> AsyncIterator[Piece]:
        loop, chunks, left = asyncio.get_running_loop(), asyncio.Queue(), threading.Event()

        def receive(chunk: dict) -> bool:
            loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            return left.is_set()

        request = {
            "messages": messages,
            "max_tokens": options["num_predict"],
            "chat_template_kwargs": {"enable_thinking": False},
            "stream": True,
            "stream_options": {"include_usage": True},
            **{
                key: options[key]
                for key in ("seed", "temperature", "top_k", "top_p", "min_p", "repeat_penalty", "repeat_last_n", "stop")
            },
        }
        work = loop.run_in_executor(self._threads, self._server.handle_chat_completions, request, receive)
        work.add_done_callback(lambda _: chunks.put_nowait(None))
        reason = "stop"
        try:
            while (chunk := await chunks.get()) is not None:
                if error := chunk.get("error"):
                    if error.get("type") == "exceed_context_size_error":
                        raise _Overflow(error["n_prompt_tokens"], error["n_ctx"])
                    status = 400 if error.get("type") == "invalid_request_error" else 500
                    raise ApiError(status, str(error.get("message", error)))
                for choice in chunk.get("choices") or ():
                    reason = choice["finish_reason"] or reason
                    if text := choice["delta"].get("content"):
                        yield Piece(text)
                if usage := chunk.get("usage"):
                    times = chunk.get("timings") or {}
                    yield ended(
                        usage["prompt_tokens"],
                        usage["completion_tokens"],
                        reason,
                        times.get("prompt_ms", 0) / 1000,
                        times.get("predicted_ms", 0) / 1000,
                    )
        finally:
            left.set()
            await asyncio.shield(asyncio.wait([work]))

    def close(self) -> None:
        self._threads.shutdown()
        # A server that is destroyed before its loop has begun waits for that loop for ever.
        hello = {"messages": [{"role": "user", "content": "."}], "max_tokens": 1}
        self._server.handle_chat_completions(hello, lambda chunk: False)
        del self._server
        shutil.rmtree(self._folder, ignore_errors=True)


class _Overflow(Exception):
    def __init__(self, tokens: int, context: int) -> None:
        super().__init__()
        self.tokens, self.context = tokens, context


def cut(messages: list[dict], tokens: int, context: int) -> list[dict]:
    """What Ollama does in silence: the oldest messages go, but not the system's and not the last; then the middle."""
    oldest = next((k for k, message in enumerate(messages[:-1]) if message["role"] != "system"), None)
    if oldest is not None:
        return messages[:oldest] + messages[oldest + 1 :]
    *before, last = messages
    keep = int(len(last["content"]) * 0.9 * context / tokens) // 2
    content = last["content"]
    return [*before, {**last, "content": content[:keep] + content[len(content) - keep :]}]


@dataclass
class FakeEngine:
    """Answers at once with a text that is a function of what was asked; ``kind`` names what is odd about it.

    token_seconds: time of one token; a slot's tokens come one after the other, slots do not slow each other down.
    """

    kind: str
    context: int
    token_seconds: float
    calls: int = 0

    async def generate(self, messages: list[dict], options: dict) -> AsyncIterator[Piece]:
        self.calls += 1
        if self.kind == "moody":  # answers depend on how many came before, as with a prompt cache
            options = {**options, "temperature": options["temperature"] + self.calls}
        words = expected_words(messages, options)
        prompt = min(sum(tokens_of(message["content"]) for message in messages), self.context)
        limit = options["num_predict"]
        if self.kind == "oom":
            raise ApiError(500, "model requires more system memory (99.0 GiB) than is available (2.0 GiB)")
        if self.kind == "think":
            yield Piece(thinking="I wonder what to say. ")
            yield ended(prompt, limit, "length")
            return
        sent, started = 0, time.monotonic()
        for word in words if self.kind != "endless" else iter(lambda: "more ", None):
            if self.kind != "endless" and sent == limit:
                break
            if self.kind == "repeat" and sent == 3:
                return  # the stream ends without a last message that is done
            if self.kind == "stall" and sent == 3:
                await asyncio.sleep(3600)
            await asyncio.sleep(self.token_seconds)
            sent += 1
            yield Piece(word)
        whole = sent == len(words)
        yield ended(prompt, sent, "stop" if whole else "length", 0.001, time.monotonic() - started + 1e-6)

    def close(self) -> None:
        pass


def tokens_of(text: str) -> int:
    return len(text) // 4 + 1


def expected_words(messages: list[dict], options: dict) -> list[str]:
    """The words of the stand-in's answer: a function that returns a number, all of it drawn from a hash."""
    asked = json.dumps([[m["role"], m["content"]] for m in messages]) + f"{options['seed']} {options['temperature']}"
    number = int(hashlib.sha256(asked.encode()).hexdigest()[:8], 16)
    lines = ["```python\n", "def ", f"answer_{number % 97}", "(*args):\n", "    return ", f"{number % 1000}\n", "```\n"]
    return lines + [f"word{number % 7} "] * (number % 5)
