"""What one evaluation claims, on outcomes whose truth is known."""

import numpy as np
import pytest

from evo.comparison import Outcomes, single_scores, winner


def drawn(rates, problems, replicates, seed):
    random = np.random.default_rng(seed)
    solved = (random.random((len(rates), problems, replicates)) < np.array(rates)[:, None, None]).astype(float)
    return Outcomes(tuple(map(str, rates)), tuple(f"p{i}" for i in range(problems)), solved)


def test_equal_pipelines_are_inflated_by_what_the_maximum_of_scores_is_expected_to_be():
    found = [winner(drawn([0.5] * 4, 25, 5, seed)) for seed in range(300)]
    # The largest of four standard normals is 1.03; one score's standard error is sqrt(0.25 / 25) = 0.1.
    assert np.mean([one.inflation.mean for one in found]) == pytest.approx(0.103, abs=0.01)
    assert np.mean([one.unpaired for one in found]) == pytest.approx(0.103, abs=0.01)
    inside = [low <= 0.103 <= high for low, high in (one.inflation.interval() for one in found)]
    assert np.mean(inside) > 0.9


def test_a_clear_winner_is_not_inflated():
    found = [winner(drawn([0.9, 0.1], 25, 5, seed)).inflation.mean for seed in range(200)]
    assert abs(np.mean(found)) < 0.01


def test_single_scores_span_what_was_seen():
    table = Outcomes(("a",), ("p", "q"), np.array([[[1.0, 0.0, 1.0], [1.0, 0.0, np.nan]]]))
    (one,) = single_scores(table)
    assert (one.low, one.high) == (0.0, 1.0)
    assert one.error == pytest.approx(np.sqrt((0.25 + 1 + 0.25) / 3))
    assert winner(table) is None


def test_shared_luck_inflates_only_what_is_not_paired():
    random = np.random.default_rng(1)
    solved = np.repeat((random.random((1, 25, 5)) < 0.5).astype(float), 3, axis=0)
    found = winner(Outcomes(("a", "b", "c"), tuple(map(str, range(25))), solved))
    assert found.inflation.mean == pytest.approx(0)
    assert found.unpaired > 0.03
