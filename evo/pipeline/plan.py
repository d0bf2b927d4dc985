"""The phenotype: what a genome compiles to."""

from dataclasses import dataclass

from evo.genome.genes import Feedback, Role
from evo.models.chat import Sampling

__all__ = ["PipelineSettings", "Plan", "PlanNode"]


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """What a run fixes for all of its pipelines. Part of a plan and of its digest.

    early_stopping: the first pass of the visible tests ends the pipeline. prelude: supply the usual imports to answers that
    forgot them. max_tokens: of one answer.
    """

    early_stopping: bool = True
    prelude: bool = True
    max_tokens: int = 512
    sampling: Sampling = Sampling()


@dataclass(frozen=True, slots=True)
class PlanNode:
    """A live node in execution order; ``gene`` is the genome's node id and only for drawing: it is not in the digest.

    system: the text of the prompt itself (not its name). prompt: its name, for display, not in the digest.
    """

    role: Role
    gene: int
    model: str = ""
    prompt: str = ""
    system: str = ""
    temperature: float = 0.0
    iterations: int = 1
    feedback: Feedback = Feedback.VALUES


@dataclass(frozen=True, slots=True)
class Plan:
    """An executable pipeline: live nodes in a canonical order, edges as index pairs, settings.

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
