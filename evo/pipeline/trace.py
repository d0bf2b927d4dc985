"""The record of one run of a plan on one problem."""

from dataclasses import dataclass

from evo.sandbox.verdict import Verdict

__all__ = ["Step", "Trace"]


@dataclass(frozen=True, slots=True)
class Step:
    """What one visit of a node did: one step, or one per draft where it runs drafts.

    node: the node's index in Plan.nodes. iteration: 0 for the first visit of that node. position: the model call's
    number in the run (None for a step without one): what its seed is derived from. text: the model's raw answer ("" for
    a step without one). code: the draft after this step ("" for a plan or tests). verdict: of running it on the visible
    tests. seconds: that the model's answer took.
    """

    node: int
    role: str
    iteration: int
    position: int | None
    text: str
    code: str
    verdict: Verdict | None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Trace:
    """answer: the program that the pipeline hands in. steps: level by level, see Plan. stopped_early: a visible pass
    ended it before its calls did.
    """

    answer: str
    steps: tuple[Step, ...]
    stopped_early: bool

    @property
    def calls(self) -> int:
        """How many model calls the run used."""
        return sum(step.position is not None for step in self.steps)

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens of all calls, whether made or answered from a store."""
        return sum(step.prompt_tokens + step.completion_tokens for step in self.steps)

    @property
    def seconds(self) -> float:
        """What the answers of all calls took, one after the other, when they were made."""
        return sum(step.seconds for step in self.steps)
