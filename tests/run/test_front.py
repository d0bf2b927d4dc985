"""A search for quality and cost on the SIMULATED pool keeps a front: measured, validated, drawn, the same again."""

import csv

import pytest

import evo
from evo.errors import UserError
from evo.genome import read_genome

QUICK = {"models.backend": "simulated", "run.generations": "5", "NEAT.pop_size": "8", "tasks.problems": "6"}


def search(folder, **changes):
    more = {key.replace("__", "."): str(value) for key, value in changes.items()}
    return evo.search("laptop", run=str(folder), changes=QUICK | {"evaluation.objectives": "accuracy,tokens"} | more)


def test_a_front_is_kept_with_the_error_of_each_point(tmp_path):
    result = search(tmp_path / "run", PipelineGenome__stages="0 3")
    assert len(result.front) >= 2
    cautious = [point.search.mean - point.search.stderr for point in result.front]
    assert [p.cost.mean for p in result.front] == sorted(p.cost.mean for p in result.front)
    assert cautious == sorted(cautious), "who costs more is better"
    for point in result.front:
        assert point.cost.mean > 0 and point.cost.stderr > 0
        assert point.validated.problems == 60
        assert point.validated_cost.mean > 0
    with (tmp_path / "run" / "pareto.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["accuracy"]) for row in rows] == [point.validated.mean for point in result.front]
    assert [float(row["claim"]) for row in rows] == [point.search.mean for point in result.front]
    assert (tmp_path / "run" / "pareto.png").stat().st_size > 10_000
    for number, point in enumerate(result.front, start=1):
        assert read_genome(tmp_path / "run" / "front" / f"{number}.json") == point.genome
    assert "| front |" in (tmp_path / "run" / "summary.md").read_text()


def test_a_run_with_a_front_is_replayed_without_a_call(tmp_path):
    first = search(tmp_path / "run")
    csv_before = (tmp_path / "run" / "pareto.csv").read_bytes()
    again = search(tmp_path / "run")
    assert again.counters.calls_made == 0
    assert [p.plan.digest for p in again.front] == [p.plan.digest for p in first.front]
    assert (tmp_path / "run" / "pareto.csv").read_bytes() == csv_before


def test_without_tokens_as_an_objective_there_is_no_front(tmp_path):
    result = search(tmp_path / "run", evaluation__objectives="accuracy", run__generations=1)
    assert result.front == ()
    assert not (tmp_path / "run" / "pareto.png").exists()


def test_an_unknown_objective_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"objectives = speed: must be one of accuracy, accuracy,tokens"):
        search(tmp_path / "run", evaluation__objectives="speed")
