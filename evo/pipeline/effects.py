"""The effects that a pipeline yields and what each is answered with. It yields nothing else, and does nothing else."""

from dataclasses import dataclass

from evo.models.chat import Chat, Completion
from evo.sandbox.verdict import Verdict

__all__ = ["Chat", "Effect", "Execute", "Reply"]


@dataclass(frozen=True, slots=True)
class Execute:
    """Run ``code`` against the problem's visible tests. Hidden tests are out of a pipeline's reach by construction."""

    code: str


Effect = Chat | Execute
Reply = Completion | Verdict
