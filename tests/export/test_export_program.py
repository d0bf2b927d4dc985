"""An exported file at work, beside evo.solve and against the same server."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from fake_ollama import DRAFTS, MODELS, fake_ollama

TASKS = Path(__file__).parents[2] / "docs" / "my-problems.jsonl"
TESTS = """\
import math
from shapes import mean

CASES = [([1, 2, 4], 7 / 3), ([5], 5)]

def test_mean():
    for values, expected in CASES:
        assert math.isclose(mean(values), expected)

def test_of_one():
    value = 3
    assert mean([value]) == value
"""

QUICK = ("--set", "sandbox.wall_seconds=1.5")
SETTINGS = ("--backend", "ollama", *QUICK)

Server = tuple[str, list[dict[str, object]]]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def server() -> Iterator[Server]:
    with fake_ollama() as found:
        yield found


def run(*arguments: object, host: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=cwd, input=stdin, env={**os.environ, "OLLAMA_HOST": host},
    )  # fmt: skip


@pytest.fixture
def export(evo_command: Command, tmp_path: Path) -> Callable[..., Path]:
    def one(*arguments: object) -> Path:
        done = evo_command("export", *arguments, "--output", "taken_home.py", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return tmp_path / "taken_home.py"

    return one


@pytest.fixture
def solve(evo_command: Command, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("OLLAMA_HOST", server[0])
    return partial(evo_command, "solve", cwd=tmp_path)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plainest pipeline, exported once."""
    path = tmp_path_factory.mktemp("exported") / "taken_home.py"
    done = run("-m", "evo.export", "solo", "--output", path, host="", cwd=path.parent)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def solo(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(exported, tmp_path))


def drafts(solution: dict) -> list[tuple[str, str, str]]:
    steps = solution["steps"] if "steps" in solution else solution["trace"]["steps"]
    return [(step["role"], step["text"], step["code"]) for step in steps]


@pytest.mark.parametrize(
    "genome", ["self-refine", "study-v3", "own-tests", "choose-of-3", "best-of-4", "plan-then-code"]
)
def test_the_file_makes_the_requests_and_the_drafts_that_evo_makes(
    genome: str, server: Server, solve: Command, export: Callable[..., Path], tmp_path: Path
) -> None:
    host, requests = server
    model = ("--model", MODELS[0])
    common = (TASKS, "--attempts", 2, "--seed", 11, "--json")
    here = solve(genome, *model, *SETTINGS, *common)
    assert here.returncode in (0, 1), here.stderr
    asked, expected = requests.copy(), json.loads(here.stdout)
    requests.clear()
    home = run(export(genome, *model, *QUICK), *common, "--yes", host=host, cwd=tmp_path)
    assert home.returncode == here.returncode, home.stderr
    found = json.loads(home.stdout)
    assert [drafts(one) for one in found] == [drafts(one) for one in expected]
    assert [(one["answer"], one["status"], one["attempts"]) for one in found] == [
        (one["trace"]["answer"], one["verdict"]["status"], one["attempts"]) for one in expected
    ]
    # evo asks nobody twice for the same; the file has no record.
    assert {json.dumps(one, sort_keys=True) for one in requests} == {json.dumps(one, sort_keys=True) for one in asked}


def test_a_task_in_words_with_a_pytest_file(
    server: Server, solve: Command, export: Callable[..., Path], tmp_path: Path
) -> None:
    host, requests = server
    (tmp_path / "tests.py").write_text(TESTS)
    task = ("--prompt", "Write mean(values), the arithmetic mean.", "--tests", "tests.py", "--attempts", "40")
    here = solve("solo", "--model", MODELS[1], *SETTINGS, *task)
    home = run(export("solo", "--model", MODELS[1], *QUICK), *task, "--yes", host=host, cwd=tmp_path)
    assert (home.returncode, here.returncode) == (0, 0), home.stderr + here.stderr
    assert "# mean: passed" in home.stdout
    assert here.stdout == home.stdout, "the answer alone: progress is on standard error"
    assert "backend ollama" in here.stderr
    assert "import math" in home.stdout.split("\n\n", 1)[1]
    assert requests


def test_nothing_is_run_that_was_not_agreed_to(server: Server, solo: Path, tmp_path: Path) -> None:
    host, requests = server
    done = run(solo, TASKS, host=host, cwd=tmp_path)
    assert done.returncode == 2
    assert "without a sandbox" in done.stderr
    assert "--yes" in done.stderr
    assert done.stderr.count("\n") == 1
    assert requests == []


def test_it_imports_nothing_of_evo(server: Server, export: Callable[..., Path], tmp_path: Path) -> None:
    home = export("study-v3", "--model", MODELS[0], *QUICK)
    (tmp_path / "evo.py").write_text("raise RuntimeError('evo was imported')\n")
    (tmp_path / "numpy.py").write_text("raise RuntimeError('numpy was imported')\n")
    done = run(home, TASKS, "--yes", host=server[0], cwd=tmp_path)
    assert done.returncode in (0, 1), done.stderr
    assert "# mean:" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "nothing to solve"),
        (("missing.jsonl",), "missing.jsonl"),
        (("broken.jsonl",), "broken.jsonl: line 2"),
        (("fields.jsonl",), "field tests: is missing"),
        (("--prompt", "Write f(x)", "--tests", "tests.py"), "name the function in both"),
    ],
)
def test_bad_input_is_one_line(arguments: tuple[str, ...], words: str, solo: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.jsonl").write_text(TASKS.read_text().splitlines()[0] + "\nno json\n")
    (tmp_path / "fields.jsonl").write_text('{"prompt": "x", "entry_point": "f"}\n')
    (tmp_path / "tests.py").write_text(TESTS)
    done = run(solo, *arguments, "--yes", host="127.0.0.1:9", cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_a_server_it_says_what_to_do(solo: Path, tmp_path: Path) -> None:
    done = run(solo, TASKS, "--yes", host="http://127.0.0.1:9", cwd=tmp_path)
    assert done.returncode == 2
    assert "ollama serve" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_address_that_is_none_is_one_line(solo: Path, tmp_path: Path) -> None:
    done = run(solo, TASKS, "--yes", host="one:11434,two:11434", cwd=tmp_path)
    assert done.returncode == 2
    assert "not the address of one server" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_that_is_there_is_kept(evo_command: Command, tmp_path: Path) -> None:
    home = tmp_path / "mine.py"
    home.write_text("# mine\n")
    done = evo_command("export", "solo", "--output", home, cwd=tmp_path)
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert home.read_text() == "# mine\n"


def test_the_file_is_fit_to_be_read(export: Callable[..., Path]) -> None:
    home = export("study-v3")
    for check in (("check", "--select", "F,E9"), ("format", "--check")):
        ruff = [sys.executable, "-m", "ruff", check[0], "--isolated", "--line-length", "120", *check[1:], str(home)]
        done = subprocess.run(ruff, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    text = home.read_text()
    assert "WITHOUT EVO'S SANDBOX" in text
    assert text.index("PLAN = ") < len(text) // 4, "the pipeline stands near the top"


def test_there_is_a_draft_of_every_kind() -> None:
    assert all(len(drafts) == 6 for drafts in DRAFTS.values())
