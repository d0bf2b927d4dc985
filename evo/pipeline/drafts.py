"""What travels along a plan's edges: drafts with what is known of them, plans, tests; and which draft is better."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from evo.sandbox.verdict import Status, Verdict
from evo.tasks.problem import Check

__all__ = ["Draft", "Load", "best", "foremost", "nothing_failed", "rank"]

T = TypeVar("T")
_PASSED = 2


@dataclass(frozen=True, slots=True)
class Draft:
    """A program and what is known of it.

    verdict: on the visible tests, None before it was run. own: how many tests of a tester's own it passed. stands: it
    failed no visible test, and none of a tester's that counts. feedback, diagnosis: in words, for a model.
    """

    code: str
    verdict: Verdict | None = None
    own: int = 0
    stands: bool = False
    feedback: str = ""
    diagnosis: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """What one visit hands on. plan: a planner's words. tests: a tester's."""

    drafts: tuple[Draft, ...] = ()
    plan: str = ""
    tests: tuple[Check, ...] = ()


def nothing_failed(verdict: Verdict) -> bool:
    """Passed, or there were no visible tests."""
    return verdict.passed or (verdict.status is Status.NO_CALL and verdict.units == 0)


def rank(draft: Draft) -> tuple[int, int, int]:
    """Higher is better: what passed, before what nobody has run, before what failed, before nothing.

    Among those that were run: more visible tests passed, then more of a tester's.
    """
    if draft.verdict is None:
        return (1 if draft.code else -1, 0, 0)
    return (_PASSED if nothing_failed(draft.verdict) else 0, draft.verdict.passed_units, draft.own)


def foremost(items: Iterable[T], key: Callable[[T], tuple[int, ...]]) -> T:
    """The item with the highest key, which begins with a rank: of equals that passed the first, of others the latest,
    which has seen most feedback. Raises ValueError without items.
    """
    numbered = enumerate(items)
    return max(numbered, key=lambda one: (*(of := key(one[1])), -one[0] if of[0] == _PASSED else one[0]))[1]


def best(drafts: Iterable[Draft]) -> Draft:
    """The draft to work on, of equals one with a diagnosis; an empty one where there is none."""
    return foremost([Draft(""), *drafts], lambda draft: (*rank(draft), bool(draft.diagnosis)))
