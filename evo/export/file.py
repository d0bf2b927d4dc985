"""A pipeline as one Python file that needs Ollama and the standard library, and evo no more."""

import json
import re
import textwrap
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import partial
from typing import Any

from evo.export.bundle import bundle
from evo.pipeline import Plan
from evo.sandbox import Limits

__all__ = ["program_text"]

_WIDTH = 100
_PROGRAM = ("evo.export.program", "main")

_HEAD = '''\
#!/usr/bin/env python3
"""{title}: a pipeline of small language models that writes Python functions, found by evo and exported.

    pip install ollama
{pulls}
    python {file} --prompt "Write add(a, b), the sum of two numbers." --tests tests.py
    python {file} tasks.jsonl --attempts 5 --steps
    python {file} --help

tests.py holds asserts that call the function. tasks.jsonl holds one JSON object a line with prompt, entry_point and
tests (a list of asserts). Same tasks, same seed: the requests to the models are those that evo.solve makes.

THIS PROGRAM RUNS CODE THAT A LANGUAGE MODEL WROTE, WITHOUT EVO'S SANDBOX. A draft runs as you, in a child process of
its own: {seconds:g} s, {megabytes} MB, files of at most 1 MB, an empty folder to work in, an environment without your
variables. It can read what you can read, write where you can write and use the network. The program asks before
it begins (--yes: you know). Where that is not good enough, run it in a container or a virtual machine, or use
`python -m evo.solve`, which has a sandbox.

The pipeline, which stands as PLAN below, with its prompts:

{words}
{provenance}
Behind it follows the part of evo that the pipeline needs, as evo has it. Written by `python -m evo.export`,
evo {version}.
"""
'''


def program_text(
    plan: Plan, *, title: str, words: str, provenance: str, file: str, version: str, seed: int, limits: Limits
) -> str:
    """The text of the program. title, words, provenance: for people. file: its name. seed: of its calls, unless told
    otherwise. limits: of one run of a draft.
    """
    value, types = _source(plan), _types(plan) | {(Limits.__module__, "Limits")}
    made = bundle([*sorted(types), _PROGRAM])
    head = _HEAD.format(
        title=_plain(title),
        pulls="\n".join(f"    ollama pull {_plain(model)}" for model in plan.models),
        file=_plain(file),
        seconds=limits.wall_seconds,
        megabytes=limits.memory_bytes >> 20,
        words=_folded(_plain(words)),
        provenance=f"\n{_plain(provenance)}\n" if provenance else "",
        version=version,
    )
    pipeline = f"{_rule('the pipeline')}\n\n\nPLAN = {value}\n\nSEED = {seed}\n\nLIMITS = {_source(limits)}"
    parts, waiting = [head + "\n" + "\n".join(made.imports)], {module for module, _ in types}
    for module, section in made.sections.items():
        parts.append(section)
        if module in waiting:
            waiting.remove(module)
            if not waiting:
                parts.append(pipeline)
    parts.append('if __name__ == "__main__":\n    main(PLAN, SEED, LIMITS)\n')
    return "\n\n\n".join(parts)


def _rule(text: str) -> str:
    return f"# --- {text} ".ljust(120, "-")


def _plain(text: str) -> str:
    """Foreign text fit for a docstring."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text).replace("\\", "/").replace('"""', "'''")


def _folded(text: str) -> str:
    """Numbered lines at a margin of four, none too long to be read."""
    fold = partial(textwrap.fill, width=112, initial_indent=" " * 4, subsequent_indent=" " * 7)
    return "\n".join(map(fold, text.rstrip().split("\n")))


def _types(value: Any) -> set[tuple[str, str]]:
    """(module, name) of every class that the source of a value names."""
    match value:
        case Enum():
            return {(type(value).__module__, type(value).__name__)}
        case tuple():
            return set().union(*map(_types, value))
        case _ if is_dataclass(value):
            own = {(type(value).__module__, type(value).__name__)}
            return own.union(*(_types(item) for _, item in _given(value)))
    return set()


def _given(value: Any) -> list[tuple[str, Any]]:
    """Fields of a dataclass that are not what they are by default, and those that have no default."""
    pairs = [(field, getattr(value, field.name)) for field in fields(value)]
    return [(field.name, item) for field, item in pairs if field.default is MISSING or field.default != item]


def _source(value: Any, indent: str = "") -> str:
    """A plan's data as Python."""
    deeper = indent + "    "
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple):
        name, inside = "", [_source(item, deeper) for item in value]
    elif is_dataclass(value):
        name = type(value).__name__
        inside = [f"{key}={_source(item, deeper)}" for key, item in _given(value)]
    else:
        return repr(value)
    whole = f"{name}({', '.join(inside)}{',' if len(inside) == 1 and not name else ''})"
    if "\n" not in whole and len(indent + whole) <= _WIDTH:
        return whole
    return f"{name}(\n" + "".join(f"{deeper}{item},\n" for item in inside) + indent + ")"


def _text(value: str) -> str:
    """A prompt as people would write it where that is possible."""
    if "\n" in value and not re.search(r'"""|\\|"\Z|[^\S\n ]', value):
        return f'"""{value}"""'
    return json.dumps(value, ensure_ascii=False) if value.isprintable() and "\\" not in value else repr(value)
