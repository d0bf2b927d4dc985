"""A check program compiled so that a failing assert shows what it compared, and the tests before it are counted."""

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Final

__all__ = ["CheckError", "CompiledCheck", "Witness", "compile_check"]

_FILE_NAME: Final = "<check>"
_WITNESS: Final = "__evo_witness__"
_MAX_SOURCE: Final = 500
_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
    "Is": operator.is_,
    "IsNot": operator.is_not,
    "In": lambda left, right: left in right,
    "NotIn": lambda left, right: left not in right,
}


class CheckError(Exception):
    """The check program itself is unusable; the message says why."""


@dataclass(slots=True)
class Witness:
    """What the rewritten asserts of one run left behind. Reached by the check alone, never by the candidate.

    source: text of the assert entered last; inside: whether it has not been left.
    compared: its comparison looked at last, by name, and left and right the values. passed: units that ended.
    """

    passed: int = 0
    source: str = ""
    inside: bool = False
    compared: str = ""
    left: Any = None
    right: Any = None

    def enter(self, source: str) -> None:
        """An assert begins."""
        self.source, self.inside, self.compared = source, True, ""

    def compare(self, name: str, left: Any, right: Any) -> Any:
        """The comparison, remembered."""
        self.compared, self.left, self.right = name, left, right
        return _OPERATORS[name](left, right)

    def leave(self) -> None:
        """The assert held."""
        self.inside = False

    def unit(self) -> None:
        """A unit of check ended."""
        self.passed += 1


@dataclass(frozen=True, slots=True)
class CompiledCheck:
    """units: statements at the top of check's body that hold an assert."""

    units: int
    _code: CodeType = field(repr=False)

    def load(self, witness: Witness) -> Callable[[Callable[..., Any]], Any]:
        """Run the program in a new namespace and give its ``check``. Raises CheckError."""
        namespace: dict[str, Any] = {"__name__": "check", _WITNESS: witness}
        try:
            exec(self._code, namespace)
        except Exception as error:
            raise CheckError(f"the check program fails with {type(error).__name__}: {error}") from error
        function: Callable[[Callable[..., Any]], Any] = namespace["check"]
        return function


def compile_check(source: str) -> CompiledCheck:
    """Parse, rewrite and compile a program that defines ``check(candidate)``. Raises CheckError."""
    try:
        tree = ast.parse(source, _FILE_NAME)
    except (SyntaxError, ValueError) as error:
        raise CheckError(f"the check program does not compile: {error}") from error
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "check"]
    if not found:
        raise CheckError("the check program defines no function check(candidate)")
    check = found[-1]
    body: list[ast.stmt] = []
    units = 0
    for statement in check.body:
        is_unit = any(isinstance(node, ast.Assert) for node in ast.walk(statement))
        body.append(statement)
        if is_unit:
            units += 1
            body.append(ast.copy_location(_tell("unit"), statement))
    check.body = body
    tree = ast.fix_missing_locations(_Rewriter(source).visit(tree))
    return CompiledCheck(units, compile(tree, _FILE_NAME, "exec", dont_inherit=True))


def _method(name: str, *arguments: ast.expr) -> ast.Call:
    witness = ast.Name(_WITNESS, ast.Load())
    return ast.Call(ast.Attribute(witness, name, ast.Load()), list(arguments), [])


def _tell(name: str, *arguments: ast.expr) -> ast.Expr:
    return ast.Expr(_method(name, *arguments))


class _Rewriter(ast.NodeTransformer):
    """``assert a == b, m`` becomes enter(text); assert compare("Eq", a, b), m; leave()."""

    def __init__(self, source: str) -> None:
        self._lines = source.encode().splitlines(keepends=True)

    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        text = self._text(node)[:_MAX_SOURCE]
        watched = ast.Assert(_watch(node.test), node.msg)
        parts = [_tell("enter", ast.Constant(text)), watched, _tell("leave")]
        return [ast.copy_location(part, node) for part in parts]

    def _text(self, node: ast.Assert) -> str:
        """As ast.get_source_segment, which splits the whole source anew for every node."""
        end_line, end = node.end_lineno or node.lineno, node.end_col_offset
        lines = self._lines[node.lineno - 1 : end_line]
        lines[-1] = lines[-1][:end]
        lines[0] = lines[0][node.col_offset :]
        return b"".join(lines).decode()


def _watch(test: ast.expr) -> ast.expr:
    """The same condition, with comparisons that decide it remembered."""
    if isinstance(test, ast.BoolOp):
        return ast.copy_location(ast.BoolOp(test.op, [_watch(value) for value in test.values]), test)
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        name = ast.Constant(type(test.ops[0]).__name__)
        return ast.copy_location(_method("compare", name, test.left, test.comparators[0]), test)
    return test
