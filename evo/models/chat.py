"""What is asked of a model and what it answers."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Literal

__all__ = ["Chat", "Completion", "Finish", "Message", "Sampling"]

Finish = Literal["stop", "length", "thinking"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampling options that a whole run shares; always sent in full. The defaults are Ollama's, the context the
    study's.
    """

    top_k: int = 40
    top_p: float = 0.9
    min_p: float = 0.0
    repeat_penalty: float = 1.0
    context: int = 4096
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chat:
    """One request to a model: an effect that a pipeline yields. What it is answered with is a draw identified by
    ``key``.

    max_tokens: most tokens of the answer. seed: 0 <= seed < 2**31.
    problem, role: which problem and role ask. For scheduling, logs and the simulated pool; not part of ``key``.
    """

    model: str
    messages: tuple[Message, ...]
    seed: int
    temperature: float
    max_tokens: int
    sampling: Sampling = Sampling()
    problem: str = field(default="", compare=False)
    role: str = field(default="", compare=False)

    def key(self, model_digest: str) -> str:
        """SHA-256 (hex) of everything that the answer depends on; the model enters by content, not by name."""
        parts = {
            "model": model_digest,
            "messages": [[m.role, m.content] for m in self.messages],
            "seed": self.seed,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "sampling": asdict(self.sampling),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer. prompt_tokens counts cached ones too; seconds is wall time at the backend, prompt and answer
    together.

    finish: "stop" (the model ended), "length" (max_tokens cut it) or "thinking" (all it said were thoughts).
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    finish: Finish
