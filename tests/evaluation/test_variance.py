"""The parts of an estimate's variance, against draws whose parts are known."""

import numpy as np
import pytest

from evo.evaluation import Cell, Purpose, estimate, variance


def drawn(random, problems, replicates, lost=0.0):
    rates = random.beta(1, 1, problems)
    return [
        Cell("a", f"p{i}", Purpose.SEARCH, r, None if random.random() < lost else bool(random.random() < rates[i]))
        for i in range(problems)
        for r in range(replicates)
    ]


def test_the_parts_are_those_of_the_draw():
    random = np.random.default_rng(1)
    found = [variance(drawn(random, 40, 4)) for _ in range(200)]
    # Uniform rates: variance 1/12 between problems, mean p(1-p) = 1/6 within.
    assert np.mean([one.problem for one in found]) == pytest.approx(1 / 12 / 40, rel=0.05)
    assert np.mean([one.sampling for one in found]) == pytest.approx(1 / 6 / 160, rel=0.05)
    assert all(one.infrastructure == pytest.approx(0) for one in found)


def test_lost_cells_are_a_part_of_their_own_and_all_add_up():
    random = np.random.default_rng(2)
    cells = drawn(random, 60, 4, lost=0.3)
    parts = variance(cells)
    assert parts.infrastructure > 0
    total = parts.problem + parts.sampling + parts.infrastructure
    assert total == pytest.approx(estimate(cells).stderr ** 2, rel=0.02)


def test_too_little_has_no_parts():
    assert variance([Cell("a", "p", Purpose.SEARCH, r, True) for r in range(3)]) is None
    assert variance([Cell("a", f"p{i}", Purpose.SEARCH, 0, True) for i in range(3)]) is None
