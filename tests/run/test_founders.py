"""A SIMULATED search begins with pipelines that are known, and they race for champion at its end."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest

import evo
from evo.errors import UserError
from evo.genome import read_genome
from evo.resources import genome_path

MODELS = ("qwen2.5:1.5b", "llama3.2:3b")
QUICK = {
    "models.backend": "simulated",
    "models.models": " ".join(MODELS),
    "run.generations": "3",
    "NEAT.pop_size": "4",
    "tasks.problems": "4",
    "evaluation.finalists": "1",
    "evaluation.final_problems": "6",
    "evaluation.validation_problems": "4",
    "evaluation.validation_replicates": "1",
    "baselines.enabled": "false",
}


def search(folder, founders, **changes):
    return evo.search("laptop", run=str(folder), changes=QUICK | {"run.founders": founders} | changes)


def first_generation(folder):
    with closing(sqlite3.connect(folder / "run.sqlite")) as db:
        (text,) = db.execute("SELECT record FROM generations WHERE number = 0").fetchone()
    return json.loads(text)["individuals"]


@pytest.fixture(scope="module")
def founded(tmp_path_factory):
    """Begun with a file that is gone since."""
    home = tmp_path_factory.mktemp("founded")
    shutil.copy(genome_path("self-refine"), home / "mine.json")
    result = search(home / "run", str(home / "mine.json"))
    (home / "mine.json").unlink()
    return result


def test_a_founder_of_one_model_is_there_once_for_each_of_the_pool(founded):
    founders = first_generation(founded.folder)[:2]
    nodes = [[n for n in one["genome"]["nodes"] if "model" in n] for one in founders]
    assert [{n["model"] for n in mine} for mine in nodes] == [{model} for model in MODELS]
    assert [[n["prompt"] for n in mine] for mine in nodes] == [["plain", "fix"]] * 2


def test_founders_race_for_champion(founded):
    racing = {finalist.plan for finalist in founded.final}
    assert {one["plan"] for one in first_generation(founded.folder)[:2]} <= racing


def test_a_run_goes_on_without_the_files_of_its_founders(founded):
    before = first_generation(founded.folder)
    again = evo.search(run=str(founded.folder), changes={"run.generations": "4"})
    assert len(again.generations) == 4
    assert first_generation(founded.folder) == before


def test_a_search_can_begin_with_what_another_ended_with(founded, tmp_path):
    result = search(tmp_path / "run", str(founded.folder / "champion.json"), **{"run.generations": "1"})
    assert result.plan in {one["plan"] for one in first_generation(result.folder)}


def test_a_founder_that_is_not_in_the_space_is_named_with_its_fault(tmp_path):
    with pytest.raises(UserError, match=r"^\[run\] founders: solo: .*stages"):
        search(tmp_path / "run", "solo")


def test_a_founder_whose_models_are_not_all_in_the_pool_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"founders: cross-model: node \d+ .*'qwen2.5:1.5b' is not in the pool"):
        search(tmp_path / "run", "cross-model", **{"models.models": "llama3.2:3b"})


@pytest.mark.parametrize(("preset", "first"), [("laptop", "self-refine"), ("graph", "solo")])
def test_presets_begin_with_genomes_that_are_in_their_space(tmp_path, preset, first):
    result = evo.search(preset, run=str(tmp_path / "run"), changes=QUICK | {"run.generations": "1"})
    founder = first_generation(result.folder)[0]["genome"]["nodes"]
    assert [n["role"] for n in founder] == [n.role for n in read_genome(genome_path(first)).nodes]
