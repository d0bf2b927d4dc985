import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial

import pytest

import evo


@pytest.fixture
def doctor(evo_command):
    return partial(evo_command, "doctor")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doctor") / "run"
    changes = {"models.backend": "simulated", "run.generations": "2", "NEAT.pop_size": "4", "tasks.problems": "3"}
    evo.search("laptop", run=str(folder), changes=changes)
    return folder


def test_a_machine_that_runs_these_tests_is_well(doctor, tmp_path):
    done = doctor("--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert set(checks) == {"python", "packages", "sandbox", "ollama", "embedded", "disk"}
    assert "neat-python" in checks["packages"]["found"]
    assert "Not isolated: the kernel" in checks["sandbox"]["found"]
    assert all(check["fix"] for check in checks.values() if not check["good"])


def test_without_any_backend_it_says_so_and_what_helps(tmp_path, monkeypatch):
    (tmp_path / "xllamacpp.py").write_text("raise ImportError('none here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    command = [sys.executable, "-m", "evo.doctor"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    if "BAD embedded" in done.stdout:  # the engine's version may be known without importing it
        assert done.returncode == 1
        assert "-> pip install" in done.stdout
    assert "127.0.0.1:9" in done.stdout


def test_a_finished_run_is_whole_and_stays_untouched(doctor, finished, tmp_path):
    before = {path.name: path.read_bytes() for path in finished.iterdir() if path.suffix not in (".sqlite-shm",)}
    done = doctor(finished, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "2 generations" in done.stdout
    after = {path.name: path.read_bytes() for path in finished.iterdir() if path.name in before}
    assert after == before


def test_a_damaged_database_is_named_with_what_can_be_saved(doctor, finished, tmp_path):
    hurt = tmp_path / "hurt"
    hurt.mkdir()
    for name in ("config.ini", "run.sqlite"):
        (hurt / name).write_bytes((finished / name).read_bytes())
    content = bytearray((hurt / "run.sqlite").read_bytes())
    content[4096 * 3 : 4096 * 6] = b"\xff" * (4096 * 3)
    (hurt / "run.sqlite").write_bytes(content)
    done = doctor(hurt, cwd=tmp_path)
    assert done.returncode == 1
    assert "BAD database" in done.stdout
    assert ".recover" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("statement", "resumes"),
    [
        ("UPDATE generations SET record = SUBSTR(record, 1, 99) WHERE number = 0", True),  # is decided and written anew
        ("UPDATE generations SET record = REPLACE(record, '\"report\"', '\"repost\"') WHERE number = 1", True),
        ("UPDATE generations SET record = REPLACE(record, '\"parents\"', '\"parrots\"') WHERE number = 1", True),
        ("UPDATE meta SET value = SUBSTR(value, 1, 9) WHERE key = 'ending'", True),
        ("UPDATE meta SET value = '[1]' WHERE key = 'baselines'", True),
        ("UPDATE meta SET value = SUBSTR(value, 1, 9) WHERE key = 'models'", False),
        ("UPDATE meta SET value = 'x' WHERE key = 'identity'", False),
        ("UPDATE meta SET value = '[' WHERE key = 'founders'", False),
    ],
)
def test_what_is_damaged_inside_a_sound_database_is_named(evo_command, finished, tmp_path, statement, resumes):
    hurt = tmp_path / "hurt"
    shutil.copytree(finished, hurt)
    with closing(sqlite3.connect(hurt / "run.sqlite", isolation_level=None)) as db:
        assert db.execute(statement).rowcount == 1
    shown = "identity" not in statement and "founders" not in statement  # of these a report tells nothing
    done = evo_command("doctor", hurt, cwd=tmp_path)
    assert done.returncode == (1 if shown else 0), done.stdout
    report = evo_command("report", hurt, cwd=tmp_path)
    assert report.returncode == (2 if shown else 0)
    if shown:
        assert "BAD content" in done.stdout
        assert report.stderr.count("\n") == 1
        assert "is damaged" in report.stderr
        assert f"--run {hurt} --fork NAME" in report.stderr
    again = evo_command("search", "--run", hurt, cwd=tmp_path)
    assert again.returncode == (0 if resumes else 2), again.stderr
    if not resumes:
        assert f"{hurt}/run.sqlite: what it says of its " in again.stderr
        assert again.stderr.count("\n") == 1


def test_no_run_is_one_line(doctor, tmp_path):
    done = doctor("nothing", cwd=tmp_path)
    assert done.returncode == 2
    assert "no run is there" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_plan_is_near_what_a_search_really_uses(doctor, tmp_path):
    settings = ["--set", "run.generations=24", "--set", "evaluation.validation_problems=20"]
    done = doctor("--plan", "laptop", *settings, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    cost = json.loads(done.stdout)["cost"]
    assert (cost["generations"], cost["rehearsed"], cost["hours"]) == (24, 10, None)
    assert any("SIMULATED" in text for text in cost["assumptions"])
    assert cost["low"] < cost["calls"] < cost["high"]
    # A seed that was not rehearsed, all generations: other problems, other genomes.
    changes = {"models.backend": "simulated", "run.generations": "24", "run.limit_minutes": "0", "run.seed": "8"}
    used = evo.search("laptop", run=str(tmp_path / "run"), changes=changes | {"evaluation.validation_problems": "20"})
    assert 0.7 * cost["low"] < used.counters.calls_made < 1.4 * cost["high"]
    read = cost["tokens_read"] / cost["calls"]
    assert 0.6 < read / (used.counters.prompt_tokens / used.counters.calls_made) < 1.6
    assert list(tmp_path.iterdir()) == [tmp_path / "run"], "a plan leaves nothing behind"


@pytest.mark.model
def test_time_per_call_is_measured_and_becomes_hours(doctor, tmp_path):
    arguments = ("--measure", "--backend", "embedded", "--models", "smollm2:135m", "--plan", "tiny", "--json")
    done = doctor(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    pace, cost = answer["pace"], answer["cost"]
    assert pace["calls"] >= 2
    assert 0.005 < pace["seconds_per_call"] < 600
    a_call = pace["seconds_per_call"] / 3600
    assert cost["hours"] == pytest.approx(cost["calls"] * a_call, abs=0.51 * a_call), "calls are told as a whole number"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x", "--measure"], "leave --plan"),
        (["--set", "run.seed=2"], "give --plan"),
        (["--plan", "nonsense"], "no such preset"),
        (["--measure", "--backend", "nobody"], "nobody"),
    ],
)
def test_wrong_use_is_one_line(doctor, tmp_path, arguments, words):
    done = doctor(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
