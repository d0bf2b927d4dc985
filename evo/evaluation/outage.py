"""A server that stays away pauses the calls: they wait, and go on by themselves when it is back.

A call that has failed for good says little about why. So the server is asked something simple: if it answers, the
failure was the call's own; if it does not, every call waits here while one task asks again and again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from evo.errors import UserError
from evo.models import Backend, BackendUnavailable, CallFailed, Chat, Completion, ModelInfo, ModelMissing

__all__ = ["PausingBackend"]

T = TypeVar("T")

_ROUNDS = 5  # outages that one call sits out; a server that answers questions but never a call is no outage
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 15.0
_GLANCE = 0.2  # seconds between looks at whether the user wants to stop


class PausingBackend:
    """A backend whose calls outlast outages of its server. ``reason``: why all calls wait now, "" while none has to."""

    def __init__(self, backend: Backend, models: Mapping[str, ModelInfo], gate: Callable[[], None]) -> None:
        """models: the weights that must still be there after an outage. gate: what it raises ends the waiting."""
        self._backend = backend
        self._models = models
        self._gate = gate
        self._outage: asyncio.Task[None] | None = None
        self.name, self.simulated = backend.name, backend.simulated
        self.reason = ""

    async def chat(self, chat: Chat) -> Completion:
        """As the backend's. Raises CallFailed only where the server itself is there, and what the gate raises."""
        return await self._persist(chat.model, lambda: self._backend.chat(chat))

    async def prepare(self, model: str, context: int) -> frozenset[str]:
        """As the backend's."""
        return await self._persist(model, lambda: self._backend.prepare(model, context))

    async def describe(self, model: str) -> ModelInfo:
        """As the backend's."""
        return await self._backend.describe(model)

    def slots(self, model: str) -> int:
        """As the backend's."""
        return self._backend.slots(model)

    async def aclose(self) -> None:
        """As the backend's."""
        await self._backend.aclose()

    async def _persist(self, model: str, ask: Callable[[], Awaitable[T]]) -> T:
        for _ in range(_ROUNDS):
            try:
                return await ask()
            except CallFailed as failure:
                if not failure.sick or (away := await self._away(model)) is None:
                    raise
            except BackendUnavailable as error:
                away = error
            await self._back(model, away)
        return await ask()

    async def _away(self, model: str) -> BackendUnavailable | None:
        """What is wrong if the server does not even answer a question."""
        try:
            await self._backend.describe(model)
        except BackendUnavailable as error:
            return error
        except UserError:  # it answers, whatever it says
            return None
        return None

    async def _back(self, model: str, away: BackendUnavailable) -> None:
        """Wait with all the others until the server is back."""
        if self._outage is None:
            self._outage = asyncio.create_task(self._watch(model, away))
        await asyncio.shield(self._outage)

    async def _watch(self, model: str, away: BackendUnavailable) -> None:
        self.reason = str(away)
        wait = _FIRST_WAIT
        try:
            while True:
                await self._sleep(wait)
                wait = min(_LONGEST_WAIT, 2 * wait)
                try:
                    info = await self._backend.describe(model)
                except BackendUnavailable as error:
                    self.reason = str(error)
                    continue
                except ModelMissing:  # the server is back without it, which the call itself will say
                    return
                self._same(info)
                return
        finally:
            self.reason, self._outage = "", None

    async def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._gate()
            await asyncio.sleep(min(left, _GLANCE))

    def _same(self, info: ModelInfo) -> None:
        before = self._models[info.name].digest
        if info.digest != before:
            raise UserError(
                f"model {info.name} came back with digest {info.digest[:12]}, not {before[:12]}; put the old one back "
                "and run the same command again, or start a new run with --fork NAME"
            )
