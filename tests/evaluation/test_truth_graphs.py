"""The exact solve rate of graphs: several drafts on their way at once, choices, plans, tests of a tester's own."""

import itertools
from collections import Counter

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_truth_rates import PROBLEM, PROGRAMS, Toy, brute_force, code, graph
from test_truth_rates import verdict_of as known_verdict

from evo.evaluation.truth import true_rate
from evo.genome import GRAPH, InnovationTracker, Space, mutate
from evo.genome.growth import minimal
from evo.genome.space import Rates
from evo.pipeline import PipelineSettings, PromptBook, compile_genome
from evo.sandbox import Status, Verdict

BOOK = PromptBook.load()
ASSERTS = ("assert f() == 'right'", "assert f() == 'close'\nassert f() == 'absurd'")


class GraphToy(Toy):
    """A Toy whose planners and testers have two answers each; a plan turns the generators' weights around."""

    def distribution(self, chat):
        if chat.role == "planner":
            return ((0.25, "Think first."), (0.75, "Just write; it is off."))
        if chat.role == "tester":
            return ((0.5, ASSERTS[0]), (0.5, ASSERTS[1]))
        return super().distribution(chat)


def verdict_of(problem, text, check):
    """A tester's own assert is passed by the program that it names."""
    if check in (problem.visible, problem.hidden):
        return known_verdict(problem, text, check)
    if text.split("'")[1] in check.source:
        return Verdict(Status.PASSED, passed_units=1, units=1)
    return Verdict(Status.ASSERTION, "AssertionError", units=1)


def few(*names):
    """Weights that leave these programs alone possible."""
    return [names.count(name) for name in PROGRAMS]


TWO = (few("right", "wrong"), few("close", "wrong", "shy"), few("near", "unlucky"))
SHAPES = {
    "best of three": ["task generator.a", "task generator.b", "task generator.c", "generator.a executor",
                      "generator.b executor", "generator.c executor", "executor output"],
    "refined best of two": ["task generator.a", "task generator.b", "generator.a executor", "generator.b executor",
                            "executor refiner", "refiner executor", "executor output"],
    "two branches": ["task generator.a", "task generator.b", "generator.a executor.a", "generator.b executor.b",
                     "executor.a refiner", "refiner output", "executor.b output"],
    "chosen": ["task generator.a", "task generator.b", "task generator.c", "generator.a selector",
               "generator.b selector", "generator.c selector", "selector output"],
    "chosen, then refined": ["task generator.a", "task generator.b", "generator.a selector", "generator.b selector",
                             "selector executor", "executor refiner", "refiner executor", "executor output"],
    "executed, then chosen": ["task generator.a", "task generator.b", "generator.a executor.a",
                              "generator.b executor.b", "executor.a selector", "executor.b selector",
                              "selector output"],
    "planned": ["task planner", "planner generator.a", "task generator.b", "generator.a executor",
                "generator.b executor", "executor output"],
    "two refiners": ["task generator", "generator executor", "executor refiner.a", "executor refiner.b",
                     "refiner.a executor", "refiner.b executor", "executor output"],
    "tested": ["task generator.a", "task generator.b", "task tester", "generator.a executor", "generator.b executor",
               "tester executor", "executor refiner", "refiner executor", "executor output"],
}  # fmt: skip


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_graphs_rate_is_the_sum_over_all_its_courses(shape, early_stopping):
    plan = graph(*SHAPES[shape], early_stopping=early_stopping, enough_tests=9)
    for rows in (TWO, TWO[::-1], (few("right", "near", "shy"), few("unlucky", "close"))):
        rate = true_rate(plan, [PROBLEM], GraphToy(rows), verdict_of)
        assert rate == pytest.approx(brute_force(plan, GraphToy(rows), verdict_of), abs=1e-12)


SPACE = Space(
    name="graph",
    wiring=GRAPH,
    max_nodes=9,
    max_calls=6,
    stages=(0, 6),
    iterations=(1, 2),
    rates=Rates(add_node=0.6, add_branch=0.5, add_edge=0.4, add_loop=0.4, duplicate=0.3),
).with_pool(["m"], {role: BOOK.names(role)[:1] for role in BOOK.texts})


@st.composite
def plans(draw):
    rng, tracker = draw(st.randoms(use_true_random=False)), InnovationTracker()
    genome = minimal(SPACE, rng, tracker)
    for _ in range(draw(st.integers(1, 12))):
        genome = mutate(genome, SPACE, rng, tracker)
    return compile_genome(genome, PipelineSettings(draw(st.booleans()), enough_tests=9), BOOK)


@given(plans(), st.lists(st.lists(st.sampled_from(list(PROGRAMS)), min_size=2, max_size=3), min_size=1, max_size=3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_any_graphs_rate_is_the_sum_over_all_its_courses(plan, names):
    assume(plan.max_calls >= 2)
    rows = [few(*row) for row in names]
    rate = true_rate(plan, [PROBLEM], GraphToy(rows), verdict_of)
    assert rate == pytest.approx(brute_force(plan, GraphToy(rows), verdict_of), abs=1e-12)


def test_best_of_n_is_n_chances():
    row = few("right", "wrong", "wrong", "wrong")
    for n in (1, 2, 6):
        names = [f"generator.{k}" for k in range(n)]
        plan = graph(*(f"task {g}" for g in names), *(f"{g} executor" for g in names), "executor output")
        assert true_rate(plan, [PROBLEM], GraphToy([row]), verdict_of) == pytest.approx(1 - 0.75**n, abs=1e-12)


def test_a_majority_beats_a_draft_at_random():
    """Three drafts, two kinds of failure at the same visible test: the majority's hidden result counts."""
    names = [f"generator.{k}" for k in range(3)]
    plan = graph(*(f"task {g}" for g in names), *(f"{g} selector" for g in names), "selector output")

    def told_apart(problem, text, check):
        found = verdict_of(problem, text, check)
        return found if found.passed else Verdict(found.status, text, passed_units=found.passed_units, units=3)

    expected = 0.0
    for drawn in itertools.product(["shy", "shy", "near"], repeat=3):
        expected += Counter(drawn).most_common(1)[0][0] == "shy"
    rate = true_rate(plan, [PROBLEM], GraphToy([few("shy", "shy", "near")]), told_apart)
    assert rate == pytest.approx(expected / 27, abs=1e-12)


def test_six_drafts_at_once_stay_few_states():
    asked = []

    def counting(problem, text, check):
        asked.append((text, check))
        return verdict_of(problem, text, check)

    names = [f"generator.{k}" for k in range(6)]
    for reader in ("executor", "selector"):
        asked.clear()
        plan = graph(*(f"task {g}" for g in names), *(f"{g} {reader}" for g in names), f"{reader} output")
        assert 0 < true_rate(plan, [PROBLEM], GraphToy([[1] * len(PROGRAMS)]), counting) < 1
        assert len(asked) <= 2 * len(PROGRAMS)
    assert code("right") in dict(asked)
