"""Several runs side by side: what each came to, and whether their champions can be told apart."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from evo.evaluation import Cell, Difference, Purpose, paired
from evo.figures import chart_figure, figure_style, runs_chart, topology_figure
from evo.run.report.findings import generation_points
from evo.run.report.page import rendered
from evo.run.report.pictures import Pictures, data_link
from evo.run.report.record import Record
from evo.run.report.rivals import sketch
from evo.run.settings import ini_sections
from evo.tasks import Mode

__all__ = ["Match", "match", "side_by_side"]


@dataclass(frozen=True, slots=True)
class Match:
    """Two runs' champions. difference: one's lead over the other in solve rate; None where they have nothing in common.

    how: what was paired, or why nothing could be.
    """

    one: str
    other: str
    difference: Difference | None
    how: str

    @property
    def verdict(self) -> str:
        """Who is better, if that can be said: the interval of the difference leaves zero out, this pair by itself."""
        if self.difference is None:
            return "not comparable"
        low, high = self.difference.interval()
        return f"{self.one} is better" if low > 0 else f"{self.other} is better" if high < 0 else "cannot be told apart"


def side_by_side(records: Sequence[Record]) -> str:
    """The page of two or more runs."""
    pictures = Pictures()
    simulated = any(record.simulated for record in records)
    names = _names(records)
    courses = {name: points for name, r in zip(names, records, strict=True) if (points := generation_points(r))}
    with figure_style():
        chart = None
        if courses:
            drawn = runs_chart(courses)
            svg = pictures.inline(chart_figure(drawn, simulated=simulated, bare=True), drawn.title)
            chart = {"title": drawn.title, "caption": drawn.caption, "svg": svg, "csv": data_link(drawn.csv)}
        topologies = [
            (name, pictures.inline(topology_figure(record.genomes[record.champion], bare=True), f"Champion of {name}"))
            for name, record in zip(names, records, strict=True)
            if record.champion and record.champion in record.genomes
        ]
    named = list(zip(names, records, strict=True))
    return rendered(
        "beside.html.j2",
        pictures,
        title=" and ".join(names),
        simulated=simulated,
        names=names,
        records=records,
        roles=[sketch(record.genomes.get(record.champion or "")) for record in records],
        matches=[match(*one, *other) for one, other in combinations(named, 2)],
        chart=chart,
        topologies=topologies,
        settings=_different_settings(records),
    )


def match(one: str, first: Record, other: str, second: Record) -> Match:
    """Hold two champions against each other on their validation, paired as far as problems and seeds allow."""
    tasks, others = first.settings.tasks, second.settings.tasks
    if (tasks.benchmark, tasks.mode) != (others.benchmark, others.mode):
        return Match(one, other, None, "other problems, or other tests of them")
    mine, theirs = _validation(first), _validation(second)
    if first.settings.run.seed == second.settings.run.seed:
        found, how = paired(mine, theirs), "paired by problem and seed"
    else:
        halves = ", which split the tests otherwise" if tasks.mode is Mode.SPLIT else ""
        found, how = _by_problem(mine, theirs), f"paired by problem; other study seeds{halves}"
    if found is None:
        return Match(one, other, None, "no problem in common")
    return Match(one, other, found, f"{how}: {found.problems} problems, {found.cells} measurements")


def _validation(record: Record) -> tuple[Cell, ...]:
    return record.ledger.cells(record.champion, (Purpose.VALIDATION,)) if record.champion else ()


def _by_problem(one: Iterable[Cell], other: Iterable[Cell]) -> Difference | None:
    """The difference of the two solve rates of every problem that both have, with its error over problems."""
    mine, theirs = _rates(one), _rates(other)
    common = sorted(mine.keys() & theirs.keys())
    if not common:
        return None
    gaps = np.array([sum(mine[p]) / len(mine[p]) - sum(theirs[p]) / len(theirs[p]) for p in common])
    trials = sum(len(mine[p]) + len(theirs[p]) for p in common)
    spread = float(gaps.std(ddof=1)) if len(gaps) > 1 else 1.0
    # Few gaps that happen to be alike are no certainty: never below what one more problem of the other kind would give.
    stderr = max(spread, 1 / math.sqrt(len(common) + 1)) / math.sqrt(len(common))
    return Difference(float(gaps.mean()), stderr, len(common), trials)


def _rates(cells: Iterable[Cell]) -> dict[str, list[bool]]:
    found: dict[str, list[bool]] = {}
    for cell in cells:
        if cell.solved is not None:
            found.setdefault(cell.problem, []).append(cell.solved)
    return found


def _names(records: Sequence[Record]) -> list[str]:
    """The folders' names, or their paths where these are the same."""
    names = [record.folder.name for record in records]
    alike = len(set(names)) < len(names)
    return [str(record.folder.path) for record in records] if alike else names


def _different_settings(records: Sequence[Record]) -> list[tuple[str, list[str]]]:
    """Keys whose values are not the same in all runs."""
    tables = [_keys(record) for record in records]
    keys = sorted(set().union(*tables))
    rows = [(key, [table.get(key, "(default)") for table in tables]) for key in keys]
    return [(key, values) for key, values in rows if len(set(values)) > 1]


def _keys(record: Record) -> dict[str, str]:
    sections = ini_sections(record.config)
    return {f"{section}.{key}": value for section, values in sections.items() for key, value in values.items()}
