"""Does a search find a topology of its own? ``python -m benchmarks.graph``: options by ``--help``.

SIMULATED models. From lone generators, a search in the graph space for accuracy and few tokens;
then, of its validated front, the most accurate pipeline that is no dearer than the best genome of genomes/, both judged
by runs on seeds that no search has. And the same where refiners never mend anything: no loops must
grow. Searches are walked by table look-ups (``benchmarks.kernel``).
"""

import asyncio
import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Annotated

import numpy as np
import typer

from benchmarks.kernel import Kernel
from benchmarks.simulated import Pool
from evo.cli import console, new_app, print_json, run_app
from evo.evaluation import Cell, Measurement, Purpose, Store, cost
from evo.evolution import parse_evolution_config
from evo.genome import Genome, Role, back_edges, read_genome
from evo.models.simulated import PoolParameters
from evo.pipeline import Plan
from evo.resources import genome_path, resource_folder
from evo.run import Observer, Progress, parse_settings, read_preset
from evo.run.draw import draw_problems
from evo.run.front import FrontPoint
from evo.run.loop import Course
from evo.run.settings import RunSettings, ini_sections

MODELS = ("qwen2.5:1.5b", "llama3.2:3b")  # those that the genomes of genomes/ name
SETTINGS = {
    "run.founders": "",
    "models.models": " ".join(MODELS),
    "NEAT.pop_size": "24",
    "run.limit_minutes": "0",
    # All of the suite, and the same seeds for everybody: good pipelines are points apart, not tens of points.
    "tasks.problems": "164",
    "evaluation.objectives": "accuracy,tokens",
    "evaluation.policy": "repeated",
    "evaluation.fresh_replicates": "1",
    "evaluation.most_fresh": "6",
    "evaluation.validation_problems": "164",
    "evaluation.validation_replicates": "6",
    "PipelineReproduction.elitism": "8",
    "PipelineGenome.max_calls": "8",
    # Simulated answers are never cut, and no better for more feedback.
    "PipelineGenome.max_tokens": "",
    "PipelineGenome.feedback": "type",
}
_JUDGING = 30  # replicates of all problems that tell what is true of a pipeline

app = new_app()


@dataclass(frozen=True)
class Judged:
    """A pipeline by what is true of it on the suite: solve rate and mean tokens on one problem, with their errors over
    replicates. seconds: of processor time that finding it took.
    """

    name: str
    rate: float
    rate_stderr: float
    tokens: float
    tokens_stderr: float
    loops: int
    roles: str
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.name:<16} {100 * self.rate:5.1f} % ± {100 * self.rate_stderr:.1f}  "
            f"{self.tokens:5.0f} ± {self.tokens_stderr:.0f} tokens  {self.loops} loop(s)  {self.roles}"
            + (f"  ({self.seconds:.0f} s)" if self.seconds else "")
        )


class Bench:
    """A pool with its kernel. It is in a scheduler's place: ``study`` is the seed that it measures under."""

    def __init__(self, parameters: PoolParameters | None = None) -> None:
        self.pool = Pool(MODELS, parameters=parameters)
        self.kernel = Kernel(self.pool.problems, self.pool.backend)
        self.study = 0

    async def measure(self, wanted: Sequence[Measurement]) -> tuple[Cell, ...]:
        """The cells."""
        return tuple(self.kernel.cell(one, self.study) for one in wanted)

    def looks(self, plan: Plan, study: int, replicates: int) -> list[list[Cell]]:
        """Cells by replicate: the plan on all problems, on the seeds that validate."""
        problems = self.pool.problems
        wanted = [
            [Measurement(plan, problem, Purpose.VALIDATION, k) for problem in problems] for k in range(replicates)
        ]
        return [[self.kernel.cell(one, study) for one in look] for look in wanted]


@app.command()
def main(
    seeds: Annotated[int, typer.Option(min=1, help="Searches of each kind.")] = 10,
    first_seed: Annotated[int, typer.Option(min=0, help="Seed of the first search; the others count up.")] = 1,
    generations: Annotated[int, typer.Option(min=1, help="Of each search.")] = 30,
    replicates: Annotated[int, typer.Option(min=1, help="Of each genome; survivors get fresh ones besides.")] = 4,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Searches in the graph space against the best genome that ships with evo, and where loops are useless."""
    lengths = {"run.generations": str(generations), "evaluation.replicates": str(replicates)}
    each = [SETTINGS | lengths | {"run.seed": str(seed)} for seed in range(first_seed, first_seed + seeds)]
    usual = Bench()
    _say(f"SIMULATED {' and '.join(MODELS)}; solve rate and mean tokens on one of 164 problems", silent=json)
    shipped = [_judged(name, read_genome(genome_path(name)), usual) for name in _shipped()]
    for one in shipped:
        _say(str(one), silent=json)
    best = max(shipped, key=lambda one: one.rate)
    _say("\nFrom lone generators, the best of the front that is no dearer than the best of these:", silent=json)
    found = [_found(settings, usual, best, silent=json) for settings in each]
    good = sum(one.rate >= best.rate and one.tokens <= best.tokens for one in found)
    _say(f"at least as good as {best.name} at no more tokens: {good} of {seeds}", silent=json)
    _say("\nWhere refiners never mend anything, the best of the front:", silent=json)
    useless = Bench(PoolParameters.fitted().without_repair())
    grown = [_found(settings, useless, None, silent=json) for settings in each]
    _say(f"without a loop: {sum(not one.loops for one in grown)} of {seeds}", silent=json)
    if json:
        print_json([*shipped, *found, *grown])


def _shipped() -> Iterator[str]:
    return (path.stem for path in sorted(resource_folder("genomes").glob("*.json")) if path.stem != "schema")


def _found(changes: Mapping[str, str], bench: Bench, rival: Judged | None, *, silent: bool) -> Judged:
    """The most accurate of a search's front, as its validation saw it; of those that cost no more than the rival."""
    begun = process_time()
    text = read_preset("graph", changes)
    settings = parse_settings(text, "graph")
    points = asyncio.run(_search(text, settings, bench))
    limit = math.inf
    if rival is not None:
        plan = bench.pool.compile(read_genome(genome_path(rival.name)))
        looks = bench.looks(plan, settings.run.seed, settings.evaluation.validation_replicates)
        price = cost(cell for look in looks for cell in look)
        assert price is not None  # nothing is lost here
        limit = price.mean
    affordable = [p for p in points if p.validated and p.validated_cost and p.validated_cost.mean <= limit]
    point = max(affordable, key=lambda p: p.validated.mean if p.validated else 0.0)
    judged = _judged(f"seed {settings.run.seed}", point.genome, bench, process_time() - begun)
    _say(str(judged), silent=silent)
    return judged


async def _search(text: str, settings: RunSettings, bench: Bench) -> tuple[FrontPoint, ...]:
    """Its validated front."""
    prompts, bench.study = bench.pool.prompts, settings.run.seed
    names = {role.value: prompts.names(role) for role in Role if role.calls_model}
    evolution = parse_evolution_config(ini_sections(text), source="graph", models=MODELS, prompts=names)
    draw = draw_problems(bench.pool.problems, settings)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "run.sqlite")
        progress = Progress("benchmark", settings, generations=settings.run.generations)
        policy = settings.evaluation.chosen_policy()
        course = Course(settings, evolution, prompts, draw, policy, bench, store, progress, Observer())
        await course.evolve()
        points = await course.validated_front()
        store.close()
    return points


def _judged(name: str, genome: Genome, bench: Bench, seconds: float = 0.0) -> Judged:
    plan = bench.pool.compile(genome)
    looks = bench.looks(plan, 0, _JUDGING)
    rates = [float(np.mean([bool(cell.solved) for cell in look])) for look in looks]
    tokens = [float(np.mean([cell.prompt_tokens + cell.completion_tokens for cell in look])) for look in looks]
    roles = ", ".join(node.role.value for node in plan.nodes if node.role not in (Role.TASK, Role.OUTPUT))
    return Judged(name, *_mean(rates), *_mean(tokens), len(back_edges(genome)), roles, seconds)


def _mean(values: Sequence[float]) -> tuple[float, float]:
    """With its standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values)))


def _say(text: str, *, silent: bool) -> None:
    if not silent:
        console.print(text, soft_wrap=True, highlight=False)


if __name__ == "__main__":
    run_app(app, "python -m benchmarks.graph")
