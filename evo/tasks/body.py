"""The body of a check function as statements, some of which are tests: what suites are read into and modes divide."""

import ast
import random
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from evo.tasks.problem import Check

__all__ = ["NOTHING", "Body", "Statement", "body_of", "bound_names", "mentions"]

NOTHING = Check("def check(candidate):\n    return None\n", units=0)
"""No tests."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a check's body. is_test: it holds an assert. shown: the same as a readable assert, or ""."""

    source: str
    is_test: bool = True
    shown: str = ""

    @property
    def text(self) -> str:
        """What makes it the same test as another: the assert as one reads it, without a message."""
        return self.shown or self.source


@dataclass(frozen=True, slots=True)
class Body:
    """A check taken apart. preamble: trusted code that its tests need (imports, helpers), run before the definition."""

    statements: tuple[Statement, ...]
    preamble: str = ""

    @property
    def tests(self) -> tuple[int, ...]:
        """Indices of the statements that are tests."""
        return tuple(i for i, statement in enumerate(self.statements) if statement.is_test)

    def check(self, tests: Iterable[int] | None = None) -> Check:
        """The check of these tests (None: all), with whatever else the body does kept in its place."""
        wanted = set(self.tests if tests is None else tests)
        if not wanted:
            return NOTHING
        kept = [s for i, s in enumerate(self.statements) if not s.is_test or i in wanted]
        lines = textwrap.indent("\n".join(s.source for s in kept), "    ")
        source = f"{self.preamble.rstrip()}\n\n\ndef check(candidate):\n{lines}\n".lstrip("\n")
        shown = "\n".join(s.shown for s in kept if s.shown)
        return Check(source, units=len(wanted), shown=shown)

    def but(self, other: "Body") -> tuple[int, ...]:
        """Indices of the tests that are not among the other's."""
        known = {other.statements[i].text for i in other.tests}
        return tuple(i for i in self.tests if self.statements[i].text not in known)

    def half(self, seed: int, problem: str, but: frozenset[int] = frozenset()) -> frozenset[int]:
        """Half of the tests (less ``but``), rounded down, by a draw that depends on seed and problem alone.

        Tests with the same text stay together.
        """
        order = list(dict.fromkeys(self.statements[i].text for i in self.tests if i not in but))
        random.Random(sha256(f"split/{seed}/{problem}".encode()).digest()).shuffle(order)
        drawn = frozenset(order[: len(order) // 2])
        return frozenset(i for i in self.tests if self.statements[i].text in drawn)


def body_of(function: ast.FunctionDef, entry_point: str, preamble: str = "") -> Body:
    """Take a check function apart; ``assert True`` and the like are dropped.

    The first parameter may have any name, and the entry point's own name may be used for it: in the statements both are
    called ``candidate``. Where the check uses one of these names for something else too, it keeps its names, and they
    are bound first; helpers in the preamble that call the entry point find it by its name.
    """
    parameter = function.args.args[0].arg
    aliases = {parameter, entry_point}
    clash = not bound_names(*function.body).isdisjoint({*aliases, "candidate"})
    bindings = [f"{parameter} = candidate"] if clash and parameter != "candidate" else []
    if clash or mentions(ast.parse(preamble), entry_point):
        bindings.append(f"globals()[{entry_point!r}] = candidate")
    statements = [Statement(binding, is_test=False) for binding in bindings]
    for node in function.body:
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant) and node.test.value:
            continue
        if not clash:
            node = ast.fix_missing_locations(_Rename(aliases, "candidate").visit(node))  # noqa: PLW2901
        is_test = any(isinstance(inner, ast.Assert) for inner in ast.walk(node))
        source = ast.unparse(node)
        shown = ""
        if isinstance(node, ast.Assert) and not clash:
            bare = ast.Assert(node.test, None)
            shown = ast.unparse(ast.fix_missing_locations(_Rename({"candidate"}, entry_point).visit(bare)))
        statements.append(Statement(source, is_test, shown))
    return Body(tuple(statements), preamble)


def mentions(tree: ast.AST, *names: str) -> bool:
    """Whether code reads a variable of one of these names, in any scope."""
    return any(isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.id in names for n in ast.walk(tree))


def bound_names(*trees: ast.AST) -> set[str]:
    """Every name that code gives a meaning to, in any scope."""
    found: set[str] = set()
    for node in (inner for tree in trees for inner in ast.walk(tree)):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.alias(name=name, asname=asname):
                found.add(asname or name.partition(".")[0])
            case ast.ExceptHandler(name=str(name)):
                found.add(name)
    return found


class _Rename(ast.NodeTransformer):
    def __init__(self, old: set[str], new: str) -> None:
        self._old, self._new = old, new

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.copy_location(ast.Name(self._new, node.ctx), node) if node.id in self._old else node
