"""Files in EvalPlus' format: a differential test of inputs against the canonical solution (Liu et al., 2023).

One object per line: task_id, prompt, entry_point, canonical_solution, base_input, plus_input, atol. Each input is a
test of its own: the candidate and the reference are called with equal arguments and must agree.
"""

import ast
from collections.abc import Mapping
from typing import Any

from evo.errors import UserError
from evo.tasks.body import Body, Statement
from evo.tasks.examples import examples_in
from evo.tasks.heavy import is_heavy
from evo.tasks.mbpp import with_asserts
from evo.tasks.mode import Task
from evo.tasks.restore import restore_arguments

__all__ = ["evalplus_task", "is_evalplus"]

_KEYS = {"task_id", "prompt", "entry_point", "canonical_solution", "base_input", "plus_input"}

# Where several results are right, EvalPlus compares as sets, or asks only whether there is a result.
_AS_SETS = frozenset(
    {
        "similar_elements",
        "find_char_long",
        "common_in_nested_lists",
        "extract_singly",
        "larg_nnum",
        "intersection_array",
        "find_dissimilar",
        "Diff",
    }
)
_EXISTENCE = frozenset({"check_str", "text_match_three", "text_starta_endb"})

_COMPARE = """
def _close(a, b, atol):
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(_close(x, y, atol) for x, y in zip(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_close(a[k], b[k], atol) for k in b)
    if isinstance(a, (float, complex)) or isinstance(b, (float, complex)):
        try:
            return a == b or a != a and b != b or abs(a - b) <= atol + 1e-7 * abs(b)
        except (TypeError, OverflowError):
            return False
    return a == b
"""


def is_evalplus(item: Mapping[str, Any]) -> bool:
    """Whether an object has the fields of the format."""
    return item.keys() >= _KEYS


def evalplus_task(item: Mapping[str, Any], where: str) -> Task:
    """The task of one line. Raises UserError, beginning with ``where``, for a field of the wrong kind."""
    entry_point, prompt = item["entry_point"], item["prompt"]
    for key in ("base_input", "plus_input"):
        inputs = item[key]
        if inputs == {}:  # how the format writes "none"
            inputs = []
        if not isinstance(inputs, list) or not all(isinstance(arguments, list) for arguments in inputs):
            raise UserError(f"{where}: field {key} must be a list of argument lists")
    is_code = f"def {entry_point}" in prompt
    reference = (prompt if is_code else "") + item["canonical_solution"]
    try:
        ast.parse(reference)
    except SyntaxError as error:
        raise UserError(f"{where}: field canonical_solution is not Python ({error.msg}, line {error.lineno})") from None
    tests, hidden = _tests(item, entry_point, float(item.get("atol") or 0))
    preamble = f"{_COMPARE}\n_names = {{}}\nexec({reference!r}, _names)\n_reference = _names[{entry_point!r}]\n"
    text = prompt.strip().strip("'\"").strip()
    return Task(
        id=item["task_id"],
        suite="evalplus",
        prompt=(lambda shown: prompt) if is_code else (lambda shown: with_asserts(text, "")),
        entry_point=entry_point,
        stub=prompt if is_code else "",
        reference=reference,
        tests=Body(tuple(tests), preamble),
        examples=examples_in(prompt, entry_point) if is_code else Body(tuple(tests[:1]), preamble),
        always_hidden=hidden,
    )


def _tests(item: Mapping[str, Any], entry_point: str, atol: float) -> tuple[list[Statement], frozenset[int]]:
    task_id = item["task_id"]
    base, plus = (
        [a for a in restore_arguments(task_id, item[key] or []) if not is_heavy(task_id, a)]
        for key in ("base_input", "plus_input")
    )
    tests = []
    for arguments in [*base, *plus]:
        written = ", ".join(_written(a) for a in arguments)
        candidate, expected = f"candidate({written})", f"_reference({written})"
        if entry_point in _AS_SETS:
            test = f"assert set({candidate}) == set({expected})"
        elif entry_point in _EXISTENCE:
            test = f"assert ({candidate} is not None) == ({expected} is not None)"
        else:
            test = f"assert _close({candidate}, {expected}, {atol or 1e-06!r})"
        tests.append(Statement(test))
    return tests, frozenset(range(len(base), len(tests)))


def _written(value: object) -> str:
    """A value as an expression; repr writes infinities and not-a-numbers as names that Python does not have."""
    text = repr(value)
    if "inf" in text or "nan" in text:
        text = _finite(value)
    return text


def _finite(value: object) -> str:
    if isinstance(value, float):
        return f"float({str(value)!r})" if value != value or value in (float("inf"), float("-inf")) else repr(value)  # noqa: PLR0124
    if isinstance(value, list):
        return f"[{', '.join(map(_finite, value))}]"
    if isinstance(value, tuple):
        return f"({''.join(_finite(v) + ', ' for v in value)})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_finite(k)}: {_finite(v)}' for k, v in value.items())}}}"
    return repr(value)
