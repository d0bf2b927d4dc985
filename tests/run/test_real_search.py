"""The whole path on a real model: Qwen2.5-Coder-0.5B in process, real problems, real executions."""

import sqlite3

import pytest

import evo
from evo.genome import read_genome

pytestmark = pytest.mark.model
SMALL = {
    "models.backend": "embedded",
    "NEAT.pop_size": "3",
    "tasks.problems": "2",
    "pipeline.max_tokens": "96",
    "evaluation.replicates": "1",
    "evaluation.validation_problems": "2",
    "evaluation.finalists": "0",
}


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Two generations of three genomes; its four problems are easy ones and one that such a model does not solve."""
    return evo.search("tiny", run=str(tmp_path_factory.mktemp("real") / "run"), changes=SMALL)


def test_a_real_search_ends_with_a_measured_champion(searched):
    assert not searched.simulated
    assert searched.backend == "embedded"
    assert len(searched.generations) == 2
    assert searched.counters.calls_made > 0
    assert searched.counters.calls_saved > 0
    assert searched.counters.completion_tokens > 0
    assert searched.validated is not None
    assert searched.validated.missing == 0
    assert read_genome(searched.folder / "champion.json") == searched.champion
    assert "SIMULATED" not in (searched.folder / "summary.md").read_text()


def test_a_real_model_solves_some_problem_and_fails_some(searched):
    with sqlite3.connect(searched.folder / "run.sqlite") as db:
        solved, cells = db.execute("SELECT SUM(solved), COUNT(*) FROM cells WHERE solved IS NOT NULL").fetchone()
        texts = db.execute("SELECT COUNT(*) FROM calls WHERE text LIKE '%def %'").fetchone()[0]
    assert 0 < solved < cells
    assert texts > 0


def test_a_real_search_is_replayed_from_its_recorded_calls(searched):
    before = (searched.folder / "champion.json").read_bytes()
    with sqlite3.connect(searched.folder / "run.sqlite") as db:
        db.execute("DELETE FROM cells")
        db.execute("DELETE FROM executions")
    again = evo.search(run=str(searched.folder))
    assert again.counters.calls_made == 0
    assert (searched.folder / "champion.json").read_bytes() == before
