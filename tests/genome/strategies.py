"""Random genomes of the graph space, bred from minimal ones by the space's own operators."""

from collections.abc import Iterator
from random import Random

from hypothesis import strategies as st

from evo.genome import GRAPH, DistanceWeights, Genome, InnovationTracker, Rates, Space, crossover, minimal, mutate

MODELS = ("gemma3:1b", "qwen2.5:1.5b", "llama3.2:3b")
PROMPTS = {
    "planner": ["steps"],
    "generator": ["careful", "examples", "plain"],
    "tester": ["asserts"],
    "analyzer": ["cause", "trace"],
    "refiner": ["fix", "minimal", "rewrite"],
}
BUSY = Rates(
    add_node=0.5,
    add_branch=0.4,
    add_edge=0.3,
    disable_edge=0.15,
    enable_edge=0.2,
    duplicate=0.15,
    add_loop=0.3,
    remove_loop=0.1,
    remove_node=0.15,
    swap_model=0.3,
    change_prompt=0.3,
    temperature=0.3,
    iterations=0.3,
    feedback=0.3,
    max_tokens=0.3,
)
GRAPH_SPACE = Space(
    name="graph",
    wiring=GRAPH,
    max_nodes=12,
    max_calls=24,
    stages=(0, 12),
    temperature=(0.2, 1.0),
    temperature_step=0.2,
    max_tokens=(128, 256),
    rates=BUSY,
    weights=DistanceWeights(connection=0.1),
).with_pool(MODELS, PROMPTS)
"""A space with the shipped prompts' names, and operators that fire often, so that few steps reach every shape."""


def lineage(space: Space, seed: int, steps: int, *, size: int = 8) -> Iterator[tuple[Genome, Genome, Genome]]:
    """A population bred at random for so many steps; yields (one parent, the other, their child) each time."""
    rng, tracker = Random(seed), InnovationTracker()
    population = [minimal(space, rng, tracker) for _ in range(size)]
    for _ in range(steps):
        one, other = rng.choice(population), rng.choice(population)
        child = crossover(one, other, space, rng, equal=True) if rng.random() < 0.5 else one
        child = mutate(child, space, rng, tracker)
        yield one, other, child
        population[rng.randrange(size)] = child


@st.composite
def graph_genomes(draw: st.DrawFn, space: Space = GRAPH_SPACE, most_steps: int = 40) -> Genome:
    """A valid genome of the space, after up to ``most_steps`` steps of a random lineage."""
    seed, steps = draw(st.integers(0, 2**32)), draw(st.integers(1, most_steps))
    *_, (_, _, genome) = lineage(space, seed, steps, size=4)
    return genome
