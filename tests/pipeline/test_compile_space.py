"""Every genome of the linear space, and every named one, compiles; what operators add up to stays executable."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.genome import InnovationTracker, Space, crossover, minimal, mutate, read_genome
from evo.genome.genes import Role
from evo.pipeline import PipelineSettings, PromptBook, compile_genome

BOOK = PromptBook.load()
NAMED = sorted(p for p in (Path(__file__).parents[2] / "genomes").glob("*.json") if p.stem != "schema")
SPACE = Space(
    models=("small", "big", "huge"),
    prompts=tuple((role, BOOK.names(role)) for role in Role if role.calls_model),
)


@given(st.integers(0, 2**32), st.integers(1, 40))
@settings(max_examples=150, deadline=None)
def test_long_operator_sequences_stay_executable(seed: int, length: int) -> None:
    rng, tracker = Random(seed), InnovationTracker()
    first, second = minimal(SPACE, rng, tracker), minimal(SPACE, rng, tracker)
    for _ in range(length):
        first, second = mutate(crossover(first, second, SPACE, rng), SPACE, rng, tracker), first
        plan = compile_genome(first, PipelineSettings(), BOOK)
        refiners = sum(n.iterations or 0 for n in first.inner if n.role is Role.REFINER)
        assert 1 + refiners <= plan.max_calls <= 1 + 2 * refiners
        assert sum(plan.role(i) is Role.EXECUTOR for i in range(len(plan.visits))) == 1 + refiners
        assert set(plan.models) <= {n.model for n in first.inner}


@pytest.mark.parametrize("path", NAMED, ids=lambda path: path.stem)
def test_named_genomes_compile(path: Path) -> None:
    plan = compile_genome(read_genome(path), PipelineSettings(), BOOK)
    assert plan.nodes[0].role is Role.TASK
    assert plan.nodes[-1].role is Role.OUTPUT
