"""``python -m evo.sandbox``: run one program against a benchmark problem, or see the tiers of this machine."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from evo.cli import EXIT_FAILED, console, new_app, print_json, run_app
from evo.errors import UserError
from evo.sandbox import Job, Limits, SandboxPool, Verdict, probe
from evo.tasks import Mode, Problem, load_problems

app = new_app()

_SUITES = {"HumanEval/": "humaneval", "Mbpp/": "mbpp"}

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command()
def run(
    solution: Annotated[str, typer.Argument(help="File with the program; - reads standard input.")],
    task: Annotated[str, typer.Option(help="Problem, such as HumanEval/0 or Mbpp/2.")],
    benchmark: Annotated[str, typer.Option(help="Its suite or file; by default told from the task's name.")] = "",
    wall_seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="Time limit.")] = Limits().wall_seconds,
    tier: Annotated[str | None, typer.Option(help="Insist on a tier, see info.")] = None,
    unsafe: Annotated[bool, typer.Option("--unsafe", help="Go without isolation where there is none.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a program against all tests of a problem.

    \b
    Examples:
      python -m evo.sandbox run answer.py --task HumanEval/0
      python -m evo.sandbox run - --task Mbpp/2 --json

    \b
    Exit codes: 0 it passes, 1 it does not, 2 bad input.
    """
    code = _read(solution)
    problem = _problem(task, benchmark)
    job = Job(code, problem.hidden.source, problem.entry_point)
    with SandboxPool(limits=Limits(wall_seconds=wall_seconds), tier=tier, unsafe=unsafe) as pool:
        verdict = pool.run(job)
    if as_json:
        print_json(verdict)
    else:
        _print_verdict(verdict)
    if not verdict.passed:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def info(as_json: AsJson = False) -> None:
    """Show the isolation tiers of this machine, each tried, and what each promises.

    \b
    Example:
      python -m evo.sandbox info
    """
    tiers = probe()
    if as_json:
        print_json(tiers)
        return
    for tier in tiers:
        state = "yes" if tier.available else f"no: {tier.reason}"
        console.print(f"{tier.name}: {state}\n    {tier.promises}", markup=False)


def _read(solution: str) -> str:
    try:
        return (sys.stdin.buffer.read() if solution == "-" else Path(solution).read_bytes()).decode()
    except OSError as error:
        raise UserError(f"{solution}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{solution}: is not UTF-8 text (byte {error.start})") from None


def _problem(task: str, benchmark: str) -> Problem:
    """The problem by its id, all its tests in one check. Raises UserError."""
    source = benchmark or next((suite for prefix, suite in _SUITES.items() if task.startswith(prefix)), "")
    if not source:
        raise UserError(f"--task: no suite is known for {task!r}; name its suite or file with --benchmark")
    for problem in load_problems(source, mode=Mode.ALL):
        if problem.id == task:
            return problem
    raise UserError(f"--task: {source} has no problem {task!r}")


def _print_verdict(verdict: Verdict) -> None:
    lines = [f"{verdict.status} ({verdict.passed_units} of {verdict.units} tests, tier {verdict.tier})"]
    if verdict.error_type:
        lines.append(f"{verdict.error_type}: {verdict.message}".rstrip(": "))
    lines += [f"  line {frame.line}, in {frame.function}: {frame.source}" for frame in verdict.frames]
    if verdict.failed is not None:
        failed = verdict.failed
        parts = (
            ("test", failed.source),
            ("call", failed.call),
            ("returned", failed.returned),
            ("expected", failed.expected),
        )
        lines += [f"  {name}: {text}" for name, text in parts if text]
    console.print("\n".join(lines), markup=False)


if __name__ == "__main__":
    run_app(app, "python -m evo.sandbox")
