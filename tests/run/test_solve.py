"""evo.solve as its user runs it."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

TASKS = Path(__file__).parents[2] / "docs" / "my-problems.jsonl"
TESTS = "assert add(1, 2) == 3\nassert add(-1, 1) == 0\nassert add(2.5, 2) == 4.5\n"


@pytest.fixture
def solve(evo_command):
    return partial(evo_command, "solve")


def test_tasks_of_a_file_are_worked_on_and_the_answers_really_pass(solve, tmp_path):
    arguments = ("self-refine", TASKS, "--backend", "simulated", "--model", "gemma3:1b", "--run", "./record")
    command = [sys.executable, "-m", "evo.solve", *map(str, arguments), "--attempts", "9", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode in (0, 1), done.stderr
    solutions = json.loads(done.stdout)
    assert [one["task"] for one in solutions] == ["even-numbers", "initials", "mean"]
    solved = [one for one in solutions if one["verdict"]["status"] == "passed"]
    assert solved
    assert (done.returncode == 0) == (len(solved) == 3)
    answers = {one["task"]: one["trace"]["answer"] for one in solved}
    if "mean" in answers:
        names = {}
        exec(answers["mean"], names)
        assert names["mean"]([1, 2, 3]) == 2
    assert all(one["simulated"] for one in solutions)
    again = solve(*arguments, "--attempts", "9", cwd=tmp_path)
    assert "SIMULATED" in again.stdout
    for answer in answers.values():
        assert answer.strip() in again.stdout, "the record answers the same"


@pytest.mark.model
def test_a_real_model_writes_a_function_that_passes(solve, tmp_path):
    (tmp_path / "tests.py").write_text(TESTS)
    done = solve(
        "self-refine", "--prompt", "Write a Python function add(a, b) that returns the sum of a and b.",
        "--tests", "tests.py", "--model", "qwen2.5-coder:0.5b", "--backend", "embedded", "--attempts", "3",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# add: passed" in done.stdout
    assert "def add(" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["solo"], "nothing to solve"),
        (["solo", "missing.jsonl"], "no such file"),
        (["solo", str(TASKS), "--prompt", "x"], "leave --prompt"),
        (["solo", "--prompt", "Write add(a, b).", "--tests", "broken.py"], "broken.py"),
        (["solo", "--prompt", "Write sub(a, b).", "--tests", "tests.py"], "name the function in both"),
        (["solo", str(TASKS), "--attempts", "0"], "attempts"),
        (["no-such", str(TASKS)], "no-such"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(solve, tmp_path, arguments, words):
    (tmp_path / "tests.py").write_text(TESTS)
    (tmp_path / "broken.py").write_text("assert add(1,\n")
    done = solve(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
