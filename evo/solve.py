"""``python -m evo.solve``: a pipeline at work on a task of your own."""

from pathlib import Path
from typing import Annotated

import typer

from evo.cli import EXIT_FAILED, messages, new_app, print_json, run_app
from evo.errors import UserError
from evo.genome import read_genome, with_models
from evo.pipeline import told
from evo.resources import genome_path
from evo.run import (
    Interrupted,
    RunFolder,
    Solution,
    changes_from,
    config_beside,
    display_for,
    free_name,
    one_task,
    preset_names,
)
from evo.run import solve as solve_tasks
from evo.tasks import read_test_file

app = new_app()


@app.command()
def solve(
    genome: Annotated[str, typer.Argument(help="A genome file such as runs/x/champion.json, or a name (solo, ...).")],
    tasks: Annotated[
        Path | None, typer.Argument(help="A JSONL file of tasks (docs/tasks.md).", show_default=False)
    ] = None,
    prompt: Annotated[str | None, typer.Option(help="One task in words, instead of a file.")] = None,
    tests: Annotated[Path | None, typer.Option(help="Its tests: a Python file of asserts or pytest functions.")] = None,
    attempts: Annotated[int, typer.Option(min=1, help="Runs of the pipeline until the tests pass.")] = 1,
    model: Annotated[str | None, typer.Option(help="Put this model into every node of the genome.")] = None,
    backend: Annotated[str | None, typer.Option(help="auto, ollama, embedded or simulated.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed, other answers.")] = None,
    config: Annotated[
        str | None,
        typer.Option(help=f"Preset ({', '.join(preset_names())}) or INI file. Default: the genome's run, else laptop."),
    ] = None,
    run: Annotated[
        str | None, typer.Option(help="Name under runs/, or a path, for the record.", show_default=False)
    ] = None,
    verbose: Annotated[bool, typer.Option("--steps", help="Show every draft, not the answer alone.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change any key of the preset.")
    ] = None,
) -> None:
    """Let a pipeline write a program that passes your tests.

    \b
    Examples:
      python -m evo.solve runs/search-001/champion.json mine.jsonl
      python -m evo.solve self-refine --model qwen2.5-coder:0.5b --prompt "Write add(a, b)." --tests tests.py
      python -m evo.solve runs/search-001/champion.json mine.jsonl --attempts 5 --steps
      python -m evo.solve self-refine --prompt "Write add(a, b)." --tests tests.py > add.py

    Progress goes to standard error, the answer alone to standard output.

    \b
    Exit codes: 0 every task's tests pass, 1 some do not or something failed, 2 bad input, 130 interrupted.
    """
    changes = changes_from({"models.backend": backend, "run.seed": seed}, settings or [])
    path = genome_path(genome)
    found = read_genome(path)
    if model:
        found = with_models(found, {node.model: model for node in found.nodes if node.model})
    run = run or free_name("solve")
    source = _task(run, tasks, prompt, tests)
    try:
        solutions = solve_tasks(
            found,
            str(source),
            attempts=attempts,
            config=config or config_beside(path),
            run=run,
            observer=display_for(messages),
            changes=changes,
        )
    except Interrupted as stop:
        messages.print(f"{stop}\nto go on: run the same command with --run {run}", markup=False, soft_wrap=True)
        raise typer.Exit(130) from stop
    if json:
        print_json(solutions)
    else:
        for solution in solutions:
            typer.echo(_words(solution, drafts=verbose))
    if not all(solution.verdict.passed for solution in solutions):
        raise typer.Exit(EXIT_FAILED)


def _task(run: str, tasks: Path | None, prompt: str | None, tests: Path | None) -> Path:
    """The file of tasks; one is made of --prompt and --tests."""
    if tasks is not None:
        if prompt or tests:
            raise UserError(f"{tasks}: it has prompts and tests of its own; leave --prompt and --tests out")
        if not tasks.is_file():
            raise UserError(f"{tasks}: no such file; give a JSONL file of tasks, or --prompt and --tests")
        return tasks.resolve()
    if not prompt or tests is None:
        raise UserError("nothing to solve: give a JSONL file of tasks, or both --prompt and --tests")
    try:
        text = tests.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{tests}: cannot be read as a Python file of tests ({error})") from error
    return one_task(RunFolder.named(run).path, prompt, read_test_file(text, prompt, str(tests))).resolve()


def _words(solution: Solution, *, drafts: bool) -> str:
    mark = "# SIMULATED models, an instrument: this is made from the reference.\n" if solution.simulated else ""
    return mark + told(solution.task, solution.trace, solution.verdict, attempts=solution.attempts, drafts=drafts)


if __name__ == "__main__":
    run_app(app, "python -m evo.solve")
