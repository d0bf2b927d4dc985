"""The phenotype: what a genome compiles to."""

from dataclasses import dataclass
from itertools import groupby

from evo.genome.genes import Feedback, Role
from evo.models.chat import Sampling

__all__ = ["TAILS", "PipelineSettings", "Plan", "PlanNode", "Visit"]


TAILS = ("\n```\n", "\nprint(", "\nassert ", "\n# Test", "\n# Example", "\n# Usage", "\nif __name__")
"""Where an answer that holds its function goes on with tests or prose of its own. As stop sequences they save the
tokens of a tail that extraction would cut off anyway."""


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """What a run fixes for all of its pipelines. What of it can change a plan's behaviour is part of its digest.

    early_stopping: the first pass of the visible tests ends the pipeline. prelude: supply the usual imports to answers
    that forgot them. max_tokens: of one answer.

    max_nodes: of a pipeline. max_calls, max_tokens_per_problem: of one run of it, at most; tokens are a prompt's and an
    answer's. enough_tests: visible tests from which on a problem needs none of a tester's own.
    """

    early_stopping: bool = True
    prelude: bool = True
    max_tokens: int = 512
    sampling: Sampling = Sampling()
    max_nodes: int = 64
    max_calls: int = 64
    max_tokens_per_problem: int = 1 << 17
    enough_tests: int = 3


@dataclass(frozen=True, slots=True)
class PlanNode:
    """A live node; ``gene`` is the genome's node id and only for display: it is not in the digest.

    text: of the prompt. prompt: its name, for display, not in the digest. max_tokens: of one answer. feedback: of an
    executor that a node reads.
    """

    role: Role
    gene: int
    model: str = ""
    prompt: str = ""
    text: str = ""
    temperature: float = 0.0
    feedback: Feedback = Feedback.VALUES
    max_tokens: int = 512


@dataclass(frozen=True, slots=True)
class Visit:
    """One turn of a node in a run.

    node: index in Plan.nodes. iteration: 0 for the node's first turn. inputs: indices of the visits that it works on,
    ascending. level: 1 for those that need the task alone, else one more than the highest of its inputs. position: of
    its model call, which its seed is derived from; None where it calls no model.
    """

    node: int
    iteration: int
    inputs: tuple[int, ...]
    level: int
    position: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """An executable pipeline: a genome with its loops unrolled.

    nodes: in a canonical order, task first and output last. visits: everything that a run does, unless it ends early,
    ordered by level, then by node. Visits of one level do not depend on each other and happen at once. output: the
    visits that feed the output, ascending.

    digest: SHA-256 (hex, first 16) over all that can change behaviour and nothing else; equal behaviour, equal digest.
    """

    nodes: tuple[PlanNode, ...]
    visits: tuple[Visit, ...]
    output: tuple[int, ...]
    settings: PipelineSettings
    digest: str

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models it calls, sorted."""
        return tuple(sorted({node.model for node in self.nodes if node.model}))

    @property
    def max_calls(self) -> int:
        """Most model calls that one run can make."""
        return sum(visit.position is not None for visit in self.visits)

    @property
    def levels(self) -> tuple[tuple[int, ...], ...]:
        """Indices of the visits of each level, in order."""
        numbers = range(len(self.visits))
        return tuple(tuple(level) for _, level in groupby(numbers, key=lambda number: self.visits[number].level))

    def role(self, visit: int) -> Role:
        """The role of the node that this visit is a turn of."""
        return self.nodes[self.visits[visit].node].role
