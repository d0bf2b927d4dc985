"""The main job: ``python -m evo.search``. Parses, calls evo.run, prints."""

import sys
from types import ModuleType
from typing import Annotated

import typer

from evo.cli import console, messages, new_app, print_json, run_app
from evo.run import (
    Interrupted,
    RunFolder,
    SearchResult,
    advice,
    changes_from,
    display_for,
    percent,
    preset_names,
    search_document,
    write_report,
)
from evo.run import search as run_search

__all__ = ["app"]

app = new_app()

_FLAGS = {
    "generations": "run.generations",
    "population": "NEAT.pop_size",
    "problems": "tasks.problems",
    "replicates": "evaluation.replicates",
    "models": "models.models",
    "backend": "models.backend",
    "benchmark": "tasks.benchmark",
    "space": "PipelineGenome.space",
    "objectives": "evaluation.objectives",
    "founders": "run.founders",
    "seed": "run.seed",
    "limit_calls": "run.limit_calls",
    "limit_minutes": "run.limit_minutes",
    "strict": "models.strict",
    "call_store": "models.call_store",
    "pull": "models.pull",
    "workers": "sandbox.workers",
}


_REWRITTEN = 0.25  # of newborn genomes, with --evolve-prompts


@app.command()
def main(
    generations: Annotated[int | None, typer.Option(help="Generations to evolve.")] = None,
    population: Annotated[int | None, typer.Option(help="Genomes in a generation.")] = None,
    problems: Annotated[int | None, typer.Option(help="Problems that a generation is measured on.")] = None,
    replicates: Annotated[int | None, typer.Option(help="Seeds that every genome is measured on.")] = None,
    models: Annotated[str | None, typer.Option(help="The model pool, separated by commas.")] = None,
    backend: Annotated[str | None, typer.Option(help="auto, ollama, embedded or simulated.")] = None,
    benchmark: Annotated[
        str | None, typer.Option(help="humaneval, mbpp, mbpp-plus, or a JSONL file of your own problems.")
    ] = None,
    space: Annotated[str | None, typer.Option(help="Search space: linear or graph (preset graph suits it).")] = None,
    objectives: Annotated[
        str | None, typer.Option(help="accuracy, or accuracy,tokens: keep a Pareto front of quality and cost.")
    ] = None,
    config: Annotated[
        str | None, typer.Option(help=f"Preset ({', '.join(preset_names())}) or INI file. Default: laptop.")
    ] = None,
    founders: Annotated[
        str | None,
        typer.Option(help="Pipelines to begin with: genome files or names, by commas."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Study seed; everything random derives from it.")] = None,
    run: Annotated[
        str | None, typer.Option(help="Name under runs/, or a path. An existing run is continued.", show_default=False)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue --run, or the latest search; never begin a new run.")
    ] = False,
    fork: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Begin a new run with all that --run, or the latest search, has paid for."),
    ] = None,
    call_store: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Share calls: a file for many runs, or an earlier run to take from."),
    ] = None,
    limit_calls: Annotated[int | None, typer.Option(help="Make so many new model calls at most.")] = None,
    limit_minutes: Annotated[float | None, typer.Option(help="Search so many minutes at most.")] = None,
    workers: Annotated[int | None, typer.Option(help="Programs that run at once.")] = None,
    strict: Annotated[
        bool | None, typer.Option("--strict", help="Embedded models: one slot, no prompt cache; repeatable, slower.")
    ] = None,
    evolve_prompts: Annotated[
        bool,
        typer.Option("--evolve-prompts", help="Let models rewrite prompts after failures, in a quarter of births."),
    ] = False,
    pull: Annotated[
        bool | None, typer.Option("--pull", help="Ollama: let the server download the models that it lacks.")
    ] = None,
    no_baselines: Annotated[
        bool, typer.Option("--no-baselines", help="Do not compare the champion with plainer pipelines afterwards.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON document; progress goes to standard error.")
    ] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change any key of the preset.")
    ] = None,
) -> None:
    """Evolve pipelines of small language models and validate the champion.

    \b
    Examples:
      python -m evo.search --generations 30
      python -m evo.search --backend ollama --models gemma3:1b,qwen2.5:1.5b
      python -m evo.search --benchmark my-problems.jsonl --problems 12 --run mine
      python -m evo.search --backend simulated --config study --seed 7
      python -m evo.search --config graph --run free       (free topologies)
      python -m evo.search --config graph --objectives accuracy,tokens
      python -m evo.search --founders runs/mine/champion.json,self-refine --problems 24
      python -m evo.search --run mine                    (continues runs/mine)
      python -m evo.search --resume                      (continues the latest search)
      python -m evo.search --run mine --fork wider --problems 24
      python -m evo.search --run mine --json > result.json
      python -m evo.search --set evaluation.caution=2 --set PipelineGenome.max_nodes=6

    \b
    Exit codes: 0 done, 1 failed while running, 2 bad input, 130 interrupted; the run goes on with --run.
    """
    given = locals()
    flags = {key: given[flag] for flag, key in _FLAGS.items()}
    flags["pipeline.evolve_prompts"] = _REWRITTEN if evolve_prompts else None
    changes = changes_from(flags, settings or [])
    if no_baselines:
        changes["baselines.enabled"] = "false"
    said = messages if json else console
    try:
        result = run_search(config, run=run, resume=resume, fork=fork, observer=display_for(said), changes=changes)
    except Interrupted as stop:
        said.print(f"{stop}\nto go on: python -m evo.search --run {stop.run}", markup=False, soft_wrap=True)
        raise typer.Exit(130) from stop
    write_report(RunFolder(result.folder))
    print_json(search_document(result)) if json else _print_result(result)


def _print_result(result: SearchResult) -> None:
    mark = "SIMULATED models, an instrument: no claim about real ones.\n" if result.simulated else ""
    counters = result.counters
    where = "problems it never saw" if result.unseen else "the search's own problems"
    lines = [
        "",
        f"{mark}{result.ended}: {result.genomes} genomes, {result.phenotypes} distinct pipelines, "
        f"{counters.calls_made} model calls made, {counters.calls_saved} saved, "
        f"{counters.prompt_tokens + counters.completion_tokens} tokens, {result.seconds / 60:.1f} minutes",
        f"champion, as the search saw it:        {percent(result.search)}",
        f"champion, on fresh seeds and {where}: {percent(result.validated)}",
        *(f"champion - {row.name}: {row.lead or 'not measured: ' + row.missing}" for row in result.baselines),
        *([f"so: {so}"] if (so := advice(result.baselines, result.tokens_per_problem)) else []),
        "",
        f"look at  {result.folder}/report.html, summary.md",
        f"then     python -m evo.render {result.folder}/champion.json --explain",
    ]
    if counters.cells_missing:
        lines.append(
            f"missing  {counters.cells_missing} cells; to measure them: python -m evo.search --run {result.folder}"
        )
    if not result.complete:
        lines.append(f"go on    python -m evo.search --run {result.folder} --limit-minutes 0 --limit-calls 0")
    console.print("\n".join(lines), markup=False, soft_wrap=True)


class _Callable(ModuleType):
    """``evo.search`` is a module to ``python -m`` and a function to a program: ``evo.search(...)`` searches."""

    __call__ = staticmethod(run_search)


sys.modules[__name__].__class__ = _Callable

if __name__ == "__main__":
    run_app(app, "python -m evo.search")
