"""Options of the whole suite, and evo's commands without a process for each."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import settings

from evo.__main__ import COMMANDS
from evo.cli import run_app

# How long an example takes depends on the machine and on what is imported late; no test of ours is about speed.
settings.register_profile("evo", deadline=None)
settings.load_profile("evo")

# Where Python is told to keep no bytecode, each of the processes that tests start would compile all of evo.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

Command = Callable[..., subprocess.CompletedProcess[str]]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("evo")
    group.addoption(
        "--ollama-host", metavar="URL", help="run the tests marked `ollama` against this server instead of our double"
    )
    group.addoption(
        "--ollama-model",
        metavar="NAME",
        help="a chat model on that server; without, one is created from SmolLM2's file",
    )


@pytest.fixture
def evo_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """``evo_command("solve", *arguments, cwd=folder)`` is ``python -m evo.solve`` with them, from parsing to the exit
    code, in this process: one of its own takes a second to import what is here already.
    """

    def run(name: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
        words = [f"python -m evo.{name}", *map(str, arguments)]
        capsys.readouterr()
        with monkeypatch.context() as patch, pytest.raises(SystemExit) as ended:
            patch.chdir(cwd)
            patch.setattr(sys, "argv", words)
            run_app(import_module(COMMANDS[name][0]).app, words[0])
        return subprocess.CompletedProcess(words, int(ended.value.code or 0), *capsys.readouterr())

    return run
