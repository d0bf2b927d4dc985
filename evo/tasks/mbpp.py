"""Sanitized MBPP: 427 problems, a description with about three asserts (Austin et al., arXiv 2108.07732; CC BY 4.0)."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evo.errors import UserError
from evo.tasks.body import Body, body_of
from evo.tasks.mode import Task

__all__ = ["called_function", "mbpp_tasks", "with_asserts"]


def mbpp_tasks(items: Sequence[Mapping[str, Any]], source: str) -> Iterator[Task]:
    """Tasks of the published JSON array. Raises UserError naming the item that is not one of MBPP's."""
    if not items:
        raise UserError(f"{source}: holds no problem; sanitized MBPP is an array of objects")
    for number, item in enumerate(items):
        try:
            yield _task(item)
        except (KeyError, TypeError, AttributeError, ValueError, SyntaxError, RecursionError) as error:
            raise UserError(
                f"{source}: item {number}: is no task of sanitized MBPP ({type(error).__name__}: {error}); "
                "it needs task_id, prompt, code, test_imports, test_list"
            ) from error


def with_asserts(text: str, shown: str) -> str:
    """A description with the asserts that may be shown."""
    return f"{text.strip()}\n\nIt must pass:\n{shown}" if shown else text.strip()


def _task(item: Mapping[str, Any]) -> Task:
    reference = item["code"].replace("\r\n", "\n")
    asserts = [ast.parse(text) for text in item["test_list"]]
    entry_point = called_function(reference, asserts)
    imports = "\n".join(item["test_imports"])
    # Some tests lean on what the reference imports.
    leaned = [ast.unparse(n) for n in ast.parse(reference).body if isinstance(n, ast.Import | ast.ImportFrom)]
    preamble = "\n".join(dict.fromkeys([*imports.splitlines(), *leaned]))
    check = ast.parse("def check(candidate):\n    pass").body[0]
    assert isinstance(check, ast.FunctionDef)
    check.body = [node for tree in asserts for node in tree.body]
    tests = body_of(check, entry_point, preamble)
    return Task(
        id=f"Mbpp/{item['task_id']}",
        suite="mbpp",
        prompt=lambda shown: with_asserts(item["prompt"], shown),
        entry_point=entry_point,
        stub="",
        reference=f"{imports}\n{reference}".lstrip(),
        tests=tests,
        # The published prompt shows its asserts; one of them is what a person would call its example.
        examples=Body(tests.statements[:1], preamble),
    )


def called_function(reference: str, asserts: Sequence[ast.Module]) -> str:
    """The function that the asserts call and the reference defines: the one called by most asserts, the last defined of
    equals (helpers come first). Raises ValueError where they call none.
    """
    defined = [n.name for n in ast.parse(reference).body if isinstance(n, ast.FunctionDef | ast.ClassDef)]

    def calls(name: str) -> int:
        return sum(
            any(isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == name for n in ast.walk(tree))
            for tree in asserts
        )

    called = [(calls(name), position, name) for position, name in enumerate(defined) if calls(name)]
    if not called:
        raise ValueError("no assert of test_list calls a function that code defines")
    return max(called)[2]
