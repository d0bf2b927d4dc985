"""The whole path on a real model: Qwen2.5-Coder-0.5B in process, real problems, real executions."""

import sqlite3

import pytest

import evo
from evo.genome import read_genome

pytestmark = pytest.mark.model
EMBEDDED = {"models.backend": "embedded"}


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Two generations of the preset ``tiny``."""
    return evo.search("tiny", run=str(tmp_path_factory.mktemp("real") / "run"), changes=EMBEDDED)


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
