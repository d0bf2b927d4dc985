"""Verdicts as JSON and back, exactly; requests as compressed JSON."""

import json
import zlib
from dataclasses import asdict
from typing import Any

from evo.models import Chat
from evo.sandbox import FailedAssert, Frame, Status, Verdict

__all__ = ["request_of", "seed_of", "verdict_from_json", "verdict_to_json"]

_SEED = b'"seed": '


def request_of(chat: Chat) -> bytes:
    """What was asked of a model, compressed."""
    fields = {
        "messages": [[m.role, m.content] for m in chat.messages],
        "seed": chat.seed,
        "temperature": chat.temperature,
        "max_tokens": chat.max_tokens,
    }
    return zlib.compress(json.dumps(fields, ensure_ascii=False).encode(), level=1)


def seed_of(request: bytes) -> int:
    """The seed of what ``request_of`` made, without parsing the texts before it: behind it are numbers alone."""
    text = zlib.decompress(request)
    start = text.rindex(_SEED) + len(_SEED)
    return int(text[start : text.index(b",", start)])


def verdict_to_json(verdict: Verdict) -> str:
    """The verdict as one line of JSON."""
    return json.dumps(asdict(verdict), ensure_ascii=True)


def verdict_from_json(text: str) -> Verdict:
    """What ``verdict_to_json`` made. Raises ValueError, KeyError or TypeError for anything else."""
    fields: dict[str, Any] = json.loads(text)
    failed = fields.pop("failed")
    frames = fields.pop("frames")
    return Verdict(
        status=Status(fields.pop("status")),
        failed=None if failed is None else FailedAssert(**failed),
        frames=tuple(Frame(**frame) for frame in frames),
        **fields,
    )
