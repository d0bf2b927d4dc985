"""The policies as their driver meets them: asked, answered, asked again, until they want nothing more."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.evaluation import Cell, Contest, Ledger, Purpose, Racing, Repeated, Single
from evo.genome.genes import Role
from evo.pipeline import PipelineSettings, Plan, PlanNode, Visit
from evo.tasks import Check, Problem

CHECK = Check("def check(candidate):\n    assert candidate() == 1\n", 1)
SETTINGS = PipelineSettings()
POLICIES = (Single(), Repeated(4, 1, 2), Racing(1, 4, 1, 2), Racing(2, 4, 0, 0), Racing(1, 4, 1, 2, first_problems=3))


def problem(name):
    return Problem(name, "test", f"Write {name}", "f", "", CHECK, CHECK, "def f():\n    return 1\n")


def plan(name):
    nodes = (PlanNode(Role.TASK, 0), PlanNode(Role.GENERATOR, 2, "m", "plain", "Write.", 0.5), PlanNode(Role.OUTPUT, 1))
    return Plan(nodes, (Visit(1, 0, (), 1, 0),), (0,), SETTINGS, name)


def contest(rates, problems=8, number=1, survivors=(), places=2):
    names = [f"plan {i}" for i in range(len(rates))]
    return Contest(
        number=number,
        plans=tuple(plan(name) for name in names),
        problems=tuple(problem(f"p{i}") for i in range(problems)),
        survivors=frozenset(names[i] for i in survivors),
        prices={name: 0.02 * i for i, name in enumerate(names)},
        places=places,
    )


def drive(policy, a_contest, rates, seed=0, lost=0.0):
    """The ledger when the policy has had enough, and how many rounds that took."""
    random = np.random.default_rng(seed)
    ledger, rounds = Ledger(), 0
    while wanted := policy.wanted(a_contest, ledger):
        rounds += 1
        assert rounds < 50, "the asking does not end"
        keys = [(m.plan.digest, m.problem.id, m.purpose, m.replicate) for m in wanted]
        assert len(set(keys)) == len(keys)
        for digest, name, purpose, replicate in keys:
            had = {(c.problem, c.purpose, c.replicate) for c in ledger.cells(digest)}
            assert (name, purpose, replicate) not in had, "wanted again"
        ledger.add(
            Cell(d, p, purpose, r, None if random.random() < lost else bool(random.random() < rates[int(d[5:])]))
            for d, p, purpose, r in keys
        )
    return ledger


def looks(ledger, digest):
    """Search replicates that a plan has had."""
    return len({c.replicate for c in ledger.cells(digest) if c.purpose is Purpose.SEARCH})


rate_lists = st.lists(st.floats(0, 1), min_size=1, max_size=9)


@settings(deadline=None)
@given(rate_lists, st.sampled_from(POLICIES), st.integers(0, 2**32), st.sampled_from([0.0, 0.3, 1.0]))
def test_asking_ends_with_a_first_look_for_everybody_and_nothing_wanted_twice(rates, policy, seed, lost):
    here = contest(rates, survivors=range(min(2, len(rates))))
    ledger = drive(policy, here, rates, seed, lost)
    for one in here.plans:
        assert policy.first_look <= looks(ledger, one.digest) <= 4


@settings(deadline=None)
@given(rate_lists, st.integers(0, 2**32))
def test_racing_wants_nothing_that_repeated_would_not(rates, seed):
    here = contest(rates, survivors=[0])
    raced, repeated = (drive(policy, here, rates, seed) for policy in (Racing(1, 4, 1, 2), Repeated(4, 1, 2)))

    def measured(ledger):
        return {(d, c.problem, c.purpose, c.replicate) for d in ledger for c in ledger.cells(d)}

    assert measured(raced) <= measured(repeated)


def test_a_race_spends_its_replicates_on_the_better_half_and_then_on_their_better_half():
    rates = [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]
    ledger = drive(Racing(1, 8, 0, 0), contest(rates, places=1), rates)
    assert [looks(ledger, f"plan {i}") for i in range(8)] == [4, 1, 1, 4, 1, 2, 1, 2], "of equals the smaller go on"


def test_a_race_without_challengers_ends_after_the_first_look():
    rates = [0.5, 0.5]
    ledger = drive(Racing(1, 4, 0, 0), contest(rates, places=2), rates)
    assert [looks(ledger, f"plan {i}") for i in range(2)] == [1, 1]


@pytest.mark.parametrize("policy", [Repeated(2, 1, 3), Racing(1, 2, 1, 3)])
def test_survivors_get_another_fresh_seed_in_every_generation_until_they_had_the_most(policy):
    ledger = Ledger()
    for number in range(6):
        here = contest([0.5, 0.5, 0.5], number=number, survivors=[0] if number else [])
        while wanted := policy.wanted(here, ledger):
            ledger.add(Cell(m.plan.digest, m.problem.id, m.purpose, m.replicate, solved=True) for m in wanted)
    fresh = {c.replicate for c in ledger.cells("plan 0", (Purpose.REEVALUATION,))}
    assert len(fresh) == 3
    assert not ledger.cells("plan 1", (Purpose.REEVALUATION,))


def test_the_study_s_policy_looks_once_and_never_again():
    ledger = drive(Single(), contest([0.4] * 5, survivors=[0, 1]), [0.4] * 5)
    assert all(len(ledger.cells(f"plan {i}")) == 8 for i in range(5))


@pytest.mark.parametrize(("graded", "kept"), [(0.0, "plan 0"), (0.05, "plan 3")])
def test_visible_tests_passed_break_ties_where_wanted(graded, kept):
    here = replace(contest([0.5] * 4, places=1), graded=graded)
    ledger = Ledger(
        Cell(p.digest, one.id, Purpose.SEARCH, 0, i % 2 == 0, shown=1.0 if p.digest == "plan 3" else 0.0)
        for p in here.plans
        for i, one in enumerate(here.problems)
    )
    here = replace(here, prices=dict.fromkeys(here.prices, 0.0))
    wanted = {m.plan.digest for m in Racing(1, 2, 0, 0).wanted(here, ledger)}
    assert kept in wanted
    assert len(wanted) == 2


def test_a_token_has_its_price_in_a_race():
    """Four equal plans, of which each uses forty tokens more than the one before it, at half a point a token."""
    here = contest([0.5] * 4, places=1)
    here = replace(here, prices={f"plan {i}": 0.1 * (3 - i) for i in range(4)})
    ledger = Ledger(
        Cell(p.digest, one.id, Purpose.SEARCH, 0, k % 2 == 0, prompt_tokens=30 * i, completion_tokens=10 * i)
        for i, p in enumerate(here.plans)
        for k, one in enumerate(here.problems)
    )
    for per_token, kept in ((0.005, {"plan 0", "plan 1"}), (0.0, {"plan 2", "plan 3"})):
        wanted = Racing(1, 2, 0, 0).wanted(replace(here, per_token=per_token), ledger)
        assert {m.plan.digest for m in wanted} == kept


def test_a_race_may_begin_on_a_few_problems_and_meets_new_ones_before_it_repeats_any():
    rates = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.95]
    here = replace(contest(rates, problems=12, places=1), prices={f"plan {i}": 0.0 for i in range(8)})
    ledger = drive(Racing(1, 2, 0, 0, first_problems=3), here, [float(rate > 0.9) for rate in rates])
    counts = {p.digest: len(ledger.cells(p.digest)) for p in here.plans}
    assert counts["plan 7"] == 12, "3, 6, 12: then nobody is left to be told apart from"
    assert sorted(counts.values()) == [3, 3, 3, 3, 6, 6, 12, 12]
    for one in here.plans:
        cells = ledger.cells(one.digest)
        assert [c.problem for c in cells] == [p.id for p in here.problems[: len(cells)]]
        assert {c.replicate for c in cells} == {0}
