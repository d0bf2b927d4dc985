import ast
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.tasks import Mode, load_problems
from evo.tasks.examples import examples_in
from evo.tasks.humaneval import humaneval_tasks

SHARED = Path(__file__).parents[3] / "shared" / "data"
FEW = range(5)
TASKS = {task.id: task for task in humaneval_tasks()}


def asserts(check):
    """The top-level test statements of a check, without the messages of asserts."""
    function = next(n for n in ast.parse(check.source).body if isinstance(n, ast.FunctionDef) and n.name == "check")
    found = [n for n in function.body if any(isinstance(i, ast.Assert) for i in ast.walk(n))]
    return [ast.unparse(n.test if isinstance(n, ast.Assert) else n) for n in found]


@given(st.sampled_from(sorted(TASKS)), st.integers(0, 2**32))
def test_split_divides_the_tests(name, seed):
    task = TASKS[name]
    problem = task.problem(Mode.SPLIT, seed)
    everything = asserts(task.problem(Mode.ALL, seed).hidden)
    hidden = asserts(problem.hidden)
    assert problem.hidden.units == len(hidden) >= 1
    assert not set(hidden) & set(asserts(problem.visible))
    if len(set(everything)) > 1:
        visible = asserts(problem.visible)
        assert sorted(visible + hidden) == sorted(everything)
        assert len(set(visible)) == len(set(everything)) // 2
    else:
        assert hidden == everything, "a single test is hidden"


@given(st.lists(st.sampled_from(FEW), min_size=1, unique=True), st.integers(0, 1000))
def test_split_depends_on_no_other_problem_and_no_order(tmp_path_factory, chosen, seed):
    def drawn(numbers):
        path = tmp_path_factory.mktemp("split") / "mine.jsonl"
        path.write_text("\n".join(json.dumps(item(number)) for number in numbers))
        return {problem.id: problem for problem in load_problems(str(path), seed=seed)}

    everything = drawn(FEW)
    assert drawn(chosen) == {str(number): everything[str(number)] for number in chosen}


def item(number):
    tests = [f"assert f({value}) == {value + number}" for value in range(7)]
    return {"id": str(number), "prompt": "Add.", "entry_point": "f", "tests": tests}


@pytest.mark.parametrize("number", [32, 34, 38, 50])
@pytest.mark.parametrize("mode", [Mode.SPLIT, Mode.EXAMPLES])
def test_a_single_test_is_hidden(number, mode):
    problem = TASKS[f"HumanEval/{number}"].problem(mode, 1)
    assert (problem.visible.units, problem.hidden.units) == (0, 1)


def test_split_depends_on_the_seed():
    draws = {TASKS["HumanEval/0"].problem(Mode.SPLIT, seed).visible for seed in range(20)}
    assert len(draws) > 5


def test_all_is_the_studys_mode():
    assert all(p.visible == p.hidden for p in load_problems("humaneval", mode=Mode.ALL))


def test_examples_are_the_prompts_own():
    problem = TASKS["HumanEval/0"].problem(Mode.EXAMPLES, 0)
    assert problem.visible.shown.splitlines() == [
        "assert has_close_elements([1.0, 2.0, 3.0], 0.5) == False",
        "assert has_close_elements([1.0, 2.8, 3.0, 4.0, 5.0, 2.0], 0.3) == True",
    ]


def test_most_prompts_have_examples_and_none_of_them_is_hidden_too():
    problems = load_problems("humaneval", mode=Mode.EXAMPLES)
    assert sum(p.visible.units > 0 for p in problems) > 130
    assert not [p.id for p in problems if set(p.visible.shown.splitlines()) & set(p.hidden.shown.splitlines())]
    assert all(p.hidden.units for p in problems), "there must be a test to score by, if the prompt gives away all"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("f(1, 2) == 3", ["assert f(1, 2) == 3"]),
        ("f([1], 'a') => 'b'", ["assert f([1], 'a') == 'b'"]),
        ("f(1) ➞ [1, 2]  # why", ["assert f(1) == [1, 2]"]),
        ("f(1) -> 19 - 5 - 6 = 8", []),
        ("f(1) ==> 'b'", ["assert f(1) == 'b'"]),
        ("f(1)==>True", ["assert f(1) == True"]),
        ("f(1, 4) => true", ["assert f(1, 4) == True"]),
        ('f(15)   # returns "db1111db"', ["assert f(15) == 'db1111db'"]),
        ("f(x) == 3", []),
        ("f(1) == g(2)", []),
        ("f(1) returns None.", ["assert f(1) == None"]),
        ("For f(1), the result is 2", []),
        (">>> f(-1)\n    -2.5", ["assert f(-1) == -2.5"]),
        (">>> f(1)\n    <object>", []),
    ],
)
def test_notations_of_examples(line, found):
    prompt = f'def f(x):\n    """Do it.\n\n    {line}\n    """\n'
    assert [s.shown for s in examples_in(prompt, "f").statements] == found


@given(st.text(max_size=200))
def test_no_docstring_breaks_the_search_for_examples(text):
    examples_in(f"def f(x):\n    {text!r}\n", "f")


def test_a_hidden_test_is_never_in_the_prompt_of_mbpp():
    path = SHARED / "sanitized-mbpp.json"
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the repository (shared/data)")
    for mode in (Mode.SPLIT, Mode.EXAMPLES):
        for problem in load_problems(str(path), mode=mode, seed=3):
            shown = problem.visible.shown.splitlines()
            assert all(line in problem.prompt for line in shown)
            assert not any(line in problem.prompt for line in problem.hidden.shown.splitlines() if line not in shown)


def test_a_check_may_call_the_candidate_by_its_own_name():
    """HumanEval/33 compares with sort_third itself, which is the candidate."""
    assert "sort_third" not in TASKS["HumanEval/33"].problem(Mode.ALL, 0).hidden.source


def test_entry_points_of_mbpp_are_what_its_asserts_call():
    path = SHARED / "sanitized-mbpp.json"
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the repository (shared/data)")
    problems = load_problems(str(path), mode=Mode.ALL)
    assert {"sum", "check", "check_value"} <= {problem.entry_point for problem in problems}
    for problem in problems:
        assert all(f"{problem.entry_point}(" in line for line in problem.hidden.shown.splitlines()), problem.id
