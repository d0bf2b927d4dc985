"""Operators: never an invalid genome, deterministic, consistent numbers, and the study's rates."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.genome import (
    Feedback,
    Genome,
    InnovationTracker,
    Rates,
    Role,
    Space,
    crossover,
    distance,
    faults,
    iterations,
    minimal,
    mutate,
    stages,
)

seeds = st.integers(0, 2**32)


def lineage(space: Space, seed: int, steps: int, *, size: int = 8):
    """A population bred at random for so many steps; yields (fitter, other, child, tracker) each time."""
    rng, tracker = Random(seed), InnovationTracker()
    population = [minimal(space, rng, tracker) for _ in range(size)]
    for _ in range(steps):
        fitter, other = rng.choice(population), rng.choice(population)
        child = crossover(fitter, other, space, rng) if rng.random() < 0.5 else fitter
        child = mutate(child, space, rng, tracker)
        yield fitter, other, child, tracker
        population[rng.randrange(size)] = child


@pytest.mark.parametrize("name", ["space", "busy", "gridded"])
@settings(max_examples=12, deadline=None)
@given(seed=seeds)
def test_no_operator_sequence_leaves_the_space(request_space, name, seed):
    space = request_space(name)
    for _, _, child, _ in lineage(space, seed, 250):
        assert faults(child, space) == ()


@pytest.fixture(scope="module")
def request_space(space, busy, gridded):
    return {"space": space, "busy": busy, "gridded": gridded}.__getitem__


@settings(max_examples=20, deadline=None)
@given(
    seed=seeds,
    stages=st.sampled_from([(0, 1), (0, 3), (1, 1), (2, 3), (3, 3)]),
    spare=st.integers(0, 4),
    step=st.sampled_from([0.0, 0.1, 0.3, 2.0]),
)
def test_no_operator_sequence_leaves_a_space_with_other_bounds(busy, seed, stages, spare, step):
    space = replace(busy, stages=stages, max_nodes=1 + 2 * stages[0] + spare, temperature_step=step, iterations=(1, 2))
    for _, _, child, _ in lineage(space, seed, 80):
        assert faults(child, space) == ()


@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_a_pool_of_one_model_and_one_prompt_per_role_suffices(busy, seed):
    space = busy.with_pool(["only"], {"generator": ["a"], "analyzer": ["b"], "refiner": ["c"]})
    space = replace(space, feedback=(Feedback.TYPE,))
    for _, _, child, _ in lineage(space, seed, 60):
        assert faults(child, space) == ()


@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_the_same_generator_gives_the_same_genomes(busy, seed):
    first = [child for _, _, child, _ in lineage(busy, seed, 60)]
    assert first == [child for _, _, child, _ in lineage(busy, seed, 60)]


@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_innovation_numbers_name_one_structure_during_a_whole_run(busy, seed):
    ends: dict[int, tuple[int, int]] = {}
    roles: dict[int, Role] = {}
    bred = list(lineage(busy, seed, 150))
    tracker = bred[-1][3]
    for _, _, child, _ in bred:
        for c in child.connections:
            assert ends.setdefault(c.innovation, (c.source, c.target)) == (c.source, c.target)
        for node in child.nodes:
            assert roles.setdefault(node.id, node.role) is node.role
    assert len(set(ends.values())) == len(ends), "one edge has two numbers"
    assert InnovationTracker.from_state(tracker.state()).state() == tracker.state()


def test_a_restored_tracker_goes_on_where_it_stopped(busy):
    *_, (_, _, child, tracker) = lineage(busy, 3, 40)
    restored = InnovationTracker.from_state(tracker.state())
    grown = [mutate(child, busy, Random(n), t) for t in (tracker, restored) for n in range(40)]
    assert grown[:40] == grown[40:]


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_a_child_of_crossover_has_genes_of_its_parents_only(busy, seed):
    for fitter, other, _, _ in lineage(busy, seed, 80):
        child = crossover(fitter, other, busy, Random(seed))
        assert set(child.nodes) <= set(fitter.nodes) | set(other.nodes)
        numbers = {(c.innovation, c.source, c.target) for g in (fitter, other) for c in g.connections}
        assert {(c.innovation, c.source, c.target) for c in child.connections} <= numbers
        assert faults(child, busy) == ()
        fitter_stages, other_stages = ([s.executor.id for s in stages(g)] for g in (fitter, other))
        child_stages = [s.executor.id for s in stages(child)]
        assert child_stages[: len(fitter_stages)] == fitter_stages, "the fitter's stages are always there"
        assert set(child_stages) <= {*fitter_stages, *other_stages}


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_crossover_of_a_genome_with_itself_is_that_genome(busy, seed):
    for genome, _, _, _ in lineage(busy, seed, 30):
        assert crossover(genome, genome, busy, Random(seed)) == genome


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_distance_is_symmetric_and_zero_for_equal_genomes(busy, seed):
    for a, b, child, _ in lineage(busy, seed, 80):
        assert distance(a, b, busy) == distance(b, a, busy) >= 0
        assert distance(child, Genome(child.nodes, child.connections), busy) == 0


def variants(space: Space, rates: Rates, genome: Genome, tracker: InnovationTracker, n: int = 3000) -> list[Genome]:
    rng, only = Random(11), replace(space, rates=rates)
    return [mutate(genome, only, rng, tracker) for _ in range(n)]


QUIET = Rates(
    add_stage=0, add_analyzer=0, remove_node=0, swap_model=0, change_prompt=0, temperature=0, iterations=0, feedback=0
)


def near(count: int, p: float, n: int = 3000) -> bool:
    """Within four standard deviations of a binomial."""
    return abs(count - n * p) <= 4 * (n * p * (1 - p)) ** 0.5


def test_without_rates_nothing_changes(space):
    tracker = InnovationTracker()
    genome = minimal(space, Random(0), tracker)
    assert set(variants(space, QUIET, genome, tracker, 50)) == {genome}


@pytest.mark.parametrize(
    ("name", "rate"), [("add_stage", 0.04), ("add_analyzer", 0.05), ("swap_model", 0.25), ("change_prompt", 0.30)]
)
def test_operators_fire_at_the_studys_rates(space, name, rate):
    tracker = InnovationTracker()
    genome = minimal(space, Random(0), tracker)
    assert getattr(space.rates, name) == rate
    assert near(sum(v != genome for v in variants(space, replace(QUIET, **{name: rate}), genome, tracker)), rate)


def full(space: Space) -> tuple[Genome, InnovationTracker]:
    """Two stages, the first with an analyzer."""
    tracker, rng = InnovationTracker(), Random(5)
    genome = minimal(space, rng, tracker)
    for name in ("add_analyzer", "add_stage"):
        genome = mutate(genome, replace(space, rates=replace(QUIET, **{name: 1.0})), rng, tracker)
    return genome, tracker


def test_removal_takes_an_analyzer_in_six_of_ten_and_else_the_last_stage(space):
    genome, tracker = full(space)
    results = variants(space, replace(QUIET, remove_node=1.0), genome, tracker)
    shapes = Counter(tuple(s.analyzer is not None for s in stages(g)) for g in results)
    assert set(shapes) == {(False, False), (True,)}
    assert near(shapes[False, False], 0.60)
    assert all(s.executor.id == stages(genome)[0].executor.id for g in results for s in stages(g)[:1])


def test_removal_spares_a_lone_stage(space):
    tracker = InnovationTracker()
    genome = minimal(space, Random(0), tracker)
    assert set(variants(space, replace(QUIET, remove_node=1.0), genome, tracker, 50)) == {genome}


def test_adding_and_removing_an_analyzer_or_a_stage_restores_the_pipeline(space):
    tracker, rng = InnovationTracker(), Random(5)
    start = minimal(space, rng, tracker)
    for add, share in (("add_analyzer", 1.0), ("add_stage", 0.0)):
        grown = mutate(start, replace(space, rates=replace(QUIET, **{add: 1.0})), rng, tracker)
        assert grown != start
        removal = replace(QUIET, remove_node=1.0, remove_analyzer_share=share)
        assert mutate(grown, replace(space, rates=removal), rng, tracker) == start


def test_iterations_step_down_in_six_of_ten_and_stay_in_bounds(space):
    tracker = InnovationTracker()
    genome = minimal(space, Random(0), tracker)
    refiner = next(n for n in genome.nodes if n.role is Role.REFINER)
    for start, wanted in ((2, {1: 0.6, 3: 0.4}), (1, {1: 0.6, 2: 0.4}), (3, {2: 0.6, 3: 0.4})):
        nodes = tuple(replace(n, iterations=start) if n == refiner else n for n in genome.nodes)
        results = variants(space, replace(QUIET, iterations=1.0), replace(genome, nodes=nodes), tracker)
        counts = Counter(iterations(g) for g in results)
        assert counts.keys() == wanted.keys()
        assert all(near(counts[k], p) for k, p in wanted.items())


def temperatures(genome: Genome) -> list[float]:
    return [n.temperature for n in genome.nodes if n.temperature is not None]


def test_temperature_moves_by_a_gaussian_step_of_one_node(space):
    tracker = InnovationTracker()
    genome = minimal(space, Random(0), tracker)
    moved = variants(space, replace(QUIET, temperature=1.0), genome, tracker)
    pairs = [list(zip(temperatures(genome), temperatures(g), strict=True)) for g in moved]
    assert all(sum(a != b for a, b in pair) <= 1 for pair in pairs)
    steps = [b - a for pair in pairs for a, b in pair if a != b]
    assert (sum(s * s for s in steps) / len(steps)) ** 0.5 == pytest.approx(0.08, rel=0.1)


def test_on_a_grid_every_temperature_step_is_felt(gridded):
    tracker = InnovationTracker()
    genome = minimal(gridded, Random(0), tracker)
    moved = variants(gridded, replace(QUIET, temperature=1.0), genome, tracker, 500)
    at_rest = sum(g == genome for g in moved)
    low = sum(t == 0.2 for t in temperatures(genome)) / len(temperatures(genome))
    assert at_rest <= 500 * (low / 2 + 0.1), "only a step below the least temperature may be lost"
    assert {round(t, 6) for g in moved for t in temperatures(g)} <= {0.2, 0.4, 0.6, 0.8, 1.0}


def test_a_new_genome_is_the_studys(space):
    rng, tracker = Random(2), InnovationTracker()
    found = [minimal(space, rng, tracker) for _ in range(600)]
    assert all([n.role for n in g.inner] == [Role.GENERATOR, Role.EXECUTOR, Role.REFINER] for g in found)
    assert all(0.2 <= g.inner[0].temperature <= 0.6 and 0.1 <= g.inner[2].temperature <= 0.4 for g in found)
    assert near(sum(iterations(g) == 2 for g in found), 2 / 3, 600)
    assert {iterations(g) for g in found} == {1, 2}
    assert len({g.connections for g in found}) == 1, "one structure, one set of numbers"


def test_crossover_tosses_coins_and_takes_the_weakers_stage_in_three_of_ten(space):
    genome, tracker = full(space)
    rng = Random(4)
    short = minimal(space, rng, tracker)
    other_model = {n.id: replace(n, model="swapped") if n.role is Role.GENERATOR else n for n in genome.nodes}
    long = replace(genome, nodes=tuple(other_model.values()))
    children = [crossover(short, long, replace(space, models=()), rng) for _ in range(3000)]
    assert near(sum(len(stages(c)) == 2 for c in children), 0.30)
    assert near(sum(c.inner[0].model == "swapped" for c in children), 0.5)
    assert near(sum(stages(c)[0].analyzer is not None for c in children), 0.5)
    assert all(len(stages(crossover(long, short, replace(space, models=()), rng))) == 2 for _ in range(100))


def test_the_studys_distance(space):
    tracker = InnovationTracker()
    a = minimal(space, Random(0), tracker)

    def change(role: Role, **fields) -> Genome:
        return replace(a, nodes=tuple(replace(n, **fields) if n.role is role else n for n in a.nodes))

    gen = next(n for n in a.nodes if n.role is Role.GENERATOR)
    ref = next(n for n in a.nodes if n.role is Role.REFINER)
    assert distance(a, change(Role.GENERATOR, model="other"), space) == pytest.approx(0.4)
    assert distance(a, change(Role.REFINER, prompt="other"), space) == pytest.approx(0.2)
    assert distance(a, change(Role.GENERATOR, temperature=gen.temperature + 0.5), space) == pytest.approx(0.05)
    assert distance(a, change(Role.REFINER, iterations=ref.iterations + 2), space) == pytest.approx(0.2)
    bigger, _ = full(space)
    same = {n.id: n for n in bigger.nodes}
    lone = replace(a, nodes=tuple(same[n.id] for n in a.nodes))
    assert distance(lone, bigger, space) == pytest.approx(1.0 + 0.5)


def test_a_space_without_a_pool_says_that_it_cannot_make_genomes():
    with pytest.raises(ValueError, match="no models or no prompts"):
        minimal(Space(), Random(0), InnovationTracker())
