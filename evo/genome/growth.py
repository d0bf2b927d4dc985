"""Make nodes and minimal genomes; the linear space's structural operators: add and remove stages and analyzers."""

from random import Random
from typing import Any

from evo.genome.edit import disable, drop, enable, put
from evo.genome.genes import OUTPUT_ID, TASK_ID, Genome, NodeGene, Role
from evo.genome.innovation import InnovationTracker
from evo.genome.space import Space
from evo.genome.structure import generator, stages

__all__ = ["add_analyzer", "add_stage", "minimal", "new_node", "remove_analyzer", "remove_last_stage"]


def minimal(space: Space, rng: Random, tracker: InnovationTracker) -> Genome:
    """A new genome with as few stages as the space allows (the study's: generator, executor, refiner)."""
    id = tracker.node(TASK_ID, OUTPUT_ID, Role.GENERATOR)
    ends = (NodeGene(TASK_ID, Role.TASK), NodeGene(OUTPUT_ID, Role.OUTPUT))
    genome = put(Genome(ends, ()), new_node(id, Role.GENERATOR, space, rng))
    genome = enable(enable(genome, TASK_ID, id, tracker), id, OUTPUT_ID, tracker)
    for _ in range(space.stages[0]):
        genome = add_stage(genome, space, rng, tracker)
    return genome


def add_stage(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Genome:
    """Append executor and refiner with their loop. The executor splits the edge to the output, the refiner the loop."""
    present = stages(genome)
    first = generator(genome).id
    tail, link = (present[-1].executor.id, present[-1].refiner.id) if present else (first, first)
    taken = [node.id for node in genome.nodes]
    executor = tracker.node(tail, OUTPUT_ID, Role.EXECUTOR, taken)
    refiner = tracker.node(executor, executor, Role.REFINER, taken)
    grown = put(genome, new_node(executor, Role.EXECUTOR, space, rng), new_node(refiner, Role.REFINER, space, rng))
    grown = disable(grown, tail, OUTPUT_ID)
    for source, target in ((link, executor), (executor, refiner), (refiner, executor), (executor, OUTPUT_ID)):
        grown = enable(grown, source, target, tracker)
    return grown


def remove_last_stage(genome: Genome, tracker: InnovationTracker | None = None) -> Genome:
    """Remove the last stage and give its predecessor the output back. Raises KeyError where ``enable`` does."""
    *rest, last = stages(genome)
    tail = rest[-1].executor.id if rest else generator(genome).id
    return enable(drop(genome, last.ids), tail, OUTPUT_ID, tracker)


def add_analyzer(genome: Genome, space: Space, rng: Random, tracker: InnovationTracker) -> Genome:
    """Split executor -> refiner in a random stage that has no analyzer; the same genome if every stage has one."""
    bare = [stage for stage in stages(genome) if stage.analyzer is None]
    if not bare:
        return genome
    stage = rng.choice(bare)
    source, target = stage.executor.id, stage.refiner.id
    id = tracker.node(source, target, Role.ANALYZER, [node.id for node in genome.nodes])
    grown = disable(put(genome, new_node(id, Role.ANALYZER, space, rng)), source, target)
    return enable(enable(grown, source, id, tracker), id, target, tracker)


def remove_analyzer(genome: Genome, rng: Random, tracker: InnovationTracker) -> Genome:
    """Take a random analyzer out and bypass it; the same genome if there is none."""
    full = [stage for stage in stages(genome) if stage.analyzer is not None]
    if not full:
        return genome
    stage = rng.choice(full)
    assert stage.analyzer is not None
    return enable(drop(genome, {stage.analyzer.id}), stage.executor.id, stage.refiner.id, tracker)


def new_node(id: int, role: Role, space: Space, rng: Random) -> NodeGene:
    """A node with the fields that its role needs, drawn from the space. Raises ValueError if that has no pool."""
    fields: dict[str, Any] = {}
    if role.calls_model:
        prompts = space.prompts_of(role)
        if not (space.models and prompts):
            raise ValueError(f"space {space.name!r} has no models or no prompts for a {role}: it cannot make one")
        fields["model"] = rng.choice(space.models)
        fields["prompt"] = rng.choice(prompts)
        fields["temperature"] = space.on_grid(rng.uniform(*space.initial.temperature_range(role)))
    if "iterations" in role.needs:
        fields["iterations"] = rng.choice(space.initial.iterations)
    if "feedback" in role.needs:
        fields["feedback"] = rng.choice(space.feedback)
    return NodeGene(id, role, **fields)
