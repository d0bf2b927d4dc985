"""``python -m evo.export``: a pipeline as one Python file to take home."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from evo.cli import console, new_app, print_json, run_app
from evo.genome import read_genome, with_models
from evo.resources import genome_path
from evo.run import changes_from, config_beside, export, preset_names

app = new_app()


@app.command()
def main(
    genome: Annotated[str, typer.Argument(help="A genome file such as runs/x/champion.json, or a name (solo, ...).")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write. Default: the genome's name, here.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Put this model into every node of the genome.")] = None,
    seed: Annotated[int | None, typer.Option(help="The program's seed, where it is given none.")] = None,
    config: Annotated[
        str | None,
        typer.Option(help=f"Preset ({', '.join(preset_names())}) or INI file. Default: the run's, else laptop."),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change any key of the settings.")
    ] = None,
) -> None:
    """Write a pipeline as one Python file that needs Ollama, its Python client and nothing of evo.

    \b
    Examples:
      python -m evo.export runs/search-001/champion.json
      python -m evo.export self-refine --model qwen2.5-coder:1.5b --output refine.py
      python champion.py --prompt "Write add(a, b), the sum of two numbers." --tests tests.py

    \b
    The file runs what a model wrote without evo's sandbox; it says so, and asks.

    \b
    Exit codes: 0 done, 2 bad input.
    """
    path = genome_path(genome)
    found = read_genome(path)
    if model:
        found = with_models(found, {node.model: model for node in found.nodes if node.model})
    head: dict[str, Any] = json.loads(path.read_text("utf-8"))
    written = export(
        found,
        output or Path(path.stem.replace("-", "_") + ".py"),
        config=config or config_beside(path),
        title=head.get("name", ""),
        provenance=", ".join(f"{key} {value}" for key, value in head.get("provenance", {}).items() if _short(value)),
        changes=changes_from({"run.seed": seed}, settings or []),
    )
    if json_:
        print_json({"program": written})
    else:
        console.print(f"wrote {written}", f"then  python {written} --help", sep="\n", markup=False, soft_wrap=True)


def _short(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


if __name__ == "__main__":
    run_app(app, "python -m evo.export")
