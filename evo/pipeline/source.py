"""Python source looked at without running it: parsing that never raises, names, and the part of a program that is
needed.
"""

import ast
import builtins
import symtable
import warnings
from collections.abc import Iterator

__all__ = ["bound_names", "defines", "free_names", "parse", "slice_for"]

_BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}


def parse(code: str) -> ast.Module | None:
    """The module, or None if the text is not Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a model's invalid escapes are no concern of ours
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def defines(module: ast.Module, name: str) -> bool:
    """Whether a top-level statement binds the name."""
    return any(name in bound_names(statement) for statement in module.body)


def bound_names(statement: ast.stmt) -> set[str]:
    """Names that a top-level statement binds or changes in place (``table[0] = 1`` changes ``table``)."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return {(alias.asname or alias.name).split(".")[0] for alias in aliases}
    return {_base(node) for node in ast.walk(statement) if isinstance(getattr(node, "ctx", None), ast.Store)} | {
        inner.name for inner in ast.walk(statement) if isinstance(inner, ast.FunctionDef | ast.ClassDef)
    } - {""}


def _base(node: ast.AST) -> str:
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def free_names(code: str) -> set[str]:
    """Names that parsable code reads from its module or the builtins and that neither binds; empty for other text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            top = symtable.symtable(code, "<answer>", "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return set()
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    read: set[str] = set()
    for scope in _scopes(top):
        for symbol in scope.get_symbols():
            if scope is top or symbol.is_global():
                (read if symbol.is_referenced() else set()).add(symbol.get_name())
                if scope is not top and symbol.is_assigned():
                    bound.add(symbol.get_name())
    return read - bound - _BUILTINS


def _scopes(top: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield top
    for child in top.get_children():
        yield from _scopes(child)


def slice_for(code: str, module: ast.Module, name: str) -> str:
    """The top-level statements that ``name`` needs, in their order; usage examples, tests and ``__main__`` parts fall
    away.

    Where nothing binds ``name``, all imports, definitions and assignments stay.
    """
    binds = [bound_names(statement) for statement in module.body]
    needed, queue = {name}, [name]
    kept: set[int] = set()
    if not any(name in names for names in binds):
        kept = {
            index
            for index, statement in enumerate(module.body)
            if isinstance(statement, _DEFINITIONS) and (not isinstance(statement, _ASSIGNMENTS) or binds[index])
        }
        queue = []
    while queue:
        wanted = queue.pop()
        for index, statement in enumerate(module.body):
            star = isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"
            future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
            if index not in kept and (star or future or (wanted in binds[index] and not _is_main(statement))):
                kept.add(index)
                fresh = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)} - needed
                needed |= fresh
                queue.extend(fresh)
    return "\n\n".join(_text(code, [module.body[index] for index in group]) for group in _groups(module, sorted(kept)))


_ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, *_ASSIGNMENTS)


def _is_main(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in ast.dump(statement.test)


def _groups(module: ast.Module, kept: list[int]) -> Iterator[list[int]]:
    """Definitions alone, other neighbours together: where blank lines go."""
    group: list[int] = []
    for index in kept:
        block = isinstance(module.body[index], ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if block and group:
            yield group
            group = []
        group.append(index)
        if block:
            yield group
            group = []
    if group:
        yield group


def _text(code: str, statements: list[ast.stmt]) -> str:
    lines = code.split("\n")
    return "\n".join(
        ast.unparse(statement)
        if _shares_lines(lines, statement)
        else "\n".join(lines[_first(statement) - 1 : statement.end_lineno])
        for statement in statements
    )


def _first(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _shares_lines(lines: list[str], statement: ast.stmt) -> bool:
    """Whether another statement stands on its first or last line (``import a; import b``)."""
    head = lines[_first(statement) - 1]
    tail = lines[(statement.end_lineno or statement.lineno) - 1].encode()[statement.end_col_offset :].decode()
    return head[:1].isspace() or statement.col_offset > 0 or ";" in tail.split("#")[0]
