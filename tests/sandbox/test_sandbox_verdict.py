# ruff: noqa: E501 - programs read best on one line
"""What a verdict says, for honest programs and honest mistakes."""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace

import pytest
from sandbox_kit import TIERS

from evo.errors import UserError
from evo.sandbox import FailedAssert, Frame, Job, Limits, SandboxPool, Status, Verdict
from evo.sandbox.messages import from_json, to_json

Run = Callable[..., Verdict]


def test_pass_counts_every_unit(run: Run) -> None:
    verdict = run(
        "def f(x): return x + 1", "assert candidate(1) == 2\nfor i in range(9):\n    assert candidate(i) == i + 1"
    )
    assert (verdict.status, verdict.passed_units, verdict.units) == (Status.PASSED, 2, 2)
    assert verdict.passed
    assert (verdict.error_type, verdict.message, verdict.failed, verdict.frames) == ("", "", None, ())
    assert verdict.cpu_seconds > 0
    assert verdict.peak_bytes > 1 << 20


def test_failing_assert_is_shown_with_its_values(run: Run) -> None:
    verdict = run(
        "def f(x, y=0): return x + y", "assert candidate(1) == 1\nassert candidate(2, y=[]) == 4, 'sum'", before=""
    )
    assert verdict.status is Status.EXCEPTION
    verdict = run("def f(x, y=0): return x", "assert candidate(1) == 1\nassert candidate(2, y=[7]) == 4, 'sum'")
    assert verdict.status is Status.ASSERTION
    assert (verdict.error_type, verdict.message) == ("AssertionError", "sum")
    assert verdict.failed == FailedAssert("assert candidate(2, y=[7]) == 4, 'sum'", "f(2, y=[7])", "2", "4")
    assert (verdict.passed_units, verdict.units) == (1, 2)


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("assert 4 == candidate(2)", "4"),
        ("assert tuple(candidate([1, 2])) == (2, 1)", "(2, 1)"),
        ("assert candidate(2) == 2 and candidate(3) == 5", "5"),
        ("assert not candidate(2) == 2", ""),
        ("assert candidate(2) in (5, 6)", ""),
        ("assert abs(candidate(2) - 5) < 1e-6", ""),
        ("assert candidate(0)", ""),
        ("r = candidate(2)\nassert r == 8", "8"),
        ("helper(candidate(2), 8)", "8"),
        ("assert candidate('x') == '\\x1b[31m'", "'\\x1b[31m'"),
    ],
)
def test_expected_value_is_the_other_side(run: Run, test: str, expected: str) -> None:
    verdict = run("def f(x): return x", test, before="def helper(a, b):\n    assert a == b")
    assert verdict.status is Status.ASSERTION
    assert verdict.failed is not None
    assert verdict.failed.expected == expected
    assert "candidate" in verdict.failed.source or verdict.failed.source.startswith("assert ")


def test_exception_has_frames_with_their_source(run: Run) -> None:
    code = "def g(x):\n    return 1 // x\n\ndef f(x):\n    return g(x)\n"
    verdict = run(code, "assert candidate(0) == 1")
    assert (verdict.status, verdict.error_type) == (Status.EXCEPTION, "ZeroDivisionError")
    assert verdict.message == "integer division or modulo by zero"
    assert verdict.frames == (Frame("f", 5, "return g(x)"), Frame("g", 2, "return 1 // x"))
    assert verdict.failed is not None
    assert (verdict.failed.call, verdict.failed.returned) == ("f(0)", "")


def test_exception_class_of_the_candidate_keeps_its_name(run: Run) -> None:
    code = "class Odd(ValueError): pass\ndef f(): raise Odd('no')"
    assert run(code, "assert candidate() == 1").error_type == "Odd"
    assert run(
        code, "try:\n    candidate()\n    assert False\nexcept ValueError as e:\n    assert str(e) == 'no'"
    ).passed


def test_check_may_expect_an_exception(run: Run) -> None:
    body = (
        "try:\n    candidate({})\nexcept KeyError as error:\n    assert error.args == ('a',)\nelse:\n    assert False"
    )
    assert run("def f(d): return d['a']", body).passed
    assert run("def f(d): return 1", body).status is Status.ASSERTION


@pytest.mark.parametrize(
    ("code", "error", "line"),
    [
        ("def f(:\n", "SyntaxError", 1),
        ("x = 1\ny = z\n", "NameError", 2),
        ("import nonsense\n", "ModuleNotFoundError", 1),
        ("def f(): pass\nassert f() == 1\n", "AssertionError", 2),
        ("def g(): pass\n", "NameError", None),
        ("f = 3\n", "TypeError", None),
        ("x = '\ud800'\n", "UnicodeEncodeError", None),
    ],
)
def test_load_errors(run: Run, code: str, error: str, line: int | None) -> None:
    verdict = run(code, "assert candidate() == 1")
    assert (verdict.status, verdict.error_type) == (Status.LOAD_ERROR, error)
    assert [frame.line for frame in verdict.frames] == ([] if line is None else [line])


def test_nothing_called_is_no_pass(run: Run) -> None:
    verdict = run("def f(): pass", "assert True")
    assert (verdict.status, verdict.units, verdict.passed) == (Status.NO_CALL, 1, False)
    empty = run("def f(): pass", "pass")
    assert (empty.status, empty.units, empty.passed) == (Status.NO_CALL, 0, False)


def test_hidden_tests_tell_nothing(run: Run) -> None:
    secret = "424242"
    programs = [
        "def f(x): return 0",
        "def f(x): raise KeyError(x)",
        "def f(x): raise type('E%s' % x, (Exception,), {})(x)",
        "def f(x): return {x: x}[0]",
        "def f(x): eval('x' * x)",
        "def f(x): return open(str(x))",
        "def f(x): exec(compile('raise ValueError(%r)' % x, '<solution>', 'exec'))",
        "def f(x):\n    import types\n    g = lambda: 1 / 0\n    g.__code__ = g.__code__.replace(co_name=str(x))\n    g()",
    ]
    for code in programs:
        verdict = run(code, f"assert candidate({secret}) == {secret}1, 'the answer is {secret}1'", reveal=False)
        assert not verdict.passed
        assert secret not in repr(verdict), verdict
        assert (verdict.failed, verdict.message) == (None, "")


def test_values_are_shown_bounded_and_harmless(run: Run) -> None:
    verdict = run("def f(): return '\\x1b[2J' + '\\u202e' + 'x' * 9999 + '\\ud800'", "assert candidate() == ''")
    assert verdict.failed is not None
    assert len(verdict.failed.returned) <= 300
    assert verdict.failed.returned.isprintable()
    verdict = run("def f(): return 1 << 8_000_000", "assert candidate() == 2")
    assert verdict.failed is not None
    assert verdict.failed.returned == "<int of 8000001 bits>"
    verdict = run("def f(): return [lambda: 1, iter([1])]", "assert candidate() == 2")
    assert verdict.failed is not None
    assert verdict.failed.returned == "[<function>, <iterator>]"
    verdict = run("def f(): raise ValueError('\\x1b[2J' * 999 + '\\ud800')", "assert candidate() == 2")
    assert len(verdict.message) <= 500
    assert "\x1b" not in verdict.message
    assert verdict.message.encode()


REPEATED = [
    "def f(): raise ValueError(object())",
    "def f(): raise ValueError(f)",
    "def f(): return {3, 1, 'b', 'a', (1, 2)}",
    "def f(): return object()",
    "import random\ndef f(): return random.random()",
    "def f(): return hash('evo')",
    "import os\ndef f(): raise ValueError(os.getcwd(), os.__file__)",
    "def f(): return open('missing')",
    "def f(): return [lambda: 1, iter([1])]",
    "def f(): return f()",
    "def f():\n    while True: pass",
]


@pytest.mark.parametrize("tier", TIERS)
def test_same_job_same_verdict(tier: str) -> None:
    check = "def check(candidate):\n    assert candidate() == 0\n"
    seen: dict[str, set[str]] = {}
    for _ in range(2):
        with SandboxPool(limits=Limits(wall_seconds=0.5), tier=tier) as pool:
            for code in REPEATED * 2:
                measured = pool.run(Job(code, check, "f"))
                seen.setdefault(code, set()).add(repr(replace(measured, cpu_seconds=0.0, peak_bytes=0)))
    assert {code: verdicts for code, verdicts in seen.items() if len(verdicts) > 1} == {}
    assert sys.base_prefix not in str(seen)
    assert tempfile.gettempdir() not in str(seen)


def test_verdict_as_json_and_back(run: Run) -> None:
    verdict = run("def f(x):\n    return 1 // x", "assert candidate(0) == 1")
    assert from_json(to_json(verdict)) == verdict


@pytest.mark.parametrize(
    "check", ["def check(candidate:", "x = 1", "import nonsense\ndef check(candidate): pass", "\0"]
)
def test_unusable_check_is_the_callers_error(pool: SandboxPool, check: str) -> None:
    with pytest.raises(UserError, match="the tests for f cannot be used"):
        pool.run(Job("def f(): pass", check, "f"))
