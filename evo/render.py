"""``python -m evo.render``: draw a genome file, or say in words what it does."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from evo.cli import console, new_app, print_json, run_app
from evo.errors import UserError
from evo.figures import draw_topology, explain, topology_ascii, topology_data, topology_dot, topology_mermaid
from evo.genome import read_genome
from evo.resources import genome_path

app = new_app()


@app.command()
def render(
    genome: Annotated[str, typer.Argument(help="A genome file, or the name of one that ships with evo (solo, ...).")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Draw to this .png or .svg file.")] = None,
    ascii: Annotated[bool, typer.Option("--ascii", help="Print a drawing in plain text (the default).")] = False,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a Mermaid flowchart.")] = False,
    dot: Annotated[bool, typer.Option("--dot", help="Print a Graphviz digraph.")] = False,
    explanation: Annotated[bool, typer.Option("--explain", help="Print the pipeline in plain words.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print nodes, edges and steps as one JSON document.")] = False,
) -> None:
    """Draw a genome's topology.

    \b
    Examples:
      python -m evo.render runs/laptop/champion.json
      python -m evo.render runs/laptop/champion.json --output champion.svg
      python -m evo.render self-refine --explain
      python -m evo.render self-refine --json
      python -m evo.render self-refine --dot | dot -Tpdf -o self-refine.pdf

    \b
    Exit codes: 0 done, 2 bad input.
    """
    printers = {topology_ascii: ascii, topology_mermaid: mermaid, topology_dot: dot, explain: explanation}
    chosen = [printer for printer, wanted in printers.items() if wanted]
    if len(chosen) + as_json > 1:
        raise UserError("--ascii, --mermaid, --dot, --explain and --json print one form each: choose one of them")
    path = genome_path(genome)
    parsed, head = read_genome(path), _head(path)
    if output is not None:
        title, subtitle = head.get("name", path.stem), head.get("description", "")
        draw_topology(parsed, output, title=title, subtitle=subtitle, simulated=_is_simulated(head))
    if as_json:
        print_json({"genome": path, "simulated": _is_simulated(head), "picture": output, **topology_data(parsed)})
    elif output is None or chosen:
        printer = chosen[0] if chosen else topology_ascii
        typer.echo(printer(parsed).rstrip("\n"))
    else:
        console.print(f"wrote {output}", markup=False, soft_wrap=True)


def _head(path: Path) -> dict[str, Any]:
    """What a genome file says beside the genes; the file has been read and checked before."""
    head: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return head


def _is_simulated(head: dict[str, Any]) -> bool:
    """Whether the run that found this genome asked simulated models."""
    return bool(dict(head.get("provenance", {})).get("simulated", False))


if __name__ == "__main__":
    run_app(app, "python -m evo.render")
