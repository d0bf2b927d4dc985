"""How a search ends: the final race, the validation on other seeds, plainer pipelines, the champion taken apart."""

import json
import sqlite3

import pytest

import evo
from evo.evaluation import Purpose, Store
from evo.genome import Role, faults, read_genome
from evo.genome.space import OPEN
from evo.pipeline import PipelineSettings, PromptBook, compile_genome
from evo.resources import genome_path
from evo.run.baselines import best_of

QUICK = {
    "models.backend": "simulated",
    "run.generations": "3",
    "NEAT.pop_size": "6",
    "tasks.problems": "5",
    "evaluation.finalists": "3",
    "evaluation.final_problems": "10",
    "baselines.problems": "12",
}


def search(folder, **changes):
    return evo.search("laptop", run=str(folder), changes=QUICK | {k.replace("__", "."): v for k, v in changes.items()})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return search(tmp_path_factory.mktemp("search") / "run")


def test_the_final_race_is_on_seeds_of_its_own_and_on_no_validation_problem(finished):
    store = Store(finished.folder / "run.sqlite")
    cells = list(store.cells())
    record = json.loads(store.meta("ending"))
    store.close()
    assert [one["plan"] for one in record["final"]] == [one.plan for one in finished.final]
    assert len(finished.final) == 3
    assert finished.final[0].plan == finished.plan == record["champion"]
    assert finished.final[0].lead is None
    assert all(one.lead.problems == 15 for one in finished.final[1:])
    race = {(c.problem, c.replicate) for c in cells if c.purpose is Purpose.REEVALUATION and c.replicate >= 1 << 28}
    others = {(c.problem, c.replicate) for c in cells if c.purpose is Purpose.REEVALUATION} - race
    validation = {c.problem for c in cells if c.purpose is Purpose.VALIDATION}
    assert len({problem for problem, _ in race}) == 15
    assert not race & others
    assert not validation & {problem for problem, _ in race}


def test_baselines_and_parts_are_paired_with_the_champion(finished):
    names = [row.name for row in finished.baselines]
    assert [n.split(", ")[-1].split(" of ")[0].split()[-1] for n in names] == ["alone", "loop", "best", "best"]
    assert all(row.lead.problems == row.estimate.problems == 12 for row in finished.baselines)
    assert all(row.tokens > 0 and row.calls >= 1 for row in finished.baselines)
    assert any("no pipeline is left" in row.missing for row in finished.parts)
    parts = {part for row in finished.parts for part in row.name.split(", ")}
    assert {f"{node.role} {node.id}" for node in finished.champion.inner} <= parts
    summary = (finished.folder / "summary.md").read_text()
    assert "The final race" in summary
    assert all(row.name in summary for row in (*finished.baselines, *finished.parts))


def test_it_resumes_without_a_call_and_can_be_skipped(finished):
    again = search(finished.folder)
    assert again.counters.calls_made == 0
    assert (again.baselines, again.parts, again.final) == (finished.baselines, finished.parts, finished.final)
    skipped = search(finished.folder, baselines__enabled="false")
    assert skipped.baselines == skipped.parts == ()


def test_minutes_that_do_not_suffice_are_named(tmp_path):
    result = search(tmp_path / "run", baselines__limit_minutes="0.000001", run__generations="1")
    assert result.validated is not None
    assert all("time limit" in row.missing for row in result.baselines)
    with sqlite3.connect(result.folder / "run.sqlite") as db:
        assert db.execute("SELECT COUNT(*) FROM meta WHERE key = 'baselines'").fetchone() == (1,)


@pytest.mark.parametrize("count", [2, 6])
def test_best_of_n_is_a_valid_pipeline_whose_answers_have_seeds_of_their_own(count):
    genome = best_of(read_genome(genome_path("solo")), count)
    assert not faults(genome, OPEN)
    plan = compile_genome(genome, PipelineSettings(), PromptBook.load())
    positions = [v.position for v in plan.visits if plan.nodes[v.node].role is Role.GENERATOR]
    assert len(set(positions)) == count
