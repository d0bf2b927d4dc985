"""Is it worth to begin with a pipeline that is known? ``python -m benchmarks.founders [--quick] [--json]``

SIMULATED models, whose truth is known. Searches as small as the preset laptop's on two cores, with the founders that it
has and without any, as long as about as many calls are spent. The champion's true rate on problems that no generation
was measured on.
"""

from dataclasses import dataclass
from typing import Annotated

import typer

from benchmarks.searches import MODELS, mean_and_error, mean_calls, searches
from evo.cli import console, new_app, print_json, run_app

LAPTOP = {
    "NEAT.pop_size": "6",
    "run.generations": "4",
    "tasks.problems": "6",
    "evaluation.replicates": "2",
    "evaluation.most_fresh": "2",
    "evaluation.finalists": "3",
    "evaluation.final_problems": "18",
}
FOUNDERS = "self-refine"
FINAL = 0.3  # share of the calls that a final race without founders takes, about

app = new_app()


@dataclass(frozen=True)
class Row:
    """true: mean exact rates of the champions with and without founders, percent. lead: of the former, points, paired
    by seed. calls: mean, of each.
    """

    models: str
    searches: int
    true: tuple[float, float]
    calls: tuple[float, float]
    lead: float
    stderr: float


@app.command()
def main(
    quick: Annotated[bool, typer.Option("--quick", help="20 searches of each instead of 60.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Searches that begin with a known pipeline against searches that do not."""
    rows = [_row(models, 20 if quick else 60) for models in (" ".join(MODELS), *MODELS)]
    if json:
        print_json(rows)
        return
    console.print(f"SIMULATED; {rows[0].searches} searches each; lead: of those with founders, paired by seed")
    for row in rows:
        (true, without), (calls, others) = row.true, row.calls
        console.print(
            f"{row.models}: true {true:.2f} % with, {without:.2f} % without; {calls:.0f} and {others:.0f} calls; "
            f"lead {row.lead:+.2f} ± {row.stderr:.2f} points",
            soft_wrap=True,
        )


def _row(models: str, count: int) -> Row:
    pool = LAPTOP | {"models.models": models}
    founded = searches("racing", count, pool | {"run.founders": FOUNDERS})
    others = searches("racing", count, pool, calls=round((1 - FINAL) * mean_calls(founded)))
    lead, stderr = mean_and_error(one.true - other.true for one, other in zip(founded, others, strict=True))
    (true, _), (without, _) = (mean_and_error(one.true for one in found) for found in (founded, others))
    return Row(models, count, (true, without), (mean_calls(founded), mean_calls(others)), lead, stderr)


if __name__ == "__main__":
    run_app(app, "python -m benchmarks.founders")
