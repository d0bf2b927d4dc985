"""Crossover aligned by innovation number; here the linear space's: whole stages and the generator, no loose genes."""

from collections.abc import Collection
from random import Random

from evo.genome.edit import assemble, put
from evo.genome.genes import Genome
from evo.genome.graft import graft
from evo.genome.growth import remove_last_stage
from evo.genome.space import LINEAR, Space
from evo.genome.structure import Stage, generator, stages
from evo.genome.validate import valid

__all__ = ["crossover"]


def crossover(fitter: Genome, other: Genome, space: Space, rng: Random, *, equal: bool = False) -> Genome:
    """A child of two valid genomes; every gene of it is a gene of a parent.

    equal: neither is fitter; in the graph space a coin then says whose structure is the frame, so that the order of the
    two does not matter to the distribution of children (see ``graft``). In the linear space the caller's order holds.
    """
    if space.wiring is LINEAR:
        return _exchange(fitter, other, space, rng)
    if equal and rng.random() < 0.5:
        fitter, other = other, fitter
    return graft(fitter, other, space, rng)


def _exchange(fitter: Genome, other: Genome, space: Space, rng: Random) -> Genome:
    """The study's crossover (paper.md, "The search").

    The generator comes whole from either parent; stages are aligned by their executor's innovation number: a matching
    one by coin flip, one that only the fitter has always, one that only the other has with ``rates.weaker_disjoint``. A
    stage of the other's is taken only behind the stage that it follows there: the edge between stages is a gene too.
    """
    child = _grow(fitter, other, space, rng)
    if generator(fitter).id == generator(other).id and rng.random() < 0.5:
        child = put(child, generator(other))
    # Matching stages that the child's frame took from one parent: the coin decides whose inside they get.
    theirs = {parent: {stage.executor.id: stage for stage in stages(parent)} for parent in (fitter, other)}
    for stage in stages(child):
        donor = rng.choice((fitter, other))
        if all(stage.executor.id in found for found in theirs.values()):
            proposed = _transplant(child, stage, donor, theirs[donor][stage.executor.id])
            child = proposed if valid(proposed, space) else child
    return child


def _grow(fitter: Genome, other: Genome, space: Space, rng: Random) -> Genome:
    """The frame: the fitter, or the other cut down to the fitter's stages and as many more as the draws give."""
    mine, theirs = ([stage.executor.id for stage in stages(g)] for g in (fitter, other))
    wanted = [rng.random() < space.rates.weaker_disjoint for _ in theirs[len(mine) :]]
    extra = next((i for i, taken in enumerate(wanted) if not taken), len(wanted))
    if not extra or theirs[: len(mine)] != mine:
        return fitter
    frame = other
    try:
        while len(stages(frame)) > len(mine) + extra:
            frame = remove_last_stage(frame)
    except KeyError:  # a parent that was not grown here may lack the gene that closes the gap
        return fitter
    for stage, own in zip(stages(frame), stages(fitter), strict=False):
        frame = _transplant(frame, stage, fitter, own)
    frame = put(frame, generator(fitter))
    return frame if valid(frame, space) else fitter


def _transplant(child: Genome, stage: Stage, donor: Genome, organ: Stage) -> Genome:
    """Replace the inside of a stage (nodes, and connections with both ends in it) with the donor's."""
    removed = set(stage.ids)
    nodes = (*(n for n in child.nodes if n.id not in removed), *organ.nodes)
    outside = (c for c in child.connections if not _within(c.source, c.target, removed))
    inside = (c for c in donor.connections if _within(c.source, c.target, organ.ids))
    return assemble(nodes, (*outside, *inside))


def _within(source: int, target: int, ids: Collection[int]) -> bool:
    return source in ids and target in ids
