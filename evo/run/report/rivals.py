"""Who the champion was held against, as the end of a search recorded it: finalists, baselines, itself without parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evo.evaluation import Difference, Estimate
from evo.figures import TokenPoint, reading_order
from evo.genome import Genome
from evo.run.report.record import Record

__all__ = ["Row", "marked", "race_of", "rivals_of", "sketch"]


@dataclass(frozen=True, slots=True)
class Row:
    """An estimate with a name, for a list of intervals. difference: the champion's lead over it, where paired."""

    name: str
    estimate: Estimate | None
    note: str = ""
    kind: str = ""
    difference: Difference | None = None
    p: float | None = None
    apart: bool | None = None
    tokens: float = 0.0


def rivals_of(record: Record) -> dict[str, list[Row]]:
    """Who the champion was held against on the same problems and seeds: finalists, baselines, its own parts."""
    final = [
        Row(
            name=f"finalist {one['plan'][:8]}",
            estimate=Estimate(**one["estimate"]),
            note=sketch(record.genomes.get(one["plan"])),
            difference=None if one["lead"] is None else Difference(**one["lead"]),
            p=one["p"],
            apart=one["p"] <= 0.05,
        )
        for one in record.ending.get("final", [])[1:]
    ]
    held = record.documents["baselines"]
    return {"final": final, "baselines": _rows(held.get("baselines", [])), "parts": _rows(held.get("parts", []))}


def race_of(record: Record) -> Estimate | None:
    """The champion in the final race: on the same problems and seeds as the finalists."""
    final = record.ending.get("final", [])
    return Estimate(**final[0]["estimate"]) if len(final) > 1 else None


def _rows(rivals: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Rivals as the end of a search records them. Told apart: the interval of the lead leaves zero out."""
    rows = []
    for one in rivals:
        lead = None if one["lead"] is None else Difference(**one["lead"])
        low, high = lead.interval() if lead else (0.0, 0.0)
        rows.append(
            Row(
                name=one["name"],
                estimate=None if one["estimate"] is None else Estimate(**one["estimate"]),
                note=one["missing"] or f"{one['tokens']:.0f} tokens and {one['calls']:.1f} calls a problem",
                difference=lead,
                apart=None if lead is None else low > 0 or high < 0,
                tokens=one["tokens"],
            )
        )
    return rows


def marked(record: Record) -> list[TokenPoint]:
    """What the chart of accuracy against tokens names: champion and baselines, on seeds that selected nobody."""
    points = []
    if record.champion and (validated := record.validated):
        points.append(_token_point(record.champion, "champion, validated", record.champion_tokens, validated))
    for row in rivals_of(record)["baselines"]:
        if row.estimate:
            points.append(_token_point("", row.name, row.tokens, row.estimate))
    return points


def _token_point(plan: str, name: str, tokens: float, found: Estimate) -> TokenPoint:
    return TokenPoint(plan, name, tokens, found.mean, found.stderr, found.problems, found.replicates)


def sketch(genome: Genome | None) -> str:
    """A pipeline in one line: its roles as one reads its picture."""
    return "" if genome is None else " → ".join(node.role.value for node in reading_order(genome)[1:-1])
