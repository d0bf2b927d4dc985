"""The front drawn: the table says what the picture shows, and the same front gives the same bytes."""

import csv

import pytest

from evo.errors import UserError
from evo.evaluation import Estimate
from evo.figures import ParetoPoint, draw_pareto
from evo.genome import read_genome
from evo.resources import genome_path

POINTS = [
    ParetoPoint(
        "1", read_genome(genome_path("solo")), Estimate(0.46, 0.06, 2, 60), 180.0, 12.0, Estimate(0.5, 0.1, 2, 6)
    ),
    ParetoPoint("2", read_genome(genome_path("best-of-4")), Estimate(0.55, 0.06, 2, 60), 420.0, 30.0),
    ParetoPoint("3", read_genome(genome_path("choose-of-3")), Estimate(0.62, 0.05, 2, 60), 900.0, 60.0),
]


def test_the_table_holds_every_point_with_both_errors(tmp_path):
    draw_pareto(POINTS, tmp_path / "p.svg", simulated=True, caption="n = 60 problems.")
    with (tmp_path / "p.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [
        (float(r["accuracy"]), float(r["stderr"]), float(r["tokens"]), float(r["tokens_stderr"])) for r in rows
    ] == [(p.accuracy.mean, p.accuracy.stderr, p.tokens, p.tokens_stderr) for p in POINTS]
    assert [r["claim"] for r in rows] == ["0.5", "", ""]
    assert [int(r["nodes"]) for r in rows] == [1, 5, 7]


def test_the_same_front_gives_the_same_picture_and_simulated_models_another(tmp_path):
    for name, simulated in (("a", False), ("b", False), ("c", True)):
        draw_pareto(POINTS, tmp_path / f"{name}.svg", simulated=simulated, caption="n = 60 problems.")
    a, b, c = ((tmp_path / f"{name}.svg").read_bytes() for name in "abc")
    assert a == b != c


def test_a_front_of_one_and_one_of_many_are_drawn(tmp_path):
    for points in (POINTS[:1], POINTS * 4):
        draw_pareto(points, tmp_path / "p.png", simulated=False, caption="n = 60 problems.")
        assert (tmp_path / "p.png").stat().st_size > 10_000
    with pytest.raises(UserError, match="cannot draw a picture"):
        draw_pareto(POINTS, tmp_path / "p.txt", simulated=False, caption="")
