"""One Ollama server: facts about its models, loading one, and one attempt at a chat."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import httpx

from evo.models.backend import BackendUnavailable, ModelMissing
from evo.models.chat import Chat, Completion
from evo.models.failures import CallFailed
from evo.models.ollama.answer import KEEP_ALIVE, THINK, Answer, Timing, options_of
from evo.models.ollama.faults import REFUSED, failure_of, one_line
from evo.models.ollama.gauge import Gauge
from evo.models.ollama.official import ollama
from evo.models.retry import with_retries

__all__ = ["Host", "Patience", "full_name"]

_READ = 20.0  # tokens per second below which reading a prompt counts as stuck
_CONNECTIONS = 256
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: to connect, for a fact, until an answer's first token, between two tokens, to load a model; and for how
    long a call is tried again after it failed first.

    The first token's time has the prompt's tokens, the calls ahead of it and, for a cold model, the loading on top.
    """

    connect: float = 5.0
    facts: float = 30.0
    first: float = 60.0
    between: float = 60.0
    load: float = 300.0
    again: float = 120.0


class Host:
    """A server by its address, as the official client reads it (OLLAMA_API_KEY included). Belongs to one event loop."""

    def __init__(self, address: str | None, patience: Patience) -> None:
        """Raises BackendUnavailable for what is no address."""
        self._patience = patience
        # How long a chat may take depends on the chat, so that is set around the call and not here.
        timeout = httpx.Timeout(None, connect=patience.connect)
        limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
        try:
            self._client = ollama.AsyncClient(address, timeout=timeout, limits=limits)
        except (ValueError, httpx.InvalidURL) as error:
            raise BackendUnavailable(
                f"OLLAMA_HOST: not an address ({one_line(error)}); it looks like 127.0.0.1:11434"
            ) from error
        self._http: httpx.AsyncClient = self._client._client  # the client has no public call for the version

    @property
    def address(self) -> str:
        """Scheme, name and port, without anything secret."""
        url = self._http.base_url
        return f"{url.scheme}://{url.host}" + (f":{url.port}" if url.port else "")

    async def models(self) -> dict[str, str]:
        """Digest of every model on the server, by full name. Raises BackendUnavailable."""
        listed = await self._ask(self._client.list)
        return {model.model: model.digest or "" for model in listed.models if model.model}

    async def show(self, model: str) -> ollama.ShowResponse:
        """What the server knows about a model. Raises BackendUnavailable."""
        return await self._ask(lambda: self._client.show(model))

    async def version(self) -> str:
        """The server's version. Raises BackendUnavailable."""

        async def question() -> str:
            answer = await self._http.get("/api/version")
            return str(answer.raise_for_status().json()["version"])

        return await self._ask(question)

    async def resident(self, context: int) -> frozenset[str]:
        """Full names of the models in memory that were loaded with this context, or do not say."""
        loaded = await self._ask(self._client.ps)
        return frozenset(
            each.model for each in loaded.models if each.model and each.context_length in (None, 0, context)
        )

    async def load(self, model: str, context: int) -> None:
        """Bring a model into memory as ``chat`` will want it. Raises CallFailed, ModelMissing, BackendUnavailable."""
        try:
            async with asyncio.timeout(self._patience.load):
                await self._client.generate(model, options={"num_ctx": context}, keep_alive=KEEP_ALIVE)
        except Exception as error:
            raise failure_of(error, self.where(model), model) from error

    async def unload(self, model: str) -> None:
        """Take a model out of memory. Raises as ``load`` does."""
        try:
            async with asyncio.timeout(self._patience.facts):
                await self._client.generate(model, keep_alive=0)
        except Exception as error:
            raise failure_of(error, self.where(model), model) from error

    async def chat(self, chat: Chat, gauge: Gauge, *, ahead: float, cold: bool) -> tuple[Completion, Timing]:
        """One attempt, streamed, so that a stuck answer is seen and a cancelled one ends on the server.

        ahead: seconds that the server may need for calls before this one. cold: the model may have to be loaded. Raises
        CallFailed, ModelMissing, BackendUnavailable.
        """
        patience, loop = self._patience, asyncio.get_running_loop()
        first = patience.first + gauge.expected(chat) / _READ + ahead
        answer = Answer(chat, self.where(chat.model))
        started = time.monotonic()
        try:
            async with asyncio.timeout(first + (patience.load if cold else 0.0)) as limit:
                async with aclosing(cast(Any, await self._stream(chat))) as pieces:
                    async for piece in pieces:
                        limit.reschedule(loop.time() + patience.between)
                        answer.add(piece)
            return answer.completion(gauge, time.monotonic() - started)
        except Exception as error:
            raise failure_of(error, self.where(chat.model), chat.model, begun=answer.begun) from error

    async def pull(self, model: str, progress: Callable[[str, int, int | None], None] | None = None) -> None:
        """Let the server download a model. progress: (model, bytes so far, bytes in all). Raises ModelMissing."""
        try:
            async for step in await self._client.pull(model, stream=True):
                if progress and step.total:
                    progress(model, step.completed or 0, step.total)
        except (OSError, ValueError, AttributeError, httpx.HTTPError, ollama.ResponseError) as error:
            raise ModelMissing(f"Ollama at {self.address} cannot pull {model}: {one_line(error)}") from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def where(self, model: str) -> str:
        """How messages begin."""
        return f"model {model} on Ollama at {self.address}"

    async def _stream(self, chat: Chat) -> object:
        return await self._client.chat(
            model=chat.model,
            messages=[{"role": message.role, "content": message.content} for message in chat.messages],
            think=THINK,
            options=options_of(chat),
            keep_alive=KEEP_ALIVE,
            stream=True,
        )

    async def _ask(self, question: Callable[[], Awaitable[_T]]) -> _T:
        """Facts from the server. Raises BackendUnavailable for whatever goes wrong."""

        async def attempt() -> _T:
            async with asyncio.timeout(self._patience.facts):
                return await question()

        def patience(error: Exception) -> int:
            # A server that is not there is not there: who asks for facts wants to know at once.
            failure = None if isinstance(error, (*REFUSED, ConnectionError)) else failure_of(error, "", "")
            return failure.retries if isinstance(failure, CallFailed) else 0

        try:
            return await with_retries(attempt, patience, seconds=self._patience.again)
        except (ConnectionError, *REFUSED) as error:
            raise BackendUnavailable(
                f"Ollama does not answer at {self.address}; start it (`ollama serve`) or set OLLAMA_HOST"
            ) from error
        except ollama.ResponseError as error:
            key = "; set OLLAMA_API_KEY" if error.status_code in (401, 403) else ""
            raise BackendUnavailable(f"Ollama at {self.address}: {one_line(error)}{key}") from error
        except TimeoutError as error:
            raise BackendUnavailable(f"Ollama at {self.address}: no answer in time") from error
        except Exception as error:
            raise BackendUnavailable(f"{self.address} does not answer as Ollama does: {one_line(error)}") from error


def full_name(model: str) -> str:
    """A model's name as the server lists it: with a tag."""
    return model if ":" in model.rsplit("/", 1)[-1] else f"{model}:latest"
