"""Attribute operators: each changes one field of one random node that has the field. Proposals, see ``mutate``."""

import math
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from evo.genome.edit import put
from evo.genome.genes import Genome, NodeGene
from evo.genome.innovation import InnovationTracker
from evo.genome.space import Space

__all__ = ["change_feedback", "change_max_tokens", "change_prompt", "move_temperature", "step_iterations", "swap_model"]


def swap_model(genome: Genome, space: Space, rng: Random, _: InnovationTracker) -> Iterator[Genome]:
    """Another model of the pool."""
    for node in _one(genome, "model", rng):
        others = [model for model in space.models if model != node.model]
        if others:
            yield put(genome, replace(node, model=rng.choice(others)))


def change_prompt(genome: Genome, space: Space, rng: Random, _: InnovationTracker) -> Iterator[Genome]:
    """Another prompt of the role; a text of the node's own gives way to it."""
    for node in _one(genome, "prompt", rng):
        others = [prompt for prompt in space.prompts_of(node.role) if prompt != node.prompt or node.text]
        if others:
            yield put(genome, replace(node, prompt=rng.choice(others), text=None))


def move_temperature(genome: Genome, space: Space, rng: Random, _: InnovationTracker) -> Iterator[Genome]:
    """A Gaussian step of ``temperature_sigma``, at least one line where temperatures lie on a grid."""
    for node in _one(genome, "temperature", rng):
        step = rng.gauss(0.0, space.rates.temperature_sigma)
        # On a grid that is coarser than sigma most steps would round to nothing: a step is at least one grid line.
        step = math.copysign(max(abs(step), space.temperature_step), step)
        assert node.temperature is not None
        yield put(genome, replace(node, temperature=space.on_grid(node.temperature + step)))


def step_iterations(genome: Genome, space: Space, rng: Random, _: InnovationTracker) -> Iterator[Genome]:
    """One iteration more or fewer."""
    for node in _one(genome, "iterations", rng):
        low, high = space.iterations
        step = -1 if rng.random() < space.rates.iterations_down_share else 1
        yield put(genome, replace(node, iterations=min(max((node.iterations or low) + step, low), high)))


def change_feedback(genome: Genome, space: Space, rng: Random, _: InnovationTracker) -> Iterator[Genome]:
    """Another level of feedback."""
    for node in _one(genome, "feedback", rng):
        others = [level for level in space.feedback if level is not node.feedback]
        if others:
            yield put(genome, replace(node, feedback=rng.choice(others)))


def change_max_tokens(genome: Genome, space: Space, rng: Random, _: InnovationTracker) -> Iterator[Genome]:
    """Another length of answer: one of the space's, or what the run allows."""
    for node in _one(genome, "model", rng):
        others = [most for most in (None, *space.max_tokens) if most != node.max_tokens]
        if others:
            yield put(genome, replace(node, max_tokens=rng.choice(others)))


def _one(genome: Genome, field: str, rng: Random) -> list[NodeGene]:
    """A random node that has the field, if there is one."""
    having = [node for node in genome.nodes if field in node.role.needs]
    return [rng.choice(having)] if having else []
