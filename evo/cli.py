"""What every command line shares: how it starts, how it fails (one line, an exit code), how it prints.

Exit codes: 0 done; 1 something failed while running; 2 bad input or bad usage; 130 interrupted by Ctrl-C.
"""

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, NoReturn

import typer
from rich.console import Console

from evo.errors import EvoError, UserError

__all__ = [
    "EXIT_FAILED",
    "EXIT_INTERRUPTED",
    "EXIT_USAGE",
    "console",
    "messages",
    "new_app",
    "plain",
    "print_json",
    "run_app",
    "warn",
]

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

# Typer carries click inside from some version on and stands on the real one before: its public class leads to either.
_ClickException: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")

console = Console(highlight=False)
"""Standard output for people. Plain without a terminal; keeps to NO_COLOR."""

messages = Console(stderr=True, highlight=False)
"""Standard error for people: progress beside an answer that goes to a file or a program, and warnings."""


def new_app(cls: type[typer.core.TyperGroup] | None = None, *, add_completion: bool = False) -> typer.Typer:
    """An app with plain help text, without boxes. Docstring lines below a line of ``\\b`` are printed as written.

    cls: of a group of commands. add_completion: for a console script; ``python -m`` cannot be completed.
    """
    return typer.Typer(
        cls=cls,
        add_completion=add_completion,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def run_app(app: typer.Typer, prog: str) -> NoReturn:
    """Run a command line on ``sys.argv`` and exit. ``prog`` is what help calls it, such as "python -m evo.render".

    A UserError or a usage error ends it with one line and exit code 2, another EvoError with one line and 1, Ctrl-C
    with one line and 130; a reader that closed the pipe ends it quietly. Anything else is a bug and shows a traceback.
    """
    sys.exit(_run(app, prog))


def _run(app: typer.Typer, prog: str) -> int:
    try:
        code = typer.main.get_command(app).main(prog_name=prog, standalone_mode=False)
        if sys.stdout is not None:  # closed by whoever started this
            sys.stdout.flush()
    except _ClickException as error:
        hint = f" (see {prog} --help)" if error.exit_code == EXIT_USAGE else ""
        return _fail(f"{error.format_message().rstrip('.')}{hint}", error.exit_code)
    except EvoError as error:
        return _fail(str(error), EXIT_USAGE if isinstance(error, UserError) else EXIT_FAILED)
    except BrokenPipeError:
        # Python flushes standard output once more at exit and would complain: give it somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except OSError as error:
        return _fail(f"{error.filename or 'standard output'}: {error.strerror}", EXIT_FAILED)
    except (KeyboardInterrupt, typer.Abort):
        code = EXIT_INTERRUPTED
    if code == EXIT_INTERRUPTED:
        return _fail("interrupted", EXIT_INTERRUPTED)
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    print("error:" if code != EXIT_INTERRUPTED else "evo:", " ".join(message.split()), file=sys.stderr)
    return code


def warn(message: str) -> None:
    """One line on standard error that does not end the command."""
    messages.print(f"warning: {' '.join(message.split())}", markup=False, soft_wrap=True)


def print_json(value: object) -> None:
    """What ``--json`` prints: one JSON document on standard output, dataclasses as objects, nothing else around it."""
    print(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def plain(value: object) -> Any:
    """``value`` in JSON's types: dataclasses become objects, enums and paths text, numbers that are not finite null.

    What has an interval is shown with it (95 %).
    """
    match value:
        case str() | Path():
            result: Any = str(value)
        case float() if not math.isfinite(value):
            result = None
        case Mapping():
            result = {str(key): plain(item) for key, item in value.items()}
        case set() | frozenset():
            result = [plain(item) for item in sorted(value)]
        case Sequence():
            result = [plain(item) for item in value]
        case _ if is_dataclass(value):
            result = {field.name: plain(getattr(value, field.name)) for field in fields(value)}
            if callable(interval := getattr(value, "interval", None)):  # an estimate is never shown without it
                result["interval"] = plain(interval())
        case _:
            result = value
    return result
