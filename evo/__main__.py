"""``evo COMMAND``, the same as ``python -m evo.COMMAND``, with completion in the shell."""

from importlib import import_module
from typing import Any

import typer

from evo.cli import new_app, run_app

__all__ = ["COMMANDS", "app", "main"]

COMMANDS = {
    "search": ("evo.search", "Evolve pipelines and validate the champion."),
    "compare": ("evo.compare", "Compare pipelines; show how inflated single evaluations are."),
    "solve": ("evo.solve", "Let a pipeline write a program that passes your tests."),
    "export": ("evo.export.__main__", "Write a pipeline as one Python file to take home."),
    "report": ("evo.report", "Write a run's report, or put runs side by side."),
    "render": ("evo.render", "Draw a pipeline, or say in words what it does."),
    "doctor": ("evo.doctor", "Check the machine or a run; say what a search would cost."),
    "models": ("evo.models.__main__", "List and fetch the weights of embedded models."),
    "sandbox": ("evo.sandbox.__main__", "Show and try the isolation of generated code."),
}
"""By name: the module that holds the command's ``app``, and its help in one line."""


class _Commands(typer.core.TyperGroup):
    """Commands that are imported when they are asked for, so that help and completion are quick."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command itself."""
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(import_module(COMMANDS[cmd_name][0]).app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list in the help, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


app = new_app(cls=_Commands, add_completion=True)


@app.callback()
def _main() -> None:
    """Evolve pipelines of small language models, and tell a good one from a lucky one.

    \b
    Examples:
      evo search --generations 30
      evo doctor
      evo --install-completion

    \b
    Exit codes of every command: 0 done, 1 failed while running, 2 bad input, 130 interrupted.
    """


def main() -> None:
    """The console script."""
    run_app(app, "evo")


if __name__ == "__main__":
    main()
