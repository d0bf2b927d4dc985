"""The files of a finished job: champion.json, topology.png, fitness.png, summary.md; compare.md; inflation.md."""

from dataclasses import asdict
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from evo.comparison import Shift, mean_over
from evo.evaluation import Difference, Estimate
from evo.figures import (
    GenerationPoint,
    InflationPoint,
    ParetoPoint,
    RankPoint,
    ScorePoint,
    draw_fitness,
    draw_inflation,
    draw_pareto,
    draw_ranks,
    draw_scores,
    draw_topology,
    explain,
    topology_ascii,
)
from evo.genome import write_genome
from evo.run.advice import advice
from evo.run.determinism import measured_repeatability
from evo.run.folder import RunFolder, write_text
from evo.run.result import GenomeComparison, RunComparison, SearchResult
from evo.run.settings import RunSettings

__all__ = ["percent", "write_comparison", "write_inflation", "write_outputs"]


def percent(estimate: Estimate | None) -> str:
    """An estimate as people read it: mean, standard error, and what it rests on."""
    if estimate is None:
        return "not measured"
    replicates = "1 replicate" if estimate.replicates == 1 else f"{estimate.replicates:.3g} replicates"
    return f"{estimate} ({estimate.problems} problems x {replicates})"


def write_outputs(result: SearchResult, folder: RunFolder, settings: RunSettings) -> None:
    """Write everything that a person looks at. champion.json depends on the course of the search alone, not on the
    clock.
    """
    mark = "SIMULATED " if result.simulated else ""
    write_genome(
        folder.champion,
        result.champion,
        name=f"{mark}champion of {settings.tasks.benchmark}, seed {settings.run.seed}",
        provenance=_provenance(result, settings),
    )
    draw_topology(
        result.champion,
        folder.topology,
        title=f"Champion of {folder.name}",
        subtitle=f"validated: {percent(result.validated)}",
        simulated=result.simulated,
    )
    points = [
        GenerationPoint(
            generation=report.number,
            best=report.best,
            mean=report.mean,
            single_best=report.single_best,
            species=report.species,
        )
        for report in result.generations
    ]
    draw_fitness(points, folder.fitness, simulated=result.simulated, validated=result.validated)
    _write_front(result, folder, settings)
    write_text(folder.summary, _summary(result, folder, settings))


def _write_front(result: SearchResult, folder: RunFolder, settings: RunSettings) -> None:
    """The front of quality and cost, where there is one: pareto.png and .csv, and front/N.json, cheapest first."""
    if not result.front:
        return
    points = []
    for number, point in enumerate(result.front, start=1):
        price = point.validated_cost or point.cost
        accuracy, claim = (point.validated, point.search) if point.validated else (point.search, None)
        points.append(ParetoPoint(f"{number}", point.genome, accuracy, price.mean, price.stderr, claim))
        place = folder.path / "front" / f"{number}.json"
        place.parent.mkdir(exist_ok=True)
        mark = "SIMULATED " if result.simulated else ""
        said = {"plan": point.plan.digest, "estimate": asdict(accuracy), "tokens": asdict(price)}
        write_genome(place, point.genome, name=f"{mark}front of {folder.name}, {number}", provenance=said)
    seen = "that the search never saw" if result.unseen else "of the search, fresh seeds"
    caption = (
        f"n = {points[0].accuracy.problems} problems {seen}, each {points[0].accuracy.replicates:.3g} x. "
        "± 1 standard error over problems.\nAs the search saw it, no pipeline beat one of these in both."
    )
    draw_pareto(points, folder.path / "pareto.png", simulated=result.simulated, caption=caption)


def _provenance(result: SearchResult, settings: RunSettings) -> dict[str, Any]:
    return {
        "simulated": result.simulated,
        "plan": result.plan,
        "benchmark": settings.tasks.benchmark,
        "mode": settings.tasks.mode.value,
        "seed": settings.run.seed,
        "backend": result.backend,
        "models": {name: info.digest for name, info in result.models.items()},
        "search_estimate": asdict(result.search),
        "validated_estimate": None if result.validated is None else asdict(result.validated),
        "validated_on_unseen_problems": result.unseen,
    }


def _summary(result: SearchResult, folder: RunFolder, settings: RunSettings) -> str:
    return _rendered(
        "summary.md.j2",
        result=result,
        run=folder.name,
        settings=settings,
        percent=percent,
        repeatability={
            name: "" if settings.models.strict else measured_repeatability(info) for name, info in result.models.items()
        },
        span=_span,
        interval=None if result.validated is None else [100 * end for end in result.validated.interval()],
        inflation=None if result.validated is None else 100 * (result.search.mean - result.validated.mean),
        advice=advice(result.baselines, result.tokens_per_problem),
        last=result.generations[-1],
        ascii=topology_ascii(result.champion),
        explanation=explain(result.champion),
    )


def write_comparison(result: GenomeComparison, settings: RunSettings) -> None:
    """Write compare.md with its pictures and their numbers into the run's folder."""
    problems = len(result.outcomes.problems)
    if result.ranks:
        draw_scores(_scores(result), result.folder / "scores.png", simulated=result.simulated, problems=problems)
        ranks = [RankPoint(rank.replicates, rank.tau, rank.best) for rank in result.ranks]
        draw_ranks(ranks, result.folder / "ranks.png", simulated=result.simulated, problems=problems)
    text = _rendered("compare.md.j2", result=result, run=result.folder.name, settings=settings, span=_span)
    write_text(result.folder / "compare.md", text)


def write_inflation(result: RunComparison) -> None:
    """Write inflation.md with its picture and numbers into the run's folder."""
    points = [InflationPoint(g.generation, g.claim, g.estimate, g.fresh) for g in result.generations]
    caption = (
        f"Mean inflation {result.single.total}: selection {result.single.selection}, drift {result.single.drift}.\n"
        f"n = {result.single.problems:.3g} problems; fresh seeds: {result.replicates} replicates. ± 1 standard error."
    )
    draw_inflation(points, result.folder / "inflation.png", simulated=result.simulated, caption=caption)
    text = _rendered("inflation.md.j2", result=result, run=result.folder.name, span=_span)
    write_text(result.folder / "inflation.md", text)


def _scores(result: GenomeComparison) -> list[ScorePoint]:
    """Every replicate of every pipeline as if it had been the only one, beside the others."""
    points = []
    for name, solved in zip(result.outcomes.names, result.outcomes.solved, strict=True):
        for replicate in range(solved.shape[1]):
            singles = mean_over(solved, 0)
            rest = np.delete(singles, replicate)
            points.append(
                ScorePoint(
                    name=name,
                    replicate=replicate,
                    single=float(singles[replicate]),
                    estimate=float(np.nanmean(rest)),
                    stderr=float(np.nanstd(rest, ddof=1) / np.sqrt(len(rest))) if len(rest) > 1 else 0.0,
                )
            )
    return points


def _span(found: Estimate | Difference | Shift) -> str:
    """A 95 % interval in percent or points."""
    low, high = found.interval()
    sign = "" if isinstance(found, Estimate) else "+"
    return f"{100 * low:{sign}.1f} to {100 * high:{sign}.1f}"


def _rendered(template: str, **context: object) -> str:
    environment = Environment(
        loader=PackageLoader("evo.run"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(**context)
