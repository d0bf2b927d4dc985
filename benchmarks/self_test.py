"""A/A: how often is a pipeline found to differ from itself? ``python -m benchmarks.self_test [--quick] [--json]``

SIMULATED models. In each study one pipeline is measured twice on the same problems with disjoint seeds, and the two are
compared as evo.compare compares two pipelines.
"""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import typer

from benchmarks.kernel import Kernel
from benchmarks.simulated import Pool, shipped
from evo.cli import console, new_app, print_json, run_app
from evo.comparison import compare_pairs
from evo.evaluation import Measurement, Purpose, gains

MODEL = "gemma3:1b"
PIPELINES = ("self-refine", "solo")
DESIGNS = ((20, 5), (40, 3), (60, 1))  # problems, replicates
FEWEST = 5  # problems that must differ before any test of their signs can reach 5 %

app = new_app()


@dataclass(frozen=True)
class FalseAccepts:
    """accepted: share of studies that found a difference at 5 %, with its standard error. outside: whose 95 % interval
    does not hold 0. few: in which fewer than FEWEST problems differed.
    """

    pipeline: str
    problems: int
    replicates: int
    studies: int
    accepted: float
    outside: float
    few: float
    stderr: float


@app.command()
def main(
    quick: Annotated[bool, typer.Option("--quick", help="200 studies instead of 5,000.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """False accepts of the permutation test and of the intervals."""
    rows = [_studies(name, *design, 200 if quick else 5000) for name in PIPELINES for design in DESIGNS]
    if json:
        print_json(rows)
        return
    console.print(f"SIMULATED {MODEL}; {rows[0].studies} studies each; aim: 5 % +- 1")
    for row in rows:
        console.print(
            f"{row.pipeline:<12} {row.problems:>3} problems x {row.replicates}: test {100 * row.accepted:.1f} %, "
            f"interval {100 * row.outside:.1f} % (standard error {100 * row.stderr:.1f}); "
            f"fewer than {FEWEST} problems differ in {100 * row.few:.0f} %",
            soft_wrap=True,
        )


def _studies(name: str, problems: int, replicates: int, studies: int) -> FalseAccepts:
    pool = Pool([MODEL])
    kernel = Kernel(pool.problems, pool.backend)
    plan = pool.compile(shipped(name, MODEL))
    random = np.random.default_rng(problems)
    accepted = outside = few = 0
    for study in range(studies):
        kernel.made.clear()
        drawn = [pool.problems[i] for i in random.permutation(len(pool.problems))[:problems]]
        arms = {}
        for arm, begin in (("first", 0), ("second", replicates)):
            cells = [
                kernel.cell(Measurement(plan, problem, Purpose.SELF_TEST, begin + r), study)
                for problem in drawn
                for r in range(replicates)
            ]
            arms[arm] = [replace(cell, replicate=cell.replicate - begin) for cell in cells]
        (pair,) = compare_pairs(arms, random)
        low, high = pair.difference.interval()
        accepted += pair.apart()
        outside += not low <= 0 <= high
        few += sum(map(bool, map(sum, gains(*arms.values()).values()))) < FEWEST
    share = accepted / studies
    stderr = float(np.sqrt(share * (1 - share) / studies))
    return FalseAccepts(name, problems, replicates, studies, share, outside / studies, few / studies, stderr)


if __name__ == "__main__":
    run_app(app, "python -m benchmarks.self_test")
