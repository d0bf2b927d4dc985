"""Who answers a Chat: Ollama, the embedded engine, the simulated pool; and where weights come from.

The simulated pool has a face of its own, ``evo.models.simulated``: it needs problems and is only ever asked by name.
"""

from evo.models.backend import Backend, BackendUnavailable, ModelInfo, ModelMissing
from evo.models.chat import Chat, Completion, Finish, Message, Sampling
from evo.models.choose import Chosen, open_backend
from evo.models.embedded import EmbeddedBackend
from evo.models.engine import engine_version
from evo.models.failures import CallFailed
from evo.models.ollama import OllamaBackend, Patience
from evo.models.registry import Weights, known_weights, weights_named
from evo.models.weights import PullProgress, locate, pull

__all__ = [
    "Backend",
    "BackendUnavailable",
    "CallFailed",
    "Chat",
    "Chosen",
    "Completion",
    "EmbeddedBackend",
    "Finish",
    "Message",
    "ModelInfo",
    "ModelMissing",
    "OllamaBackend",
    "Patience",
    "PullProgress",
    "Sampling",
    "Weights",
    "engine_version",
    "known_weights",
    "locate",
    "open_backend",
    "pull",
    "weights_named",
]
