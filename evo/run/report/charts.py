"""The charts that a record has the numbers for."""

from collections.abc import Sequence

from evo.evaluation import Purpose
from evo.figures import (
    Ancestor,
    Chart,
    TokenPoint,
    claims_chart,
    complexity_chart,
    errors_chart,
    fitness_chart,
    lineage_chart,
    share_chart,
    species_chart,
    spending_chart,
    tokens_chart,
    tried_chart,
)
from evo.run.report import findings
from evo.run.report.record import Record

__all__ = ["charts_of"]


def charts_of(record: Record, marked: Sequence[TokenPoint], family: Sequence[Ancestor]) -> dict[str, Chart]:
    """By name; one without numbers is left out. marked: pipelines to name. family: the champion's ancestors."""
    charts: list[Chart] = []
    if record.generations:
        charts.append(fitness_chart(findings.generation_points(record), record.validated))
        charts.append(species_chart(findings.species_points(record)))
        charts.append(complexity_chart(findings.complexity_points(record)))
        charts += [share_chart(findings.share_points(record, what), what) for what in ("model", "role")]
    if claims := findings.claim_points(record):
        charts.append(claims_chart(claims))
    refined = findings.refining(record)
    if errors := findings.error_points(refined):
        charts.append(errors_chart(errors, len(refined)))
    stopping = record.settings.pipeline.early_stopping
    mine = record.ledger.cells(record.champion, Purpose) if record.champion else ()
    for cells, whose in ((mine, "Champion"), (refined, "All pipelines that refine")):
        tried = findings.tried_points(cells, early_stopping=stopping)
        if len(tried) > 1:
            charts.append(tried_chart(tried, whose, early_stopping=stopping))
            break
    if points := findings.token_points(record, marked):
        charts.append(tokens_chart(points))
    if spending := findings.spending_points(record):
        charts.append(spending_chart(spending))
    if len(family) > 1:
        charts.append(lineage_chart(family))
    return {chart.name: chart for chart in charts}
