"""A tie within error goes to the smaller and cheaper."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evo.evaluation import Cell, Purpose, leader, tied


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 5)), min_size=1, max_size=8), st.floats(0, 1))
def test_the_cheapest_of_those_within_error_of_the_best_leads_and_of_these_the_best(offers, error):
    """offers: score and price. Whoever is within the error of the best ties with it."""
    ranked = sorted(range(len(offers)), key=lambda i: -offers[i][0])
    first = leader(ranked, lambda best, other: offers[best][0] - offers[other][0] <= error, lambda i: offers[i][1])
    rivals = [i for i in ranked if offers[ranked[0]][0] - offers[i][0] <= error]
    assert offers[first][1] == min(offers[i][1] for i in rivals)
    assert first == next(i for i in rivals if offers[i][1] == offers[first][1])


@given(st.permutations(range(6)))
def test_without_ties_the_best_leads_and_where_all_tie_the_price_decides(ranked):
    assert leader(ranked, lambda *_: False, lambda i: i) == ranked[0]
    assert leader(ranked, lambda *_: True, lambda i: i) == 0
    assert leader(ranked, lambda *_: True, lambda _: 0) == ranked[0]


def test_what_ties_is_told_from_the_paired_difference():
    luck = np.random.default_rng(1).random((40, 2))

    def cells(rate, purpose=Purpose.SEARCH):
        return [Cell(f"{rate}", f"p{i}", purpose, r, bool(luck[i, r] < rate)) for i in range(40) for r in range(2)]

    assert tied(cells(0.5), cells(0.5))
    assert tied(cells(0.5), cells(0.9)), "who is better ties all the more"
    assert not tied(cells(0.7), cells(0.4))
    assert not tied(cells(0.5), cells(0.5, Purpose.VALIDATION)), "what has nothing in common cannot be compared"
