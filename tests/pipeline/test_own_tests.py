"""Asserts of a tester's own: what is taken from an answer, and what never is."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.pipeline.asserts import MOST_ASSERTS, own_tests


def shown(text: str, name: str = "f") -> list[str]:
    return [test.shown for test in own_tests(text, name)]


def test_asserts_are_found_in_fences_lists_and_prose() -> None:
    answer = (
        "Here are tests:\n```python\nassert f(1) == 2\n    assert f([1, -2], key='x') == {'a': (1, None)}\n```\n"
        "1. assert f(3)==4 # three\n- assert f(5) == 6, 'five'\n"
    )
    assert shown(answer) == [
        "assert f(1) == 2",
        "assert f([1, -2], key='x') == {'a': (1, None)}",
        "assert f(3) == 4",
        "assert f(5) == 6",
    ]
    assert own_tests(answer, "f")[0].source == "def check(candidate):\n    assert candidate(1) == 2\n"
    assert {test.units for test in own_tests(answer, "f")} == {1}


@pytest.mark.parametrize(
    "line",
    [
        "assert g(1) == 2",
        "assert f(1)",
        "assert f(1) != 2",
        "assert f(1) == 2 == 2",
        "assert f(x) == 2",
        "assert f(1) == f(2)",
        "assert f(__import__('os')) == 1",
        "assert f(*[1]) == 1",
        "assert f(**{'a': 1}) == 1",
        "assert f(10 ** 10 ** 10) == 1",
        "assert f('a' * 9) == 1",
        "assert f([x for x in (1,)]) == 1",
        "assert f(f'{1}') == 1",
        "assert f({[1]}) == 1",
        "assert f(lambda: 1) == 1",
        "assert f(1j) == 1",
        "assert f(1) == 2; import os",
        "assert (f := 1) == 1",
        "assert f.g(1) == 1",
        "assert f(1) == (yield)",
        "assert f(" + "[" * 150 + "]" * 150 + ") == 1",
        "assert f(1) ==",
    ],
)
def test_nothing_but_a_call_with_literals_against_a_literal(line: str) -> None:
    assert own_tests(line, "f") == ()


def test_they_are_bounded_and_the_first_word_on_a_call_counts() -> None:
    many = "\n".join(f"assert f({n}) == {n}" for n in range(50))
    assert len(own_tests(many, "f")) == MOST_ASSERTS
    assert shown("assert f(1) == 2\nassert f(1) == 3") == ["assert f(1) == 2"]
    assert own_tests("assert f('" + "x" * 400 + "') == 1", "f") == ()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(values, values)
def test_what_was_meant_is_what_is_tested(argument: object, expected: object) -> None:
    line = f"assert f({argument!r}) == {expected!r}"
    found = own_tests(line, "f")
    if len(line) <= 300:
        (test,) = found
        (statement,) = ast.parse(test.source).body[0].body  # type: ignore[attr-defined]
        assert ast.literal_eval(statement.test.comparators[0]) == expected
        assert ast.literal_eval(statement.test.left.args[0]) == argument


@given(st.text(max_size=200))
def test_any_text_gives_tests_or_none(text: str) -> None:
    for test in own_tests("assert f(1) == 1\n" + text, "f"):
        tree = ast.parse(test.source)
        allowed = {"candidate", "check"}
        assert {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} <= allowed
