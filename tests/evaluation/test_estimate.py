import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evo.evaluation import Cell, Ledger, Purpose, estimate


def cell(plan="p", problem="a", replicate=0, solved=True, purpose=Purpose.SEARCH, tokens=10):
    return Cell(plan, problem, purpose, replicate, solved, prompt_tokens=tokens, completion_tokens=tokens)


outcomes = st.dictionaries(
    st.sampled_from("abcdefgh"), st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=6), min_size=1
)


@given(outcomes)
def test_mean_and_error_stay_in_range_and_missing_cells_are_counted_not_scored(table):
    cells = [cell(problem=p, replicate=i, solved=s) for p, row in table.items() for i, s in enumerate(row)]
    found = estimate(cells)
    measured = [c for c in cells if c.solved is not None]
    if not measured:
        assert found is None
        return
    assert 0 <= found.mean <= 1
    assert 0 < found.stderr < 1
    assert found.missing == len(cells) - len(measured)
    assert found == estimate([*measured, *[c for c in cells if c.solved is None]])


def test_every_problem_weighs_the_same():
    cells = [cell(problem="a", replicate=r, solved=True) for r in range(9)] + [cell(problem="b", solved=False)]
    assert estimate(cells).mean == 0.5


def test_a_perfect_score_on_little_evidence_is_not_certain():
    few = estimate([cell(problem=p) for p in "abc"])
    many = estimate([cell(problem=str(p)) for p in range(300)])
    assert few.mean == many.mean == 1.0
    assert few.stderr > 0.2
    assert many.stderr < 0.02


def test_the_error_covers_the_spread_between_problems():
    """Replicates of one problem are not independent of each other: 8 problems x 50 replicates is not 400 problems."""
    random = np.random.default_rng(0)
    means, errors = [], []
    for _ in range(400):
        difficulty = random.random(8)
        cells = [
            cell(problem=str(p), replicate=r, solved=bool(random.random() < difficulty[p]))
            for p in range(8)
            for r in range(50)
        ]
        found = estimate(cells)
        means.append(found.mean)
        errors.append(found.stderr)
    assert math.isclose(float(np.mean(errors)), float(np.std(means)), rel_tol=0.15)


def test_levelling_takes_out_how_hard_the_problems_were():
    """Two equally good plans, one measured on an easy problem too, one on a hard one too."""
    ledger = Ledger()
    for plan in ("x", "y"):
        ledger.add(cell(plan, "common", r, solved=r % 2 == 0) for r in range(10))
    ledger.add(cell("x", "easy", r) for r in range(10))
    ledger.add(cell("y", "hard", r, solved=False) for r in range(10))
    levelled = ledger.levelled(["x", "y"])
    assert ledger.estimate("x").mean == 0.75
    assert ledger.estimate("y").mean == 0.25
    assert levelled["x"].mean == levelled["y"].mean


def test_levelling_changes_nothing_where_all_saw_the_same_problems():
    ledger = Ledger(
        cell(plan, p, r, solved=(r + k) % 3 == 0) for k, plan in enumerate("xyz") for p in "ab" for r in range(4)
    )
    levelled = ledger.levelled(list("xyz"))
    assert all(math.isclose(levelled[plan].mean, ledger.estimate(plan).mean) for plan in "xyz")


@given(
    st.lists(st.integers(0, 4), min_size=2, max_size=6),
    st.lists(st.integers(0, 6), min_size=3, max_size=8),
    st.randoms(use_true_random=False),
)
def test_levelling_finds_what_a_plan_adds_whichever_plans_went_on_to_further_problems(plans, problems, random):
    """Rates are exactly a plan's part plus a problem's part; all plans share the first problem."""
    ledger = Ledger()
    for i, extra in enumerate(plans):
        had = [0, *random.sample(range(1, len(problems)), random.randint(0, len(problems) - 1))]
        ledger.add(cell(f"plan {i}", f"p{k}", r, solved=r < extra + problems[k]) for k in had for r in range(10))
    had = [{c.problem for c in ledger.cells(f"plan {i}")} for i in range(len(plans))]
    mean = sum(problems[int(p[1:])] for p in set().union(*had)) / len(set().union(*had))
    levelled = ledger.levelled([f"plan {i}" for i in range(len(plans))])
    for i, extra in enumerate(plans):
        assert math.isclose(levelled[f"plan {i}"].mean, (extra + mean) / 10, abs_tol=1e-6)


def test_selection_never_sees_validation():
    ledger = Ledger(
        [cell(solved=False), cell(purpose=Purpose.REEVALUATION, solved=False), cell(purpose=Purpose.VALIDATION)]
    )
    assert ledger.estimate("p").mean == 0
    assert ledger.estimate("p", (Purpose.VALIDATION,)).mean == 1
    assert ledger.levelled(["p"])["p"].mean == 0


def test_a_measurement_replaces_the_missing_cell_it_repeats():
    ledger = Ledger([cell(solved=None)])
    assert ledger.estimate("p") is None
    ledger.add([cell(solved=True)])
    assert ledger.estimate("p").missing == 0
    assert ledger.estimate("p").replicates == 1
    assert ledger.tokens("p") == 20


def test_seconds_are_a_mean_over_what_is_on_record():
    cells = [Cell("p", "a", Purpose.SEARCH, r, True, seconds=seconds) for r, seconds in enumerate([2.0, 4.0, None])]
    assert Ledger(cells).seconds("p") == 3.0
    assert Ledger(cells[2:]).seconds("p") is None


@given(outcomes)
def test_an_interval_holds_its_mean_and_stays_in_range(table):
    found = estimate(cell(problem=p, replicate=i, solved=s) for p, row in table.items() for i, s in enumerate(row))
    if found is not None:
        low, high = found.interval()
        assert 0 <= low <= found.mean <= high <= 1
        wider = found.interval(0.99)
        assert wider[0] <= low <= high <= wider[1]


def test_intervals_cover_the_truth():
    """Of 600 studies: 40 problems of a population whose difficulties lie mostly at the ends, 3 replicates."""
    random = np.random.default_rng(2)
    covered = 0
    for _ in range(600):
        rates = random.beta(0.4, 0.6, 40)
        solved = random.random((40, 3)) < rates[:, None]
        low, high = estimate(
            cell(problem=str(p), replicate=r, solved=bool(solved[p, r])) for p in range(40) for r in range(3)
        ).interval()
        covered += low <= 0.4 <= high
    assert 0.93 <= covered / 600 <= 0.975
