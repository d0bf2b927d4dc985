"""What do replicates cost, and what do they find? ``python -m benchmarks.racing [--quick] [--json]``

SIMULATED models, whose truth is known. Searches on 60 problems under each policy: the champion's true rate on problems
that no generation was measured on, and the distinct model calls of the search with its final race. Repeated evaluation
has 20 generations; racing and single evaluation go on until a third of its calls is spent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from benchmarks.searches import STUDY, Found, mean_and_error, mean_calls, searches
from evo.cli import console, new_app, print_json, run_app

# Repeated has three replicates of 60 problems; racing looks at 12 of them first. Both choose by the mean, and on fresh
# seeds in the final race only.
LOOKS = {
    "tasks.problems": "60",
    "evaluation.first_problems": "12",
    "evaluation.replicates": "3",
    "evaluation.caution": "0",
    "evaluation.most_fresh": "0",
    "evaluation.final_problems": "24",
}
FINAL = 0.2  # share of racing's calls that its final race takes, about

app = new_app()


@dataclass(frozen=True)
class Row:
    """true: mean exact rate of the champions, percent. calls: mean. lead: of racing over it, points, paired by seed."""

    policy: str
    searches: int
    true: float
    calls: float
    lead: float
    stderr: float


@app.command()
def main(
    quick: Annotated[bool, typer.Option("--quick", help="20 searches of each instead of 100.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Racing against repeated and single evaluation."""
    count = 20 if quick else 100
    repeated = searches("repeated", count, LOOKS)
    raced = searches("racing", count, LOOKS, calls=round((1 - FINAL) * mean_calls(repeated) / 3))
    single = searches("single", count, LOOKS | STUDY, calls=round(mean_calls(raced)))
    arms = {"racing": raced, "single": single, "repeated": repeated}
    rows = [_row(name, raced, found) for name, found in arms.items()]
    if json:
        print_json(rows)
        return
    console.print(f"SIMULATED; {count} searches each; lead: of racing, paired by seed")
    for row in rows:
        lead = "" if row.policy == "racing" else f", lead {row.lead:+.2f} ± {row.stderr:.2f} points"
        console.print(f"{row.policy:<9} true {row.true:.2f} %, {row.calls:.0f} calls{lead}", soft_wrap=True)


def _row(name: str, raced: Sequence[Found], found: Sequence[Found]) -> Row:
    lead, stderr = mean_and_error(one.true - other.true for one, other in zip(raced, found, strict=True))
    true, _ = mean_and_error(one.true for one in found)
    return Row(name, len(found), true, mean_calls(found), lead, stderr)


if __name__ == "__main__":
    run_app(app, "python -m benchmarks.racing")
