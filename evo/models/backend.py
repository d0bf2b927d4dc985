"""Who answers a Chat: the protocol that Ollama, the embedded engine and the simulated pool all follow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from evo.errors import UserError
from evo.models.chat import Chat, Completion

__all__ = ["Backend", "BackendUnavailable", "ModelInfo", "ModelMissing"]


class BackendUnavailable(UserError):
    """The backend cannot be used at all (no server, no engine installed, no weights); the line says what to do."""


class ModelMissing(UserError):
    """A model that the run needs is not there; the line says how to get it."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model as it really was when it was called; a run records it.

    digest: of the weights (and for the simulated pool, of its parameters). parameters: e.g. "494.03M", "" if unknown.
    template: SHA-256 (hex) of the chat template, "" if there is none. options: what every call is sent with, whatever
    its Chat says.
    """

    name: str
    digest: str
    backend: str
    quantization: str
    parameters: str
    context: int
    server_version: str
    template: str = ""
    options: Mapping[str, str | int | bool] = field(default_factory=dict, hash=False)


class Backend(Protocol):
    """One async client. Safe for many concurrent ``chat`` calls; the scheduler holds it to ``slots`` per model."""

    name: str
    simulated: bool

    async def describe(self, model: str) -> ModelInfo:
        """Facts about a model. Raises ModelMissing, BackendUnavailable."""

    async def prepare(self, model: str, context: int) -> frozenset[str]:
        """Have a model in memory before a group of calls; returns all that are usefully called beside it, itself
        included. Raises as ``chat`` does.
        """

    async def chat(self, chat: Chat) -> Completion:
        """Answer one request. Retries inside what is worth retrying; raises CallFailed, ModelMissing."""

    def slots(self, model: str) -> int:
        """How many requests for this model are usefully in flight at once (>= 1). May change as it is measured."""

    async def aclose(self) -> None:
        """Stop servers and close connections."""
