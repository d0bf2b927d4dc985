"""Does a search find a topology of its own? ``python -m benchmarks.graph [--seeds 10] [--json]``

SIMULATED models, whose truth is known. From lone generators, a search in the graph space for accuracy and few tokens;
then the best of its front that was no dearer than the best genome of genomes/ on the search's problems, judged by exact
solve rates and by tokens on all problems. And the same where refiners never mend anything: no loops must grow.
"""

import asyncio
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.searches import Measures
from benchmarks.simulated import Pool
from evo.cli import console, new_app, print_json, run_app
from evo.evaluation import Measurement, Purpose, Store
from evo.evolution import parse_evolution_config
from evo.genome import Genome, Role, back_edges, read_genome
from evo.models.simulated import PoolParameters
from evo.pipeline import Plan
from evo.resources import resource_folder
from evo.run import Observer, Progress, parse_settings, read_preset
from evo.run.draw import draw_problems
from evo.run.front import FrontPoint, cost
from evo.run.loop import Course
from evo.run.settings import ini_sections

MODELS = ("qwen2.5:1.5b", "llama3.2:3b")  # those that the genomes of genomes/ name
SETTINGS = {
    "NEAT.pop_size": "24",
    "run.generations": "40",
    "run.limit_minutes": "0",
    "tasks.problems": "80",
    "evaluation.objectives": "accuracy,tokens",
    # Two looks at least: of hundreds of pipelines the luckiest of one look is seldom a good one.
    "evaluation.first_look": "2",
    "evaluation.replicates": "4",
    "evaluation.fresh_replicates": "2",
    "evaluation.most_fresh": "8",
    "PipelineReproduction.elitism": "8",
}
_MARGIN = 0.95  # of the rival's cost on the search's problems: its cost on all problems is somewhat another
_JUDGING = 10  # replicates of all problems that tell a pipeline's tokens

app = new_app()


@dataclass(frozen=True)
class Judged:
    """A pipeline by what is true of it. rate: exact. tokens: mean on one problem, with its error over replicates."""

    name: str
    rate: float
    tokens: float
    tokens_stderr: float
    nodes: int
    loops: int
    roles: str


@app.command()
def main(
    seeds: Annotated[int, typer.Option(min=1, help="Searches of each kind.")] = 10,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Searches in the graph space against the best genome that ships with evo, and where loops are useless."""
    usual = Pool(MODELS)
    shipped = [_judged(path.stem, read_genome(path), usual) for path in _shipped()]
    best = max(shipped, key=lambda one: one.rate)
    found = [_found(seed, usual, best) for seed in range(1, seeds + 1)]
    useless = Pool(MODELS, parameters=PoolParameters.fitted().without_repair())
    grown = [_found(seed, useless, None) for seed in range(1, seeds + 1)]
    if json:
        print_json([*shipped, *found, *grown])
        return
    console.print(f"SIMULATED {' and '.join(MODELS)}; exact solve rates and mean tokens on one of 164 problems")
    for one in sorted(shipped, key=lambda one: one.rate):
        _show(one)
    console.print("\nFrom lone generators, the best of the front that is no dearer than the best of these:")
    for one in found:
        _show(one)
    good = sum(one.rate >= best.rate and one.tokens <= best.tokens for one in found)
    console.print(f"at least as good as {best.name} at no more tokens: {good} of {seeds}")
    console.print("\nWhere refiners never mend anything, the best of the front:")
    for one in grown:
        _show(one)
    console.print(f"without a loop: {sum(not one.loops for one in grown)} of {seeds}")


def _shipped() -> Iterator[Path]:
    return (path for path in sorted(resource_folder("genomes").glob("*.json")) if path.stem != "schema")


def _found(seed: int, pool: Pool, rival: Judged | None) -> Judged:
    """The most accurate of a search's front, as the search saw it; of those that cost no more than the rival there."""
    points, limit = asyncio.run(_search(seed, pool, rival))
    point = [point for point in points if point.cost.mean <= limit][-1]
    return _judged(f"seed {seed}", point.genome, pool)


async def _search(seed: int, pool: Pool, rival: Judged | None) -> tuple[Sequence[FrontPoint], float]:
    """The front of one search, and what its best may cost: a little less than the rival on the same problems."""
    text = read_preset("graph", SETTINGS | {"run.seed": str(seed), "models.models": " ".join(MODELS)})
    settings = parse_settings(text, "graph")
    names = {role.value: pool.prompts.names(role) for role in Role if role.calls_model}
    evolution = parse_evolution_config(ini_sections(text), source="graph", models=MODELS, prompts=names)
    draw = draw_problems(pool.problems, settings)
    pool.new_study()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "run.sqlite")
        progress = Progress("benchmark", settings, generations=settings.run.generations)
        measures, policy = Measures(pool, seed), settings.evaluation.chosen_policy()
        course = Course(settings, evolution, pool.prompts, draw, policy, measures, store, progress, Observer())
        await course.evolve()
        points = course.front()
        store.close()
    if rival is None:
        return points, math.inf
    plan = pool.compile(read_genome(resource_folder("genomes") / f"{rival.name}.json"))
    looks = range(settings.evaluation.replicates)
    wanted = [Measurement(plan, problem, Purpose.SEARCH, look) for problem in draw.subsets[0] for look in looks]
    price = cost(await pool.cells(wanted, seed))
    assert price is not None
    return points, _MARGIN * price.mean


def _judged(name: str, genome: Genome, pool: Pool) -> Judged:
    plan = pool.compile(genome)
    rate = float(np.mean(list(pool.truth(plan).values())))
    tokens = asyncio.run(_tokens(plan, pool))
    roles = ", ".join(node.role.value for node in plan.nodes if node.role not in (Role.TASK, Role.OUTPUT))
    error = float(np.std(tokens, ddof=1) / math.sqrt(len(tokens)))
    return Judged(name, rate, float(np.mean(tokens)), error, len(genome.inner), len(back_edges(genome)), roles)


async def _tokens(plan: Plan, pool: Pool) -> list[float]:
    """Mean tokens on one problem, by replicate, on seeds that no search has."""
    means = []
    for replicate in range(_JUDGING):
        wanted = [Measurement(plan, problem, Purpose.VALIDATION, replicate) for problem in pool.problems]
        cells = await pool.cells(wanted, seed=0)
        means.append(float(np.mean([cell.prompt_tokens + cell.completion_tokens for cell in cells])))
    return means


def _show(one: Judged) -> None:
    console.print(
        f"{one.name:<16} {100 * one.rate:5.1f} %  {one.tokens:5.0f} ± {one.tokens_stderr:.0f} tokens  "
        f"{one.loops} loop(s)  {one.roles}",
        soft_wrap=True,
        highlight=False,
    )


if __name__ == "__main__":
    run_app(app, "python -m benchmarks.graph")
