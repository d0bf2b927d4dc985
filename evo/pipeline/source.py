"""Python source looked at without running it: parsing that never raises, names, the part that is needed."""

import ast
import builtins
import symtable
import warnings
from collections.abc import Iterator

__all__ = ["defined_names", "fault_line", "free_names", "parse", "returns", "slice_for", "split_docstring"]

_FAULTS = (SyntaxError, ValueError, RecursionError, MemoryError)
_BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_LASTING = (*_DEFINITIONS, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.AugAssign)


def parse(code: str) -> ast.Module | None:
    """The module, or None if the text is not Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a model's invalid escapes are no concern of ours
        try:
            return ast.parse(code)
        except _FAULTS:
            return None


def fault_line(code: str) -> int:
    """1-based line where the text stops being Python; 0 if it is Python or the line is not known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(code)
        except SyntaxError as error:
            return error.lineno or 0
        except _FAULTS:
            return 0
    return 0


def defined_names(module: ast.Module) -> set[str]:
    """Names that top-level statements bind."""
    return {name for statement in module.body for name in _bound(statement)}


def free_names(code: str) -> set[str]:
    """Names that parsable code reads but neither it nor the builtins define; empty for other text."""
    return _read(code) - _BUILTINS


def returns(code: str, function: str) -> bool:
    """Whether the code is Python and its top-level function of this name returns or yields something."""
    module = parse(code)
    return module is not None and any(
        isinstance(node, ast.Return | ast.Yield | ast.YieldFrom)
        for statement in module.body
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name == function
        for node in ast.walk(statement)
    )


def slice_for(code: str, module: ast.Module, name: str) -> str:
    """The top-level statements that ``name`` needs, in their order; examples, tests and ``__main__`` parts fall away.

    Where nothing binds ``name``, all imports, definitions and assignments stay.
    """
    texts = [_text(code, statement) for statement in module.body]
    bound = [_bound(statement) for statement in module.body]
    if name in defined_names(module):
        kept = {index for index, statement in enumerate(module.body) if _always(statement)}
        queue, seen = [name], {name}
        while queue:
            wanted = queue.pop()
            for index in range(len(bound)):
                if index not in kept and wanted in bound[index]:
                    kept.add(index)
                    fresh = _read(texts[index]) - seen
                    seen |= fresh
                    queue.extend(fresh)
    else:
        kept = {index for index, statement in enumerate(module.body) if isinstance(statement, _LASTING)}
    parts: list[str] = []
    for index in sorted(kept):
        apart = isinstance(module.body[index], _DEFINITIONS) or index - 1 not in kept or _defines(module, index - 1)
        parts.append(("\n\n" if apart and parts else "\n" if parts else "") + texts[index])
    return "".join(parts)


def split_docstring(code: str, function: str) -> tuple[str, str]:
    """The docstring of a top-level function, cleaned, and the code without it; ("", code) where there is none."""
    module = parse(code)
    for statement in module.body if module is not None else ():
        if (
            isinstance(statement, _DEFINITIONS)
            and statement.name == function
            and (text := ast.get_docstring(statement))
        ):
            lines, doc = code.split("\n"), statement.body[0]
            return text, "\n".join([*lines[: doc.lineno - 1], *lines[doc.end_lineno :]]).strip("\n")
    return "", code


def _defines(module: ast.Module, index: int) -> bool:
    return isinstance(module.body[index], _DEFINITIONS)


def _always(statement: ast.stmt) -> bool:
    """Imports that bind nothing by name."""
    return isinstance(statement, ast.ImportFrom) and (
        statement.module == "__future__" or statement.names[0].name == "*"
    )


def _bound(statement: ast.stmt) -> set[str]:
    """Names that a top-level statement binds or changes in place (``table[0] = 1``, ``table.append(1)``)."""
    if isinstance(statement, _DEFINITIONS):
        return {statement.name}
    if isinstance(statement, ast.If) and any(getattr(n, "id", "") == "__name__" for n in ast.walk(statement.test)):
        return set()
    names: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, _DEFINITIONS):
            names.add(node.name)
        elif isinstance(getattr(node, "ctx", None), ast.Store):
            names.add(_base(node))
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute() as method)):
            names.add(_base(method))
    return names - {""}


def _base(node: ast.AST) -> str:
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _read(code: str) -> set[str]:
    """Names that code reads from outside itself, builtins among them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            top = symtable.symtable(code, "<answer>", "exec")
        except _FAULTS:
            return set()
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    read: set[str] = set()
    for scope in _scopes(top):
        for symbol in scope.get_symbols():
            if scope is top or symbol.is_global():
                if symbol.is_referenced():
                    read.add(symbol.get_name())
                if symbol.is_assigned():
                    bound.add(symbol.get_name())
    return read - bound


def _scopes(top: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    stack = [top]
    while stack:
        yield (scope := stack.pop())
        stack.extend(scope.get_children())


def _text(code: str, statement: ast.stmt) -> str:
    """The statement's lines with its decorators; of a line that it shares (``import a; import b``), its part."""
    lines = code.split("\n")
    first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
    last = statement.end_lineno or statement.lineno
    tail = lines[last - 1].encode()[statement.end_col_offset or 0 :].decode().strip()
    if statement.col_offset > 0 or tail.startswith(";"):
        return ast.get_source_segment(code, statement) or ""
    return "\n".join(lines[first - 1 : last])
