"""The console script: every command by its name, help with examples, exit codes, completion."""

import os
import re
import subprocess
import sys
from importlib import import_module

import pytest
import typer

from evo.__main__ import COMMANDS


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "evo", *arguments],
        capture_output=True, text=True, check=False, env={**os.environ, **environment},
    )  # fmt: skip


def test_the_list_of_commands_needs_none_of_them() -> None:
    script = "import sys; from evo.__main__ import main; sys.argv = ['evo', '--help']\ntry: main()\nfinally: "
    script += "print(sorted(m for m in sys.modules if m in ('numpy', 'matplotlib', 'neat', 'evo.run')))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for name, (_, text) in COMMANDS.items():
        assert f"{name} " in done.stdout
        assert text in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_exit_codes_and_described_options(name: str) -> None:
    command = typer.main.get_command(import_module(COMMANDS[name][0]).app)
    for each in getattr(command, "commands", {"": command}).values():
        assert re.search("Examples?:", each.help or ""), each.name
        assert f"python -m evo.{name}" in each.help
        for parameter in each.params:
            assert getattr(parameter, "help", "") or parameter.name == "help", (each.name, parameter.name)
    if not hasattr(command, "commands"):
        assert "Exit codes:" in command.help


def test_a_command_under_the_script_is_the_command() -> None:
    here = run("render", "self-refine", "--explain")
    there = subprocess.run(
        [sys.executable, "-m", "evo.render", "self-refine", "--explain"], capture_output=True, text=True, check=True
    )
    assert (here.returncode, here.stdout) == (0, there.stdout)
    wrong = run("sarch")
    assert wrong.returncode == 2
    assert wrong.stderr.count("\n") == 1


def test_the_shell_completes_commands_and_options() -> None:
    script = run("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert "complete" in script.stdout
    assert "_EVO_COMPLETE" in script.stdout

    def completed(words: str, position: int) -> list[str]:
        done = run(_EVO_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(position))
        return done.stdout.split()

    assert completed("evo s", 1) == ["search", "solve", "sandbox"]
    assert "--attempts" in completed("evo solve --a", 2)
