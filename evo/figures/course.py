"""Charts over the generations of a run: species, complexity, models and roles in the population."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from evo.figures.chart import Chart, table_csv
from evo.figures.style import BLUE, PAPER, SERIES, VERMILLION, role_style
from evo.genome import Role

__all__ = ["ComplexityPoint", "SharePoint", "SpeciesPoint", "complexity_chart", "share_chart", "species_chart"]

_NAMED = 8  # series that a legend still tells apart
_OTHERS = "others"


@dataclass(frozen=True, slots=True)
class SpeciesPoint:
    """One species in one generation. size: individuals. best: the best estimate among them, 0..1, NaN if none."""

    generation: int
    species: int
    size: int
    best: float


@dataclass(frozen=True, slots=True)
class ComplexityPoint:
    """One generation. nodes: mean over individuals with the standard error of that mean; task and output not counted.

    best: nodes of the individual with the highest fitness. calls: most model calls that one run of it can make.
    """

    generation: int
    nodes: float
    stderr: float
    individuals: int
    best: int
    calls: int


@dataclass(frozen=True, slots=True)
class SharePoint:
    """How many of a generation's nodes are of this model, or role."""

    generation: int
    name: str
    nodes: int
    share: float


def species_chart(points: Sequence[SpeciesPoint]) -> Chart:
    """Sizes of the species, one on top of the other."""
    sizes = {(p.generation, f"species {p.species}"): float(p.size) for p in points}
    generations = sorted({p.generation for p in points})
    total = [sum(p.size for p in points if p.generation == generation) for generation in generations]
    caption = (
        f"Individuals by species, n = {_span(total)} a generation; counts of all individuals, without sampling error."
    )

    def draw(axes: Axes) -> None:
        _stack(axes, generations, sizes, "individuals")

    return Chart("species", "Species over time", caption, table_csv(points), draw)


def complexity_chart(points: Sequence[ComplexityPoint]) -> Chart:
    """Nodes of the population and of its best, by generation."""
    x = [p.generation for p in points]
    caption = (
        f"Nodes without task and output. Band: ± 1 standard error of the mean over n = "
        f"{_span([p.individuals for p in points])} individuals. Calls: the most that one run of the best can make."
    )

    def draw(axes: Axes) -> None:
        low, high = [p.nodes - p.stderr for p in points], [p.nodes + p.stderr for p in points]
        axes.fill_between(x, low, high, color=BLUE, alpha=0.2, linewidth=0)
        axes.plot(x, [p.nodes for p in points], color=BLUE, linewidth=1.8, label="population, mean nodes")
        axes.plot(
            x, [p.best for p in points], color=SERIES[1], marker="o", markersize=3, linewidth=1.2, label="best, nodes"
        )
        axes.plot(
            x,
            [p.calls for p in points],
            color=VERMILLION,
            linewidth=1.2,
            linestyle=(0, (2, 1.2)),
            label="best, calls at most",
        )
        axes.set_ylim(bottom=0)
        _by_generation(axes, "count")

    return Chart("complexity", "Complexity over time", caption, table_csv(points), draw)


def share_chart(points: Sequence[SharePoint], what: str) -> Chart:
    """Shares of a generation's nodes by what they are: what is "model" or "role"."""
    generations = sorted({p.generation for p in points})
    shares = {(p.generation, p.name): 100 * p.share for p in points}
    nodes = [sum(p.nodes for p in points if p.generation == generation) for generation in generations]
    which = "that call a model" if what == "model" else "without task and output"
    caption = (
        f"Of all nodes {which} in the population, n = {_span(nodes)} a generation; counts, without sampling error."
    )

    def draw(axes: Axes) -> None:
        colours = {role.value: role_style(role).colour for role in Role} if what == "role" else {}
        _stack(axes, generations, shares, "nodes (%)", colours)
        axes.set_ylim(0, 100)

    return Chart(f"{what}s", f"{what.capitalize()}s in the population", caption, table_csv(points), draw)


def _stack(
    axes: Axes,
    generations: Sequence[int],
    values: Mapping[tuple[int, str], float],
    unit: str,
    own: Mapping[str, str] | None = None,
) -> None:
    """Layers by name, the most present ones by themselves and the rest as one. own: colours that names have."""
    weight: dict[str, float] = {}
    for (_, name), value in values.items():
        weight[name] = weight.get(name, 0.0) + value
    ranked = sorted(weight, key=lambda name: (-weight[name], name))
    named = ranked if len(ranked) <= _NAMED else ranked[: _NAMED - 1]
    layers = {name: [values.get((g, name), 0.0) for g in generations] for name in named}
    if len(named) < len(ranked):
        layers[_OTHERS] = [sum(values.get((g, name), 0.0) for name in ranked[len(named) :]) for g in generations]
    colours = [(own or {}).get(name, colour) for name, colour in zip(layers, SERIES, strict=False)]
    if len(generations) == 1:
        bottom = 0.0
        for (name, (value,)), colour in zip(layers.items(), colours, strict=True):
            axes.bar(generations, [value], 0.4, bottom=bottom, color=colour, edgecolor=PAPER, label=name)
            bottom += value
    else:
        axes.stackplot(
            generations, *layers.values(), labels=list(layers), colors=colours, edgecolor=PAPER, linewidth=0.7
        )
        axes.set_xlim(generations[0], generations[-1])
    _by_generation(axes, unit)


def _by_generation(axes: Axes, unit: str) -> None:
    axes.set_xlabel("generation")
    axes.set_ylabel(unit)
    axes.grid(visible=False, axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))


def _span(values: Sequence[int]) -> str:
    low, high = min(values, default=0), max(values, default=0)
    return f"{low}" if low == high else f"{low}–{high}"
