"""``python -m evo.doctor``: is this machine ready, is a run's folder whole, what would a search cost?"""

from typing import Annotated

import typer

from evo.cli import EXIT_FAILED, console, new_app, print_json, run_app
from evo.errors import UserError
from evo.run import (
    Check,
    Pace,
    SearchCost,
    changes_from,
    check_determinism,
    check_machine,
    check_run,
    measure_pace,
    plan_search,
    preset_names,
)

app = new_app()


@app.command()
def doctor(
    run: Annotated[str | None, typer.Argument(help="A run's name or folder to check instead of the machine.")] = None,
    determinism: Annotated[
        bool, typer.Option("--determinism", help="Measure how often equal calls get equal answers. Takes minutes.")
    ] = False,
    measure: Annotated[
        bool, typer.Option("--measure", help="Make some calls with a model that is here, and time them.")
    ] = False,
    plan: Annotated[
        str | None,
        typer.Option(help=f"What a search with this preset ({', '.join(preset_names())}) or INI file would cost."),
    ] = None,
    backend: Annotated[str, typer.Option(help="With --determinism and --measure: auto, ollama or embedded.")] = "auto",
    models: Annotated[str, typer.Option(help="The same: models, separated by commas; --measure takes the first.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="With --determinism: one slot, no prompt cache.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change any key of that search."),
    ] = None,
) -> None:
    """Check Python, packages, sandbox, model backends and disk, or the record of a run; say what a search would cost.

    Nothing is changed. --plan rehearses the search on simulated models, which takes seconds to a minute.

    \b
    Examples:
      python -m evo.doctor
      python -m evo.doctor --measure
      python -m evo.doctor --plan laptop --measure
      python -m evo.doctor --plan laptop --set run.generations=100
      python -m evo.doctor search-001
      python -m evo.doctor --determinism --backend ollama --models gemma3:1b

    \b
    Exit codes: 0 all is well, 1 something keeps evo from working, 2 bad input.
    """
    names = models.replace(",", " ").split()
    if run is not None and (plan or measure or determinism):
        raise UserError(f"{run}: a run is checked by itself; leave --plan, --measure and --determinism out")
    if settings and not plan:
        raise UserError("--set: changes the search that --plan names; give --plan too")
    if determinism:
        checks = check_determinism(backend, names, strict=strict)
    else:
        checks = check_run(run) if run is not None else () if plan else check_machine()
    pace = measure_pace(next(iter(names), None), backend) if measure else None
    cost = plan_search(plan, changes_from({}, settings or []), pace) if plan else None
    if json:
        print_json({"checks": checks, "pace": pace, "cost": cost} if measure or plan else checks)
    else:
        lines = [*map(_check, checks), *([_pace(pace)] if pace else []), *([_cost(cost)] if cost else [])]
        console.print("\n".join(lines), markup=False, soft_wrap=True)
    if not all(check.good for check in checks):
        raise typer.Exit(EXIT_FAILED)


def _check(check: Check) -> str:
    fix = f"\n    -> {check.fix}" if check.fix else ""
    return f"{'ok ' if check.good else 'BAD'} {check.name}: {check.found}{fix}"


def _pace(pace: Pace) -> str:
    return (
        f"ok  time per call: {pace.seconds_per_call:.2f} s, {pace.calls} calls of {pace.model} ({pace.backend}), "
        f"{pace.tokens_written:.0f} tokens written a call"
    )


def _cost(cost: SearchCost) -> str:
    time = f"about {_hours(cost.hours)}" if cost.hours is not None else "no time measured"
    lines = [
        f"for {cost.generations} generations and the validation: about {_round(cost.calls)} model calls, {time}",
        f"  {_round(cost.low)} to {_round(cost.high)} calls in {cost.rehearsals} rehearsals; {_round(cost.saved)} more "
        f"saved; {_round(cost.tokens_read)} tokens read, {_round(cost.tokens_written)} written",
        *(f"  assumed: {text}" for text in cost.assumptions),
    ]
    return "\n".join(lines)


def _hours(hours: float) -> str:
    return f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.0f} minutes"


def _round(number: int) -> str:
    """To two digits: an estimate is no more."""
    return f"{float(f'{number:.2g}'):,.0f}"


if __name__ == "__main__":
    run_app(app, "python -m evo.doctor")
