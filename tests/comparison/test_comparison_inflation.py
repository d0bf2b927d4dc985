import numpy as np
import pytest

from evo.comparison import Look, inflation

PROBLEMS = tuple(f"p{i}" for i in range(20))


def studies(count, genomes=12, replicates=5, drift=0.0, seed=0):
    """Contests of equal genomes: the best of single scores is chosen, another one is drawn blindly. Yields
    (inflation, true inflation, true drift); ``drift`` is what everybody loses between the two measurements.
    """
    random = np.random.default_rng(seed)
    for _ in range(count):
        first = random.random((genomes, 20))
        rates = np.clip(random.random(20) * 0.8 + 0.1, 0, 1)
        later = np.clip(rates - drift, 0, 1)
        scores = (first < rates).mean(axis=1)
        fresh = (random.random((genomes, 20, replicates)) < later[:, None]).astype(float)
        looks = [Look(0, f"g{i}", float(scores[i]), PROBLEMS, fresh[i]) for i in range(genomes)]
        best, blind = int(scores.argmax()), int(random.integers(genomes))
        yield inflation([looks[best]], [looks[blind]]), scores[best] - later.mean(), rates.mean() - later.mean()


def test_inflation_is_found_split_and_covered():
    found = list(studies(400, drift=0.1))
    totals = [one.total.mean - truth for one, truth, _ in found]
    assert abs(np.mean(totals)) < 0.01, "unbiased"
    covered = [one.total.interval()[0] <= truth <= one.total.interval()[1] for one, truth, _ in found]
    assert 0.92 <= np.mean(covered) <= 0.98
    drifts = [one.drift.interval()[0] <= truth <= one.drift.interval()[1] for one, _, truth in found]
    assert 0.92 <= np.mean(drifts) <= 0.98
    assert np.mean([one.selection.mean for one, _, _ in found]) > 0.1, "the best of twelve looks good"
    assert np.mean([one.drift.mean for one, _, _ in found]) == pytest.approx(
        np.mean([truth for _, _, truth in found]), abs=0.015
    )


def test_the_parts_add_up_and_nothing_is_certain():
    for one, _, _ in studies(20):
        assert one.total.mean == pytest.approx(one.selection.mean + one.drift.mean)
    sure = np.ones((20, 3))
    flat = inflation([Look(0, "a", 1.0, PROBLEMS, sure)], [Look(0, "b", 1.0, PROBLEMS, sure)])
    assert flat.total.mean == 0
    assert flat.total.stderr > 0


def test_a_missing_cell_is_no_failure():
    fresh = np.ones((20, 3))
    fresh[0, 0] = np.nan
    fresh[1] = np.nan
    look = Look(0, "a", 1.0, PROBLEMS, fresh)
    assert look.rate == 1.0
    assert inflation([look], [look]).total.mean == 0
