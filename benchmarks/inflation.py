"""Is the reported score of a champion true? ``python -m benchmarks.inflation [--quick] [--json]``

SIMULATED models, whose truth is known. Whole searches under ``racing``, as evo reports them, and under ``single``, as
the study did: the best score ever seen is the champion's.
"""

from dataclasses import dataclass
from typing import Annotated

import typer

from benchmarks.searches import STUDY, Found, mean_and_error, searches
from evo.cli import console, new_app, print_json, run_app

app = new_app()


@dataclass(frozen=True)
class Reported:
    """bias: reported score less the champion's true rate on the same problems, points, with its standard error.

    within: share of searches whose report is within one standard error of the champion's true rate on all problems that
    no generation was measured on; covered: whose 95 % interval holds it. Of ``single`` neither: it reports no error.
    """

    what: str
    searches: int
    bias: float
    stderr: float
    within: float | None = None
    covered: float | None = None


@app.command()
def main(
    quick: Annotated[bool, typer.Option("--quick", help="20 searches instead of 200.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """What the reported score of a champion is worth."""
    count = 20 if quick else 200
    raced, single = searches("racing", count), searches("single", count, STUDY)
    rows = [
        _validated(raced),
        _claimed("racing, by its own evidence", raced),
        _claimed("single, its best score", single),
    ]
    if json:
        print_json(rows)
        return
    console.print(f"SIMULATED; {count} searches each; aim: bias within 0.3 points, within one error in 67 % or more")
    for row in rows:
        more = "" if row.within is None else f", within one error {100 * row.within:.0f} %"
        held = "" if row.covered is None else f", interval covers {100 * row.covered:.0f} %"
        console.print(f"{row.what:<32} {row.bias:+.2f} ± {row.stderr:.2f} points{more}{held}", soft_wrap=True)


def _validated(found: list[Found]) -> Reported:
    bias, stderr = mean_and_error(one.validated - one.validated_true for one in found)
    within = sum(abs(one.validated - one.true) <= one.stderr for one in found) / len(found)
    covered = sum(one.interval[0] <= one.true <= one.interval[1] for one in found) / len(found)
    return Reported("racing, validated", len(found), bias, stderr, within, covered)


def _claimed(what: str, found: list[Found]) -> Reported:
    bias, stderr = mean_and_error(one.claim - one.claim_true for one in found)
    return Reported(what, len(found), bias, stderr)


if __name__ == "__main__":
    run_app(app, "python -m benchmarks.inflation")
