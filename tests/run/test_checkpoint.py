"""A search goes on from its last checkpoint, unless that could end otherwise than going through all again."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from crash_kit import Stopped, StoppingAfter, problems, tables

import evo
from evo.evaluation import Measurement, Purpose, Store, evidence_from_bytes, evidence_to_bytes
from evo.evolution import Evolution
from evo.run import Observer
from evo.run.checkpoint import read_checkpoint

SETTINGS = {
    "models.backend": "simulated",
    "run.generations": "5",
    "NEAT.pop_size": "4",
    "tasks.problems": "4",
    "evaluation.policy": "racing",
    "evaluation.validation_replicates": "1",
    "baselines.enabled": "false",
}
FILES = ("champion.json", "fitness.png", "fitness.csv")


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """runs/whole, uninterrupted, and the problems of all runs."""
    home = tmp_path_factory.mktemp("home")
    settings = SETTINGS | {"tasks.benchmark": str(problems(home / "tasks.jsonl", 16))}
    evo.search("tiny", run=str(home / "whole"), changes=settings)
    return home


@pytest.fixture
def short(home, tmp_path) -> Path:
    """A run of the same settings that was stopped when its fourth generation was done."""
    settings = SETTINGS | {"tasks.benchmark": str(home / "tasks.jsonl")}
    with pytest.raises(Stopped):
        evo.search("tiny", run=str(tmp_path / "short"), changes=settings, observer=StoppingAfter(3))
    return tmp_path / "short"


@pytest.fixture
def told(monkeypatch) -> list[int]:
    """The generations that are gone through from now on."""
    generations, tell = list[int](), Evolution.tell

    def noted(self, *arguments):
        generations.append(self.generation)
        tell(self, *arguments)

    monkeypatch.setattr(Evolution, "tell", noted)
    return generations


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "run.sqlite", isolation_level=None)) as db:
        db.execute(statement)


def same(one: Path, other: Path) -> bool:
    files = [(one / name).read_bytes() == (other / name).read_bytes() for name in FILES]
    return all(files) and tables(one) == tables(other)


def test_only_what_came_after_it_is_gone_through_again(home, short, told):
    seen = []

    class Seeing(Observer):
        def generation(self, report):
            seen.append(report.number)

    result = evo.search(run=str(short), observer=Seeing())
    assert told == [3, 4]  # the checkpoint of before the generation that was just done
    assert seen == [0, 1, 2, 3, 4] == [report.number for report in result.generations]
    assert same(short, home / "whole")
    again = evo.search(run=str(short))
    assert told == [3, 4, 4]
    assert (again.genomes, again.phenotypes, again.search) == (result.genomes, result.phenotypes, result.search)
    assert again.counters.calls_made == 0
    assert same(short, home / "whole")


def test_without_one_all_generations_are_gone_through(home, short, told):
    change(short, "DELETE FROM meta WHERE key = 'checkpoint'")
    change(short, "UPDATE generations SET evidence = NULL")  # as schema 4 had it
    evo.search(run=str(short))
    assert told == [0, 1, 2, 3, 4]
    assert same(short, home / "whole")


def test_missing_cells_are_measured_where_their_generation_decides(home, short, told):
    change(short, "UPDATE cells SET solved = NULL WHERE plan = (SELECT MIN(plan) FROM cells)")
    evo.search(run=str(short))
    assert told == [0, 1, 2, 3, 4]
    assert same(short, home / "whole")


def test_cells_that_the_record_has_lost_are_measured_again(home, short, told):
    change(short, "DELETE FROM cells WHERE plan = (SELECT MIN(plan) FROM cells)")
    evo.search(run=str(short))
    assert told == [0, 1, 2, 3, 4]
    assert same(short, home / "whole")


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE meta SET value = SUBSTR(value, 1, 99) WHERE key = 'checkpoint'",
        "UPDATE meta SET value = '{}' WHERE key = 'checkpoint'",
        "UPDATE meta SET value = '[]' WHERE key = 'checkpoint'",
        "UPDATE generations SET evidence = X'00' WHERE number = 1",
        "UPDATE generations SET evidence = NULL WHERE number = 1",
    ],
)
def test_a_damaged_one_is_none(home, short, told, damage):
    change(short, damage)
    evo.search(run=str(short))
    assert told == [0, 1, 2, 3, 4]
    assert same(short, home / "whole")


def test_fewer_generations_are_gone_through_from_the_start(short, told):
    result = evo.search(run=str(short), changes={"run.generations": "2"})
    assert told == [0, 1]
    assert len(result.generations) == 2


def test_more_generations_end_as_if_they_had_been_wanted_at_once(home, tmp_path, told):
    """Although the random genomes of its end have left cells of the same kind in the record."""
    settings = SETTINGS | {"tasks.benchmark": str(home / "tasks.jsonl"), "baselines.enabled": "true"}
    folder = tmp_path / "extended"
    evo.search("tiny", run=str(folder), changes=settings | {"run.generations": "3"})
    del told[:]
    extended = evo.search(run=str(folder), changes={"run.generations": "5"})
    assert told == [2, 3, 4]
    assert (folder / "champion.json").read_bytes() == (home / "whole" / "champion.json").read_bytes()
    assert (folder / "fitness.csv").read_bytes() == (home / "whole" / "fitness.csv").read_bytes()
    assert extended.phenotypes <= extended.genomes == 20


def test_a_checkpoint_is_as_old_as_the_last_generation(home):
    with closing(Store(home / "whole" / "run.sqlite")) as store:
        found = read_checkpoint(store, 5)
        assert found is not None
        assert found.number == 4
        assert read_checkpoint(store, 4) == found
        assert read_checkpoint(store, 3) is None
        measured = {(cell.plan, cell.problem, cell.purpose, cell.replicate) for cell in store.cells()}
        taken = [
            (plan, problem, purpose, replicate)
            for number in range(5)
            for plan, purpose, replicate, problems in evidence_from_bytes(store.evidence(number) or b"")
            for problem in problems
        ]
    assert len(taken) == len(set(taken))
    assert set(taken) == {key for key in measured if key[2] is not Purpose.VALIDATION and key[3] < 1 << 28}


def test_evidence_comes_back_as_it_was(home):
    class Named:
        def __init__(self, name: str) -> None:
            self.digest = self.id = name

    wanted = [
        Measurement(Named(plan), Named(problem), purpose, replicate)  # type: ignore[arg-type]
        for plan, purpose, replicate, problems in [
            ("p", Purpose.SEARCH, 0, "ab"),
            ("q", Purpose.SEARCH, 0, "ab"),
            ("p", Purpose.SEARCH, 1, "b"),
            ("p", Purpose.REEVALUATION, 1, "a"),
        ]
        for problem in problems
    ]
    assert list(evidence_from_bytes(evidence_to_bytes(wanted))) == [
        ("p", Purpose.SEARCH, 0, ("a", "b")),
        ("q", Purpose.SEARCH, 0, ("a", "b")),
        ("p", Purpose.SEARCH, 1, ("b",)),
        ("p", Purpose.REEVALUATION, 1, ("a",)),
    ]
    assert list(evidence_from_bytes(evidence_to_bytes([]))) == []
