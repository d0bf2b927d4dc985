"""A small SIMULATED run, made once, and one browser for all tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, Browser

import evo
from evo.run import RunFolder, write_report
from evo.run.report.record import Record, read_record

QUICK = {
    "models.backend": "simulated",
    "run.generations": "4",
    "NEAT.pop_size": "6",
    "tasks.problems": "5",
    "evaluation.validation_problems": "10",
}


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("report") / "run"
    evo.search("laptop", run=str(folder), changes=QUICK)
    write_report(RunFolder(folder))
    return folder


@pytest.fixture(scope="session")
def record(run: Path) -> Record:
    """What is on record of it."""
    return read_record(RunFolder(run))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; the tests that need it are skipped where it is not installed."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: no page is looked at (apt install chromium)")
    with Browser() as opened:
        yield opened
