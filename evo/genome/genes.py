"""The genotype: typed nodes and connections with innovation numbers. Plain immutable data."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["OUTPUT_ID", "TASK_ID", "ConnectionGene", "Feedback", "Genome", "NodeGene", "Role"]

TASK_ID = 0
OUTPUT_ID = 1


class Role(StrEnum):
    """What a node does. ``TASK`` and ``OUTPUT`` are NEAT's input and output nodes: every genome has one of each."""

    TASK = "task"
    PLANNER = "planner"
    GENERATOR = "generator"
    TESTER = "tester"
    EXECUTOR = "executor"
    ANALYZER = "analyzer"
    REFINER = "refiner"
    SELECTOR = "selector"
    OUTPUT = "output"

    @property
    def calls_model(self) -> bool:
        """Whether a node of this role asks a model; executors run code, selectors choose."""
        return "model" in _NEEDS[self]

    @property
    def needs(self) -> tuple[str, ...]:
        """Fields that a node of this role must have."""
        return _NEEDS[self]

    @property
    def may_have(self) -> tuple[str, ...]:
        """Fields that a node of this role may have besides."""
        return ("text", "max_tokens") if self.calls_model else ()


_CALL = ("model", "prompt", "temperature")
_NEEDS = {
    Role.TASK: (),
    Role.PLANNER: _CALL,
    Role.GENERATOR: _CALL,
    Role.TESTER: _CALL,
    Role.EXECUTOR: ("feedback",),
    Role.ANALYZER: _CALL,
    Role.REFINER: (*_CALL, "iterations"),
    Role.SELECTOR: (),
    Role.OUTPUT: (),
}


class Feedback(StrEnum):
    """How much of a failure an executor passes on: error type; and traceback in user frames; and values."""

    TYPE = "type"
    TRACEBACK = "traceback"
    VALUES = "values"


@dataclass(frozen=True, slots=True)
class NodeGene:
    """One node. ``id`` is its innovation number (0 task, 1 output). A field that its role does not use is None.

    model, prompt, temperature: roles that call a model. prompt is the name of a prompt of that role.
    text: a prompt of the node's own, found by evolution; prompt is then no more than its name. max_tokens: of one
    answer, None for what the run allows. feedback: executors. iterations: refiners, how often the refiner may run in
    its loop (1..3 in the study).
    """

    id: int
    role: Role
    model: str | None = None
    prompt: str | None = None
    temperature: float | None = None
    iterations: int | None = None
    feedback: Feedback | None = None
    text: str | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ConnectionGene:
    """One directed edge between node ids. ``innovation`` is unique to (source, target) during a whole run."""

    innovation: int
    source: int
    target: int
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Genome:
    """A pipeline's genotype: nodes sorted by id, connections sorted by innovation number.

    What may lead to what is the space's table (see ``evo.genome.space``). In the linear space a stage is executor ->
    [analyzer ->] refiner with a loop edge refiner -> its executor; the refiner of a stage feeds the next stage's
    executor; the last executor (or a lone generator) feeds the output:

        task -> generator -> executor -> refiner -> executor (loop); executor -> output
    """

    nodes: tuple[NodeGene, ...]
    connections: tuple[ConnectionGene, ...]

    def node(self, id: int) -> NodeGene:
        """The node with this id. Raises KeyError."""
        for gene in self.nodes:
            if gene.id == id:
                return gene
        raise KeyError(id)

    @property
    def inner(self) -> tuple[NodeGene, ...]:
        """All nodes but task and output: the ones that the study counts and that parsimony charges for."""
        return tuple(n for n in self.nodes if n.role not in (Role.TASK, Role.OUTPUT))
