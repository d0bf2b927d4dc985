"""A genome as plain ASCII text: nodes from top to bottom, and rails at the right for every edge that skips a line."""

from dataclasses import dataclass

from evo.figures.layers import loop_edges
from evo.figures.words import budget_label, facts, name, reading_order
from evo.genome import Genome

__all__ = ["topology_ascii"]

_RAIL_STEP = 3


@dataclass(frozen=True, slots=True)
class _Rail:
    """An edge drawn at the right, between the lines of its ends, in a lane of its own."""

    leaves: int
    enters: int
    label: str
    lane: int


def topology_ascii(genome: Genome) -> str:
    """A drawing in ASCII for terminals and logs; disabled connections are listed below it."""
    order = reading_order(genome)
    place = {gene.id: index for index, gene in enumerate(order)}
    loops = loop_edges(genome)
    enabled = [(edge.source, edge.target) for edge in genome.connections if edge.enabled]
    lines: list[str] = []
    title: dict[int, int] = {}
    detail: dict[int, int] = {}
    for above, gene in zip([None, *order], order, strict=False):
        if above is not None:
            lines += ["  |", "  v"] if (above.id, gene.id) in enabled else [""]
        title[gene.id] = detail[gene.id] = len(lines)
        lines.append(name(gene))
        if facts(gene):
            detail[gene.id] = len(lines)
            lines.append("  " + _ascii(", ".join(facts(gene))))
    rails: list[_Rail] = []
    for source, target in sorted(enabled, key=lambda edge: abs(place[edge[0]] - place[edge[1]])):
        if place[target] - place[source] != 1:
            label = _ascii(budget_label(genome, source)) if (source, target) in loops else ""
            rails.append(_laid(detail[source], title[target], label, rails))
    drawn = _with_rails(lines, rails)
    drawn += [
        f"disabled: {name(genome.node(e.source))} -> {name(genome.node(e.target))}"
        for e in genome.connections
        if not e.enabled
    ]
    return "\n".join(line.rstrip() for line in drawn) + "\n"


def _laid(leaves: int, enters: int, label: str, rails: list[_Rail]) -> _Rail:
    """The edge in the first lane where no other rail shares a line with it."""
    low, high = sorted((leaves, enters))
    taken = {r.lane for r in rails if min(r.leaves, r.enters) <= high and low <= max(r.leaves, r.enters)}
    lane = next(lane for lane in range(len(rails) + 1) if lane not in taken)
    return _Rail(leaves, enters, label, lane)


def _with_rails(lines: list[str], rails: list[_Rail]) -> list[str]:
    if not rails:
        return list(lines)
    left = max(map(len, lines)) + 3
    columns = {rail: left + _RAIL_STEP * rail.lane for rail in rails}
    width = max(columns.values()) + 1
    canvas = [list(line.ljust(width)) for line in lines]
    for rail, column in columns.items():
        for row in (rail.leaves, rail.enters):
            for at in range(len(lines[row]) + 1, column):
                if canvas[row][at] == " ":
                    canvas[row][at] = "-"
        canvas[rail.enters][len(lines[rail.enters]) + 1] = "<"
    for rail, column in columns.items():
        for row in range(min(rail.leaves, rail.enters) + 1, max(rail.leaves, rail.enters)):
            canvas[row][column] = "|"
        canvas[rail.leaves][column] = canvas[rail.enters][column] = "+"
    for rail in rails:
        canvas[rail.leaves] += f"  {rail.label}"
    return ["".join(row) for row in canvas]


def _ascii(text: str) -> str:
    return text.replace("×", "x").encode("ascii", "replace").decode()
