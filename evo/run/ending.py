"""The end of a search: its best race for champion on fresh seeds, then the champion is validated on others.

What selects and what is reported never share a seed: the race has replicates of ``Purpose.REEVALUATION`` that no
survivor ever gets, the report has ``Purpose.VALIDATION``.
"""

import json
from dataclasses import asdict, dataclass

from evo.comparison import Finalist, final_race
from evo.evaluation import Estimate, Ledger, Measurement, Purpose, Store, stream
from evo.run.draw import ProblemDraw
from evo.run.loop import Candidate, Course, Measures
from evo.run.result import Progress
from evo.run.settings import RunSettings

__all__ = ["RACE_REPLICATES", "Ending", "conclude"]

RACE_REPLICATES = 1 << 28
"""Where the race's replicates begin; survivors' count from 0, and settings keep them below."""


@dataclass(frozen=True, slots=True)
class Ending:
    """final: the race, champion first; empty if there was none. validated: None if nothing could be measured.

    tokens: the champion's mean on a problem of the validation, 0.0 if nothing could be measured.
    """

    champion: Candidate
    final: tuple[Finalist, ...]
    validated: Estimate | None
    tokens: float


async def conclude(
    course: Course, scheduler: Measures, draw: ProblemDraw, settings: RunSettings, store: Store, progress: Progress
) -> Ending:
    """Find the champion among the best of the search, and what it truly solves. Both are put on record."""
    progress.phase = "final race"
    champion, final = await _race(course, scheduler, draw, settings)
    progress.phase = "validation"
    wanted = [
        Measurement(champion.plan, problem, Purpose.VALIDATION, replicate)
        for replicate in range(settings.evaluation.validation_replicates)
        for problem in draw.validation
    ]
    cells, digest = Ledger(await scheduler.measure(wanted)), champion.plan.digest
    ending = Ending(champion, final, cells.estimate(digest, (Purpose.VALIDATION,)), cells.tokens(digest))
    store.put_meta("ending", json.dumps(_record(ending)))
    return ending


async def _race(
    course: Course, scheduler: Measures, draw: ProblemDraw, settings: RunSettings
) -> tuple[Candidate, tuple[Finalist, ...]]:
    candidates = course.finalists()
    if len(candidates) == 1:
        return candidates[0], ()
    wanted = [
        Measurement(candidate.plan, problem, Purpose.REEVALUATION, RACE_REPLICATES + replicate)
        for replicate in range(settings.evaluation.final_replicates)
        for candidate in candidates
        for problem in draw.final
    ]
    ledger = Ledger(await scheduler.measure(wanted))
    final = final_race(
        {c.plan.digest: ledger.cells(c.plan.digest) for c in candidates},
        {c.plan.digest: course.price(c) for c in candidates},
        stream(settings.run.seed, "final"),
    )
    if not final:  # nothing could be measured
        return candidates[0], ()
    return next(c for c in candidates if c.plan.digest == final[0].plan), final


def _record(ending: Ending) -> dict[str, object]:
    return {
        "champion": ending.champion.plan.digest,
        "final": [asdict(finalist) for finalist in ending.final],
        "validated": None if ending.validated is None else asdict(ending.validated),
    }
