"""A/A: how often is a pipeline found to differ from itself? ``python -m benchmarks.self_test [--quick] [--json]``

SIMULATED models. In each study one pipeline is measured twice on the same problems with disjoint seeds, and the two are
compared as evo.compare compares two pipelines.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import typer

from benchmarks.simulated import Pool, shipped
from evo.cli import console, new_app, print_json, run_app
from evo.comparison import compare_pairs
from evo.evaluation import Measurement, Purpose

MODEL = "gemma3:1b"
DESIGNS = ((20, 5), (40, 3), (60, 1))  # problems, replicates

app = new_app()


@dataclass(frozen=True)
class FalseAccepts:
    """accepted: share of studies that found a difference at 5 %. outside: whose 95 % interval does not hold 0."""

    problems: int
    replicates: int
    studies: int
    accepted: float
    outside: float
    stderr: float


@app.command()
def main(
    quick: Annotated[bool, typer.Option("--quick", help="200 studies instead of 2,000.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """False accepts of the permutation test and of the intervals."""
    rows = [asyncio.run(_studies(*design, 200 if quick else 2000)) for design in DESIGNS]
    if json:
        print_json(rows)
        return
    console.print(f"SIMULATED {MODEL}; {rows[0].studies} studies each; aim: 5 % +- 1")
    for row in rows:
        console.print(
            f"{row.problems:>3} problems x {row.replicates}: test {100 * row.accepted:.1f} %, interval "
            f"{100 * row.outside:.1f} % (standard error {100 * row.stderr:.1f})",
            soft_wrap=True,
        )


async def _studies(problems: int, replicates: int, studies: int) -> FalseAccepts:
    pool = Pool([MODEL])
    plan = pool.compile(shipped("self-refine", MODEL))
    random = np.random.default_rng(problems)
    accepted = outside = 0
    for study in range(studies):
        pool.new_study()
        drawn = [pool.problems[i] for i in random.permutation(len(pool.problems))[:problems]]
        arms = {}
        for arm in ("first", "second"):
            begin = 0 if arm == "first" else replicates
            wanted = [
                Measurement(plan, problem, Purpose.SELF_TEST, begin + r) for problem in drawn for r in range(replicates)
            ]
            cells = await pool.cells(wanted, study)
            arms[arm] = [replace(cell, replicate=cell.replicate - begin) for cell in cells]
        (pair,) = compare_pairs(arms, random)
        low, high = pair.difference.interval()
        accepted += pair.apart()
        outside += not low <= 0 <= high
    share = accepted / studies
    stderr = float(np.sqrt(share * (1 - share) / studies))
    return FalseAccepts(problems, replicates, studies, share, outside / studies, stderr)


if __name__ == "__main__":
    run_app(app, "python -m benchmarks.self_test")
