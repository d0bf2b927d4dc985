"""One model loaded into this process by xllamacpp (llama.cpp's server as a library). Blocking: threads call it."""

import json
import os
import tempfile
import threading
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from evo.models.backend import BackendUnavailable
from evo.models.chat import Chat, Completion, Finish
from evo.models.failures import BadRequest, CallFailed, ConnectionBroken, PromptTooLong, ServerError

__all__ = ["Engine", "EngineCancelled", "always", "engine_version"]

_PACKAGE = "xllamacpp"
# How long a thread spins before it sleeps while it waits for the others: the default stands still for seconds when the
# sandbox or anybody else uses a core, sleeping at once costs a sixth of the speed when nobody does (docs/models.md).
# libgomp reads these once, when the engine's library is loaded.
_SPIN, _SPIN_COUNT, _WAIT_POLICY = "GOMP_SPINCOUNT", "3000", "OMP_WAIT_POLICY"
_REPEAT_LAST = 64  # tokens that repeat_penalty looks back on: Ollama's default


class EngineCancelled(Exception):
    """The call was given up before its answer was complete."""


def engine_version() -> str:
    """Such as "xllamacpp 2026.10". Raises BackendUnavailable if the engine is not installed."""
    try:
        return f"{_PACKAGE} {version(_PACKAGE)}"
    except PackageNotFoundError as error:
        raise BackendUnavailable(
            "embedded engine: not installed; run: pip install 'evo-pipelines[embedded]', or use --backend ollama"
        ) from error


def always(*, strict: bool) -> dict[str, str | int | bool]:
    """What every call is sent with, whatever its Chat says."""
    return {"think": False, "repeat_last_n": _REPEAT_LAST, "cache_prompt": not strict}


class Engine:
    """A loaded model with ``slots`` parallel sequences of ``context`` tokens each.

    strict: nothing of one call is left for the next, so that with one slot equal calls get equal answers. Raises
    BackendUnavailable if the file cannot be loaded.
    """

    def __init__(self, path: Path, *, slots: int, context: int, strict: bool) -> None:
        library = _library()
        self._strict = strict
        self._asked = False
        # The engine insists on an address: a socket file in a folder that only this user can enter, not a port.
        self._folder = tempfile.TemporaryDirectory(prefix="evo-", ignore_cleanup_errors=True)
        params = library.CommonParams()
        params.model.path = str(path)
        params.hostnames = [str(Path(self._folder.name) / "engine.sock")]
        params.n_parallel = slots
        params.n_ctx = slots * context
        params.cache_prompt = not strict
        params.cache_ram_mib = 0
        params.warmup = False
        params.ui = False
        params.verbosity = -1
        params.enable_reasoning = 0
        for cpu in (params.cpuparams, params.cpuparams_batch):
            cpu.n_threads = _cores()
        try:
            self._server = library.Server(params)
        except RuntimeError as error:
            self._folder.cleanup()
            raise BackendUnavailable(
                f"{path}: the embedded engine cannot load it; it must be a GGUF file of a chat model, "
                f"and {slots} x {context} tokens must fit into memory"
            ) from error

    def ask(self, chat: Chat, cancelled: threading.Event) -> Completion:
        """Answer one chat. ``cancelled`` ends it within a token. Raises CallFailed, EngineCancelled."""
        self._asked = True
        answer = _Answer(cancelled)
        started = time.monotonic()
        self._server.handle_chat_completions(_request(chat, strict=self._strict), answer.receive)
        return answer.completion(chat, time.monotonic() - started)

    def close(self) -> None:
        """Unload the model. No call may be in flight."""
        if not self._asked:
            # A server that is destroyed before its loop has begun waits for that loop for ever.
            hello = {"messages": [{"role": "user", "content": "."}], "max_tokens": 1}
            self._server.handle_chat_completions(hello, lambda chunk: False)
        del self._server
        self._folder.cleanup()


class _Answer:
    """Puts the pieces of one streamed answer together."""

    def __init__(self, cancelled: threading.Event) -> None:
        self._cancelled = cancelled
        self._pieces: list[str] = []
        self._thoughts = 0
        self._finish: str | None = None
        self._usage: Mapping[str, Any] = {}
        self._error: Mapping[str, Any] | None = None

    def receive(self, chunk: Mapping[str, Any]) -> bool:
        """Take one chunk; True asks the engine to stop."""
        self._error = chunk.get("error") or self._error
        self._usage = chunk.get("usage") or self._usage
        for choice in chunk.get("choices") or ():
            self._pieces.append(choice["delta"].get("content") or "")
            self._thoughts += len(choice["delta"].get("reasoning_content") or "")
            self._finish = choice["finish_reason"] or self._finish
        return self._cancelled.is_set()

    def completion(self, chat: Chat, seconds: float) -> Completion:
        if self._error is not None:
            raise _failure(chat.model, self._error)
        if self._cancelled.is_set():
            raise EngineCancelled
        if self._finish is None or not self._usage:
            raise ConnectionBroken(f"model {chat.model}: the embedded engine stopped in the middle of an answer")
        text = "".join(self._pieces)
        finish: Finish = "length" if self._finish == "length" else "stop"
        if self._thoughts and not text:
            finish = "thinking"
        prompt, completion = int(self._usage["prompt_tokens"]), int(self._usage["completion_tokens"])
        return Completion(text, prompt, completion, seconds, finish)


def _request(chat: Chat, *, strict: bool) -> dict[str, Any]:
    sampling, fixed = chat.sampling, always(strict=strict)
    return {
        "messages": [{"role": message.role, "content": message.content} for message in chat.messages],
        "max_tokens": chat.max_tokens,
        "seed": chat.seed,
        "temperature": chat.temperature,
        "top_k": sampling.top_k,
        "top_p": sampling.top_p,
        "min_p": sampling.min_p,
        "repeat_penalty": sampling.repeat_penalty,
        "repeat_last_n": fixed["repeat_last_n"],
        "stop": list(sampling.stop),
        "cache_prompt": fixed["cache_prompt"],
        "chat_template_kwargs": {"enable_thinking": fixed["think"]},
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def _failure(model: str, error: Mapping[str, Any]) -> CallFailed:
    if error.get("type") == "exceed_context_size_error":
        tokens, context = error.get("n_prompt_tokens"), error.get("n_ctx")
        return PromptTooLong(
            f"model {model}: a prompt of {tokens} tokens does not fit into the context of {context}; "
            "raise pipeline.context"
        )
    words = " ".join(str(error.get("message", json.dumps(error))).split())
    kind = BadRequest if error.get("type") == "invalid_request_error" else ServerError
    return kind(f"model {model}: {words}")


def _library() -> Any:
    engine_version()
    ours = _SPIN not in os.environ and _WAIT_POLICY not in os.environ
    if ours:
        os.environ[_SPIN] = _SPIN_COUNT
    try:
        import xllamacpp  # noqa: PLC0415  100 MB of machine code, and the setting above has to come first
    except ImportError as error:
        raise BackendUnavailable(
            f"embedded engine: installed but not usable here ({error}); use --backend ollama"
        ) from error
    finally:
        if ours:
            del os.environ[_SPIN]
    return xllamacpp


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
