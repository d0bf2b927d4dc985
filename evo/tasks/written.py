"""Tests as a user writes them, into a body that can be divided; or one line that says why they cannot be."""

import ast
from typing import Any

from evo.errors import UserError
from evo.tasks.body import Body, body_of, bound_names, mentions

__all__ = ["parsed", "written_tests"]


def written_tests(value: Any, key: str, entry_point: str, setup: str, where: str) -> Body:
    """Asserts that call the entry point, or a program that defines check(candidate), after the trusted code ``setup``.

    What would fail every answer, or pass any, is refused here: UserError, beginning with ``where`` and the field.
    """
    lines = [value] if isinstance(value, str) else value
    if not isinstance(lines, list) or not lines or not all(isinstance(line, str) for line in lines):
        raise UserError(f"{where}: field {key}: must be a list of asserts, or a program that defines check(candidate)")
    before = parsed(setup, "setup", where)
    _only_definitions(before.body, "setup", entry_point, where)
    for number, line in enumerate(lines):
        parsed(line, key if isinstance(value, str) else f"{key}[{number}]", where)
    module = ast.parse("\n".join(lines))
    checks = [n for n in module.body if isinstance(n, ast.FunctionDef) and n.name == "check" and n.args.args]
    if checks:
        check = checks[-1]
        helpers = [n for n in module.body if n is not check and not _is_call_of_check(n)]
        _only_definitions(helpers, key, entry_point, where)
        preamble = "\n".join([setup, *map(ast.unparse, helpers)])
    else:
        parameter = ast.arguments([], [ast.arg("candidate")], None, [], [], None, [])
        check, preamble = ast.FunctionDef("check", parameter, module.body, []), setup
    names = (entry_point, "candidate", check.args.args[0].arg)
    _separable(check.body, key, where)
    calls = mentions(ast.Module(check.body, []), *names) or mentions(ast.parse(preamble), entry_point)
    body = body_of(check, entry_point, preamble)
    if not body.tests:
        raise UserError(f"{where}: field {key}: holds no assert")
    if not calls:
        raise UserError(f"{where}: field {key}: never calls {entry_point}")
    return body


def parsed(code: str, key: str, where: str) -> ast.Module:
    """The code of a field. Raises UserError if it is not Python."""
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        at = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UserError(f"{where}: field {key}: is not Python ({reason}{at})") from None


def _is_call_of_check(node: ast.stmt) -> bool:
    """``check(add)``, with which such programs often end: here the sandbox makes the call."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and mentions(node.value.func, "check")


def _only_definitions(helpers: list[ast.stmt], key: str, entry_point: str, where: str) -> None:
    """What runs before the candidate is there neither calls it nor takes its name."""
    for node in helpers:
        is_definition = isinstance(node, ast.FunctionDef | ast.ClassDef)
        taken = {node.name} if isinstance(node, ast.FunctionDef | ast.ClassDef) else bound_names(node)
        if entry_point in taken:
            raise UserError(
                f"{where}: field {key}: line {node.lineno} defines {entry_point}, which is what is tested; rename it"
            )
        if not is_definition and mentions(node, entry_point):
            raise UserError(
                f"{where}: field {key}: line {node.lineno} uses {entry_point} before it is there; "
                "move it into check(candidate)"
            )


def _separable(body: list[ast.stmt], key: str, where: str) -> None:
    """Each test stands on its own, since some will be visible and others hidden."""
    for position, node in enumerate(body):
        later = body[position + 1 :]
        at = f"{where}: field {key}: line {node.lineno}"
        if isinstance(node, ast.Return) and later:
            raise UserError(f"{at} returns before the last test; remove it")
        if not any(isinstance(inner, ast.Assert) for inner in ast.walk(node)):
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            raise UserError(
                f"{at} hides asserts in {node.name}; write them on their own, or in a function check(candidate)"
            )
        needed = {name for name in _set_by(node) for n in later if mentions(n, name) and name not in bound_names(n)}
        if needed:
            raise UserError(f"{at} holds an assert and sets {min(needed)} for a later line; set it in a line before")


def _set_by(node: ast.AST) -> set[str]:
    """Names that a statement leaves behind; those of comprehensions and lambdas end with them."""
    if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}
    own = {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set()
    return own.union(*map(_set_by, ast.iter_child_nodes(node)))
