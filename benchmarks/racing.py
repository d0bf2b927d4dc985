"""What do replicates cost, and what do they find? ``python -m benchmarks.racing [--quick] [--json]``

SIMULATED models, whose truth is known. The same searches on 60 problems under each policy: the champion's true rate on
problems that no generation was measured on, and the distinct model calls of the search with its final race.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from benchmarks.searches import STUDY, Found, mean_and_error, searches
from evo.cli import console, new_app, print_json, run_app

# Racing looks at 8 of the 60 problems first; repeated has three replicates of all of them.
LOOKS = {"tasks.problems": "60", "evaluation.final_problems": "24", "evaluation.replicates": "3"}
RACE = LOOKS | {"evaluation.first_problems": "8"}

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
    quick: Annotated[bool, typer.Option("--quick", help="20 searches instead of 200.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Racing against repeated and single evaluation."""
    count = 20 if quick else 200
    raced = searches("racing", count, RACE)
    calls = round(sum(one.calls for one in raced) / count)
    arms = {
        "racing": raced,
        "single": searches("single", count, LOOKS | STUDY),
        "single, at racing's calls": searches("single", count, LOOKS | STUDY, calls=calls),
        "repeated": searches("repeated", count, LOOKS),
    }
    rows = [_row(name, raced, found) for name, found in arms.items()]
    if json:
        print_json(rows)
        return
    console.print(f"SIMULATED; {count} searches each; lead: of racing, paired by seed")
    for row in rows:
        lead = "" if row.policy == "racing" else f", lead {row.lead:+.2f} ± {row.stderr:.2f} points"
        console.print(f"{row.policy:<26} true {row.true:.2f} %, {row.calls:.0f} calls{lead}", soft_wrap=True)


def _row(name: str, raced: Sequence[Found], found: Sequence[Found]) -> Row:
    lead, stderr = mean_and_error(one.true - other.true for one, other in zip(raced, found, strict=True))
    true, _ = mean_and_error(one.true for one in found)
    return Row(name, len(found), true, sum(one.calls for one in found) / len(found), lead, stderr)


if __name__ == "__main__":
    run_app(app, "python -m benchmarks.racing")
