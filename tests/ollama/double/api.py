"""Ollama's API as documented, oddities included: defaults, load and unload by empty prompts, silent truncation."""

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

from engines import FakeEngine, LlamaEngine
from library import Library, full
from scheduling import Scheduling
from wire import ApiError, Reply, Request

VERSION = "0.32.15"
DEFAULTS = {
    "seed": -1,
    "temperature": 0.8,
    "top_k": 40,
    "top_p": 0.9,
    "min_p": 0.0,
    "repeat_last_n": 64,
    "repeat_penalty": 1.0,
    "num_predict": -1,
    "num_ctx": 4096,
    "stop": [],
}
TYPES = {**dict.fromkeys(("temperature", "top_p", "min_p", "repeat_penalty"), "float32"), "stop": "array"}


class Api:
    def __init__(
        self, library: Library, limits: dict[str, int], *, flash: str, load_seconds: float, token_seconds: float
    ) -> None:
        self._library, self._flash = library, flash
        self._load_seconds, self._token_seconds = load_seconds, token_seconds
        self._scheduling = Scheduling(self._load, **limits)
        self.generating = 0
        self.answered = 0

    async def handle(self, request: Request) -> Reply:
        path = request.path.partition("?")[0]
        if path.startswith("/api/blobs/"):
            return self._blob(request.method, path.removeprefix("/api/blobs/"), request.body)
        routes = {
            ("GET", "/api/version"): self._version,
            ("GET", "/api/tags"): self._tags,
            ("GET", "/api/ps"): self._ps,
            ("POST", "/api/show"): self._show,
            ("POST", "/api/chat"): self._chat,
            ("POST", "/api/generate"): self._generate,
            ("POST", "/api/create"): self._create,
            ("POST", "/api/copy"): self._copy,
            ("POST", "/api/pull"): self._pull,
            ("DELETE", "/api/delete"): self._delete,
            ("GET", "/double"): self._double,
        }
        if (request.method, path) not in routes:
            raise ApiError(404, "404 page not found")
        return await routes[request.method, path](request)

    # -- facts -----------------------------------------------------------------------------------------------------

    async def _version(self, request: Request) -> Reply:
        return {"version": VERSION}

    async def _double(self, request: Request) -> Reply:
        """For tests only; nothing that Ollama has."""
        return {"generating": self.generating, "answered": self.answered, "loads": self._scheduling.loads}

    async def _tags(self, request: Request) -> Reply:
        return {"models": [model.listed() for model in self._library.models.values()]}

    async def _ps(self, request: Request) -> Reply:
        return {
            "models": [
                {
                    **self._library.get(each.name).listed(),
                    "expires_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + max(each.keep, 0))),
                    "size_vram": 0,
                    "context_length": each.context,
                }
                for each in self._scheduling.resident()
                if each.name in self._library.models
            ]
        }

    async def _show(self, request: Request) -> Reply:
        return self._library.get(request.json().get("model")).shown()

    # -- answers ---------------------------------------------------------------------------------------------------

    async def _chat(self, request: Request) -> Reply:
        asked = request.json()
        messages = asked.get("messages") or []

        def piece(text: str, thinking: str) -> dict:
            message = {"role": "assistant", "content": text}
            return {"message": {**message, "thinking": thinking} if thinking else message}

        return await self._answer(asked, messages, piece)

    async def _generate(self, request: Request) -> Reply:
        asked = request.json()
        prompt = asked.get("prompt") or ""
        messages = [{"role": "user", "content": prompt}] if prompt else []
        return await self._answer(asked, messages, lambda text, thinking: {"response": text})

    async def _answer(self, asked: dict, messages: list[dict], piece) -> Reply:
        model = self._library.get(asked.get("model"))
        if "completion" not in model.capabilities:
            raise ApiError(400, f'"{model.name}" does not support chat')
        if asked.get("think") and "thinking" not in model.capabilities:
            raise ApiError(400, f'"{model.name}" does not support thinking')
        options = options_of(asked.get("options") or {})
        keep = seconds(asked.get("keep_alive"))
        if not messages and keep == 0:
            self._scheduling.unload(model.name)
            return {**head(model.name), **piece("", ""), "done": True, "done_reason": "unload"}
        lines = self._lines(model.name, messages, options, keep, piece)
        if asked.get("stream", True):
            return lines
        return await whole(lines, piece)

    async def _lines(
        self, name: str, messages: list[dict], options: dict, keep: float | None, piece
    ) -> AsyncIterator[dict]:
        started = time.monotonic_ns()
        async with self._scheduling.runner(name, options["num_ctx"], keep) as runner:
            times = {"load_duration": time.monotonic_ns() - started}
            if not messages:
                yield {**head(name), **piece("", ""), "done": True, "done_reason": "load"}
                return
            async with runner.parallel:
                self.generating += 1
                try:
                    async with contextlib.aclosing(runner.engine.generate(messages, options)) as pieces:
                        async for each in pieces:
                            if each.final is None:
                                yield {**head(name), **piece(each.text, each.thinking), "done": False}
                                continue
                            self.answered += 1
                            times["total_duration"] = time.monotonic_ns() - started
                            yield {**head(name), **piece("", ""), "done": True, **times, **each.final}
                finally:
                    self.generating -= 1

    async def _load(self, name: str, parallel: int, context: int) -> object:
        model = self._library.get(name)
        await asyncio.sleep(self._load_seconds)
        if isinstance(model.source, Path):
            return await asyncio.to_thread(LlamaEngine, model.source, parallel, context, self._flash)
        if model.source == "toobig":
            raise ApiError(500, "model requires more system memory (99.0 GiB) than is available (2.0 GiB)")
        return FakeEngine(model.source, context, self._token_seconds)

    # -- models come and go ----------------------------------------------------------------------------------------

    def _blob(self, method: str, digest: str, body: bytes) -> Reply:
        path = self._library.blob(digest)
        if method == "HEAD":
            return 200 if path.exists() else 404
        if digest != f"sha256:{hashlib.sha256(body).hexdigest()}":
            raise ApiError(400, f"digest mismatch, expected {digest}")
        path.write_bytes(body)
        return 201

    async def _create(self, request: Request) -> Reply:
        asked = request.json()
        files = asked.get("files") or {}
        if not files:
            raise ApiError(400, "neither 'from' or 'files' was specified")
        (digest,) = files.values()
        path = self._library.blob(digest)
        if not path.exists():
            raise ApiError(400, f"blob {digest!r} does not exist")
        self._library.add_file(asked["model"], path, digest)
        return _steps(["parsing GGUF", "writing manifest", "success"], stream=asked.get("stream", True))

    async def _copy(self, request: Request) -> Reply:
        asked = request.json()
        model = self._library.get(asked.get("source"))
        name = full(asked["destination"])
        self._library.models[name] = type(model)(**{**vars(model), "name": name})
        return 200

    async def _delete(self, request: Request) -> Reply:
        model = self._library.get(request.json().get("model"))
        del self._library.models[model.name]
        self._scheduling.unload(model.name)
        return 200

    async def _pull(self, request: Request) -> Reply:
        asked = request.json()
        name = str(asked.get("model"))
        if not name.startswith("pullable"):
            return _lines_of([{"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}])
        self._library.add_fake(name, "plain")
        steps = [{"status": "pulling x", "total": 100, "completed": done} for done in (0, 50, 100)]
        return _lines_of([{"status": "pulling manifest"}, *steps, {"status": "success"}])


def head(name: str) -> dict:
    return {"model": name, "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def options_of(asked: dict) -> dict:
    """All options in full. Unknown ones are ignored (Ollama logs them); a wrong type is a 400."""
    options = dict(DEFAULTS)
    for key, value in asked.items():
        if key not in DEFAULTS:
            continue
        kind = TYPES.get(key, "integer")
        good = isinstance(value, list) if kind == "array" else isinstance(value, int | float)
        if not good or isinstance(value, bool):
            raise ApiError(400, f'option "{key}" must be of type {kind}')
        options[key] = value if kind != "integer" else int(value)
    most = 10 * options["num_ctx"]
    options["num_predict"] = min(options["num_predict"], most) if options["num_predict"] > 0 else most
    return options


def seconds(keep_alive: object) -> float | None:
    """Ollama's durations: a number of seconds, or such as "5m"; below zero for ever."""
    if keep_alive is None:
        return None
    if isinstance(keep_alive, str):
        units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
        unit = next((each for each in units if keep_alive.endswith(each)), "")
        try:
            return float(keep_alive.removesuffix(unit)) * units.get(unit, 1)
        except ValueError as error:
            raise ApiError(400, f"invalid keep_alive {json.dumps(keep_alive)}") from error
    return float(keep_alive)


async def whole(lines: AsyncIterator[dict], piece) -> dict:
    """A stream as one document. One that ends without being done gives done = false."""
    texts, thoughts, last = [], [], {}
    async for line in lines:
        message = line.get("message") or {}
        texts.append(message.get("content", line.get("response", "")))
        thoughts.append(message.get("thinking", ""))
        last = line
    return {**last, **piece("".join(texts), "".join(thoughts))}


def _steps(names: list[str], *, stream: bool) -> Reply:
    return _lines_of([{"status": name} for name in names]) if stream else {"status": names[-1]}


async def _lines_of(lines: list[dict]) -> AsyncIterator[dict]:
    for line in lines:
        yield line
