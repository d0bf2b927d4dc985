import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evo.comparison import compare_pairs, noise, outcomes, permutation_p, rank_stability, self_test
from evo.evaluation import Cell, Purpose


def cells(plan, solved):
    """solved: (problems, replicates)."""
    return [
        Cell(plan, f"p{p}", Purpose.VALIDATION, r, bool(solved[p, r]))
        for p in range(solved.shape[0])
        for r in range(solved.shape[1])
    ]


def table(*rates, problems=40, replicates=6, seed=0):
    """Pipelines with these solve rates, each problem's own."""
    random = np.random.default_rng(seed)
    luck = random.random((problems, replicates))
    solved = {f"rate {rate}": cells(f"rate {rate}", luck < rate) for rate in rates}
    return solved, outcomes(solved, [f"p{p}" for p in range(problems)], replicates)


gain_rows = st.lists(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=3), max_size=12)


def flipped(rows, signs):
    return [[sign * gain for gain in row] for row, sign in zip(rows, signs, strict=True)]


@settings(deadline=None)
@given(gain_rows, st.integers(0, 2**32))
def test_a_p_value_is_one_and_the_same_for_both_directions(rows, seed):
    there, back = (permutation_p(flipped(rows, [s] * len(rows)), np.random.default_rng(seed)) for s in (1, -1))
    assert 0 < there <= 1
    assert math.isclose(there, back)


def test_a_p_value_of_few_gains_is_exact():
    """Of 2**3 sign patterns, two are as extreme as three wins; the mid-p value counts them half."""
    assert permutation_p([[1], [1], [1], [0]], np.random.default_rng(0)) == pytest.approx(1 / 8)


def test_of_equal_means_the_one_that_differs_in_fewer_replicates_is_the_more_extreme():
    """Three gains of 1/3: to lose any one of them gives the same mean, but they do not rest on the same."""
    agreed, disputed = [1, 0, 0], [1, 1, -1]
    rows = [agreed, agreed, disputed]
    p = {signs: permutation_p(flipped(rows, signs), np.random.default_rng(0)) for signs in ((1, 1, -1), (1, -1, 1))}
    assert p == {(1, 1, -1): pytest.approx(3 / 8), (1, -1, 1): pytest.approx(6 / 8)}


@settings(deadline=None, max_examples=25)
@given(st.lists(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=4), max_size=5))
def test_over_all_that_might_as_well_have_been_the_p_value_is_as_small_as_it_says(rows):
    """Over all sign patterns: a mid-p value's mean is 1/2, and it is at most a level as often as the level says, give
    or take half of what cannot be told from it.
    """
    rows = [row for row in rows if sum(row)]
    assume(rows)
    patterns = product((1, -1), repeat=len(rows))
    p = np.array([permutation_p(flipped(rows, signs), np.random.default_rng(0)) for signs in patterns])
    assert p.mean() == pytest.approx(0.5)
    for level in np.unique(p):
        assert (p < level).mean() + (p == level).mean() / 2 == pytest.approx(level)


def test_pairs_are_told_apart_where_they_differ_and_only_there():
    solved, _ = table(0.3, 0.301, 0.8)
    pairs = {frozenset((p.one, p.other)): p for p in compare_pairs(solved, np.random.default_rng(0))}
    assert len(pairs) == 3
    assert pairs[frozenset(("rate 0.8", "rate 0.3"))].one == "rate 0.8", "the better one first"
    assert pairs[frozenset(("rate 0.8", "rate 0.3"))].apart()
    assert not pairs[frozenset(("rate 0.301", "rate 0.3"))].apart()
    for pair in pairs.values():
        assert pair.difference.mean >= 0
        assert pair.p <= pair.p_holm <= 1


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32))
def test_holm_s_correction_is_bonferroni_s_over_every_family_that_a_pair_is_in(seed):
    """A pair is told apart where no set of pairs that holds it can be all alike (closed testing; Marcus 1976)."""
    random = np.random.default_rng(seed)
    solved = {f"{i}": cells(f"{i}", random.random((12, 2)) < rate) for i, rate in enumerate(random.random(4))}
    pairs = compare_pairs(solved, random)
    families = [family for size in range(1, 7) for family in combinations(pairs, size)]
    for pair in pairs:
        worst = max(len(family) * min(one.p for one in family) for family in families if pair in family)
        assert pair.p_holm == pytest.approx(min(1.0, worst))


def test_holm_leaves_no_false_pair_more_often_than_its_level():
    """Six equal pipelines, 15 pairs, 200 studies: at least one false difference in about 5 % of them."""
    false = 0
    for study in range(200):
        random = np.random.default_rng(study)
        solved = {f"{i}": cells(f"{i}", random.random((20, 2)) < 0.5) for i in range(6)}
        false += any(pair.apart() for pair in compare_pairs(solved, random))
    assert false / 200 <= 0.09


def test_a_ranking_by_more_replicates_can_be_trusted_more():
    _, measured = table(0.4, 0.5, 0.6, problems=20, replicates=16, seed=3)
    ranks = rank_stability(measured, np.random.default_rng(0))
    assert [rank.replicates for rank in ranks] == list(range(1, 9))
    assert ranks[-1].tau >= ranks[0].tau
    assert all(-1 <= rank.tau <= 1 and 0 <= rank.best <= 1 and rank.loss >= 0 for rank in ranks)


def test_noise_is_found_where_it_was_put():
    """Independent pipelines of rate 1/2: a replicate's difference has variance 1/2, problems differ by nothing."""
    random = np.random.default_rng(5)
    solved = {name: cells(name, random.random((400, 8)) < 0.5) for name in "ab"}
    found = noise(outcomes(solved, [f"p{p}" for p in range(400)], 8))
    assert found.within == pytest.approx(0.5, rel=0.08)
    assert found.between < 0.02
    assert found.detectable(100, 5) == pytest.approx(2.8 * math.sqrt(0.5 / 500), rel=0.1)
    assert found.problems_for(0.1, 5) == pytest.approx(78, rel=0.15)
    assert found.replicates_for(0.1, 100) == pytest.approx(4, abs=1)
    assert found.replicates_for(1e-6, 100) is None or found.between == 0


def test_a_pipeline_differs_from_itself_in_five_per_cent_of_cases():
    random = np.random.default_rng(7)
    rates = random.beta(0.5, 0.5, 60)
    solved = {"itself": cells("itself", random.random((60, 10)) < rates[:, None])}
    found = self_test(outcomes(solved, [f"p{p}" for p in range(60)], 10), random)
    assert abs(found.false_accepts - 0.05) <= 3 * found.stderr
    assert (found.problems, found.replicates) == (60, 5)
    assert 0.02 < found.detectable < 0.2
    assert found.few < 0.01


def test_where_few_problems_differ_the_self_test_says_so():
    random = np.random.default_rng(7)
    rates = np.repeat([0.0, 0.5], [36, 4])
    solved = {"itself": cells("itself", random.random((40, 6)) < rates[:, None])}
    found = self_test(outcomes(solved, [f"p{p}" for p in range(40)], 6), random)
    assert (found.false_accepts, found.few) == (0.0, 1.0)
