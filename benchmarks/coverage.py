"""Do intervals that are said to be 95 % cover the truth? ``python -m benchmarks.coverage [--quick] [--json]``

SIMULATED models, whose truth is known. In each study problems are drawn anew from HumanEval, with replacement, as if
the suite were endless; every study has seeds of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import typer

from benchmarks.kernel import Kernel
from benchmarks.simulated import Pool, shipped
from evo.cli import console, new_app, print_json, run_app
from evo.comparison import Look, inflation, outcomes
from evo.evaluation import Cell, Measurement, Purpose, estimate, paired
from evo.pipeline import Plan
from evo.tasks import Problem

MODEL = "gemma3:1b"
DESIGNS = ((20, 5), (40, 3), (60, 1))  # problems, replicates
CONTEST = ("solo", "self-refine", "study-temp0", "study-v2", "study-v3", "cross-model")
CONTESTANTS, CONTEST_PROBLEMS, CONTEST_REPLICATES = 4, 20, 5
GENERATIONS = (1, 10)

app = new_app()


@dataclass(frozen=True)
class Coverage:
    """covered: share of studies whose interval holds the truth. bias: mean error, in points. width: of the interval."""

    what: str
    problems: int
    replicates: int
    studies: int
    covered: float
    bias: float
    width: float


@app.command()
def main(
    quick: Annotated[bool, typer.Option("--quick", help="200 studies instead of 2,000.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Coverage of the intervals of estimates, paired differences and inflation."""
    studies = 200 if quick else 2000
    rows = _all(studies)
    if json:
        print_json(rows)
        return
    console.print(f"SIMULATED {MODEL}; {studies} studies each; aim: 93 to 97 %")
    for row in rows:
        console.print(
            f"{row.what:<27} {row.problems:>3} problems x {row.replicates}: covered {100 * row.covered:.1f} %, "
            f"bias {row.bias:+.2f} points, width {row.width:.1f} points",
            soft_wrap=True,
        )


def _all(studies: int) -> list[Coverage]:
    pool = Pool([MODEL])
    kernel = Kernel(pool.problems, pool.backend)
    pair = [pool.compile(shipped(name, MODEL)) for name in ("solo", "self-refine")]
    rows = []
    for problems, replicates in DESIGNS:
        rows += _pairs(pool, kernel, pair, problems, replicates, studies)
    return [*rows, *(_inflation(pool, kernel, generations, studies) for generations in GENERATIONS)]


def _drawn(pool: Pool, count: int, random: np.random.Generator) -> list[tuple[Problem, int]]:
    """Problems with replacement; the number says the how-manieth copy it is."""
    copies: dict[int, int] = {}
    drawn = []
    for index in random.integers(len(pool.problems), size=count):
        copies[index] = copies.get(index, -1) + 1
        drawn.append((pool.problems[index], copies[index]))
    return drawn


def _measured(
    kernel: Kernel, plan: Plan, drawn: Sequence[tuple[Problem, int]], replicates: range, seed: int
) -> list[Cell]:
    """Cells in which every copy of a problem is a problem of its own, with seeds of its own."""
    wanted = [
        Measurement(plan, problem, Purpose.SEARCH, 1000 * copy + r) for problem, copy in drawn for r in replicates
    ]
    names = [(f"{problem.id} copy {copy}", r) for problem, copy in drawn for r in replicates]
    cells = [kernel.cell(one, seed) for one in wanted]
    return [cell._replace(problem=name, replicate=r) for cell, (name, r) in zip(cells, names, strict=True)]


def _pairs(
    pool: Pool, kernel: Kernel, plans: Sequence[Plan], problems: int, replicates: int, studies: int
) -> list[Coverage]:
    random = np.random.default_rng(problems)
    means = [float(np.mean(list(pool.truth(plan).values()))) for plan in plans]
    alone, differences = [], []
    for study in range(studies):
        kernel.made.clear()
        drawn = _drawn(pool, problems, random)
        one, other = [_measured(kernel, plan, drawn, range(replicates), study) for plan in plans]
        found, gain = estimate(other), paired(other, one)
        assert found is not None
        assert gain is not None
        alone.append((found.mean, *found.interval(), means[1]))
        differences.append((gain.mean, *gain.interval(), means[1] - means[0]))
    return [
        _coverage("estimate", problems, replicates, alone),
        _coverage("paired difference", problems, replicates, differences),
    ]


def _inflation(pool: Pool, kernel: Kernel, generations: int, studies: int) -> Coverage:
    """The best of four of six pipelines by one evaluation of the same problems, in each generation; then all that were
    chosen are measured on the same fresh seeds.
    """
    random = np.random.default_rng(6 + generations)
    plans = [pool.compile(shipped(name, MODEL)) for name in CONTEST]
    found = []
    for study in range(studies):
        kernel.made.clear()
        drawn = _drawn(pool, CONTEST_PROBLEMS, random)
        claims = [np.mean([cell.solved for cell in _measured(kernel, plan, drawn, range(1), study)]) for plan in plans]
        there = [random.permutation(len(plans))[:CONTESTANTS] for _ in range(generations)]
        best = [max(some, key=lambda i: claims[i]) for some in there]
        blind = [some[0] for some in there]
        looks = {i: _look(kernel, plans[i], float(claims[i]), drawn, study) for i in {*best, *blind}}
        total = inflation([looks[i] for i in best], [looks[i] for i in blind]).total
        rates = [np.mean([pool.truth(plans[i])[problem.id] for problem, _ in drawn]) for i in best]
        found.append((total.mean, *total.interval(), float(np.mean([looks[i].claim for i in best]) - np.mean(rates))))
    what = f"inflation, generations: {generations}"
    return _coverage(what, CONTEST_PROBLEMS, CONTEST_REPLICATES, found)


def _look(kernel: Kernel, plan: Plan, claim: float, drawn: Sequence[tuple[Problem, int]], study: int) -> Look:
    """A pipeline with what one evaluation said of it, on seeds that nothing was selected on."""
    fresh = _measured(kernel, plan, drawn, range(1, 1 + CONTEST_REPLICATES), study)
    names = [f"{problem.id} copy {copy}" for problem, copy in drawn]
    cells = [cell._replace(replicate=cell.replicate - 1) for cell in fresh]
    table = outcomes({"plan": cells}, names, CONTEST_REPLICATES)
    return Look(0, plan.digest, claim, table.problems, table.solved[0])


def _coverage(what: str, problems: int, replicates: int, found: Sequence[tuple[float, ...]]) -> Coverage:
    mean, low, high, truth = np.array(found).T
    return Coverage(
        what=what,
        problems=problems,
        replicates=replicates,
        studies=len(found),
        covered=float(np.mean((low <= truth) & (truth <= high))),
        bias=100 * float(np.mean(mean - truth)),
        width=100 * float(np.mean(high - low)),
    )


if __name__ == "__main__":
    run_app(app, "python -m benchmarks.coverage")
