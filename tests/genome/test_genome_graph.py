"""The graph space: operators that never leave it and reach all of it, crossover without an order, a distance."""

from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency
from strategies import GRAPH_SPACE, graph_genomes, lineage

from evo.genome import (
    GRAPH,
    LINEAR,
    OPEN,
    Genome,
    InnovationTracker,
    Role,
    back_edges,
    crossover,
    distance,
    dumps,
    faults,
    loads,
    minimal,
)
from evo.genome.mutate import OPERATORS, apply
from evo.genome.structure import live_edges, on_a_path, visits
from evo.genome.validate import valid

seeds = st.integers(0, 2**32)
ONE_MODEL = replace(GRAPH_SPACE.with_pool(["m"], {role: ["p"] for role, _ in GRAPH_SPACE.prompts}), stages=(0, 6))


def edges_by_role(genome: Genome) -> set[tuple[Role, Role, bool]]:
    role, loops = {n.id: n.role for n in genome.nodes}, back_edges(genome)
    return {(role[s], role[t], (s, t) in loops) for s, t in live_edges(genome)}


def test_a_hundred_thousand_operators_leave_no_invalid_genome_and_reach_every_edge_of_the_table():
    """Five spaces' worth of bounds; every operator by itself, on whatever the ones before it have left."""
    operators, done, changed = OPERATORS["graph"], Counter(), Counter()
    seen: set[tuple[Role, Role, bool]] = set()
    bounds = [(2, 4), (4, 8), (6, 12), (8, 12), (12, 24)]
    for seed in range(50):
        nodes, calls = bounds[seed % len(bounds)]
        space, rng, tracker = replace(GRAPH_SPACE, max_nodes=nodes, max_calls=calls), Random(seed), InnovationTracker()
        genomes = [minimal(space, rng, tracker) for _ in range(4)]
        for _ in range(2000):
            at, name = rng.randrange(4), rng.choice(list(operators))
            child = apply(operators[name], genomes[at], space, rng, tracker)
            done[name] += 1
            if child != genomes[at]:
                changed[name] += 1
                assert not (found := faults(child, space)), (name, found, dumps(genomes[at]))
                assert sum(visits(child).values()) <= calls
                seen |= edges_by_role(child)
            # Now and then from the smallest again: a walk that only goes on would stay at the largest size.
            genomes[at] = child if rng.random() < 0.98 else min(genomes, key=lambda g: len(g.inner))
    assert sum(done.values()) == 100_000
    assert all(changed[name] > 0.1 * done[name] for name in operators), changed
    table = {(a, b, loop) for a in Role for b in Role for loop in (False, True) if GRAPH.allows(a, b, loop=loop)}
    assert seen == table


@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_bred_genomes_are_valid_in_files_too(seed):
    for _, _, child in lineage(GRAPH_SPACE, seed, 60):
        assert faults(child, GRAPH_SPACE) == faults(child, OPEN) == ()
        assert valid(child, GRAPH_SPACE)
        assert on_a_path(live_edges(child)) == {node.id for node in child.nodes}


@settings(max_examples=40, deadline=None)
@given(genome=graph_genomes(), data=st.data())
def test_valid_is_the_absence_of_faults(genome, data):
    """On genomes that one thoughtless edit has usually broken."""
    connections = list(genome.connections)
    at = data.draw(st.integers(0, len(connections) - 1))
    connections[at] = replace(connections[at], enabled=not connections[at].enabled)
    space = replace(GRAPH_SPACE, max_nodes=data.draw(st.integers(1, 12)), max_calls=data.draw(st.integers(1, 24)))
    broken = replace(genome, connections=tuple(connections))
    assert valid(broken, space) == (faults(broken, space) == ())


@settings(max_examples=60, deadline=None)
@given(genome=graph_genomes())
def test_a_graph_survives_the_round_trip_exactly(genome):
    assert loads(dumps(genome)) == genome


@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_the_same_generator_breeds_the_same_graphs(seed):
    assert list(lineage(GRAPH_SPACE, seed, 30)) == list(lineage(GRAPH_SPACE, seed, 30))


@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_innovation_numbers_name_one_structure_during_a_whole_run(seed):
    ends: dict[int, tuple[int, int]] = {}
    roles: dict[int, Role] = {}
    for _, _, child in lineage(GRAPH_SPACE, seed, 80):
        for c in child.connections:
            assert ends.setdefault(c.innovation, (c.source, c.target)) == (c.source, c.target)
        for node in child.nodes:
            assert roles.setdefault(node.id, node.role) is node.role
    assert len(set(ends.values())) == len(ends), "one edge has two numbers"


# -- what the operators do, on the smallest genomes that show it ------------------------------------------------------


def grown(*names: str, seed: int = 0, space=ONE_MODEL) -> set[tuple[str, ...]]:
    """All wirings, by role, that these operators in a row make of a lone generator, over many draws."""
    found = set()
    for n in range(seed, seed + 300):
        rng, tracker = Random(n), InnovationTracker()
        genome = minimal(space, rng, tracker)
        for name in names:
            genome = apply(OPERATORS["graph"][name], genome, space, rng, tracker)
        found.add(wiring(genome))
    return found


def wiring(genome: Genome) -> tuple[str, ...]:
    role = {n.id: n.role.value for n in genome.nodes}
    return tuple(sorted(f"{role[s]}>{role[t]}" for s, t in live_edges(genome)))


SOLO = ("generator>output", "task>generator")
EXECUTED = ("executor>output", "generator>executor", "task>generator")
LOOP = ("executor>output", "executor>refiner", "generator>executor", "refiner>executor", "task>generator")


def test_a_split_edge_gets_each_role_that_fits():
    assert grown("add_node") == {EXECUTED, ("generator>output", "planner>generator", "task>planner")}


def test_a_branch_is_grown_beside_what_is_there():
    assert ("generator>output", "generator>output", "task>generator", "task>generator") in grown("add_branch")
    assert (*EXECUTED, "task>tester", "tester>executor") in grown("add_node", "add_branch")


def test_a_loop_is_grown_and_removed_again():
    assert LOOP in grown("add_node", "add_loop")
    assert grown("add_node", "add_loop", "remove_loop") == grown("add_node")


def test_a_duplicated_generator_feeds_the_same_executor_and_a_duplicated_branch_the_output():
    found = grown("add_node", "duplicate")
    assert tuple(sorted([*EXECUTED, "task>generator", "generator>executor"])) in found
    assert tuple(sorted(EXECUTED * 2)) in found


def test_a_choice_takes_all_that_it_may():
    assert (
        "generator>selector",
        "generator>selector",
        "selector>output",
        "task>generator",
        "task>generator",
    ) in grown("duplicate", "add_node")


def test_a_removed_node_is_bypassed_and_what_hangs_loose_goes_with_it():
    assert grown("add_node", "remove_node") >= {SOLO}
    assert EXECUTED in grown("add_node", "add_loop", "remove_node"), "without the refiner the executor stays"
    assert SOLO in grown("add_node", "add_loop", "remove_node"), "without the executor the refiner goes too"


def test_a_disabled_edge_is_remembered_and_switched_on_again():
    disabled = 0
    for genome in [child for _, _, child in lineage(GRAPH_SPACE, 3, 40)][::4]:
        for n in range(10):
            off = apply(OPERATORS["graph"]["disable_edge"], genome, GRAPH_SPACE, Random(n), InnovationTracker())
            if off != genome:
                disabled += 1
                assert [replace(c, enabled=True) for c in off.connections] == [
                    replace(c, enabled=True) for c in genome.connections
                ]
                again = (Random(m) for m in range(200))
                enable = OPERATORS["graph"]["enable_edge"]
                assert any(apply(enable, off, GRAPH_SPACE, rng, InnovationTracker()) == genome for rng in again)
    assert disabled > 10


def test_the_linear_table_is_the_tighter_one():
    for a in Role:
        for b in Role:
            for loop in (False, True):
                assert GRAPH.allows(a, b, loop=loop) or not LINEAR.allows(a, b, loop=loop)


# -- crossover and distance -------------------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_a_child_of_crossover_is_valid_and_has_genes_of_its_parents_only(seed):
    grafted, always = 0, replace(GRAPH_SPACE, rates=replace(GRAPH_SPACE.rates, weaker_disjoint=1.0))
    for one, other, _ in lineage(GRAPH_SPACE, seed, 60):
        child = crossover(one, other, always, Random(seed))
        assert faults(child, GRAPH_SPACE) == ()
        assert set(child.nodes) <= set(one.nodes) | set(other.nodes)
        numbers = {(c.innovation, c.source, c.target) for g in (one, other) for c in g.connections}
        assert {(c.innovation, c.source, c.target) for c in child.connections} <= numbers
        mine = {node.id for node in one.nodes}
        assert mine <= {node.id for node in child.nodes}, "the fitter's nodes are always there"
        grafted += mine < {node.id for node in child.nodes}
        assert crossover(one, one, GRAPH_SPACE, Random(seed)) == one
    assert grafted > 0


def test_a_subgraph_comes_over_whole_and_in_place_of_what_it_replaced():
    """A lone generator and its own looped descendant: the loop is grafted, the edge that was split stays split."""
    rng, tracker = Random(1), InnovationTracker()
    solo = minimal(ONE_MODEL, rng, tracker)
    looped = solo
    while wiring(looped) != LOOP:
        looped = solo
        for name in ("add_node", "add_loop"):
            looped = apply(OPERATORS["graph"][name], looped, ONE_MODEL, rng, tracker)
    always = replace(ONE_MODEL, rates=replace(ONE_MODEL.rates, weaker_disjoint=1.0))
    assert wiring(crossover(solo, looped, always, rng)) == LOOP
    never = replace(ONE_MODEL, rates=replace(ONE_MODEL.rates, weaker_disjoint=0.0))
    assert wiring(crossover(solo, looped, never, rng)) == SOLO


def test_crossover_of_equals_does_not_know_their_order():
    """Children of (a, b) and of (b, a) are draws of one distribution: chi-squared over the children that occur."""
    for seed in range(4):
        *_, (a, b, _) = (x for x in lineage(GRAPH_SPACE, seed, 40) if x[0] != x[1])
        forth, back = (
            Counter(dumps(crossover(*pair, GRAPH_SPACE, Random(f"{seed}/{n}/{way}"), equal=True)) for n in range(500))
            for way, pair in enumerate([(a, b), (b, a)])
        )
        often = [child for child in forth | back if forth[child] + back[child] >= 10]
        rare = [sum(c[child] for child in c if child not in often) for c in (forth, back)]
        table = [[forth[child] for child in often], [back[child] for child in often]]
        if any(rare):
            table = [[*row, n] for row, n in zip(table, rare, strict=True)]
        if len(table[0]) > 1:
            assert chi2_contingency(table).pvalue > 1e-4


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_the_distance_is_a_metric(seed):
    """On genomes of one run, relatives and strangers, and on ones that differ in a single gene."""
    bred = [child for _, _, child in lineage(GRAPH_SPACE, seed, 40)][::4]
    for a in bred:
        for b in bred:
            there = distance(a, b, GRAPH_SPACE)
            assert there == distance(b, a, GRAPH_SPACE)
            assert (there == 0) == (a == b)
            for c in bred:
                assert there <= distance(a, c, GRAPH_SPACE) + distance(c, b, GRAPH_SPACE) + 1e-9


@settings(max_examples=25, deadline=None)
@given(genome=graph_genomes(), data=st.data())
def test_every_field_of_every_gene_counts_in_the_distance(genome, data):
    callers = [n for n in genome.nodes if n.role.calls_model]
    node = data.draw(st.sampled_from(callers))
    changed = data.draw(
        st.sampled_from(
            [
                replace(node, model="another"),
                replace(node, text="Do it."),
                replace(node, max_tokens=(node.max_tokens or 100) + 1),
                replace(node, temperature=node.temperature + 0.1),
            ]
        )
    )
    other = replace(genome, nodes=tuple(changed if n == node else n for n in genome.nodes))
    assert 0 < distance(genome, other, GRAPH_SPACE) <= 1.0
    cut = replace(genome, connections=genome.connections[:-1])
    assert distance(genome, cut, GRAPH_SPACE) > 0
