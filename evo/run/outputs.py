"""The files of a finished run: champion.json, topology.png, fitness.png, summary.md."""

from dataclasses import asdict
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from evo.evaluation import Estimate
from evo.figures import GenerationPoint, draw_fitness, draw_topology, explain, topology_ascii
from evo.genome import write_genome
from evo.run.folder import RunFolder, write_text
from evo.run.result import SearchResult
from evo.run.settings import RunSettings

__all__ = ["percent", "write_outputs"]


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
    write_text(folder.summary, _summary(result, folder, settings))


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
    environment = Environment(
        loader=PackageLoader("evo.run"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        keep_trailing_newline=True,
    )
    return environment.get_template("summary.md.j2").render(
        result=result,
        run=folder.name,
        settings=settings,
        percent=percent,
        interval=None if result.validated is None else [100 * end for end in result.validated.interval()],
        inflation=None if result.validated is None else 100 * (result.search.mean - result.validated.mean),
        last=result.generations[-1],
        ascii=topology_ascii(result.champion),
        explanation=explain(result.champion),
    )
