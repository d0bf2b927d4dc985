"""Tests that users write: a right answer passes, a wrong one fails, and what could do neither is refused."""

import json

import pytest

from evo.errors import UserError
from evo.sandbox import Job, SandboxPool
from evo.tasks import Mode, load_problems

RIGHT, WRONG = "def {}(a, b):\n    return a + b\n", "def {}(a, b):\n    return a - b - 1\n"


@pytest.fixture(scope="module")
def pool():
    with SandboxPool(1) as sandbox:
        yield sandbox


def load(folder, mode, **fields):
    path = folder / "mine.jsonl"
    path.write_text(json.dumps({"prompt": "Add.", "entry_point": "add"} | fields))
    (problem,) = load_problems(str(path), mode=mode, seed=1)
    return problem


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    "fields",
    [
        {"setup": "def two(): return 2", "tests": ["assert add(1, 1) == two()", "assert add(2, 0) == two()"]},
        {
            "setup": "CASES = [(1, 2, 3)]",
            "tests": "def check(f):\n    for a, b, c in CASES:\n        assert f(a, b) == c",
        },
        {"setup": "def twice(x): return add(x, x)", "tests": ["assert twice(2) == 4", "assert add(1, 1) == 2"]},
        {"setup": "def twice(x): return add(x, x)", "tests": ["assert twice(2) == 4"]},
        {"setup": "from __future__ import annotations\nimport math", "tests": ["assert add(1, 2) == math.floor(3.2)"]},
        {"tests": "def check(candidate):\n  add = 5\n  assert candidate(1, 4) == add\n  assert candidate(2, 3) == 5"},
        {"tests": ["assert add(1, 2) == (lambda add: add)(3)", "assert add(0, 1) == 1"]},
        {"tests": "def check(f):\n    assert f(1, 2) == (lambda f: f)(3)"},
        {"tests": "def check(f):\n    candidate = 3\n    assert f(1, 2) == candidate"},
        {"tests": "def check(add):\n    assert add(1, 2) == 3\n    assert add(1, 1) == 2"},
        {"tests": "META = {}\ndef check(candidate):\n    assert candidate(1, 2) == 3\n\ncheck(add)\n"},
        {"tests": ["x = 1", "assert all(add(x, 0) == x for x in (1, 2))", "assert add(x, 1) == 2"]},
        {"tests": "def check(f):\n for i in (1, 2):\n  assert f(i, 0) == i\n for i in (3,):\n  assert f(i, 1) == 4"},
        {"entry_point": "check", "tests": ["assert check(1, 2) == 3", "assert check(0, 0) == 0"]},
        {"entry_point": "check", "tests": "def check(candidate):\n    assert candidate(1, 2) == 3"},
        {"entry_point": "candidate", "tests": ["assert candidate(1, 2) == 3"]},
        {"entry_point": "sum", "tests": ["assert sum(1, 2) == 3"]},
    ],
)
def test_a_right_answer_passes_and_a_wrong_one_fails(pool, tmp_path, mode, fields):
    problem = load(tmp_path, mode, **fields)
    assert problem.reference == ""
    for check in filter(None, (problem.visible, problem.hidden)):
        assert pool.run(Job(RIGHT.format(problem.entry_point), check.source, problem.entry_point)).passed
        assert not pool.run(Job(WRONG.format(problem.entry_point), check.source, problem.entry_point)).passed


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {
                "setup": "def add(a, b): return a + b",
                "tests": "def check(candidate):\n    assert candidate(1, 2) == add(1, 2)",
            },
            "field setup: line 1 defines add",
        ),
        ({"setup": "from mine import add", "tests": ["assert add(1, 2) == 3"]}, "field setup: line 1 defines add"),
        ({"setup": "X = add(1, 1)", "tests": ["assert add(1, 1) == X"]}, "field setup: line 1 uses add before"),
        (
            {"tests": "def check(f):\n    assert f(1, 2) == 3\nassert add(0, 0) == 0"},
            "field tests: line 3 uses add before",
        ),
        ({"tests": "def check():\n    assert add(1, 2) == 3"}, "field tests: line 1 hides asserts in check"),
        ({"tests": "def test_add():\n    assert add(1, 2) == 3"}, "field tests: line 1 hides asserts in test_add"),
        (
            {"tests": "def check(f):\n    def t(a):\n        assert f(a, 0) == a\n    t(1)\n    assert f(1, 1) == 2"},
            "field tests: line 2 hides asserts in t",
        ),
        (
            {"tests": "def check(f):\n    assert f(1, 2) == 3\n    return\n    assert f(1, 1) == 2"},
            "field tests: line 3 returns",
        ),
        (
            {"tests": "def check(f):\n for i in (1, 2):\n  r = f(i, 0)\n  assert r == i\n assert r == 2"},
            "field tests: line 2 holds an assert and sets r",
        ),
        (
            {"setup": "def same(a, b):\n    assert a == b", "tests": ["same(add(1, 2), 3)"]},
            "field tests: holds no assert",
        ),
    ],
)
def test_what_would_fail_every_answer_or_pass_any_is_refused(tmp_path, fields, words):
    with pytest.raises(UserError) as caught:
        load(tmp_path, Mode.SPLIT, **fields)
    assert str(caught.value).startswith(f"{tmp_path / 'mine.jsonl'}: line 1: {words}")
    assert "\n" not in str(caught.value)


def test_no_path_is_in_a_problem(tmp_path):
    problem = load(tmp_path, Mode.ALL, tests=["assert add(1, 2) == 3"])
    assert problem.suite == "mine"
    assert str(tmp_path) not in repr(problem)


def test_a_prompt_is_the_users_own_even_if_it_tells_a_hidden_test(tmp_path):
    prompt = "Add.\nassert add(1, 2) == 3\nassert add(1, 1) == 2"
    problem = load(tmp_path, Mode.SPLIT, prompt=prompt, tests=["assert add(1, 2) == 3", "assert add(1, 1) == 2"])
    assert problem.prompt == prompt
