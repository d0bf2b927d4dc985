"""Mutation: the space's operators, each drawn once per genome; propose, validate, roll back."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from random import Random

from evo.genome import graph
from evo.genome.attributes import (
    change_feedback,
    change_max_tokens,
    change_prompt,
    move_temperature,
    step_iterations,
    swap_model,
)
from evo.genome.genes import Genome
from evo.genome.growth import add_analyzer, add_stage, remove_analyzer, remove_last_stage
from evo.genome.innovation import InnovationTracker
from evo.genome.space import Space
from evo.genome.structure import stages
from evo.genome.validate import valid

__all__ = ["OPERATORS", "Operator", "apply", "mutate"]

Operator = Callable[[Genome, Space, Random, InnovationTracker], Iterator[Genome]]
"""Gives variants of a valid genome, best first or in random order; they need not be valid."""

_TRIES = 8  # proposals of one operator that are looked at


def mutate(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Genome:
    """A variant of ``genome``, valid if ``genome`` is. The linear space's operators: paper.md, "The search"."""
    for name, operator in OPERATORS[space.name].items():
        if rng.random() < getattr(space.rates, name):
            genome = apply(operator, genome, space, rng, tracker)
    return genome


def apply(operator: Operator, genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Genome:
    """The operator's first valid proposal; the genome itself if there is none among the first few."""
    proposals = islice(operator(genome, space, rng, tracker), _TRIES)
    return next((proposed for proposed in proposals if valid(proposed, space)), genome)


def _add_stage(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Iterator[Genome]:
    if len(stages(genome)) < space.stages[1] and len(genome.inner) + 2 <= space.max_nodes:
        yield add_stage(genome, space, rng, tracker)


def _add_analyzer(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Iterator[Genome]:
    yield add_analyzer(genome, space, rng, tracker)


def _remove(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Iterator[Genome]:
    present = stages(genome)
    wants_analyzer = rng.random() < space.rates.remove_analyzer_share
    if wants_analyzer and any(stage.analyzer for stage in present):
        yield remove_analyzer(genome, rng, tracker)
    elif len(present) > space.stages[0]:
        yield remove_last_stage(genome, tracker)


_ATTRIBUTES: Mapping[str, Operator] = {
    "swap_model": swap_model,
    "change_prompt": change_prompt,
    "temperature": move_temperature,
    "iterations": step_iterations,
    "feedback": change_feedback,
    "max_tokens": change_max_tokens,
}

OPERATORS: Mapping[str, Mapping[str, Operator]] = {
    "linear": {"add_stage": _add_stage, "add_analyzer": _add_analyzer, "remove_node": _remove, **_ATTRIBUTES},
    "graph": {
        "add_node": graph.add_node,
        "add_branch": graph.add_branch,
        "add_edge": graph.add_edge,
        "disable_edge": graph.disable_edge,
        "enable_edge": graph.enable_edge,
        "duplicate": graph.duplicate,
        "add_loop": graph.add_loop,
        "remove_loop": graph.remove_loop,
        "remove_node": graph.remove_node,
        **_ATTRIBUTES,
    },
}
"""By the space's name, its operators by the name of their rate, in the order in which they are drawn."""
