"""The fitness chart: its data, its caption, its files."""

import csv
import io
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.errors import UserError
from evo.evaluation.estimate import Estimate
from evo.figures import GenerationPoint, draw_fitness, fitness_csv, fitness_info

HISTORY = [
    GenerationPoint(0, Estimate(0.40, 0.08, 3, 25), Estimate(0.30, 0.02, 3, 25), 0.52, 3),
    GenerationPoint(1, Estimate(0.50, 0.06, 6, 25), Estimate(0.36, 0.02, 3, 25), math.nan, 4),
    GenerationPoint(2, Estimate(0.58, 0.05, 9, 25, missing=2), Estimate(0.41, 0.02, 3, 25), 0.72, 4),
]
VALIDATED = Estimate(0.55, 0.021, 5, 80)

_estimates = st.builds(Estimate, st.floats(0, 1), st.floats(0, 1), st.floats(1, 50), st.integers(1, 500))
_points = st.builds(
    GenerationPoint, st.integers(0, 999), _estimates, _estimates, st.floats(0, 1) | st.just(math.nan), st.integers(1, 9)
)


def test_info_is_in_percent_with_one_standard_error() -> None:
    info = fitness_info(HISTORY, VALIDATED)
    assert info.generations == (0, 1, 2)
    assert info.best.middle == pytest.approx((40, 50, 58))
    assert info.best.low == pytest.approx((32, 44, 53))
    assert info.mean.high == pytest.approx((32, 38, 43))
    assert info.single_best[0] == pytest.approx(52)
    assert math.isnan(info.single_best[1])
    assert info.validated == VALIDATED


def test_caption_gives_n_and_errors() -> None:
    caption = fitness_info(HISTORY, VALIDATED).caption
    assert "n = 25 problems × 3–9 replicates" in caption
    assert "± 1 standard error" in caption
    assert "55.0 % ± 2.1, n = 80 problems × 5 replicates" in caption
    assert "Validated" not in fitness_info(HISTORY).caption


@given(st.lists(_points, min_size=1, max_size=20), st.none() | _estimates)
@settings(max_examples=50, deadline=None)
def test_bands_hold_their_curve_and_csv_reads_back(history: list[GenerationPoint], validated: Estimate | None) -> None:
    info = fitness_info(history, validated)
    for band in (info.best, info.mean):
        triples = zip(band.low, band.middle, band.high, strict=True)
        assert all(0 <= low <= middle <= high <= 100 for low, middle, high in triples)
    rows = list(csv.DictReader(io.StringIO(fitness_csv(history, validated))))
    assert len(rows) == len(history)
    for row, point in zip(rows, history, strict=True):
        assert (int(row["generation"]), int(row["species"])) == (point.generation, point.species)
        assert (float(row["best_mean"]), float(row["best_stderr"])) == (point.best.mean, point.best.stderr)
        assert int(row["population_problems"]) == point.mean.problems
        assert row["single_best"] == ("" if math.isnan(point.single_best) else str(point.single_best))
        assert row["validated_mean"] == ("" if validated is None else str(validated.mean))


@pytest.mark.parametrize("kind", ["png", "svg"])
@pytest.mark.parametrize("generations", [1, 2, 3])
def test_files_are_whole_and_the_same_each_time(kind: str, generations: int, tmp_path: Path) -> None:
    first, second = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}"
    for path in (first, second):
        draw_fitness(HISTORY[:generations], path, simulated=True, validated=VALIDATED)
    assert first.read_bytes() == second.read_bytes()
    assert first.with_suffix(".csv").read_text() == fitness_csv(HISTORY[:generations], VALIDATED)
    assert {path.name for path in tmp_path.iterdir()} == {f"a.{kind}", "a.csv", f"b.{kind}", "b.csv"}


def test_svg_says_what_is_drawn(tmp_path: Path) -> None:
    draw_fitness(HISTORY, tmp_path / "fitness.svg", simulated=True, validated=VALIDATED, title="Laptop, seed 1")
    text = (tmp_path / "fitness.svg").read_text()
    curves = ("best", "population mean", "best by a single evaluation", "champion, validated")
    for words in ("Laptop, seed 1", "SIMULATED", "generation", "problems solved (%)", *curves):
        assert f">{words}<" in text
    draw_fitness(HISTORY, tmp_path / "fitness.svg")
    text = (tmp_path / "fitness.svg").read_text()
    assert "SIMULATED" not in text
    assert "validated" not in text


def test_nothing_to_draw_is_said_in_one_line_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no generation is recorded yet"):
        draw_fitness([], tmp_path / "fitness.png")
    with pytest.raises(UserError, match="name it"):
        draw_fitness(HISTORY, tmp_path / "fitness.pdf")
    assert not list(tmp_path.iterdir())
