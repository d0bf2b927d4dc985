"""Whole searches over a server that is restarted, loses a model, holds one model at a time."""

import json
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import ollama
import pytest

import evo
from evo.errors import EvoError
from evo.models import ModelMissing

CHANGES = {
    "models.backend": "ollama",
    "run.generations": "3",
    "tasks.problems": "2",
    "NEAT.pop_size": "6",
    "pipeline.max_tokens": "64",
    "evaluation.validation_problems": "2",
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def search(url: str, monkeypatch: pytest.MonkeyPatch, models: str = "one,two", **changes: str):
    monkeypatch.setenv("OLLAMA_HOST", url)
    return evo.search("tiny", run="run", changes={**CHANGES, "models.models": models, **changes})


def count(question: str) -> int:
    with closing(sqlite3.connect("runs/run/run.sqlite")) as db:
        return db.execute(f"SELECT COUNT(*) {question}").fetchone()[0]


def background(work) -> tuple[threading.Thread, list]:
    outcome: list = []

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


def test_a_search_over_two_models_one_of_them_in_memory_at_a_time(start_double, monkeypatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "very-secret")
    double = start_double("--model", "one=fake", "--model", "two=fake", "--loaded", "1", "--parallel", "4")
    found = search(double.url, monkeypatch)
    assert len(found.generations) == 3
    assert found.backend == "ollama"
    assert set(found.models) == {"one", "two"}
    assert count("FROM cells WHERE solved IS NULL") == 0
    assert count("FROM calls") == found.counters.calls_made == double.counters()["answered"]
    with closing(sqlite3.connect("runs/run/run.sqlite")) as db:
        recorded = json.loads(db.execute("SELECT value FROM meta WHERE key='models'").fetchone()[0])
        options = json.loads(db.execute("SELECT value FROM meta WHERE key='options'").fetchone()[0])
    for info in recorded.values():
        assert info["server_version"] == "ollama 0.32.15"
        assert len(info["digest"]) == len(info["template"]) == 64
        assert (info["quantization"], info["parameters"]) == ("Q4_0", "1M")
        assert info["options"] == {"keep_alive": "30m", "think": False, "repeat_last_n": 64}
    assert (options["context"], options["max_tokens"], options["min_p"]) == (4096, 64, 0.0)
    for path in Path("runs/run").rglob("*"):
        if path.is_file():
            assert b"very-secret" not in path.read_bytes()


def test_a_server_that_is_killed_and_restarted_in_mid_search_costs_nothing(start_double, monkeypatch) -> None:
    double = start_double("--model", "one=fake", "--model", "two=fake", "--token-seconds", "0.02", "--parallel", "2")
    thread, outcome = background(lambda: search(double.url, monkeypatch))
    while double.counters()["answered"] < 8:
        time.sleep(0.05)
    double.kill()
    time.sleep(1)
    double.restart()
    thread.join()
    assert not isinstance(outcome[0], Exception), outcome[0]
    assert len(outcome[0].generations) == 3
    assert count("FROM cells WHERE solved IS NULL") == 0
    assert count("FROM calls") == outcome[0].counters.calls_made


def test_a_model_that_is_deleted_in_mid_search_is_named_and_its_cells_are_measured_later(
    start_double, monkeypatch
) -> None:
    double = start_double("--model", "one=fake", "--model", "spare=fake", "--token-seconds", "0.02")
    client = ollama.Client(double.url)
    client.copy("spare", "two")
    thread, outcome = background(lambda: search(double.url, monkeypatch))
    while double.counters()["answered"] < 8:
        time.sleep(0.05)
    client.delete("two")
    thread.join()
    assert isinstance(outcome[0], EvoError) or count("FROM cells WHERE solved IS NULL") > 0
    faults = "FROM cells WHERE solved IS NULL AND fault NOT LIKE '%ollama pull two%'"
    assert count(faults) == 0, "each says what to do"
    paid = count("FROM calls")
    assert paid >= 8
    with pytest.raises(ModelMissing, match="ollama pull two"):
        search(double.url, monkeypatch)
    client.copy("spare", "two")
    again = search(double.url, monkeypatch)
    assert len(again.generations) == 3
    assert count("FROM cells WHERE solved IS NULL AND purpose = 'validation'") == 0
    assert count("FROM calls") == paid + again.counters.calls_made, "nothing is paid for twice"


def test_a_full_queue_costs_a_search_nothing(start_double, monkeypatch) -> None:
    limits = ("--parallel", "1", "--loaded", "1", "--queue", "1", "--token-seconds", "0.005")
    double = start_double("--model", "one=fake", "--model", "two=fake", *limits)
    found = search(double.url, monkeypatch)
    assert len(found.generations) == 3
    assert count("FROM cells WHERE solved IS NULL") == 0
    assert count("FROM calls") == found.counters.calls_made == double.counters()["answered"]


def test_a_token_that_is_repeated_until_the_server_stops_is_a_missing_cell(start_double, monkeypatch) -> None:
    double = start_double("--model", "one=fake", "--model", "two=fake:repeat", "--parallel", "4")
    found = search(double.url, monkeypatch)
    assert len(found.generations) == 3
    missing = count("FROM cells WHERE solved IS NULL")
    assert 0 < missing == found.counters.cells_missing < count("FROM cells")
    assert count("FROM cells WHERE solved IS NULL AND fault LIKE '%done = false%'") == missing


def test_a_prompt_that_is_cut_in_silence_is_a_missing_cell(start_double, monkeypatch, tmp_path) -> None:
    """Of four tasks two do not fit into the context; each of the others is measured."""
    tests, lines = ["assert f(1) == 1", "assert f(2) == 2"], []
    for k in range(4):
        prompt = f"Write f(x) that returns x. {'This is said at great length. ' * 100 * (k % 2)}"
        lines.append(json.dumps({"id": f"{k}-{k % 2}", "prompt": prompt, "entry_point": "f", "tests": tests}))
    (tmp_path / "tasks.jsonl").write_text("\n".join(lines), "utf-8")
    double = start_double("--model", "one=fake", "--model", "two=fake", "--parallel", "4")
    search(double.url, monkeypatch, **{"pipeline.context": "512", "tasks.benchmark": "tasks.jsonl"})
    short, long = (count(f"FROM cells WHERE problem LIKE '%-{k}'") for k in (0, 1))
    assert min(short, long) > 0
    assert count("FROM cells WHERE solved IS NULL") == long
    assert count("FROM cells WHERE problem LIKE '%-1' AND fault LIKE '%was cut to 512%'") == long


def test_pull_lets_the_server_fetch_what_it_lacks(start_double, monkeypatch) -> None:
    double = start_double("--model", "one=fake")
    with pytest.raises(ModelMissing, match="ollama pull pullable"):
        search(double.url, monkeypatch, "one,pullable")
    found = search(double.url, monkeypatch, "one,pullable", **{"models.pull": "true", "run.generations": "1"})
    assert set(found.models) == {"one", "pullable"}
