"""A programming problem, with the tests that may be shown apart from the tests that score."""

from dataclasses import dataclass

__all__ = ["Check", "Problem"]


@dataclass(frozen=True, slots=True)
class Check:
    """Tests as one trusted Python program.

    source: a self-contained program that defines ``check(candidate)``, which returns if every test passes and raises
        otherwise. It is run outside the sandbox, with a proxy in the candidate's place.
    units: how many tests the program counts (a top-level assert, a loop of asserts, one input of a differential test).
        0 means that there is nothing to run: such a check passes nothing and says nothing.
    shown: the same tests as asserts that a person or a model may read, one per line ("" where that is not possible).
    """

    source: str
    units: int
    shown: str = ""

    def __bool__(self) -> bool:
        return self.units > 0


@dataclass(frozen=True, slots=True)
class Problem:
    """One task. Immutable; everything that a pipeline may see is ``prompt``, ``stub``, ``entry_point`` and ``visible``.

    id: unique within a suite, as published ("HumanEval/0", "Mbpp/2").
    suite: name of the suite it comes from.
    prompt: what a model is asked, in the suite's own words (HumanEval: the code prompt; MBPP: text and visible
    asserts). entry_point: name of the function that is called. stub: code that an answer which is a bare body
    continues (HumanEval's prompt), else "". visible: tests that may give feedback, end a loop and be quoted in a
    prompt. hidden: tests that score, and nothing else. reference: a complete correct program, used to validate the
    suite and by the simulated pool alone.
    """

    id: str
    suite: str
    prompt: str
    entry_point: str
    stub: str
    visible: Check
    hidden: Check
    reference: str
