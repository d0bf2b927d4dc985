"""Files in EvalPlus' format: a differential test of inputs against the canonical solution (Liu et al., 2023).

One object per line: task_id, prompt, entry_point, canonical_solution, base_input, plus_input, atol, [assertion]. Each
input is a test of its own: the candidate and the reference are called with equal arguments and must agree.
"""

import ast
from collections.abc import Callable, Mapping
from typing import Any

from evo.errors import UserError
from evo.tasks.body import Body, Statement
from evo.tasks.examples import examples_in
from evo.tasks.heavy import is_heavy
from evo.tasks.mbpp import with_asserts
from evo.tasks.mode import Task
from evo.tasks.oracle import oracle_source
from evo.tasks.restore import restore_arguments

__all__ = ["evalplus_task", "is_evalplus"]

_TEXTS = ("task_id", "prompt", "entry_point", "canonical_solution")
_INPUTS = ("base_input", "plus_input")


def is_evalplus(item: Mapping[str, Any]) -> bool:
    """Whether an object has the fields of the format."""
    return item.keys() >= {*_TEXTS, *_INPUTS}


def evalplus_task(item: Mapping[str, Any], suite: str, where: str) -> Task:
    """The task of one line. Raises UserError, beginning with ``where``, for a field of the wrong kind."""
    for key in _TEXTS:
        if not isinstance(item[key], str):
            raise UserError(f"{where}: field {key}: must be text, not {type(item[key]).__name__}")
    task_id, prompt, entry_point, solution = (item[key] for key in _TEXTS)
    is_code = f"def {entry_point}" in prompt
    reference = (prompt if is_code else "") + solution
    if not any(isinstance(n, ast.FunctionDef) and n.name == entry_point for n in _parsed(reference, _TEXTS[3], where)):
        raise UserError(f"{where}: field canonical_solution: defines no function {entry_point}")
    base = _inputs(item, "base_input", where)
    plus = _inputs(item, "plus_input", where, too_much=is_heavy)
    tests = _tests(base, plus, _published_asserts(item, where))
    if not tests:
        raise UserError(f"{where}: field base_input: holds no input, and plus_input none either")
    published = len(_tests(base, [], []))
    preamble = oracle_source(task_id, reference, entry_point, _tolerance(item, where))
    description = _description(prompt)
    return Task(
        id=task_id,
        suite=suite,
        prompt=(lambda shown: prompt) if is_code else (lambda shown: with_asserts(description, shown)),
        entry_point=entry_point,
        stub=prompt if is_code else "",
        reference=reference,
        tests=Body(tests, preamble),
        examples=examples_in(prompt, entry_point) if is_code else Body(tests[:1], preamble),
        always_hidden=frozenset(range(published, len(tests))),
    )


def _tests(base: list[list[Any]], plus: list[list[Any]], asserts: list[str]) -> tuple[Statement, ...]:
    """A test for every input, those that repeat one left out."""
    shown = [*(asserts if len(asserts) == len(base) else [""] * len(base)), *([""] * len(plus))]
    tests: dict[str, Statement] = {}
    for arguments, text in zip([*base, *plus], shown, strict=True):
        written = ", ".join(map(_written, arguments))
        tests.setdefault(written, Statement(f"assert candidate({written}) == _expected({written})", True, text))
    return tuple(tests.values())


def _parsed(code: str, key: str, where: str) -> list[ast.stmt]:
    try:
        return ast.parse(code).body
    except SyntaxError as error:
        raise UserError(f"{where}: field {key}: is not Python ({error.msg}, line {error.lineno})") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise UserError(f"{where}: field {key}: is not Python ({error})") from None


def _inputs(
    item: Mapping[str, Any],
    key: str,
    where: str,
    too_much: Callable[[str, list[Any]], bool] = lambda task_id, arguments: False,
) -> list[list[Any]]:
    """Argument lists with the types that the reference expects, without those that are too much for it."""
    inputs = item[key] or []  # the format writes {} for "none"
    if not isinstance(inputs, list) or not all(isinstance(arguments, list) for arguments in inputs):
        raise UserError(f"{where}: field {key}: must be a list of argument lists")
    task_id = item["task_id"]
    try:
        return [a for a in restore_arguments(task_id, inputs) if not too_much(task_id, a)]
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise UserError(f"{where}: field {key}: is not as EvalPlus has it for {task_id} ({error})") from None


def _published_asserts(item: Mapping[str, Any], where: str) -> list[str]:
    """The asserts of MBPP, one for each base input, as people read them."""
    text = item.get("assertion") or ""
    if not isinstance(text, str):
        raise UserError(f"{where}: field assertion: must be text, not {type(text).__name__}")
    return [ast.unparse(node) for node in _parsed(text, "assertion", where) if isinstance(node, ast.Assert)]


def _tolerance(item: Mapping[str, Any], where: str) -> float:
    atol = item.get("atol") or 0
    if not isinstance(atol, int | float):
        raise UserError(f"{where}: field atol: must be a number, not {type(atol).__name__}")
    return float(atol)


def _description(prompt: str) -> str:
    """A prompt in words without its quotes, and without the assert that some versions of MBPP+ write into it."""
    lines = prompt.strip().strip("'\"").strip().splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("assert ")).strip()


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
