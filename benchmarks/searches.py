"""Whole searches on the SIMULATED pool by the hundred: the course of evo.search with another way to measure."""

import asyncio
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from benchmarks.kernel import Kernel
from benchmarks.simulated import Pool
from evo.evaluation import BudgetSpent, Cell, Measurement, Purpose, Store
from evo.evolution import parse_evolution_config
from evo.genome import Role
from evo.run import Observer, Progress, parse_settings, read_preset
from evo.run.draw import draw_problems
from evo.run.ending import conclude
from evo.run.founders import read_founders
from evo.run.loop import Course
from evo.run.settings import ini_sections

__all__ = ["MODELS", "SETTINGS", "STUDY", "Found", "mean_and_error", "mean_calls", "searches"]

_MEMORY = Path("/dev/shm")  # nothing here needs to last

MODELS = ("gemma3:1b", "qwen2.5:1.5b", "llama3.2:3b")  # the study's pool

SETTINGS = {
    "run.founders": "",
    "models.models": " ".join(MODELS),
    "NEAT.pop_size": "12",
    "run.generations": "20",
    "tasks.problems": "12",
    "evaluation.replicates": "12",
    "evaluation.most_fresh": "1",
    "evaluation.finalists": "8",
    "evaluation.final_problems": "60",
    "evaluation.validation_problems": "80",
    "evaluation.validation_replicates": "3",
    "run.limit_minutes": "0",
}
"""What the searches of these benchmarks have in common, over the preset "laptop"."""

STUDY = {"evaluation.caution": "0", "evaluation.finalists": "0"}
"""What ``single`` changes: the best score ever seen is the champion."""


@dataclass(frozen=True)
class Found:
    """One search's champion. Rates are shares.

    true: its exact solve rate on all problems that no generation was measured on. claim: by the evidence that selected
    it, on the search's problems, where its exact rate is claim_true. validated: as evo reports it, with its standard
    error and 95 % interval; validated_true: its exact rate on the same problems. calls: distinct model calls of the
    search and its final race, without the validation.
    """

    seed: int
    true: float
    claim: float
    claim_true: float
    validated: float
    stderr: float
    validated_true: float
    interval: tuple[float, float]
    calls: int


def searches(policy: str, count: int, changes: Mapping[str, str] | None = None, *, calls: int = 0) -> list[Found]:
    """So many searches with seeds 0, 1, ... under this policy; with ``calls``, each goes on until these are spent."""
    workers = os.cpu_count() or 1
    parts = Parallel(workers)(
        delayed(_several)(policy, range(first, count, workers), dict(changes or {}), calls) for first in range(workers)
    )
    return sorted((found for part in parts for found in part), key=lambda found: found.seed)


def mean_and_error(values: Iterable[float]) -> tuple[float, float]:
    """Mean and standard error, times 100."""
    table = 100 * np.array(list(values))
    return float(table.mean()), float(table.std(ddof=1) / np.sqrt(len(table)))


def mean_calls(found: Sequence[Found]) -> float:
    """Distinct model calls of a search."""
    return sum(one.calls for one in found) / len(found)


def _several(policy: str, seeds: range, changes: Mapping[str, str], calls: int) -> list[Found]:
    os.nice(10)
    pool = Pool(MODELS)
    kernel = Kernel(pool.problems, pool.backend)
    return [asyncio.run(_search(policy, seed, pool, kernel, changes, calls)) for seed in seeds]


class _Looked:
    """The scheduler's place: cells from the kernel. ``calls`` is what selection has paid for."""

    def __init__(self, kernel: Kernel, seed: int, max_calls: int) -> None:
        self._kernel, self._seed, self.max_calls = kernel, seed, max_calls
        self.calls = 0

    async def measure(self, wanted: Sequence[Measurement]) -> tuple[Cell, ...]:
        """The cells; nothing more once the calls are spent."""
        if self.max_calls and self.calls >= self.max_calls:
            raise BudgetSpent("the calls are spent")
        cells = tuple(self._kernel.cell(one, self._seed) for one in wanted)
        if wanted[0].purpose is not Purpose.VALIDATION:
            self.calls = len(self._kernel.made)
        return cells


async def _search(policy: str, seed: int, pool: Pool, kernel: Kernel, changes: Mapping[str, str], calls: int) -> Found:
    more = {"run.generations": "1000"} if calls else {}
    text = read_preset("laptop", {**SETTINGS, "evaluation.policy": policy, "run.seed": str(seed), **changes, **more})
    settings = parse_settings(text, "laptop")
    names = {role.value: pool.prompts.names(role) for role in Role if role.calls_model}
    models = settings.models.models
    evolution = parse_evolution_config(ini_sections(text), source="laptop", models=models, prompts=names)
    draw = draw_problems(pool.problems, settings)
    kernel.made.clear()
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        store = Store(Path(folder) / "run.sqlite")
        progress = Progress("benchmark", settings, generations=settings.run.generations)
        measures = _Looked(kernel, seed, calls)
        chosen = settings.evaluation.chosen_policy()
        course = Course(
            settings,
            evolution,
            pool.prompts,
            draw,
            chosen,
            measures,
            store,
            progress,
            Observer(),
            founders=read_founders(settings.run.founders, evolution.space, store),
        )
        await course.evolve()
        measures.max_calls = 0
        ending = await conclude(course, measures, draw, settings, store, progress)
        store.close()
    champion = ending.champion
    assert ending.validated is not None
    truth = kernel.rates(champion.plan)
    searched = {problem.id for subset in draw.subsets for problem in subset}

    def rate(problems: Iterable[str]) -> float:
        return float(np.mean([truth[problem] for problem in problems]))

    return Found(
        seed=seed,
        true=rate(truth.keys() - searched),
        claim=champion.search.mean,
        claim_true=rate(searched),
        validated=ending.validated.mean,
        stderr=ending.validated.stderr,
        validated_true=rate(problem.id for problem in draw.validation),
        interval=ending.validated.interval(),
        calls=measures.calls,
    )
