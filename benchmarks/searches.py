"""Whole searches on the SIMULATED pool, in process: the course of evo.search with another way to measure."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.simulated import Pool
from evo.evaluation import BudgetSpent, Cell, Measurement, Store
from evo.evolution import parse_evolution_config
from evo.genome import Role
from evo.run import Observer, Progress, parse_settings, read_preset
from evo.run.draw import draw_problems
from evo.run.loop import Course
from evo.run.settings import ini_sections

__all__ = ["SETTINGS", "Found", "Measures", "searched"]

MODEL = "gemma3:1b"

SETTINGS = {
    "NEAT.pop_size": "12",
    "run.generations": "20",
    "tasks.problems": "12",
    "evaluation.replicates": "6",
    "evaluation.most_fresh": "4",
    "evaluation.validation_problems": "60",
    "run.limit_minutes": "0",
}


@dataclass(frozen=True)
class Found:
    """One search's champion. true: its exact solve rate on all problems that the search never saw. claim: by the
    evidence that selected it, on the search's problems, where its exact rate is claim_true. calls: of the search
    alone, without the validation.
    """

    seed: int
    true: float
    claim: float
    claim_true: float
    validated: float
    stderr: float
    calls: int


def searched(policy: str, seed: int, pool: Pool, max_calls: int = 0) -> Found:
    """Search with this policy; with ``max_calls`` for as many generations as these pay for."""
    return asyncio.run(_search(policy, seed, pool, max_calls))


class Measures:
    """A pool as a course measures with it. max_calls: distinct ones of the study; 0: no limit."""

    def __init__(self, pool: Pool, seed: int, max_calls: int = 0) -> None:
        self._pool, self._seed, self.max_calls = pool, seed, max_calls

    async def measure(self, wanted: Sequence[Measurement]) -> tuple[Cell, ...]:
        """The cells; nothing more once the calls are spent."""
        if self.max_calls and self._pool.calls >= self.max_calls:
            raise BudgetSpent("the calls are spent")
        return await self._pool.cells(wanted, self._seed)


async def _search(policy: str, seed: int, pool: Pool, max_calls: int) -> Found:
    changes = SETTINGS | {"evaluation.policy": policy, "run.seed": str(seed), "models.models": MODEL}
    if max_calls:
        changes["run.generations"] = "1000"
    text = read_preset("laptop", changes)
    settings = parse_settings(text, "laptop")
    names = {role.value: pool.prompts.names(role) for role in Role if role.calls_model}
    evolution = parse_evolution_config(ini_sections(text), source="laptop", models=(MODEL,), prompts=names)
    draw = draw_problems(pool.problems, settings)
    pool.new_study()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "run.sqlite")
        progress = Progress("benchmark", settings, generations=settings.run.generations)
        measures = Measures(pool, seed, max_calls)
        chosen = settings.evaluation.chosen_policy()
        course = Course(settings, evolution, pool.prompts, draw, chosen, measures, store, progress, Observer())
        await course.evolve()
        calls, measures.max_calls = pool.calls, 0
        champion = await course.validate(course.champion())
        store.close()
    assert champion.validated is not None
    truth = pool.truth(champion.plan)
    seen = {problem.id for problem in draw.subsets[0]}
    return Found(
        seed=seed,
        true=float(np.mean([rate for problem, rate in truth.items() if problem not in seen])),
        claim=champion.search.mean,
        claim_true=float(np.mean([truth[problem] for problem in seen])),
        validated=champion.validated.mean,
        stderr=champion.validated.stderr,
        calls=calls,
    )
