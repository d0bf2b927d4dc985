"""A Python file of tests, as people have them, as fields of one task: asserts, pytest functions, check(candidate)."""

import ast
import builtins
import re
from collections import Counter
from dataclasses import dataclass

from evo.errors import UserError
from evo.tasks.body import bound_names
from evo.tasks.written import parsed

__all__ = ["TestFile", "read_test_file"]


@dataclass(frozen=True, slots=True)
class TestFile:
    """What the fields entry_point, setup and tests of a task are (docs/tasks.md)."""

    entry_point: str
    setup: str
    tests: str | list[str]


def read_test_file(text: str, prompt: str, where: str) -> TestFile:
    """The tests of a file on one function: the one that they call most of those that the prompt names.

    Asserts at the top and in functions ``test_...()`` are tests, ``check(candidate)`` is the tests where there is one;
    imports and definitions are their setup, but for an import of the function itself. Raises UserError, beginning with
    ``where``.
    """
    module = parsed(text, "tests", where)
    checks = [node for node in module.body if _is_check(node)]
    blocks = [node for node in module.body if _is_test(node)]
    rest = [node for node in module.body if node not in blocks and node not in checks]
    entry_point = _entry_point(ast.Module([*checks, *blocks], []), rest, prompt, where)
    needed = [n for n in rest if not _is_main(n) and not (_is_import(n) and entry_point in bound_names(n))]
    tests = "\n".join(map(ast.unparse, checks)) if checks else [_as_block(node) for node in blocks]
    return TestFile(entry_point, "\n".join(map(ast.unparse, needed)), tests)


def _is_check(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "check" and bool(node.args.args)


def _is_test(node: ast.stmt) -> bool:
    """An assert, a statement around asserts, a function of pytest's."""
    if isinstance(node, ast.FunctionDef):
        return node.name.startswith("test") and not _parameters(node.args)
    is_block = not isinstance(node, ast.ClassDef | ast.AsyncFunctionDef) and not _is_main(node)
    return is_block and any(isinstance(inner, ast.Assert) for inner in ast.walk(node))


def _parameters(arguments: ast.arguments) -> list[ast.arg]:
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and any(getattr(inner, "id", "") == "__name__" for inner in ast.walk(node.test))


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _as_block(node: ast.stmt) -> str:
    """A test that stands on its own: of a function, what it does."""
    body = node.body if isinstance(node, ast.FunctionDef) else [node]
    if len(body) > 1:
        body = [ast.If(ast.Constant(True), body, [])]
    return "\n".join(map(ast.unparse, body))


def _entry_point(tests: ast.Module, rest: list[ast.stmt], prompt: str, where: str) -> str:
    imported = {name for node in rest if _is_import(node) for name in bound_names(node)}
    own = bound_names(*rest) - imported | set(dir(builtins))
    calls = Counter(
        node.func.id
        for node in ast.walk(tests)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in own
    )
    named = [name for name in calls if name in prompt and name != "candidate"]
    if not named and "candidate" in calls:  # check(candidate): the prompt alone says its name
        named = list(dict.fromkeys(re.findall(r"\b([A-Za-z_]\w*)\(", prompt)))[:1]
    if not named:
        raise UserError(f"{where}: no test calls a function that the prompt names; name the function in both")
    return max(named, key=lambda name: (calls[name], name))
