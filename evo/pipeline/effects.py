"""The effects that a pipeline yields and what each is answered with. It yields nothing else, and does nothing else."""

from dataclasses import dataclass

from evo.models.chat import Chat, Completion
from evo.sandbox.verdict import Verdict
from evo.tasks.problem import Check

__all__ = ["Chat", "Effect", "Execute", "Reply"]


@dataclass(frozen=True, slots=True)
class Execute:
    """Run ``code`` against the problem's visible tests, or against ``tests`` that a tester wrote.

    Hidden tests are out of a pipeline's reach by construction.
    """

    code: str
    tests: Check | None = None


Effect = Chat | Execute
Reply = Completion | Verdict
