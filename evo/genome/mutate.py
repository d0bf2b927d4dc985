"""Mutation: the study's operators, each drawn once per genome; propose, validate, roll back."""

import math
from collections.abc import Callable
from dataclasses import replace
from random import Random

from evo.genome.edit import put
from evo.genome.genes import Genome, NodeGene, Role
from evo.genome.growth import add_analyzer, add_stage, remove_analyzer, remove_last_stage
from evo.genome.innovation import InnovationTracker
from evo.genome.space import Space
from evo.genome.structure import stages
from evo.genome.validate import faults

__all__ = ["mutate"]

Operator = Callable[[Genome, Space, Random, InnovationTracker], Genome]


def mutate(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Genome:
    """A variant of ``genome``, valid if ``genome`` is: an operator whose result is not in the space changes nothing.

    An attribute operator changes one random node that has the attribute. Source: paper.md, "The search".
    """
    rates = space.rates
    plan: tuple[tuple[float, Operator], ...] = (
        (rates.add_stage, _add_stage),
        (rates.add_analyzer, add_analyzer),
        (rates.remove_node, _remove),
        (rates.swap_model, _swap_model),
        (rates.change_prompt, _change_prompt),
        (rates.temperature, _move_temperature),
        (rates.iterations, _step_iterations),
        (rates.feedback, _change_feedback),
    )
    for rate, operator in plan:
        if rng.random() < rate:
            proposed = operator(genome, space, rng, tracker)
            genome = genome if faults(proposed, space) else proposed
    return genome


def _add_stage(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Genome:
    full = len(stages(genome)) >= space.stages[1] or len(genome.inner) + 2 > space.max_nodes
    return genome if full else add_stage(genome, space, rng, tracker)


def _remove(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Genome:
    present = stages(genome)
    wants_analyzer = rng.random() < space.rates.remove_analyzer_share
    if wants_analyzer and any(stage.analyzer for stage in present):
        return remove_analyzer(genome, rng, tracker)
    return remove_last_stage(genome, tracker) if len(present) > space.stages[0] else genome


def _swap_model(genome: Genome, space: Space, rng: Random, _: InnovationTracker) -> Genome:
    node = rng.choice(_callers(genome))
    others = [model for model in space.models if model != node.model]
    return put(genome, replace(node, model=rng.choice(others))) if others else genome


def _change_prompt(genome: Genome, space: Space, rng: Random, _: InnovationTracker) -> Genome:
    node = rng.choice(_callers(genome))
    others = [prompt for prompt in space.prompts_of(node.role) if prompt != node.prompt]
    return put(genome, replace(node, prompt=rng.choice(others))) if others else genome


def _move_temperature(genome: Genome, space: Space, rng: Random, _: InnovationTracker) -> Genome:
    node = rng.choice(_callers(genome))
    step = rng.gauss(0.0, space.rates.temperature_sigma)
    # On a grid that is coarser than sigma most steps would round to nothing: a step is at least one grid line.
    step = math.copysign(max(abs(step), space.temperature_step), step)
    assert node.temperature is not None
    return put(genome, replace(node, temperature=space.on_grid(node.temperature + step)))


def _step_iterations(genome: Genome, space: Space, rng: Random, _: InnovationTracker) -> Genome:
    refiners = [node for node in genome.nodes if node.role is Role.REFINER]
    if not refiners:
        return genome
    node = rng.choice(refiners)
    low, high = space.iterations
    step = -1 if rng.random() < space.rates.iterations_down_share else 1
    return put(genome, replace(node, iterations=min(max((node.iterations or low) + step, low), high)))


def _change_feedback(genome: Genome, space: Space, rng: Random, _: InnovationTracker) -> Genome:
    executors = [node for node in genome.nodes if node.role is Role.EXECUTOR]
    if not executors:
        return genome
    node = rng.choice(executors)
    others = [level for level in space.feedback if level is not node.feedback]
    return put(genome, replace(node, feedback=rng.choice(others))) if others else genome


def _callers(genome: Genome) -> list[NodeGene]:
    return [node for node in genome.nodes if node.role.calls_model]
