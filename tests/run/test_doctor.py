import json
import subprocess
import sys

import pytest

import evo


def doctor(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "evo.doctor", *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doctor") / "run"
    changes = {"models.backend": "simulated", "run.generations": "2", "NEAT.pop_size": "4", "tasks.problems": "3"}
    evo.search("laptop", run=str(folder), changes=changes)
    return folder


def test_a_machine_that_runs_these_tests_is_well(tmp_path):
    done = doctor("--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert set(checks) == {"python", "packages", "sandbox", "ollama", "embedded", "disk"}
    assert "neat-python" in checks["packages"]["found"]


def test_without_any_backend_it_says_so_and_what_helps(tmp_path, monkeypatch):
    (tmp_path / "xllamacpp.py").write_text("raise ImportError('none here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    done = doctor(cwd=tmp_path)
    if "BAD embedded" in done.stdout:  # the engine's version may be known without importing it
        assert done.returncode == 1
        assert "-> pip install" in done.stdout
    assert "127.0.0.1:9" in done.stdout


def test_a_finished_run_is_whole_and_stays_untouched(finished, tmp_path):
    before = {path.name: path.read_bytes() for path in finished.iterdir() if path.suffix not in (".sqlite-shm",)}
    done = doctor(finished, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "2 generations" in done.stdout
    after = {path.name: path.read_bytes() for path in finished.iterdir() if path.name in before}
    assert after == before


def test_a_damaged_database_is_named_with_what_can_be_saved(finished, tmp_path):
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


def test_no_run_is_one_line(tmp_path):
    done = doctor("nothing", cwd=tmp_path)
    assert done.returncode == 2
    assert "no run is there" in done.stderr
    assert done.stderr.count("\n") == 1
