"""The examples in a prompt's docstring as tests: doctests, and the arrows that people write instead."""

import ast
import doctest
import re
from collections.abc import Container

from evo.tasks.body import Body, Statement

__all__ = ["examples_in"]

_ARROW = re.compile(r"\s*(?:#\s*)?(?:=+>|-+>|==|=|➞|→|returns?|should return)\s*(.+)")
_AS_ELSEWHERE = {"true": "True", "false": "False"}


def examples_in(prompt: str, entry_point: str, wrong: Container[str] = ()) -> Body:
    """Tests of all examples whose arguments and result are plain literals; nothing is run to find them.

    wrong: examples (as asserts) to leave out, since the published prompt is mistaken in them.
    """
    try:
        tree = ast.parse(prompt)
    except SyntaxError:
        return Body(())
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == entry_point]
    text = (ast.get_docstring(functions[-1]) or "") if functions else ""
    pairs = [*_doctests(text), *_arrows(text, entry_point)]
    found: dict[str, Statement] = {}
    for call, result in pairs:
        arguments = _literal_arguments(call, entry_point)
        if arguments is not None:
            shown = f"assert {entry_point}({arguments}) == {result}"
            if shown in wrong:
                continue
            found.setdefault(shown, Statement(f"assert candidate({arguments}) == {result}", True, shown))
    return Body(tuple(found.values()))


def _doctests(text: str) -> list[tuple[str, str]]:
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:
        return []
    return [(e.source.strip(), result) for e in examples if (result := _literal(e.want.strip())) is not None]


def _arrows(text: str, entry_point: str) -> list[tuple[str, str]]:
    pairs = []
    for match in re.finditer(rf"\b{re.escape(entry_point)}\(", text):
        call = _balanced(text, match.start(), match.end())
        if call is None:
            continue
        arrow = _ARROW.match(text[match.start() + len(call) :].split("\n", 1)[0])
        result = _leading_literal(arrow[1]) if arrow else None
        if result is not None:
            pairs.append((call, result))
    return pairs


def _balanced(text: str, start: int, inside: int) -> str | None:
    """The call that begins at ``start`` up to its closing bracket, on one line."""
    depth = 1
    for end in range(inside, min(len(text), inside + 400)):
        depth += (text[end] in "([{") - (text[end] in ")]}")
        if text[end] == "\n":
            return None
        if depth == 0:
            return text[start : end + 1]
    return None


def _literal(text: str) -> str | None:
    try:
        return ast.unparse(ast.parse(repr(ast.literal_eval(_AS_ELSEWHERE.get(text, text))), mode="eval"))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _leading_literal(text: str) -> str | None:
    """The literal that a line begins with; a remark may follow it, but nothing that looks like more of the value."""
    text = text.strip()
    for end in range(len(text), 0, -1):
        rest = text[end:].strip()
        if rest and not (rest[0] in ".,;#(" or (rest[0].isalpha() and text[end].isspace())):
            continue  # "19 - 5 - 6 = 8" is not 19
        if (found := _literal(text[:end].strip())) is not None:
            return found
    return None


def _literal_arguments(call: str, entry_point: str) -> str | None:
    """The arguments of a call of the entry point, if all are literals."""
    try:
        node = ast.parse(call, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == entry_point):
        return None
    if not node.args or node.keywords or any(_literal(ast.unparse(a)) is None for a in node.args):
        return None
    return ", ".join(ast.unparse(a) for a in node.args)
