"""The phenotype: what a genome compiles to."""

from dataclasses import dataclass

from evo.genome.genes import Feedback, Role
from evo.models.chat import Sampling

__all__ = ["TAILS", "PipelineSettings", "Plan", "PlanNode"]


TAILS = ("\n```\n", "\nprint(", "\nassert ", "\n# Test", "\n# Example", "\n# Usage", "\nif __name__")
"""Where an answer that holds its function goes on with tests or prose of its own. As stop sequences they save the
tokens of a tail that extraction would cut off anyway."""


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """What a run fixes for all of its pipelines. Part of a plan and of its digest.

    early_stopping: the first pass of the visible tests ends the pipeline. prelude: supply the usual imports to answers
    that forgot them. max_tokens: of one answer.
    """

    early_stopping: bool = True
    prelude: bool = True
    max_tokens: int = 512
    sampling: Sampling = Sampling()


@dataclass(frozen=True, slots=True)
class PlanNode:
    """A live node in execution order; ``gene`` is the genome's node id and only for drawing: it is not in the digest.

    text: of the prompt. prompt: its name, for display, not in the digest. iterations: how often the node may be visited
    in one run; the compiler works it out for every role (a looped executor's is one more than its refiner's where the
    last execution is its own). feedback: of an executor that a node reads.
    """

    role: Role
    gene: int
    model: str = ""
    prompt: str = ""
    text: str = ""
    temperature: float = 0.0
    iterations: int = 1
    feedback: Feedback = Feedback.VALUES


@dataclass(frozen=True, slots=True)
class Plan:
    """An executable pipeline: live nodes in a canonical order (task first, output last), edges as index pairs.

    A run walks the edges from the task: from each node to the successor with the smallest index that still has visits
    left. A loop is therefore an edge to a smaller index, taken until its target is used up.

    digest: SHA-256 (hex, first 16) over all that can change behaviour and nothing else; equal behaviour, equal digest.
    """

    nodes: tuple[PlanNode, ...]
    edges: tuple[tuple[int, int], ...]
    settings: PipelineSettings
    digest: str

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models it calls, sorted."""
        return tuple(sorted({node.model for node in self.nodes if node.model}))

    @property
    def max_calls(self) -> int:
        """Most model calls that one run can make."""
        return sum(node.iterations for node in self.nodes if node.role.calls_model)

    @property
    def max_executions(self) -> int:
        """Most executions that one run can ask for."""
        return sum(node.iterations for node in self.nodes if node.role is Role.EXECUTOR)

    def successors(self, index: int) -> tuple[int, ...]:
        """Indices of the nodes that this node feeds, ascending."""
        return tuple(target for source, target in self.edges if source == index)
