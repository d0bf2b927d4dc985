"""What the report is made of comes from the record alone, and agrees with what the search itself measured."""

import csv
import io
import itertools
import json
import math
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from evo.errors import UserError
from evo.evaluation import Ledger, Purpose
from evo.genome import read_genome
from evo.run import RunFolder
from evo.run.report import findings
from evo.run.report.ancestry import ancestors, reigns
from evo.run.report.charts import charts_of
from evo.run.report.page import champion_replays
from evo.run.report.record import Record, read_record
from evo.run.report.replay import traffic

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def report(evo_command: Command) -> Command:
    return partial(evo_command, "report")


def test_replayed_runs_are_the_cells_that_were_measured(record: Record) -> None:
    replays, gap = champion_replays(record)
    assert record.champion is not None
    assert gap == ""
    assert len(replays) == len(record.ledger.cells(record.champion, Purpose))
    for one in replays:
        assert one.final.passed is one.cell.solved
        assert one.trace.calls == one.cell.calls
        assert one.trace.tokens == one.cell.prompt_tokens + one.cell.completion_tokens
        verdicts = [step.verdict for step in one.trace.steps if step.verdict is not None]
        assert tuple(verdict.error_type for verdict in verdicts) == one.cell.error_types


def test_pipelines_that_lost_all_common_problems_claim_nothing(record: Record) -> None:
    """As a server leaves it that was away for most of a generation."""
    cells = []
    for place, plan in enumerate(sorted({one.plan for one in record.generations[0]})):
        looks = [cell for cell in record.ledger.cells(plan, (Purpose.SEARCH,)) if cell.replicate == 0]
        kept = sorted(cell.problem for cell in looks)[-(place % 2)]
        cells += [cell._replace(solved=cell.solved if cell.problem == kept else None) for cell in looks]
    assert len({cell.problem for cell in cells if cell.solved is not None}) == 2
    lost = replace(record, generations=record.generations[:1], ledger=Ledger(cells))
    assert findings.claim_points(lost) == []


def test_traffic_adds_up(record: Record) -> None:
    replays, _ = champion_replays(record)
    assert record.champion is not None
    genome = record.genomes[record.champion]
    shown = traffic(replays, genome)
    assert shown is not None
    assert shown.runs == len(replays)
    assert sum(shown.solved.values()) == pytest.approx(sum(one.final.passed for one in replays) / len(replays))
    leaving = sum(passes for (source, _), passes in shown.passes.items() if source == 0)
    assert leaving == pytest.approx(1), "a linear pipeline leaves the task once"


def test_findings_agree_with_the_record(record: Record) -> None:
    assert len(findings.generation_points(record)) == 4
    species = findings.species_points(record)
    assert {sum(p.size for p in species if p.generation == g) for g in range(4)} == {6}
    for what in ("model", "role"):
        shares = findings.share_points(record, what)
        for g in range(4):
            assert sum(p.share for p in shares if p.generation == g) == pytest.approx(1)
    spending = findings.spending_points(record)
    assert sum(p.made for p in spending) == sum(spent.calls for spent in record.spent)
    assert all(p.made <= p.used for p in spending)
    cells = findings.refining(record)
    errors = findings.error_points(cells)
    assert sum(p.before for p in errors) == sum(cell.error_types[0] != "" for cell in cells)
    assert all(math.isnan(p.repaired) or 0 <= p.repaired <= 1 for p in errors)
    tried = findings.tried_points(cells, early_stopping=True)
    assert [p.passing for p in tried] == sorted(p.passing for p in tried)
    assert tried[-1].runs == len(cells)


def test_claims_are_held_against_seeds_that_they_did_not_use(record: Record) -> None:
    for point in findings.claim_points(record):
        first = [c for c in record.ledger.cells(point.plan, (Purpose.SEARCH,)) if c.replicate == 0]
        assert 0 <= point.claim <= 1
        assert point.cells <= len(record.ledger.cells(point.plan, Purpose)) - len(first)


def test_the_champion_comes_from_the_first_population(record: Record) -> None:
    family = ancestors(record)
    line = [one for one in family if one.main]
    assert line[0].parents == ()
    assert [one.generation for one in line] == sorted(one.generation for one in line)
    for parent, child in itertools.pairwise(line):
        assert parent.key == child.parents[0]
    for reign in reigns(record):
        assert 0 <= reign.first <= reign.last < 4


def test_every_chart_has_units_n_and_its_numbers(record: Record) -> None:
    charts = charts_of(record, [], ancestors(record))
    assert {"fitness", "species", "complexity", "models", "roles", "claims", "errors", "tokens", "spending"} <= set(
        charts
    )
    for chart in charts.values():
        assert any(character.isdigit() for character in chart.caption), chart.name
        assert "error" in chart.caption, chart.name
        assert list(csv.DictReader(io.StringIO(chart.csv))), chart.name


def test_the_command_line_writes_page_and_pictures(run: Path, tmp_path: Path) -> None:
    arguments = ["--output", str(tmp_path / "page.html"), "--pictures", str(tmp_path / "pictures"), "--json"]
    command = [sys.executable, "-m", "evo.report", str(run), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["simulated"] is True
    assert answer["validated"]["problems"] == 10
    low, high = answer["validated"]["interval"]
    assert 0 <= low < answer["validated"]["mean"] < high <= 1
    assert "SIMULATED" in (tmp_path / "page.html").read_text()
    for name in ("fitness", "errors", "tokens"):
        assert (tmp_path / "pictures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "SIMULATED" in (tmp_path / "pictures" / f"{name}.svg").read_text()
        assert (tmp_path / "pictures" / f"{name}.csv").read_text().count("\n") > 1
    assert "in n = " in (tmp_path / "pictures" / "topology.svg").read_text()


def test_a_run_is_reported_while_it_goes_on(report: Command, tmp_path: Path) -> None:
    options = ["--backend", "simulated", "--run", "./run", "--generations", "500", "--set", "tasks.problems=5"]
    search = subprocess.Popen(
        [sys.executable, "-m", "evo.search", *options],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        folder = RunFolder(tmp_path / "run")
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and search.poll() is None:
            time.sleep(0.5)
            try:
                if len(read_record(folder).generations) >= 2:
                    break
            except UserError:
                continue
        done = report("./run", "--json", cwd=tmp_path)
        assert search.poll() is None, "the search still runs"
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["finished"] is False
        page = (tmp_path / "run" / "report.html").read_text()
        assert "the search has not ended" in page
        assert "Leading so far" in page
    finally:
        search.kill()
        search.wait()


def test_a_read_only_folder_is_reported_elsewhere_and_left_as_it_is(run: Path, tmp_path: Path) -> None:
    """Truly read-only, for root as well: a bind mount inside bubblewrap."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        pytest.skip("bubblewrap is not installed: no folder can be made read-only for root (apt install bubblewrap)")
    mounts = ["--dev-bind", "/", "/", "--ro-bind", str(run), str(run)]
    if subprocess.run([bwrap, *mounts, "true"], check=False, capture_output=True).returncode:
        pytest.skip("bubblewrap cannot mount here: no folder can be made read-only for root")
    before = sorted(path.name for path in run.iterdir())
    command = [bwrap, *mounts, sys.executable, "-m", "evo.report", str(run)]
    refused = subprocess.run(command, check=False, capture_output=True, text=True)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "report.html: cannot write this file" in refused.stderr
    elsewhere = [*command, "--output", str(tmp_path / "page.html")]
    assert subprocess.run(elsewhere, check=False, capture_output=True).returncode == 0
    assert "The champion solves" in (tmp_path / "page.html").read_text()
    assert sorted(path.name for path in run.iterdir()) == before


def test_champion_is_the_one_in_the_file(run: Path, record: Record) -> None:
    assert record.champion is not None
    assert record.genomes[record.champion] == read_genome(run / "champion.json")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["nowhere"], "no run is there"), (["."], "no run is there"), ([], "argument")],
)
def test_bad_input_is_one_line_and_exit_code_2(
    report: Command, arguments: list[str], words: str, tmp_path: Path
) -> None:
    done = report(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_search_ends_with_its_report(evo_command: Command, tmp_path: Path) -> None:
    options = ["--backend", "simulated", "--run", "./run", "--generations", "1", "--population", "4", "--problems", "5"]
    done = evo_command("search", *options, cwd=tmp_path)
    assert "look at  run/report.html" in done.stdout
    assert "The champion solves" in (tmp_path / "run" / "report.html").read_text()


def test_page_and_summary_say_the_same_of_the_champion_s_tokens(run: Path, record: Record) -> None:
    told = f"{record.champion_tokens:.0f}"
    assert f"| champion's tokens on a problem | {told} |" in (run / "summary.md").read_text()
    assert f"<b>{told}</b><span>tokens the champion takes on a problem</span>" in (run / "report.html").read_text()
    measured = [c for c in record.cells if c.plan == record.champion and c.purpose is Purpose.VALIDATION]
    tokens = [c.prompt_tokens + c.completion_tokens for c in measured if c.solved is not None]
    assert told == f"{sum(tokens) / len(tokens):.0f}"
