"""How a search ends: the final race, the validation on other seeds, plainer pipelines, the champion taken apart."""

import json
import signal
import sqlite3

import pytest

import evo
from evo.evaluation import Purpose, Store, tied
from evo.genome import Role, faults, loads, read_genome
from evo.genome.space import OPEN
from evo.models.simulated import SimulatedBackend
from evo.pipeline import PipelineSettings, PromptBook, compile_genome
from evo.resources import genome_path
from evo.run import Interrupted, Observer
from evo.run.baselines import best_of

QUICK = {
    "run.founders": "",
    "models.backend": "simulated",
    "run.generations": "3",
    "NEAT.pop_size": "6",
    "tasks.problems": "5",
    "evaluation.finalists": "3",
    "evaluation.final_problems": "10",
    "evaluation.token_price": "0.05",
    "baselines.problems": "12",
}


def search(folder, observer=None, term=None, **changes):
    more = {key.replace("__", "."): value for key, value in changes.items()}
    return evo.search("laptop", run=str(folder), observer=observer, term=term, changes=QUICK | more)


def selected_on(store):
    """The cells that selection saw, by plan."""
    found = {}
    for cell in store.cells():
        race = cell.purpose is Purpose.REEVALUATION and cell.replicate >= 1 << 28
        if cell.purpose in (Purpose.SEARCH, Purpose.REEVALUATION) and not race:
            found.setdefault(cell.plan, []).append(cell)
    return found


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


def price(genome, cells):
    """What nodes and tokens cost in solve rate, as the settings say."""
    return (
        0.02 * len(genome.inner) + 0.05 * sum(c.prompt_tokens + c.completion_tokens for c in cells) / len(cells) / 1000
    )


def test_tokens_and_nodes_have_their_price_in_the_final_race(finished):
    store = Store(finished.folder / "run.sqlite")
    cells, records = selected_on(store), [json.loads(text) for _, text in store.generations()]
    store.close()
    genomes = {one["plan"]: json.dumps(one["genome"]) for record in records for one in record["individuals"]}
    for one in finished.final:
        genome = loads(genomes[one.plan], source="record")
        assert one.price == pytest.approx(price(genome, cells[one.plan]))


def test_nobody_who_ties_with_a_generation_s_best_is_cheaper_than_its_champion(finished):
    record, rivals, prices = tied_for_the_last_generation(finished)
    assert record["report"]["best"] == rivals[prices.index(min(prices))]["estimate"]
    assert len(rivals) > 1


def test_what_a_program_adds_is_taken_off_the_price_that_decides_a_tie(tmp_path):
    result = search(tmp_path / "run", term=larger, baselines__enabled="false")
    record, rivals, prices = tied_for_the_last_generation(result, larger)
    assert record["report"]["best"] == rivals[prices.index(min(prices))]["estimate"]
    sizes = [len(one["genome"]["nodes"]) for one in rivals]
    assert sizes[prices.index(min(prices))] == max(sizes) > min(sizes)


def larger(genome, estimate):
    """A fitness term to which every node is worth more than it costs."""
    return 0.5 * len(genome.inner)


def tied_for_the_last_generation(finished, term=lambda genome, estimate: 0.0):
    """Its record, the individuals that tie with the best, and their prices."""
    store = Store(finished.folder / "run.sqlite")
    cells, record = selected_on(store), json.loads([text for _, text in store.generations()][-1])
    store.close()
    ranked = sorted(record["individuals"], key=lambda one: (-one["fitness"], one["key"]))
    rivals = [one for one in ranked if tied(cells[ranked[0]["plan"]], cells[one["plan"]])]
    genomes = [loads(json.dumps(one["genome"]), source="record") for one in rivals]
    prices = [price(g, cells[one["plan"]]) - term(g, None) for g, one in zip(genomes, rivals, strict=True)]
    return record, rivals, prices


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


def test_ctrl_c_among_the_baselines_is_an_interruption_and_the_run_goes_on(tmp_path, monkeypatch):
    class Watching(Observer):
        def started(self, progress):
            self.progress = progress

    async def interrupted(self, call):
        if watching.progress.phase == "baselines" and not hit:
            hit.append(call)
            signal.raise_signal(signal.SIGINT)
        return await answered(self, call)

    watching, hit, answered = Watching(), [], SimulatedBackend.chat
    monkeypatch.setattr(SimulatedBackend, "chat", interrupted)
    with pytest.raises(Interrupted):
        search(tmp_path / "run", watching, run__generations="1")
    monkeypatch.undo()
    with sqlite3.connect(tmp_path / "run" / "run.sqlite") as db:
        assert db.execute("SELECT COUNT(*) FROM meta WHERE key = 'baselines'").fetchone() == (0,)
    result = search(tmp_path / "run", run__generations="1")
    assert all(row.lead is not None for row in result.baselines)


@pytest.mark.parametrize("count", [2, 6])
def test_best_of_n_is_a_valid_pipeline_whose_answers_have_seeds_of_their_own(count):
    genome = best_of(read_genome(genome_path("solo")), count)
    assert not faults(genome, OPEN)
    plan = compile_genome(genome, PipelineSettings(), PromptBook.load())
    positions = [v.position for v in plan.visits if plan.nodes[v.node].role is Role.GENERATOR]
    assert len(set(positions)) == count


def test_single_evaluation_believes_its_best_score(tmp_path):
    study = {"evaluation__policy": "single", "evaluation__caution": "0", "evaluation__finalists": "0"}
    cheap = {"PipelineReproduction__parsimony_per_node": "0.001", "NEAT__pop_size": "12", "tasks__problems": "10"}
    result = search(tmp_path / "run", **study, **cheap, baselines__enabled="false")
    store = Store(result.folder / "run.sqlite")
    records = [json.loads(text) for _, text in store.generations()]
    store.close()
    for record in records:
        highest = max(one["fitness"] for one in record["individuals"])
        assert record["report"]["best"] in [o["estimate"] for o in record["individuals"] if o["fitness"] == highest]
