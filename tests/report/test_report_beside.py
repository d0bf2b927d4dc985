"""Runs side by side: paired where problems and seeds allow, and nothing claimed where they do not."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from browser import Browser

from evo.evaluation import Cell, Ledger, Purpose
from evo.run.report.beside import match
from evo.run.report.record import Record


def _with(record: Record, solved: str, seed: int = 1, benchmark: str = "humaneval", replicates: int = 2) -> Record:
    """The same run with another champion's validation: a letter per problem, + for solved."""
    assert record.champion is not None
    cells = [
        Cell(record.champion, f"p{number}", Purpose.VALIDATION, replicate, solved=letter == "+")
        for number, letter in enumerate(solved)
        for replicate in range(replicates)
    ]
    settings = replace(
        record.settings,
        run=replace(record.settings.run, seed=seed),
        tasks=replace(record.settings.tasks, benchmark=benchmark),
    )
    return replace(record, ledger=Ledger(cells), settings=settings)


def test_the_same_seeds_are_paired_by_problem_and_seed(record: Record) -> None:
    found = match("a", _with(record, "++++++++++++--"), "b", _with(record, "--------------"))
    assert found.difference is not None
    assert found.difference.mean == pytest.approx(12 / 14)
    assert found.how == "paired by problem and seed: 14 problems, 28 measurements"
    assert found.verdict == "a is better"


def test_other_seeds_are_paired_by_problem_alone(record: Record) -> None:
    found = match("a", _with(record, "++++----++"), "b", _with(record, "++++----+-", seed=2))
    assert found.difference is not None
    assert found.difference.mean == pytest.approx(0.1)
    assert "other study seeds" in found.how
    assert found.verdict == "cannot be told apart"
    swapped = match("b", _with(record, "++++----+-", seed=2), "a", _with(record, "++++----++"))
    assert swapped.difference is not None
    assert swapped.difference.mean == pytest.approx(-found.difference.mean)


def test_few_problems_that_agree_by_chance_prove_nothing(record: Record) -> None:
    found = match("a", _with(record, "+++"), "b", _with(record, "---", seed=2))
    assert found.difference is not None
    assert found.difference.stderr > 0.2
    assert found.verdict == "cannot be told apart"


def test_other_problems_are_not_compared(record: Record) -> None:
    found = match("a", _with(record, "++++"), "b", _with(record, "----", benchmark="mbpp"))
    assert found.difference is None
    assert found.verdict == "not comparable"


def test_the_page_of_two_runs(run: Path, tmp_path: Path, browser: Browser) -> None:
    page = tmp_path / "beside.html"
    command = [sys.executable, "-m", "evo.report", str(run), str(run), "--output", str(page), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == {"report": str(page), "runs": [str(run), str(run)]}
    for width in (1280, 390):
        browser.open(page, width=width)
        assert browser.messages == []
        assert browser.run("document.documentElement.scrollWidth") <= width
    text = browser.run("document.body.innerText")
    assert "paired by problem and seed: 10 problems" in text
    assert "cannot be told apart" in text, "a run against itself"
    assert "SIMULATED" in text
    assert "these runs have the same settings" in text
