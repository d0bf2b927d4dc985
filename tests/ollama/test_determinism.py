"""evo.doctor --determinism: what it finds of a server that repeats itself and of one that does not; who quotes it."""

import json
from functools import partial
from pathlib import Path

import pytest

import evo


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVO_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def doctor(evo_command, tmp_path: Path):
    return partial(evo_command, "doctor", "--determinism", cwd=tmp_path)


def test_what_is_measured_is_reported_and_quoted_by_a_run(doctor, start_double, monkeypatch) -> None:
    double = start_double("--model", "steady=fake", "--model", "moody=fake:moody", "--parallel", "4")
    monkeypatch.setenv("OLLAMA_HOST", double.url)
    done = doctor("--backend", "ollama", "--models", "steady,moody", "--json")
    assert done.returncode == 0, done.stderr
    steady, moody = json.loads(done.stdout)
    assert steady["found"] == ("again 100%, after another call 100%, 4 at once 100%, freshly loaded 100% (12 seeds)")
    assert steady["fix"] == ""
    assert moody["found"].startswith("again 0%, after another call 0%, 4 at once 0%")
    assert "call store" in moody["fix"]
    assert double.counters()["loads"] == 2 + 2 * 3, "a cold call finds its model freshly loaded"

    changes = {"models.backend": "ollama", "models.models": "moody", "run.generations": "1", "NEAT.pop_size": "2"}
    small = {"tasks.problems": "1", "evaluation.validation_problems": "1", "evaluation.replicates": "1"}
    found = evo.search("tiny", run="run", changes={**changes, **small})
    assert "| equal calls to moody, equal answers | again 0%" in (found.folder / "summary.md").read_text()


def test_a_server_that_is_not_there_is_one_line(doctor, monkeypatch, unused_tcp_port) -> None:
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{unused_tcp_port}")
    done = doctor("--backend", "ollama")
    assert done.returncode == 2
    assert "ollama serve" in done.stderr
    assert "Traceback" not in done.stderr
