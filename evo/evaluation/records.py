"""Verdicts as JSON and back, exactly."""

import json
from dataclasses import asdict
from typing import Any

from evo.sandbox import FailedAssert, Frame, Status, Verdict

__all__ = ["verdict_from_json", "verdict_to_json"]


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
