"""The asserts that simulated testers write: right ones from the suite's own tests, wrong ones that say that they are.

A wrong assert expects a text that no function returns, so every draft fails it; a right one is passed by correct drafts
and failed by all others.
"""

import ast
from itertools import product

from evo.tasks.problem import Check, Problem

__all__ = ["answers_of", "is_wrong"]

_MOST = 3
_MARK = "_sim_wrong"
_NONE = "There is nothing to test."


def answers_of(problem: Problem, right: float) -> tuple[tuple[float, str], ...]:
    """(probability, text) of all answers, those with most right asserts first. right: chance of one assert.

    One answer without asserts where the suite's tests compare no call with a literal.
    """
    known = _known(problem)
    if not known:
        return ((1.0, _NONE),)
    found = []
    for fine in product((True, False), repeat=len(known)):
        lines = [
            f"assert {problem.entry_point}{call} == {expected if is_right else repr(f'{_MARK}_{number}')}"
            for number, ((call, expected), is_right) in enumerate(zip(known, fine, strict=True))
        ]
        chance = right ** sum(fine) * (1 - right) ** (len(fine) - sum(fine))
        found.append((chance, "```python\n" + "\n".join(lines) + "\n```", sum(fine)))
    found.sort(key=lambda one: -one[2])
    return tuple((chance, text) for chance, text, _ in found if chance > 0)


def is_wrong(check: Check) -> bool:
    """Whether these tests are a wrong assert of a simulated tester."""
    return _MARK in check.source


def _known(problem: Problem) -> list[tuple[str, str]]:
    """Calls and their results, as text, from the hidden tests: what a perfect tester would write."""
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(problem.hidden.source)):
        match node:
            case ast.Assert(ast.Compare(ast.Call(ast.Name("candidate"), keywords=[]) as call, [ast.Eq()], [expected])):
                if all(map(_is_literal, (*call.args, expected))):
                    found.setdefault(ast.unparse(call).removeprefix("candidate"), ast.unparse(expected))
    short = [(call, expected) for call, expected in found.items() if len(call) + len(expected) < 200]
    return short[:_MOST]


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError):
        return False
    return True
