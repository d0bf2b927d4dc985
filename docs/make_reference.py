"""Writes docs/reference.md from the code: ``python docs/make_reference.py``. ``--check`` says whether it is stale."""

import configparser
import re
import sys
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_origin

import typer

from evo.__main__ import COMMANDS
from evo.evolution import config as evolution
from evo.evolution import reproduction, species, stagnation
from evo.genome import adapter
from evo.genome.settings import Setting
from evo.resources import resource_folder
from evo.run import RunSettings

TARGET = Path(__file__).with_name("reference.md")
HEAD = """\
# Reference

Written by `python docs/make_reference.py` from the code; a test fails where it is stale. Settings, then commands.

A run is described by one INI file. `--config` names a preset or a file, `--set section.key=value` changes any key.
A comment needs a line of its own. What is unknown, misspelt, of the wrong type or out of range is one line with file,
section and key, and exit code 2.
"""
PRESETS = ("laptop", "study", "graph")


def main() -> None:
    """Write it, or check it."""
    text = reference()
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.read_text("utf-8") == text else f"{TARGET} is stale; run: python docs/make_reference.py")
    TARGET.write_text(text, "utf-8")


def reference() -> str:
    """The whole page."""
    parts = [HEAD, "## Settings: the run\n", *map(_our_section, _sections()), "## Settings: the evolution\n"]
    parts.append("These have no defaults: a file says them all. `-`: the preset does not have the key.\n")
    parts += [_neat_section(name, table) for name, table in _tables().items()]
    parts.append("## Commands\n\nEach is `python -m evo.X`, and `evo X` where evo is installed.\n")
    parts += [_command(name, text) for name, (_, text) in COMMANDS.items()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts))


def _sections() -> list[tuple[str, type]]:
    return [(f.name, type(f.default)) for f in fields(RunSettings) if f.name != "source"]


def _our_section(section: tuple[str, type]) -> str:
    name, kind = section
    rows = ["| key | default | values | |", "|---|---|---|---|"]
    for f in fields(kind):
        rows.append(f"| `{f.name}` | {_shown(f.default)} | {_values(f.type, f.metadata)} | {f.metadata['help']} |")
    return "\n".join([f"### [{name}]", "", *rows, ""])


def _shown(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value) if value != () else ""
    return f"`{text}`" if text else "empty"


def _values(kind: Any, limits: Any) -> str:
    if get_origin(kind) is not None and get_origin(kind) is not tuple:
        return ", ".join(map(str, get_args(kind)))
    if kind is bool:
        return "true, false"
    if get_origin(kind) is tuple:
        return "words"
    if kind not in (int, float):
        return ", ".join(kind) if isinstance(kind, type) and issubclass(kind, str) and kind is not str else "text"
    low, high = limits["low"], limits["high"]
    noun = "whole number" if kind is int else "number"
    if high is not None:
        return f"{noun}, {low:g} to {_big(high)}"
    return f"{noun}, at least {low:g}" if low is not None else noun


def _big(number: float) -> str:
    power = {2**63 - 1: "2^63 - 1", 1 << 20: "2^20", 1 << 16: "2^16"}
    return power.get(number, f"{number:g}")


def _tables() -> dict[str, tuple[Setting, ...]]:
    found = {"NEAT": evolution._NEAT}
    for name, module in (
        ("PipelineGenome", adapter),
        ("PipelineSpeciesSet", species),
        ("PipelineStagnation", stagnation),
        ("PipelineReproduction", reproduction),
    ):
        keyed: dict[str, Setting] = {}
        for value in vars(module).values():
            items = value if isinstance(value, tuple) else (value,)
            keyed |= {item.key: item for item in items if isinstance(item, Setting)}
        found[name] = tuple(keyed.values())
    return found


def _neat_section(name: str, table: tuple[Setting, ...]) -> str:
    presets = {preset: _preset(preset) for preset in PRESETS}
    configs = resource_folder("configs")
    notes = _notes(configs / "graph.ini", name) | _notes(configs / "laptop.ini", name)
    rows = [f"| key | {' | '.join(PRESETS)} | values | |", "|---" * (len(PRESETS) + 3) + "|"]
    order = [key for key in presets["laptop"][name] if any(s.key == key for s in table)]
    for setting in sorted(table, key=lambda s: order.index(s.key) if s.key in order else len(order)):
        values = " | ".join(f"`{v}`" if (v := presets[p][name].get(setting.key, "-")) else "empty" for p in PRESETS)
        rows.append(f"| `{setting.key}` | {values} | {_needs(setting)} | {notes.get(setting.key, '')} |")
    return "\n".join([f"### [{name}]", "", *rows, ""])


def _preset(name: str) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(resource_folder("configs") / f"{name}.ini", "utf-8")
    return {section: dict(parser[section]) for section in parser.sections()}


def _notes(path: Path, section: str) -> dict[str, str]:
    """The comments of an INI by the first key behind each."""
    notes: dict[str, str] = {}
    comment: list[str] = []
    here = ""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("["):
            here, comment = line.strip("[] "), []
        elif line.startswith("#"):
            comment.append(line.lstrip("# "))
        elif "=" in line:
            if here == section and comment:
                notes[line.partition("=")[0].strip()] = " ".join(comment)
            comment = []
        else:
            comment = []
    return notes


def _needs(setting: Setting) -> str:
    try:
        setting.read("\0")
    except ValueError as error:
        return str(error)
    return "text"


def _command(name: str, text: str) -> str:
    command = typer.main.get_command(import_module(COMMANDS[name][0]).app)
    parts = [f"### evo.{name}\n", text, ""]
    subcommands = getattr(command, "commands", None)
    for sub, each in (subcommands or {"": command}).items():
        title = f"python -m evo.{name} {sub}".strip()
        description, _, rest = (each.help or "").partition("\b")
        parts += [f"`{_usage(title, each)}`", "", " ".join(description.split()), ""]
        rows = [
            f"| {_names(p)} | {_default(p)} | {(p.help or '').replace('|', '/')} |"
            for p in each.params
            if p.name not in ("help", "install_completion", "show_completion")
        ]
        parts += ["| | default | |", "|---|---|---|", *rows, ""] if rows else []
        if examples := rest.strip("\b\n "):
            parts += ["```text", re.sub(r"\n\s*\x08", "\n", examples).strip(), "```", ""]
    return "\n".join(parts)


def _usage(title: str, command: Any) -> str:
    names = [(str(p.name).upper(), p.required) for p in command.params if _is_argument(p)]
    return " ".join([title, *(name if required else f"[{name}]" for name, required in names), "[OPTIONS]"])


def _is_argument(parameter: Any) -> bool:
    return str(parameter.param_type_name) == "argument"


def _names(parameter: Any) -> str:
    if _is_argument(parameter):
        return f"`{str(parameter.name).upper()}`"
    kind = f" {parameter.metavar}" if parameter.metavar else ""
    return ", ".join(f"`{name}{kind}`" for name in parameter.opts)


def _default(parameter: Any) -> str:
    value = parameter.default
    if value in (None, False, (), "") or callable(value) or parameter.required or value == []:
        return "required" if parameter.required else ""
    return f"`{value}`"


if __name__ == "__main__":
    main()
