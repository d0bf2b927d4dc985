"""Ollama through its official client: the native chat API with every option sent, because a server's defaults change.

What goes wrong is sorted once, in ``_patience`` (what deserves another try) and ``_failure`` (what the caller is told).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
import ollama

from evo.errors import EvoError
from evo.models.backend import BackendUnavailable, CallFailed, ModelInfo, ModelMissing
from evo.models.chat import Chat, Completion
from evo.models.retry import with_retries

__all__ = ["DEFAULT_SLOTS", "OllamaBackend", "full_name"]

DEFAULT_SLOTS = 4
_KEEP_ALIVE = "30m"
_CONNECT_SECONDS = 5.0
_ASK_SECONDS = 30.0  # for facts about models
_BASE_SECONDS = 60.0  # for a chat, before its tokens are counted
_LOAD_SECONDS = 300.0  # more for the first chat with a model, which may load it from a slow disk
_SLOWEST = 3.0  # tokens per second below which an answer counts as stuck
_REPEAT_LAST = 64  # tokens that repeat_penalty looks back on
_RETRIES = 3

_T = TypeVar("_T")


class OllamaBackend:
    """Answers chats from an Ollama server: OLLAMA_HOST, or ``host``. Belongs to one event loop.

    slots: calls in flight at once; more of them wait here, where waiting does not count towards a time-out.
    seconds: what a chat may take before its tokens are counted.
    """

    name = "ollama"
    simulated = False

    def __init__(self, host: str | None = None, *, slots: int | None = None, seconds: float = _BASE_SECONDS) -> None:
        # The time limit of a chat depends on the chat, so it is set around the call and not here.
        self._client = ollama.AsyncClient(host, timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS))
        self._http: httpx.AsyncClient = self._client._client  # the client has no public call for the version
        self._slots = slots or DEFAULT_SLOTS
        self._gate = asyncio.Semaphore(self._slots)
        self._seconds = seconds
        self._warm: set[str] = set()

    @property
    def host(self) -> str:
        """The server's address, without any password in it."""
        url = self._http.base_url
        return f"{url.scheme}://{url.host}" + (f":{url.port}" if url.port else "")

    async def models(self) -> dict[str, str]:
        """Digest of every model on the server, by full name. Raises BackendUnavailable."""
        listed = await self._ask(self._client.list)
        return {model.model: model.digest or "" for model in listed.models if model.model}

    async def describe(self, model: str) -> ModelInfo:
        """Facts about a model. Raises ModelMissing, BackendUnavailable."""
        digests = await self.models()
        if full_name(model) not in digests:
            raise ModelMissing(f"Ollama at {self.host} has no model {model}; run: ollama pull {model}")
        shown = await self._ask(lambda: self._client.show(model))
        version = await self._ask(self._version)
        if shown.capabilities and "completion" not in shown.capabilities:
            raise ModelMissing(f"Ollama model {model}: cannot chat ({', '.join(shown.capabilities)}); use another one")
        facts = shown.modelinfo or {}
        return ModelInfo(
            name=model,
            digest=digests[full_name(model)],
            backend=self.name,
            quantization=(shown.details and shown.details.quantization_level) or "",
            parameters=(shown.details and shown.details.parameter_size) or "",
            context=int(facts.get(f"{facts.get('general.architecture')}.context_length") or 0),
            server_version=f"ollama {version}",
        )

    async def chat(self, chat: Chat) -> Completion:
        """Answer one request. Retries what is worth it. Raises CallFailed, ModelMissing."""
        async with self._gate:
            try:
                return await with_retries(lambda: self._attempt(chat), _patience)
            except EvoError:
                raise
            except Exception as error:
                raise self._failure(chat.model, error) from error

    def slots(self, model: str) -> int:
        """Requests in flight at once; a server beyond its OLLAMA_NUM_PARALLEL queues them."""
        return self._slots

    async def pull(self, model: str, progress: Callable[[str, int, int | None], None] | None = None) -> None:
        """Let the server download a model. progress: (model, bytes so far, bytes in all). Raises ModelMissing."""
        try:
            async for step in await self._client.pull(model, stream=True):
                if progress and step.total:
                    progress(model, step.completed or 0, step.total)
        except (*_BROKEN, *_GARBAGE, ollama.ResponseError) as error:
            raise ModelMissing(f"Ollama at {self.host} cannot pull {model}: {_words(error)}") from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _attempt(self, chat: Chat) -> Completion:
        seconds = self._seconds + chat.max_tokens / _SLOWEST + (0 if chat.model in self._warm else _LOAD_SECONDS)
        started = time.monotonic()
        async with asyncio.timeout(seconds):
            answer = await self._client.chat(
                model=chat.model,
                messages=[{"role": message.role, "content": message.content} for message in chat.messages],
                think=False,
                options=_options(chat),
                keep_alive=_KEEP_ALIVE,
            )
        self._warm.add(chat.model)
        return _completion(chat, answer, time.monotonic() - started)

    async def _version(self) -> str:
        answer = await self._http.get("/api/version")
        return str(answer.raise_for_status().json()["version"])

    async def _ask(self, question: Callable[[], Awaitable[_T]]) -> _T:
        """Facts from the server. Raises BackendUnavailable for whatever goes wrong."""

        async def attempt() -> _T:
            async with asyncio.timeout(_ASK_SECONDS):
                return await question()

        try:
            # A server that is not there is not there: who asks for facts wants to know at once.
            return await with_retries(attempt, lambda error: 0 if _is_refused(error) else _patience(error))
        except ollama.ResponseError as error:
            raise BackendUnavailable(f"Ollama at {self.host}: {_words(error)}") from error
        except Exception as error:
            if _is_refused(error):
                raise BackendUnavailable(
                    f"Ollama does not answer at {self.host}; start it (`ollama serve`) or set OLLAMA_HOST"
                ) from error
            raise BackendUnavailable(f"{self.host} does not answer as Ollama does: {_words(error)}") from error

    def _failure(self, model: str, error: Exception) -> EvoError:
        if isinstance(error, ollama.ResponseError) and error.status_code == httpx.codes.NOT_FOUND:
            return ModelMissing(f"Ollama at {self.host} has no model {model}; run: ollama pull {model}")
        return CallFailed(f"model {model} on Ollama at {self.host}: {_words(error)}")


def full_name(model: str) -> str:
    """A model's name as the server lists it: with a tag."""
    return model if ":" in model.rsplit("/", 1)[-1] else f"{model}:latest"


def _options(chat: Chat) -> dict[str, Any]:
    """A plain dict: the client's own class of options does not know min_p and would drop it."""
    sampling = chat.sampling
    options: dict[str, Any] = {
        "seed": chat.seed,
        "temperature": chat.temperature,
        "top_k": sampling.top_k,
        "top_p": sampling.top_p,
        "min_p": sampling.min_p,
        "repeat_penalty": sampling.repeat_penalty,
        "repeat_last_n": _REPEAT_LAST,
        "num_predict": chat.max_tokens,
        "num_ctx": sampling.context,
    }
    # An empty list would take away the stop words that the model's own file sets.
    return {**options, "stop": list(sampling.stop)} if sampling.stop else options


def _completion(chat: Chat, answer: ollama.ChatResponse, seconds: float) -> Completion:
    if not answer.done or answer.done_reason not in ("stop", "length", None):
        what = f"ended with {answer.done_reason}" if answer.done_reason else "broke off (a repeating generation?)"
        raise CallFailed(f"model {chat.model} on Ollama: the answer {what}")
    prompt, completion = answer.prompt_eval_count or 0, answer.eval_count or 0
    if prompt >= chat.sampling.context:
        # The server cuts what does not fit and says nothing; a full context is the trace of it.
        raise CallFailed(
            f"model {chat.model} on Ollama: the prompt does not fit into the context of {chat.sampling.context}; "
            "raise pipeline.context"
        )
    finish = "length" if answer.done_reason == "length" else "stop"
    return Completion(answer.message.content or "", prompt, completion, seconds, finish)  # type: ignore[arg-type]


# Connections that broke; answers that are not what the protocol says (ValueError: not JSON, or not the fields;
# AttributeError and TypeError: the client met JSON that is no object).
_BROKEN = (ConnectionError, httpx.TransportError, TimeoutError)
_GARBAGE = (ValueError, AttributeError, TypeError)


def _is_refused(error: Exception) -> bool:
    return isinstance(error, ConnectionError | httpx.ConnectError | httpx.ConnectTimeout)


def _patience(error: Exception) -> int:
    """How often a call that failed like this is tried again."""
    match error:
        case TimeoutError() | httpx.ReadTimeout():
            return 1  # the server may still be at work on the first one
        case ollama.ResponseError(status_code=503):
            return _RETRIES
        case ollama.ResponseError(status_code=500):
            return _RETRIES if any(word in str(error.error) for word in ("terminated", "stopped")) else 0
        case _:
            return _RETRIES if isinstance(error, (*_BROKEN, *_GARBAGE)) else 0


def _words(error: Exception) -> str:
    """The error in one line."""
    match error:
        case ollama.ResponseError():
            text = f"{error.error} (HTTP {error.status_code})"
        case TimeoutError() | httpx.TimeoutException():
            text = "no answer in time"
        case _ if _is_refused(error):
            text = "no connection"
        case _ if isinstance(error, _GARBAGE):
            text = f"the answer is not what the protocol says ({error})"
        case _:
            text = str(error) or type(error).__name__
    return " ".join(text.split())
