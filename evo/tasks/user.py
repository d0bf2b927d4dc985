"""A user's own problems: one JSON object per line. The schema is in docs/tasks.md; every error names file, line,
field.
"""

import ast
import difflib
import json
import keyword
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evo.errors import UserError
from evo.tasks.body import Body
from evo.tasks.evalplus import evalplus_task, is_evalplus
from evo.tasks.examples import examples_in
from evo.tasks.mode import Task
from evo.tasks.written import parsed, written_tests

__all__ = ["is_stub", "jsonl_tasks"]

_REQUIRED = ("prompt", "entry_point", "tests")
_OPTIONAL = ("id", "visible_tests", "reference", "setup")
_FIELDS = (*_REQUIRED, *_OPTIONAL)
_EVALPLUS = {"Mbpp": "mbpp-plus", "HumanEval": "humaneval-plus"}


def jsonl_tasks(text: str, source: str) -> Iterator[Task]:
    """Tasks of a JSONL file in the user's or in EvalPlus' format. Raises UserError."""
    seen: dict[str, int] = {}
    stem = Path(source).name.partition(".")[0]
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{source}: line {number}"
        item = _object(line, where)
        if is_evalplus(item):
            task = evalplus_task(item, _EVALPLUS.get(str(item["task_id"]).partition("/")[0], stem), where)
        else:
            task = _task(item, stem, where, number)
        if task.id in seen:
            raise UserError(f"{where}: field id: {task.id!r} is already the id of line {seen[task.id]}")
        seen[task.id] = number
        yield task
    if not seen:
        raise UserError(f"{source}: holds no problem; write one JSON object per line with {', '.join(_REQUIRED)}")


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: is not JSON ({error}); every line must be one JSON object") from None
    if not isinstance(item, dict):
        raise UserError(f"{where}: must be a JSON object, not {type(item).__name__}")
    return item


def _task(item: Mapping[str, Any], suite: str, where: str, number: int) -> Task:
    for key in item:
        if key not in _FIELDS:
            close = difflib.get_close_matches(key, _FIELDS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(_FIELDS)}"
            raise UserError(f"{where}: field {key}: unknown; {hint}")
    for key in _REQUIRED:
        if key not in item:
            raise UserError(f"{where}: field {key}: is missing")
    prompt, setup, reference = (_text(item, key, where) for key in ("prompt", "setup", "reference"))
    entry_point = _text(item, "entry_point", where)
    if not prompt.strip():
        raise UserError(f"{where}: field prompt: is empty")
    if not entry_point.isidentifier() or keyword.iskeyword(entry_point):
        raise UserError(f"{where}: field entry_point: {entry_point!r} is no name of a function")
    if reference and not _defines(parsed(reference, "reference", where), entry_point):
        raise UserError(f"{where}: field reference: defines no function {entry_point}")
    tests = written_tests(item["tests"], "tests", entry_point, setup, where)
    stub = prompt if is_stub(prompt, entry_point) else ""
    examples = examples_in(prompt, entry_point) if stub else Body(())
    if "visible_tests" in item:
        examples = written_tests(item["visible_tests"], "visible_tests", entry_point, setup, where)
    return Task(
        id=_text(item, "id", where) or f"line-{number}",
        suite=suite,
        prompt=lambda shown: prompt,
        entry_point=entry_point,
        stub=stub,
        reference=reference,
        tests=tests,
        examples=examples,
    )


def _text(item: Mapping[str, Any], key: str, where: str) -> str:
    value = item.get(key, "")
    if not isinstance(value, str):
        raise UserError(f"{where}: field {key}: must be text, not {type(value).__name__}")
    return value


def is_stub(prompt: str, entry_point: str) -> bool:
    """Whether the prompt is code that an answer may continue, as HumanEval's prompts are."""
    try:
        tree = ast.parse(prompt)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return _defines(tree, entry_point)


def _defines(tree: ast.Module, name: str) -> bool:
    return any(
        (isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name == name)
        or (isinstance(n, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in n.targets))
        for n in tree.body
    )
