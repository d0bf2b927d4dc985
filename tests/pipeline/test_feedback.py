"""Feedback in words: what each level tells, and that untrusted text stays harmless."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.genome.genes import Feedback
from evo.pipeline.feedback import LIMIT, describe, harmless
from evo.sandbox.verdict import FailedAssert, Frame, Status, Verdict

WRONG = Verdict(
    Status.ASSERTION,
    "AssertionError",
    "wrong sum",
    FailedAssert("assert candidate([1, 2]) == 3", "candidate([1, 2])", "'12'", "3"),
    units=2,
)
RAISED = Verdict(
    Status.EXCEPTION, "NameError", "name 'x' is not defined", frames=(Frame("total", 3, "    return x + 1"),), units=2
)


def test_the_levels_tell_more_and_more() -> None:
    assert describe(RAISED, Feedback.TYPE, "total") == "NameError"
    assert (
        describe(RAISED, Feedback.TRACEBACK, "total")
        == "NameError: name 'x' is not defined\nline 3, in total: return x + 1"
    )
    assert describe(RAISED, Feedback.VALUES, "total") == describe(RAISED, Feedback.TRACEBACK, "total")
    assert describe(WRONG, Feedback.TYPE, "total") == "AssertionError: a test failed."
    assert (
        describe(WRONG, Feedback.VALUES, "total")
        == "AssertionError: a test failed.\ncall: total([1, 2])\nreturned: '12'\nexpected: 3"
    )


def test_the_assert_itself_where_the_call_is_not_known() -> None:
    failed = FailedAssert("assert abs(candidate(1) - 2) < 1e-6", "", "", "")
    text = describe(replace(WRONG, failed=failed), Feedback.VALUES, "total")
    assert text.endswith("call: assert abs(total(1) - 2) < 1e-6")


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("level", list(Feedback))
def test_every_status_has_words(status: Status, level: Feedback) -> None:
    assert describe(Verdict(status, "SomeError", units=1), level, "total").strip()


def test_no_tests_is_said() -> None:
    assert describe(Verdict(Status.NO_CALL), Feedback.VALUES, "total") == "There was no test to run."


def test_only_the_innermost_frames() -> None:
    frames = tuple(Frame("f", line, f"f({line})") for line in range(1, 900))
    text = describe(replace(RAISED, frames=frames), Feedback.TRACEBACK, "total")
    assert "f(898)" in text
    assert "f(1)" not in text


@given(st.text(), st.text(), st.text(), st.sampled_from(Status), st.sampled_from(Feedback))
def test_untrusted_text_is_capped_and_cannot_close_a_fence(
    a: str, b: str, c: str, status: Status, level: Feedback
) -> None:
    frames = (Frame(a, 1, b),) * 9
    verdict = Verdict(status, a, b * 99, FailedAssert(a, b * 99, c * 99, "```\n" + c), frames, units=1)
    text = describe(verdict, level, "total")
    assert len(text) <= LIMIT
    assert "```" not in text
    assert all(char == "\n" or char.isprintable() for char in text)


@given(st.text(alphabet="`~<|>a \n"), st.integers(5, 30))
def test_harmless_has_no_fences_and_keeps_to_its_limit(text: str, limit: int) -> None:
    safe = harmless(text, limit)
    assert len(safe) <= limit
    assert "```" not in safe
    assert "~~~" not in safe
