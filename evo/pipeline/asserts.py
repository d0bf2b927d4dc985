"""Asserts that a model wrote, read as data.

They are run by the trusted half of the sandbox, so nothing of the model's text gets there but calls of the entry point
with literals, compared with a literal; the text is written anew from what was parsed.
"""

import ast
import re

from evo.pipeline.source import parse
from evo.tasks.problem import Check

__all__ = ["MOST_ASSERTS", "own_tests"]

MOST_ASSERTS = 6
_LONGEST = 300  # characters of one assert
_LINE = re.compile(r"^[ \t>*\d.)-]*(assert\b.*)$", re.MULTILINE)


def own_tests(text: str, entry_point: str) -> tuple[Check, ...]:
    """The usable asserts of an answer, each as tests of its own; at most ``MOST_ASSERTS``, the first of each call.

    Usable is ``assert entry_point(literals) == literal`` on one line; anything else is passed over.
    """
    found: dict[str, Check] = {}
    for line in _LINE.findall(text):
        call, expected = _read(line.strip().rstrip("`"), entry_point)
        if call and call not in found:
            shown = f"assert {entry_point}{call} == {expected}"
            source = f"def check(candidate):\n    assert candidate{call} == {expected}\n"
            found[call] = Check(source, 1, shown)
        if len(found) == MOST_ASSERTS:
            break
    return tuple(found.values())


def _read(line: str, entry_point: str) -> tuple[str, str]:
    """("(1, 2)", "3") of "assert f(1, 2) == 3"; ("", "") of what is not usable."""
    module = parse(line) if len(line) <= _LONGEST else None
    match module.body if module is not None else []:
        case [ast.Assert(ast.Compare(ast.Call(ast.Name(name)) as call, [ast.Eq()], [expected]))] if name == entry_point:
            values = [*call.args, *(keyword.value for keyword in call.keywords)]
            if all(keyword.arg for keyword in call.keywords) and all(map(_is_literal, (*values, expected))):
                return ast.unparse(call).removeprefix(name), ast.unparse(expected)
    return "", ""


def _is_literal(node: ast.expr) -> bool:
    """Whether it is plain data, written out."""
    try:
        ast.literal_eval(node)  # fails for what is unhashable in a set, and the like
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return all(_is_plain(part) for part in ast.walk(node))


def _is_plain(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is None or type(node.value) in (bool, int, float, str)
    return isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict | ast.UnaryOp | ast.USub | ast.UAdd | ast.Load)
