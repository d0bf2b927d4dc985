"""EvalPlus' format: what agrees with a reference, what is visible, what is wrong in a file."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.errors import UserError
from evo.sandbox import Job, SandboxPool
from evo.tasks import Mode, load_problems
from evo.tasks.evalplus import evalplus_task

SHARED = Path(__file__).parents[3] / "shared" / "data" / "MbppPlus.jsonl"
PLUS = {
    "task_id": "X/1",
    "prompt": "'''\nHalve it.\nassert half(1) == 0.5\n'''",
    "entry_point": "half",
    "canonical_solution": "def half(x):\n    return x / 2\n",
    "base_input": [[1], [2]],
    "plus_input": [[3], [2], [1e308]],
    "atol": 0,
    "assertion": "assert half(1) == 0.5\nassert half(2) == 1.0\n",
}


@pytest.fixture(scope="module")
def pool():
    with SandboxPool(1) as sandbox:
        yield sandbox


def problem(mode=Mode.ALL, **changes):
    return evalplus_task(PLUS | changes, "plus", "here").problem(mode, 0)


def passes(pool, code, **changes):
    found = problem(**changes)
    return pool.run(Job(code, found.hidden.source, found.entry_point)).passed


def agrees(reference, given):
    """Whether a candidate that returns ``given`` passes where the reference returns ``reference``."""
    solution = f"def half(x):\n    return {reference}\n"
    check = problem(canonical_solution=solution, base_input=[[0]], plus_input=[], assertion="").hidden
    namespace = {}
    exec(check.source, namespace)
    try:
        namespace["check"](lambda x: given)
    except AssertionError:
        return False
    return True


def test_a_test_for_every_input_and_none_twice():
    assert problem().hidden.units == 4


def test_what_evalplus_added_is_always_hidden():
    found = problem(Mode.SPLIT)
    assert (found.visible.units, found.hidden.units) == (1, 3)


def test_visible_tests_are_shown_as_the_published_asserts():
    found = problem(Mode.EXAMPLES)
    assert found.visible.shown == "assert half(1) == 0.5"
    assert "half(1)" in found.prompt
    assert "half(2)" not in found.prompt
    assert found.hidden.units == 3


def test_the_assert_in_a_prompt_stays_only_where_it_is_visible():
    prompts = {evalplus_task(PLUS, "plus", "here").problem(Mode.SPLIT, seed).prompt for seed in range(20)}
    assert {("half(1)" in prompt, "half(2)" in prompt) for prompt in prompts} == {(True, False), (False, True)}


def test_a_failure_shows_what_was_expected(pool):
    found = problem(Mode.EXAMPLES)
    failed = pool.run(Job("def half(x):\n    return x\n", found.visible.source, "half")).failed
    assert (failed.call, failed.returned, failed.expected) == ("half(1)", "1", "0.5")


@pytest.mark.parametrize(
    ("reference", "given", "agree"),
    [
        ("0.3", 0.1 + 0.2, True),
        ("0.3", 0.31, False),
        ("[0.5, (1, {'a': 0.25})]", [0.5 + 1e-9, (1, {"a": 0.25})], True),
        ("[1, 2]", (1, 2), False),
        ("(1, 2)", [1, 2], False),
        ("3", 3.0, True),
        ("3", 4, False),
        ("'a'", "b", False),
        ("1.5", "1.5", False),
        ("1.5", None, False),
        ("float('inf')", 5, False),
        ("float('inf')", float("inf"), True),
        ("5.0", float("inf"), False),
        ("float('nan')", float("nan"), True),
        ("10**400", 1.5, False),
        ("{'a': 1.0}", {"b": 1.0}, False),
        ("{1, 2}", {2, 1}, True),
    ],
)
def test_agreement(reference, given, agree):
    assert agrees(reference, given) is agree


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=8))
def test_every_value_agrees_with_itself(value):
    same = {"canonical_solution": "def half(x):\n    return x\n", "base_input": [[value]], "assertion": ""}
    namespace = {}
    exec(problem(plus_input=[], **same).hidden.source, namespace)
    namespace["check"](lambda x: x)


FOUND = {
    "task_id": "Mbpp/737",
    "entry_point": "f",
    "canonical_solution": "import re\ndef f(s):\n    return re.search('^a', s)\n",
    "base_input": [["ab"], ["ba"]],
    "plus_input": [],
    "assertion": "",
}


@pytest.mark.parametrize(
    ("code", "passed"),
    [
        ("import re\ndef f(s):\n    return re.match('a', s)", True),
        ("def f(s):\n    return s[0] == 'a'", True),
        ("def f(s):\n    return True", False),
        ("def f(s):\n    return None", False),
    ],
)
def test_whether_something_is_found_may_be_said_in_two_ways(pool, code, passed):
    assert passes(pool, code, **FOUND) is passed


@pytest.mark.parametrize(
    ("task_id", "reference", "code", "passed"),
    [
        ("Mbpp/2", "def f(a): return (1, 2)", "def f(a): return [2, 1]", True),
        ("Mbpp/2", "def f(a): return (1, 2)", "def f(a): return 1", False),
        ("X/2", "def f(a): return (1, 2)", "def f(a): return [2, 1]", False),
        ("HumanEval/32", "def f(a): return 1.0", "def f(a): return -1.0", True),
        ("HumanEval/32", "def f(a): return 1.0", "def f(a): return 0.5", False),
        ("HumanEval/32", "def f(a): return 1.0", "def f(a): return None", False),
    ],
)
def test_tasks_where_several_results_are_right(pool, task_id, reference, code, passed):
    inputs = {"base_input": [[[-1, 0, 1]]], "plus_input": [], "assertion": ""}
    if task_id == "Mbpp/2":
        inputs["base_input"] = [[[0]]]
    assert passes(pool, code, task_id=task_id, entry_point="f", canonical_solution=reference, **inputs) is passed


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompt": 3}, "field prompt: must be text"),
        ({"task_id": 3}, "field task_id: must be text"),
        ({"canonical_solution": "def half(:"}, "field canonical_solution: is not Python"),
        ({"canonical_solution": "def double(x): pass"}, "field canonical_solution: defines no function half"),
        ({"base_input": 3}, "field base_input: must be a list"),
        ({"plus_input": [1]}, "field plus_input: must be a list"),
        ({"base_input": {}, "plus_input": {}}, "field base_input: holds no input"),
        ({"task_id": "Mbpp/2", "base_input": [[1]]}, "field base_input: is not as EvalPlus has it"),
        ({"task_id": "Mbpp/599", "plus_input": [[1, 2]]}, "field plus_input: is not as EvalPlus has it"),
        ({"atol": "much"}, "field atol: must be a number"),
        ({"assertion": "assert"}, "field assertion: is not Python"),
    ],
)
def test_what_is_wrong_names_file_line_and_field(tmp_path, changes, words):
    path = tmp_path / "plus.jsonl"
    path.write_text(json.dumps(PLUS | changes))
    with pytest.raises(UserError) as caught:
        load_problems(str(path))
    assert str(caught.value).startswith(f"{path}: line 1: {words}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mode", [Mode.SPLIT, Mode.EXAMPLES])
def test_mbpp_plus_has_visible_tests_that_are_not_hidden_too(mode):
    if not SHARED.exists():
        pytest.skip(f"{SHARED.name} is not beside the repository (shared/data)")
    for found in load_problems(str(SHARED), mode=mode, seed=3):
        assert found.suite == "mbpp-plus"
        assert found.visible.units >= 1
        assert not set(asserts(found.visible)) & set(asserts(found.hidden)), found.id
        assert len(found.visible.shown.splitlines()) == found.visible.units, "a visible test can be read"
        assert found.visible.shown in found.prompt
        hidden = set(found.hidden.shown.splitlines()) - set(found.visible.shown.splitlines())
        assert not [line for line in hidden if line in found.prompt]


def test_a_published_input_is_never_left_out():
    """9999 is too much for Mbpp/123 as an added input, and one of its three asserts."""
    solution = "def half(limit):\n    return limit\n"
    inputs = {"base_input": [[999], [9999]], "plus_input": [[10000], [5]]}
    found = problem(
        task_id="Mbpp/123",
        canonical_solution=solution,
        assertion="assert half(999) == 999\nassert half(9999) == 9999",
        **inputs,
    )
    assert found.hidden.units == 3
    assert found.hidden.shown.splitlines() == ["assert half(999) == 999", "assert half(9999) == 9999"]
    assert "10000" not in found.hidden.source


def asserts(check):
    return [line for line in check.source.splitlines() if line.startswith("    assert candidate")]
