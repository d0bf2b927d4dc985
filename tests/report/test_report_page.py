"""The page in a real browser: no errors, no network, sortable, filterable, fit for a phone, deaf to hostile text."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from browser import Browser

from evo.run import RunFolder, write_report
from evo.run.report import page
from evo.run.report.page import one_run
from evo.run.report.record import Record, read_record
from evo.run.report.replay import Replay

HOSTILE = (
    "def f():\n    return '</pre></details><script>document.title=\"owned\"</script>'\n"
    "# <img src=x onerror=\"document.title='owned'\"> <svg onload=document.title='owned'> {{ 7 * 7 }} ]]> &lt;b&gt;\n"
)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)])
def test_it_loads_without_a_complaint_and_without_a_network(
    run: Path, browser: Browser, width: int, dark: bool
) -> None:
    browser.open(run / "report.html", width=width, dark=dark)
    assert browser.messages == []
    assert [url for url in browser.requests if not url.startswith(("data:", "file:"))] == []
    assert len(browser.requests) == 1
    assert browser.run("document.documentElement.scrollWidth") <= width, "nothing makes the page wider than it is"
    background = browser.run("getComputedStyle(document.body).backgroundColor")
    lightness = sum(int(part) for part in background[4:-1].split(","))
    assert (lightness < 200) is dark
    assert browser.run("document.querySelectorAll('figure svg').length") >= 8


def test_the_answer_comes_first_and_says_what_it_rests_on(run: Path, record: Record, browser: Browser) -> None:
    browser.open(run / "report.html")
    answer = browser.run("document.querySelector('#answer').innerText")
    assert record.validated is not None
    assert f"{100 * record.validated.mean:.1f}" in answer
    assert "10 problems that the search never saw" in answer
    assert "95 % interval" in answer
    assert "SIMULATED" in answer
    assert "not measured" in browser.run("document.querySelector('#baselines').innerText")
    assert browser.run("document.title").startswith("run (SIMULATED)")


def test_tables_sort_by_what_the_numbers_are(run: Path, browser: Browser) -> None:
    browser.open(run / "report.html")
    column = (
        "(() => { const t = document.querySelector('#pipelines table'); const at = 5;"
        " t.tHead.rows[0].cells[at].querySelector('button').click();"
        " return [...t.tBodies[0].rows].map(r => Number(r.cells[at].textContent)); })()"
    )
    up, down = browser.run(column), browser.run(column)
    assert len(set(up)) > 1
    assert up == sorted(up)
    assert down == sorted(down, reverse=True)
    assert browser.run("document.querySelector('#pipelines th[aria-sort]').ariaSort") == "descending"


def test_problems_are_filtered_by_outcome_and_by_words(run: Path, browser: Browser) -> None:
    browser.open(run / "report.html")
    shown = "[...document.querySelectorAll('.problem')].filter(p => !p.hidden).length"
    everything = browser.run(shown)
    browser.run("document.querySelector('[data-filter=failed]').click()")
    failed = browser.run(shown)
    assert 0 < failed < everything
    assert browser.run(f"({shown}) === document.querySelectorAll('.problem[data-kinds~=failed]').length")
    browser.run("document.querySelector('[data-filter=all]').click()")
    find = "(f => { f.value = 'no such words'; f.dispatchEvent(new Event('input')); })(document.querySelector('#find'))"
    browser.run(find)
    assert browser.run(shown) == 0
    assert browser.run("document.querySelector('#shown').textContent") == f"0 of {everything}"


def test_the_theme_can_be_turned(run: Path, browser: Browser) -> None:
    browser.open(run / "report.html")
    before = browser.run("getComputedStyle(document.body).backgroundColor")
    browser.run("document.querySelector('#theme').click()")
    assert browser.run("getComputedStyle(document.body).backgroundColor") != before


def test_a_hostile_answer_runs_nothing_and_is_shown_as_it_is(
    run: Path, record: Record, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every text that comes from a model or a sandbox is hostile, and so is the run's name and a model's."""
    replays, _ = page.champion_replays(record)

    def spoilt(_: Record) -> tuple[tuple[Replay, ...], str]:
        return tuple(
            replace(
                one,
                problem=replace(one.problem, prompt=HOSTILE, entry_point="<script>document.title='owned'</script>"),
                trace=replace(
                    one.trace,
                    steps=tuple(
                        replace(
                            step,
                            text=HOSTILE if step.position is not None else "",
                            code=HOSTILE * 2,
                            verdict=step.verdict and replace(step.verdict, message=HOSTILE, error_type="<b>Error</b>"),
                        )
                        for step in one.trace.steps
                    ),
                ),
            )
            for one in replays
        ), HOSTILE

    monkeypatch.setattr(page, "champion_replays", spoilt)
    models = {HOSTILE: dict.fromkeys(("digest", "quantization", "parameters", "backend", "server_version"), HOSTILE)}

    spoilt_record = replace(record, documents={**record.documents, "models": models}, config=HOSTILE)
    (tmp_path / "report.html").write_text(one_run(spoilt_record))
    browser.open(tmp_path / "report.html")
    browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.run("document.title").startswith("run (SIMULATED)")
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert browser.run("document.querySelectorAll('script').length") == 1
    assert browser.messages == []
    shown = browser.run("document.querySelector('.problem pre').textContent")
    assert shown.strip() == HOSTILE.strip()


def test_the_page_is_the_same_from_the_same_record(run: Path, tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        write_report(RunFolder(run), tmp_path / name)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
    assert len((tmp_path / "one.html").read_bytes()) < 5_000_000


def test_a_run_without_a_generation_has_a_page(run: Path, tmp_path: Path, browser: Browser) -> None:
    """As early as that: the search has only begun."""
    early = tmp_path / "early"
    early.mkdir()
    (early / "config.ini").write_bytes((run / "config.ini").read_bytes())
    with sqlite3.connect(run / "run.sqlite") as source, sqlite3.connect(early / "run.sqlite") as target:
        source.backup(target)
        target.execute("DELETE FROM generations")
        target.execute("DELETE FROM meta WHERE key IN ('ending', 'baselines')")
    write_report(RunFolder(early))
    browser.open(early / "report.html")
    assert browser.messages == []
    assert "No champion" in browser.run("document.body.innerText")
    assert not read_record(RunFolder(early)).finished


def test_what_the_champion_was_held_against_is_told(
    run: Path, record: Record, browser: Browser, tmp_path: Path
) -> None:
    """As the end of a search records it: a race, baselines, parts; what could not be measured says why."""

    def estimate(mean: float) -> dict[str, object]:
        return {"mean": mean, "stderr": 0.05, "replicates": 1.0, "problems": 30, "missing": 0}

    def lead(mean: float) -> dict[str, object]:
        return {"mean": mean, "stderr": 0.05, "problems": 30, "cells": 30}

    def rival(name: str, gap: float | None, missing: str = "") -> dict[str, object]:
        found = None if gap is None else estimate(0.5 - gap)
        return {"name": name, "estimate": found, "tokens": 300.0, "calls": 1.5, "missing": missing,
                "lead": None if gap is None else lead(gap)}  # fmt: skip

    assert record.champion is not None
    other = next(plan for plan in record.genomes if plan != record.champion)
    final = [
        {"plan": record.champion, "estimate": estimate(0.5), "price": 0.0, "lead": None, "p": 1.0},
        {"plan": other, "estimate": estimate(0.45), "price": 0.0, "lead": lead(0.05), "p": 0.4},
    ]
    held = {
        "baselines": [rival("one model alone", 0.3), rival("best of 3", 0.01), rival("random", None, "no time left")],
        "parts": [rival("refiner 4", 0.2), rival("generator 2", None, "no pipeline is left without it")],
    }
    documents = {**record.documents, "baselines": held, "ending": {**record.ending, "final": final}}
    (tmp_path / "report.html").write_text(one_run(replace(record, documents=documents)))
    browser.open(tmp_path / "report.html")
    answer = browser.run("document.querySelector('#answer').innerText")
    assert "Beats one model alone." in answer
    assert f"Cannot be told apart from best of 3; finalist {other[:8]}" in answer
    assert "champion, in the final race" in answer
    rows = browser.run("[...document.querySelectorAll('#baselines tbody tr')].map(r => r.innerText)")
    assert len(rows) == 6
    assert any("not measured" in row and "no time left" in row for row in rows)
    assert any("refiner 4" in row and "+20.0 ± 5.0 points" in row and "yes" in row for row in rows)
