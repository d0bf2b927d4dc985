"""The programs that simulated models write: a problem's reference, edited so that its fault is known.

Every draft gives the reference's entry point a name that says which draft it is, and puts a wrapper with the
fault in its place. The wrapper calls it by that name, so whatever cleans an answer keeps the
name, and the draft is recognised wherever its text turns up again.
"""

import ast
import warnings
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from evo.errors import UserError
from evo.tasks.problem import Problem

__all__ = ["Defect", "Draft", "drafts_of"]


class Defect(StrEnum):
    """What is wrong with a draft; the value is the error type that running it shows ("" if it is correct)."""

    CORRECT = ""
    SYNTAX = "SyntaxError"
    NAME = "NameError"
    TYPE = "TypeError"
    VALUE = "AssertionError"


@dataclass(frozen=True, slots=True)
class Draft:
    """One program. variant: number among the drafts with this defect. mark: a name in its code that no other draft of
    any problem has.
    """

    defect: Defect
    variant: int
    code: str
    mark: str

    @property
    def answer(self) -> str:
        """The program as a model hands it in: one fenced block."""
        return f"```python\n{self.code}```"


def drafts_of(problem: Problem) -> tuple[Draft, ...]:
    """All drafts that anybody writes for this problem, correct first, then by defect and variant.

    A NAME or TYPE draft raises at every call, a SYNTAX draft does not load, a VALUE draft is wrong at every call, so
    visible and hidden tests agree about each. Raises UserError if the reference is no Python or does not define the
    entry point.
    """
    tag = sha256(problem.id.encode()).hexdigest()[:8]
    found = []
    for defect, bodies in _BODIES.items():
        for variant, body in enumerate(bodies):
            mark = f"_sim_{defect.name.lower()}_{variant}_{tag}"
            front = f"def {problem.entry_point}(*arguments, **named):\n{body.replace('MARK', mark)}"
            found.append(Draft(defect, variant, f"{_renamed(problem, mark)}\n\n\n{front}", mark))
    return tuple(found)


# --- Defects --------------------------------------------------------------------------------------------------------


def _bent(number: int, text: str, item: int) -> str:
    """A result changed by something added: to a number, to a text, to a collection an item that no test expects."""
    return f"""\
    result = MARK(*arguments, **named)
    if isinstance(result, bool):
        return not result
    if isinstance(result, int):
        return result + {number}
    if isinstance(result, (float, complex)):
        return result + {number} * (1 + abs(result))
    if isinstance(result, str):
        return result + {text!r}
    if isinstance(result, (list, tuple)):
        return result + type(result)([{item}])
    if isinstance(result, (set, frozenset)):
        return result | {{{item}}}
    if isinstance(result, dict):
        return {{**result, {item}: {item}}}
    return {item} if result is None else None
"""


_BODIES = {
    Defect.CORRECT: ("    return MARK(*arguments, **named)\n",),
    Defect.SYNTAX: ("    return MARK(*arguments, **named\n",),
    Defect.NAME: ("    return MARK(*argumnets, **named)\n",),
    Defect.TYPE: ("    return MARK(*arguments, **named) + None\n",),
    Defect.VALUE: (_bent(1, "?", 90001), _bent(-1, "!", -90001), _bent(10, "x", 90010)),
}


# --- The reference --------------------------------------------------------------------------------------------------


def _renamed(problem: Problem, name: str) -> str:
    """The reference without docstrings, its entry point called ``name``."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a suite's invalid escapes are no concern of ours
            module = ast.parse(problem.reference)
    except (SyntaxError, ValueError) as error:
        raise UserError(f"{problem.id}: its reference is no Python ({error}); the simulated pool needs one") from None
    renamer = _Renamer(problem.entry_point, name)
    code = ast.unparse(renamer.visit(module))
    if not renamer.found:
        raise UserError(
            f"{problem.id}: its reference does not define {problem.entry_point}; the simulated pool needs it"
        )
    return code


class _Renamer(ast.NodeTransformer):
    """Renames a function and every use of it; drops docstrings, which cost tokens and say nothing new."""

    def __init__(self, old: str, new: str) -> None:
        self._old, self._new = old, new
        self.found = False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        if node.name == self._old:
            node.name = self._new
            self.found = True
        if len(node.body) > 1 and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id == self._old:
            node.id = self._new
            self.found |= isinstance(node.ctx, ast.Store)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        if node.arg == self._old:
            node.arg = self._new
        return node
