"""``python -m evo.models``: which weights there are, where they are, and fetching them."""

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from evo.cli import console, new_app, print_json, run_app
from evo.models.backend import ModelMissing
from evo.models.registry import known_weights, weights_named
from evo.models.weights import locate, pull

app = new_app()

_Name = Annotated[str, typer.Argument(help="A name from `list`, such as qwen2.5-coder:0.5b.")]


@app.callback()
def _main() -> None:
    """Weights of the embedded models.

    \b
    Examples:
      python -m evo.models list
      python -m evo.models pull qwen2.5-coder:0.5b
      python -m evo.models path qwen2.5-coder:0.5b
    """


@app.command("list")
def _list(json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """Show every known model and the file that holds it, if it is here.

    \b
    Examples:
      python -m evo.models list
      python -m evo.models list --json
    """
    rows = [(weights, locate(weights)) for weights in known_weights()]
    if json:
        print_json(
            [
                {
                    "name": each.name,
                    "path": path,
                    "bytes": each.bytes,
                    "sha256": each.sha256,
                    "quantization": each.quantization,
                    "parameters": each.parameters,
                    "context": each.context,
                    "licence": each.licence,
                }
                for each, path in rows
            ]
        )
        return
    table = Table("model", "MB", "weights", "context", "licence", "file", box=None, pad_edge=False)
    for each, path in rows:
        size, kind = f"{each.bytes / 1e6:.0f}", f"{each.parameters} {each.quantization}"
        table.add_row(each.name, size, kind, str(each.context), each.licence, str(path or "not here"))
    console.print(table)


@app.command("pull")
def _pull(name: _Name) -> None:
    """Fetch a model's weights unless they are here, verify them, and print where they are.

    \b
    Examples:
      python -m evo.models pull qwen2.5-coder:0.5b
      EVO_WEIGHTS=~/gguf python -m evo.models pull smollm2:135m
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(model: str, done: int, total: int | None) -> None:
            if model not in tasks:
                tasks[model] = bars.add_task(model, total=total)
            bars.update(tasks[model], completed=done, total=total)

        path = pull(weights_named(name), show)
    typer.echo(path)


@app.command("path")
def _path(name: _Name) -> None:
    """Print where a model's file is; one line and exit code 2 if it is not here.

    \b
    Example:
      python -m evo.models path qwen2.5-coder:0.5b
    """
    path = locate(weights_named(name))
    if path is None:
        raise ModelMissing(f"model {name}: not on this machine; run: python -m evo.models pull {name}")
    typer.echo(path)


if __name__ == "__main__":
    run_app(app, "python -m evo.models")
