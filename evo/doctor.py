"""``python -m evo.doctor``: is this machine ready, and is a run's folder whole?"""

from typing import Annotated

import typer

from evo.cli import EXIT_FAILED, console, new_app, print_json, run_app
from evo.run import check_determinism, check_machine, check_run

app = new_app()


@app.command()
def doctor(
    run: Annotated[str | None, typer.Argument(help="A run's name or folder to check instead of the machine.")] = None,
    determinism: Annotated[
        bool, typer.Option("--determinism", help="Measure how often equal calls get equal answers. Takes minutes.")
    ] = False,
    backend: Annotated[str, typer.Option(help="With --determinism: auto, ollama or embedded.")] = "auto",
    models: Annotated[str, typer.Option(help="With --determinism: models, separated by commas.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="With --determinism: one slot, no prompt cache.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check Python, packages, sandbox, model backends and disk, or the record of a run. Nothing is changed.

    \b
    Examples:
      python -m evo.doctor
      python -m evo.doctor search-001
      python -m evo.doctor runs/search-001 --json
      python -m evo.doctor --determinism --backend ollama --models gemma3:1b

    \b
    Exit codes: 0 all is well, 1 something keeps evo from working, 2 bad input.
    """
    if determinism:
        checks = check_determinism(backend, models.replace(",", " ").split(), strict=strict)
    else:
        checks = check_machine() if run is None else check_run(run)
    if json:
        print_json(checks)
    else:
        for check in checks:
            fix = f"\n    -> {check.fix}" if check.fix else ""
            line = f"{'ok ' if check.good else 'BAD'} {check.name}: {check.found}{fix}"
            console.print(line, markup=False, soft_wrap=True)
    if not all(check.good for check in checks):
        raise typer.Exit(EXIT_FAILED)


if __name__ == "__main__":
    run_app(app, "python -m evo.doctor")
