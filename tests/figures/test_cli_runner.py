"""The runner that every command line shares: one line per failure, and the right exit code."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from evo.cli import new_app, plain, print_json, run_app, warn
from evo.errors import EvoError, UserError
from evo.evaluation.estimate import Estimate
from evo.genome import Role


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    app = new_app()

    @app.command()
    def command(how: str, count: int = 1) -> None:
        match how:
            case "user":
                raise UserError("genome.json: node 3:\nno model")
            case "evo":
                raise EvoError("the server went away")
            case "stop":
                raise KeyboardInterrupt
            case "exit":
                raise typer.Exit(3)
            case "bug":
                raise ZeroDivisionError
        typer.echo("done" * count)

    monkeypatch.setattr(sys, "argv", ["prog", *arguments])
    with pytest.raises(SystemExit) as end:
        run_app(app, "python -m evo.prog")
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["user"], 2, "error: genome.json: node 3: no model"),
        (["evo"], 1, "error: the server went away"),
        (["stop"], 130, "evo: interrupted"),
        ([], 2, "error: Missing argument 'how' (see python -m evo.prog --help)"),
        (["ok", "--nope"], 2, "error: No such option: --nope (see python -m evo.prog --help)"),
    ],
)
def test_failures_are_one_line(
    arguments: list[str], code: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, *arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.lower() == line.lower() + "\n"


def test_a_value_of_the_wrong_kind_names_its_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "ok", "--count", "many") == 2
    error = capsys.readouterr().err
    assert "'--count'" in error
    assert error.count("\n") == 1


def test_success_help_and_own_exit_codes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(monkeypatch, "ok") == 0
    assert _run(monkeypatch, "--help") == 0
    assert "Usage: python -m evo.prog" in capsys.readouterr().out
    assert _run(monkeypatch, "exit") == 3


def test_a_bug_shows_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        app = new_app()
        app.command()(lambda: 1 // 0)
        monkeypatch.setattr(sys, "argv", ["prog"])
        run_app(app, "prog")


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    script = tmp_path / "many.py"
    script.write_text(
        "from evo.cli import new_app, run_app\n"
        "app = new_app()\n"
        "@app.command()\n"
        "def many() -> None:\n"
        "    for number in range(200_000):\n"
        "        print(number)\n"
        "run_app(app, 'many')\n"
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as many:
        assert many.stdout is not None
        assert many.stderr is not None
        assert many.stdout.readline() == "0\n"
        many.stdout.close()
        assert many.stderr.read() == ""
    assert many.returncode == 1


def test_json_is_plain_and_strict(capsys: pytest.CaptureFixture[str]) -> None:
    value = {
        "estimate": Estimate(0.5, math.inf, 3, 25),
        "role": Role.REFINER,
        "path": Path("runs") / "a",
        "names": {"b", "a"},
        "pair": (1, None, True),
    }
    print_json(value)
    interval = list(value["estimate"].interval())
    estimate = {"mean": 0.5, "stderr": None, "replicates": 3, "problems": 25, "missing": 0, "interval": interval}
    expected = {"estimate": estimate, "role": "refiner", "path": "runs/a", "names": ["a", "b"], "pair": [1, None, True]}
    assert json.loads(capsys.readouterr().out) == expected
    assert type(plain(Role.REFINER)) is str


def test_warnings_go_to_standard_error_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    warn("no [bold]terminal[/bold]\n" + "here " * 60)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("warning: no [bold]terminal[/bold] here")
    assert captured.err.count("\n") == 1
