"""The Ollama backend: calls given to hosts, as many at once as is useful, and tried again where that helps."""

import asyncio
import hashlib
import os
import time
from collections.abc import Callable

from evo.errors import UserError
from evo.models.backend import ModelInfo, ModelMissing
from evo.models.chat import Chat, Completion
from evo.models.failures import CallFailed, NotAsked, Refused
from evo.models.ollama.answer import ALWAYS
from evo.models.ollama.host import Host, Patience, full_name
from evo.models.ollama.lanes import Lanes
from evo.models.retry import with_retries

__all__ = ["OllamaBackend", "Patience", "full_name"]


class OllamaBackend:
    """Answers chats from Ollama servers: OLLAMA_HOST (several addresses separated by commas), or ``host``. Belongs to
    one event loop.

    slots: calls in flight at once per model and host; None: as many as are found useful. More of them wait here, where
    waiting does not count towards a time-out.
    """

    name = "ollama"
    simulated = False

    def __init__(self, host: str | None = None, *, slots: int | None = None, patience: Patience | None = None) -> None:
        """Raises BackendUnavailable for what is no address."""
        addresses = [each.strip() for each in (host or os.environ.get("OLLAMA_HOST") or "").split(",")]
        self._patience = patience or Patience()
        self._hosts = [Host(each, self._patience) for each in addresses if each] or [Host(None, self._patience)]
        self._slots = slots
        self._models: dict[str, Lanes] = {}

    @property
    def host(self) -> str:
        """The servers' addresses, without anything secret."""
        return ", ".join(host.address for host in self._hosts)

    async def models(self) -> dict[str, str]:
        """Digest of every model on any of the hosts, by full name. Raises BackendUnavailable."""
        found: dict[str, str] = {}
        for listed in await asyncio.gather(*(host.models() for host in self._hosts)):
            found |= listed
        return found

    async def describe(self, model: str) -> ModelInfo:
        """Facts about a model. Raises ModelMissing, BackendUnavailable, UserError if hosts differ."""
        listed = await asyncio.gather(*(host.models() for host in self._hosts))
        digests = {
            host: found[full_name(model)]
            for host, found in zip(self._hosts, listed, strict=True)
            if full_name(model) in found
        }
        if not digests:
            raise ModelMissing(f"Ollama at {self.host} has no model {model}; run: ollama pull {model}")
        if len(set(digests.values())) > 1:
            which = ", ".join(f"{digest[:12]} at {host.address}" for host, digest in digests.items())
            raise UserError(f"model {model} is not the same on all hosts ({which}); run there: ollama pull {model}")
        if model not in self._models:
            self._models[model] = Lanes(digests, self._slots)
        host, digest = next(iter(digests.items()))
        shown, version = await host.show(model), await host.version()
        if shown.capabilities and "completion" not in shown.capabilities:
            raise ModelMissing(f"Ollama model {model}: cannot chat ({', '.join(shown.capabilities)}); use another one")
        facts = shown.modelinfo or {}
        return ModelInfo(
            name=model,
            digest=digest,
            backend=self.name,
            quantization=(shown.details and shown.details.quantization_level) or "",
            parameters=(shown.details and shown.details.parameter_size) or "",
            context=int(facts.get(f"{facts.get('general.architecture')}.context_length") or 0),
            server_version=f"ollama {version}",
            template=hashlib.sha256(shown.template.encode()).hexdigest() if shown.template else "",
            options=dict(ALWAYS),
        )

    async def prepare(self, model: str, context: int) -> frozenset[str]:
        """Load a model on its hosts; returns those of the models used so far that are in memory on all of them.

        Raises CallFailed, ModelMissing, BackendUnavailable.
        """
        lanes = self._of(model).lanes

        async def load() -> None:
            await asyncio.gather(*(lane.host.load(model, context) for lane in lanes))

        await with_retries(load, _retries, seconds=self._patience.again)
        for lane in lanes:
            lane.warm = True
        resident = [await lane.host.resident(context) for lane in lanes]
        return frozenset(
            each for each in self._models if each == model or all(full_name(each) in here for here in resident)
        )

    async def chat(self, chat: Chat) -> Completion:
        """Answer one request. Retries what is worth it. Raises CallFailed, ModelMissing, BackendUnavailable."""
        breaker = self._of(chat.model).breaker
        try:
            completion = await with_retries(lambda: self._attempt(chat), _retries, seconds=self._patience.again)
        except CallFailed as failure:
            if failure.sick and not isinstance(failure, NotAsked | Refused):  # nobody there: not the model's fault
                breaker.failed(str(failure))
            raise
        breaker.succeeded()
        return completion

    def slots(self, model: str) -> int:
        """Calls usefully in flight at once, over all hosts."""
        return self._of(model).slots

    async def pull(self, model: str, progress: Callable[[str, int, int | None], None] | None = None) -> None:
        """Let every host download a model. progress: (model, bytes so far, bytes in all). Raises ModelMissing."""
        for host in self._hosts:
            await host.pull(model, progress)

    async def unload(self, model: str) -> None:
        """Take a model out of memory, so that the next call finds it cold. Raises as ``prepare`` does."""
        for lane in self._of(model).lanes:
            await lane.host.unload(model)
            lane.warm = False

    async def aclose(self) -> None:
        """Close the connections."""
        for host in self._hosts:
            await host.aclose()

    def _of(self, model: str) -> Lanes:
        """Where a model is: on the hosts that were found to have it, on all before anybody looked."""
        if model not in self._models:
            self._models[model] = Lanes(self._hosts, self._slots)
        return self._models[model]

    async def _attempt(self, chat: Chat) -> Completion:
        served_by = self._of(chat.model)
        lane = await served_by.enter()
        started = time.monotonic()
        try:
            ahead, cold = lane.seconds_ahead(chat), not lane.warm
            completion, timing = await lane.host.chat(chat, served_by.gauge, ahead=ahead, cold=cold)
        except CallFailed as failure:
            lane.failed(failure)
            raise
        except ModelMissing:
            if len(served_by.lanes) == 1:
                raise
            served_by.lanes.remove(lane)
        else:
            lane.answered(completion, timing, time.monotonic() - started)
            return completion
        finally:
            served_by.leave(lane)
        return await self._attempt(chat)  # another host may still have it


def _retries(error: Exception) -> int:
    return error.retries if isinstance(error, CallFailed) else 0
