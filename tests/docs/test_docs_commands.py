"""Every command in the documentation is one that works.

A bash block behind ``<!-- run -->`` is executed as it stands, in the order of its page, in a folder that has docs/.
Behind ``<!-- run with MORE -->`` the arguments MORE are put behind each evo command: simulated models or small numbers
in the place of minutes of a real model. Commands of all other blocks are parsed by the command that they name, whose
options must be as written. A small Ollama server that answers from a table stands where a page speaks to one.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from evo.__main__ import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
sys.path.insert(0, str(ROOT / "tests" / "export"))
_MARK = r"(?:<!-- run(?P<run>(?: with (?P<more>.*?))?) -->\n)?"
_BLOCK = re.compile(_MARK + r"```(?P<kind>\w*)\n(?P<code>.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Block:
    run: bool
    more: str
    code: str

    @property
    def commands(self) -> list[str]:
        lines = self.code.replace("\\\n", " ").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def blocks(page: Path) -> Iterator[Block]:
    for found in _BLOCK.finditer(page.read_text("utf-8")):
        if found["kind"] == "bash":
            yield Block(found["run"] is not None, found["more"] or "", found["code"])


def evo_command(line: str) -> tuple[str, list[str]] | None:
    """The command of evo in a shell line and its arguments; None for another program's line."""
    words = shlex.split(line, comments=True)
    for index, word in enumerate(words):
        if word.startswith("evo.") and words[index - 1] == "-m":
            return word.removeprefix("evo."), words[index + 1 :]
        if word == "evo" and (index == 0 or words[index - 1] == "&&"):
            return words[index + 1], words[index + 2 :]
    return None


def parse(command: Any, arguments: list[str]) -> None:
    if subcommands := getattr(command, "commands", None):
        command, arguments = subcommands[arguments[0]], arguments[1:]
    command.make_context("evo", arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_are_not_run_have_their_options_right(page: Path) -> None:
    for block in blocks(page):
        for line in [] if block.run else block.commands:
            found = evo_command(line)
            if found and found[0] not in ("--install-completion",):
                name, arguments = found
                assert name in COMMANDS, f"{page.name}: {line}"
                if "--help" not in arguments:
                    parse(typer.main.get_command(import_module(COMMANDS[name][0]).app), arguments)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[dict[str, str]]:
    from fake_ollama import fake_ollama

    (tmp_path / "docs").symlink_to(ROOT / "docs")
    scripts = tmp_path / "bin"
    scripts.mkdir()
    (scripts / "python").symlink_to(sys.executable)
    (scripts / "evo").write_text(f'#!/bin/sh\nexec {sys.executable} -m evo "$@"\n')
    (scripts / "evo").chmod(0o755)
    with fake_ollama() as (host, _):
        path = f"{Path(sys.executable).parent}:{scripts}:{os.environ['PATH']}"
        yield {**os.environ, "PATH": path, "OLLAMA_HOST": host, "PWD": str(tmp_path)}


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(block.run for block in blocks(page))], ids=lambda page: page.name
)
def test_commands_that_are_run_work_one_after_the_other(page: Path, place: dict[str, str]) -> None:
    for block in blocks(page):
        for line in block.commands if block.run else ():
            runs_evo = re.match(r"python -m evo\.|evo |python \w+\.py", line)
            whole = f"{line} {block.more}" if runs_evo else line
            done = subprocess.run(
                ["bash", "-c", whole], capture_output=True, text=True, check=False, env=place, cwd=place["PWD"]
            )
            assert "Traceback" not in done.stderr, f"{page.name}: {whole}\n{done.stderr}"
            # A pipeline that does not solve a task says so with exit code 1, which is no fault of the command.
            allowed = (0, 1) if " evo.solve" in f" {line}" else (0,)
            assert done.returncode in allowed, f"{page.name}: {whole}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("example", sorted((ROOT / "docs" / "examples").glob("*.py")), ids=lambda path: path.stem)
def test_examples_of_the_python_interface_run(example: Path, tmp_path: Path) -> None:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(example)], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
    )
    assert done.returncode == 0, done.stderr
    expected = {
        "search_from_python": "on seeds it never saw: ",
        "watch_a_search": "generation 1: best ",
        "own_backend": "by-heart ",
        "own_tasks": "SIMULATED ",
        "own_fitness_term": "%",
        "in_a_notebook": "bytes of PNG",
    }
    assert expected[example.stem] in done.stdout
    assert example.name in (ROOT / "docs" / "api.md").read_text("utf-8")


def test_the_reference_is_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "make_reference.py"), "--check"],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_reference_has_every_key_of_every_preset() -> None:
    text = (ROOT / "docs" / "reference.md").read_text("utf-8")
    for preset in (ROOT / "configs").glob("*.ini"):
        section = ""
        for line in preset.read_text("utf-8").splitlines():
            if line.startswith("["):
                section = text.partition(f"### {line.strip()}\n")[2].partition("\n### ")[0]
                assert section, f"{preset.name}: {line}"
            elif "=" in line and not line.startswith("#"):
                assert f"| `{line.partition('=')[0].strip()}` |" in section, f"{preset.name}: {line}"


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
