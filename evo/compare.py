"""``python -m evo.compare``: genomes against each other or themselves, a run against its single evaluations."""

from pathlib import Path
from typing import Annotated

import typer

from evo.cli import console, new_app, print_json, run_app
from evo.errors import UserError
from evo.genome import Genome, read_genome, with_models
from evo.resources import genome_path
from evo.run import (
    GenomeComparison,
    Interrupted,
    RunComparison,
    RunFolder,
    changes_from,
    compare_genomes,
    compare_run,
    display_for,
    preset_names,
    self_test_genome,
)

app = new_app()

_FLAGS = {
    "problems": "tasks.problems",
    "replicates": "evaluation.replicates",
    "benchmark": "tasks.benchmark",
    "backend": "models.backend",
    "seed": "run.seed",
}


@app.command()
def compare(
    targets: Annotated[list[str], typer.Argument(help="Genome files or names (solo, ...), or one run.")],
    problems: Annotated[int | None, typer.Option(help="Problems. Default: 30.", show_default=False)] = None,
    replicates: Annotated[
        int | None, typer.Option(help="Seeds for each problem. Default: 5; of a run 3.", show_default=False)
    ] = None,
    model: Annotated[str | None, typer.Option(help="Put this model into every node of the genomes.")] = None,
    benchmark: Annotated[str | None, typer.Option(help="humaneval, mbpp, mbpp-plus, or a JSONL file.")] = None,
    backend: Annotated[str | None, typer.Option(help="auto, ollama, embedded or simulated.")] = None,
    seed: Annotated[int | None, typer.Option(help="Study seed: problems and calls derive from it.")] = None,
    config: Annotated[
        str | None, typer.Option(help=f"Preset ({', '.join(preset_names())}) or INI file. Default: laptop.")
    ] = None,
    run: Annotated[
        str | None, typer.Option(help="Name under runs/, or a path. An existing one is continued.", show_default=False)
    ] = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="One genome against itself: how often is a difference found?")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change any key of the preset.")
    ] = None,
) -> None:
    """Compare pipelines on the same problems and seeds, or show how inflated a run's single evaluations are.

    \b
    Examples:
      python -m evo.compare solo self-refine --model qwen2.5-coder:0.5b
      python -m evo.compare runs/search-001/champion.json solo --seed 2 --problems 60 --replicates 3
      python -m evo.compare runs/search-001                 (its single evaluations against fresh seeds)
      python -m evo.compare self-refine --self-test --backend simulated

    \b
    Exit codes: 0 done, 1 failed while running, 2 bad input, 130 interrupted.
    """
    given = locals()
    changes = changes_from({key: given[flag] for flag, key in _FLAGS.items()}, settings or [])
    observer = None if json else display_for(console)
    if replicates is not None and replicates < 1:
        raise UserError(f"--replicates {replicates}: must be at least 1")
    try:
        if _is_run(targets):
            if self_test or model or run or config or set(changes) - {"evaluation.replicates"}:
                raise UserError(f"{targets[0]}: a run keeps its settings; only --replicates and --json go with it")
            _show_run(compare_run(targets[0], replicates=replicates or 3, observer=observer), json=json)
            return
        genomes = {name: _genome(target, model) for name, target in zip(_names(targets), targets, strict=True)}
        if self_test:
            if len(genomes) > 1:
                raise UserError("--self-test: takes one genome; name one")
            (genome,) = genomes.values()
            result = self_test_genome(genome, config=config, run=run, observer=observer, changes=changes)
            lines = [
                "",
                f"false accepts: {100 * result.false_accepts:.1f} % ± {100 * result.stderr:.1f} of {result.splits} "
                f"splits into twice {result.problems} problems x {result.replicates} replicates (5 % are expected)",
                *(
                    [f"in {100 * result.few:.0f} % of the splits fewer than five problems differ: too few for any test"]
                    if result.few >= 0.01
                    else []
                ),
                f"smallest true difference found 4 times in 5: {100 * result.detectable:.1f} points",
            ]
            print_json(result) if json else console.print("\n".join(lines), markup=False, soft_wrap=True)
            return
        _show(compare_genomes(genomes, config=config, run=run, observer=observer, changes=changes), json=json)
    except Interrupted as stop:
        console.print(f"{stop}\nto go on: run the same command with --run {stop.run}", markup=False, soft_wrap=True)
        raise typer.Exit(130) from stop


def _is_run(targets: list[str]) -> bool:
    """One folder, or the name of one under runs/ that no genome has."""
    if len(targets) != 1 or genome_path(targets[0]).is_file():
        return False
    return Path(targets[0]).is_dir() or RunFolder.named(targets[0]).begun


def _genome(target: str, model: str | None) -> Genome:
    genome = read_genome(genome_path(target))
    return with_models(genome, {node.model: model for node in genome.nodes if node.model}) if model else genome


def _names(targets: list[str]) -> list[str]:
    """Short names that tell the genomes apart."""
    stems = [Path(target).stem for target in targets]
    names = [stem if stems.count(stem) == 1 else target for stem, target in zip(stems, targets, strict=True)]
    if len(set(names)) < len(names):
        raise UserError("a genome is named twice: it cannot be compared with itself; see --self-test")
    return names


def _show(result: GenomeComparison, *, json: bool) -> None:
    if json:
        print_json({"estimates": result.estimates, "tokens": result.tokens, "seconds": result.seconds,
                    "pairs": result.pairs, "variances": result.variances,
                    "ranks": result.ranks, "noise": result.noise,
                    "singles": result.singles, "winner": result.winner, "simulated": result.simulated,
                    "folder": result.folder})  # fmt: skip
        return
    wide = max(len(name) for name in result.estimates)
    lines = ["", *(["SIMULATED models, an instrument: no claim about real ones."] if result.simulated else [])]
    lines += [
        f"{name:<{wide}}  {estimate}   {result.tokens[name]:.0f} tokens a problem"
        for name, estimate in result.estimates.items()
    ]
    lines += [
        f"{pair.one} - {pair.other}: {pair.difference}, p = {pair.p_holm:.3f} (Holm): "
        + ("told apart" if pair.apart() else "cannot be told apart")
        for pair in result.pairs
    ]
    if result.winner:
        lines.append(
            f"the best by one evaluation claims {100 * result.winner.claim:.1f} % and is inflated by "
            f"{result.winner.inflation}, {result.winner.inflation.mean * result.winner.problems:+.1f} problems"
        )
    lines += ["", f"look at  {result.folder}/compare.md"]
    console.print("\n".join(lines), markup=False, soft_wrap=True)


def _show_run(result: RunComparison, *, json: bool) -> None:
    if json:
        print_json(result)
        return
    single, drift = result.single.total, result.single.drift
    lines = [
        "",
        *(["SIMULATED models, an instrument: no claim about real ones."] if result.simulated else []),
        f"single evaluation is inflated by {single}: selection {result.single.selection}, drift {drift}",
        f"the run's own selection by         {result.repeated.total}",
        "",
        f"look at  {result.folder}/inflation.md, inflation.png",
    ]
    console.print("\n".join(lines), markup=False, soft_wrap=True)


if __name__ == "__main__":
    run_app(app, "python -m evo.compare")
