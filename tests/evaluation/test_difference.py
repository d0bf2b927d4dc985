import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.evaluation import Cell, Purpose, paired

OUTCOME = st.sampled_from([True, False, None])
TABLE = st.dictionaries(
    st.tuples(st.sampled_from("abcdef"), st.integers(0, 3)), st.tuples(OUTCOME, OUTCOME), max_size=24
)


def cells(table, side, purpose=Purpose.SEARCH):
    return [Cell(f"plan {side}", p, purpose, r, row[side]) for (p, r), row in table.items()]


@given(TABLE)
def test_what_one_wins_the_other_loses(table):
    there, back = paired(cells(table, 0), cells(table, 1)), paired(cells(table, 1), cells(table, 0))
    if there is None:
        assert back is None
        assert not any(None not in row for row in table.values())
        return
    assert math.isclose(there.mean, -back.mean, abs_tol=1e-12)
    assert math.isclose(there.stderr, back.stderr)
    assert there.stderr > 0
    assert there.cells == sum(None not in row for row in table.values())
    low, high = there.interval()
    assert -1 <= low <= there.mean <= high <= 1


def test_one_replicate_without_a_mean_difference_is_mcnemar_s_error():
    table = {(str(i), 0): (i < 3, 3 <= i < 6) for i in range(20)}
    found = paired(cells(table, 0), cells(table, 1))
    assert found.mean == 0
    assert math.isclose(found.stderr, math.sqrt(6 * 20 / 19 + 1) / 20)


def test_cells_that_only_one_has_count_for_nothing():
    one = [Cell("a", "p", Purpose.SEARCH, r, solved=True) for r in range(5)]
    other = [Cell("b", "p", Purpose.SEARCH, 0, solved=False), Cell("b", "p", Purpose.REEVALUATION, 1, solved=False)]
    assert paired(one, other).cells == 1
    assert paired(one[1:], other) is None


@pytest.mark.parametrize("replicates", [1, 4])
def test_the_error_is_the_spread_of_the_difference(replicates):
    """Two plans of which the second is better by what a problem makes of it, over 400 studies of 30 problems."""
    random = np.random.default_rng(1)
    means, errors, covered = [], [], 0
    for _ in range(400):
        rates = random.random(30) * 0.6
        table = {
            (str(p), r): tuple(bool(random.random() < rate) for rate in (rates[p], min(1.0, rates[p] + 0.2)))
            for p in range(30)
            for r in range(replicates)
        }
        found = paired(cells(table, 1), cells(table, 0))
        means.append(found.mean)
        errors.append(found.stderr)
        low, high = found.interval()
        covered += low <= 0.2 <= high
    assert math.isclose(float(np.mean(errors)), float(np.std(means)), rel_tol=0.1)
    assert math.isclose(float(np.mean(means)), 0.2, abs_tol=0.02)
    assert 0.92 <= covered / 400 <= 0.99
