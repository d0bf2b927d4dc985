"""Where a champion comes from: its ancestors by generation and solve rate, and what changed from each to the next."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from evo.figures.chart import Chart, keep_to_percent, table_csv
from evo.figures.style import BLUE, GREY, INK, VERMILLION
from evo.genome import Genome, NodeGene

__all__ = ["Ancestor", "differences", "lineage_chart"]


@dataclass(frozen=True, slots=True)
class Ancestor:
    """One individual. generation: where it was born. main: whether it is on the line that is told step by step.

    mean, stderr: its last estimate, 0..1. change: against its first parent, in words.
    """

    key: int
    generation: int
    parents: tuple[int, ...]
    main: bool
    mean: float
    stderr: float
    problems: int
    replicates: float
    change: str


def differences(before: Genome, after: Genome) -> tuple[str, ...]:
    """What is different, one short text each; () for equal genomes."""
    old, new = ({gene.id: gene for gene in genome.inner} for genome in (before, after))
    found = [f"+ {_named(new[id])}" for id in sorted(new.keys() - old.keys())]
    found += [f"− {_named(old[id])}" for id in sorted(old.keys() - new.keys())]
    for id in sorted(old.keys() & new.keys()):
        found += _changed(old[id], new[id])
    if not found and before.connections != after.connections:
        found.append("rewired")
    return tuple(found)


def _named(gene: NodeGene) -> str:
    return f"{gene.role.value} {gene.id}" + (f" ({gene.model}, {gene.prompt})" if gene.model else "")


def _changed(old: NodeGene, new: NodeGene) -> list[str]:
    found = []
    for field in ("model", "prompt", "temperature", "iterations", "feedback", "max_tokens"):
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            found.append(f"{new.role.value} {new.id}: {field.replace('_', ' ')} {_said(before)} → {_said(after)}")
    if old.text != new.text and old.prompt == new.prompt:
        found.append(f"{new.role.value} {new.id}: another text of its prompt")
    return found


def _said(value: object) -> str:
    return "none" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def lineage_chart(ancestors: Sequence[Ancestor]) -> Chart:
    """Ancestors at the generation of their birth and the height of their solve rate; the last one is the champion."""
    known = {one.key: one for one in ancestors}
    caption = (
        f"{len(ancestors)} individuals, placed by birth and by their last estimate in the search, ± 1 standard error "
        "(the evidence that selected them: it flatters). The line that is told step by step is blue."
    )

    def draw(axes: Axes) -> None:
        for one in ancestors:
            for parent in (known[key] for key in one.parents if key in known):
                main = one.main and parent.main
                axes.plot(
                    [parent.generation, one.generation],
                    [100 * parent.mean, 100 * one.mean],
                    color=BLUE if main else GREY,
                    linewidth=1.8 if main else 0.8,
                    zorder=2 if main else 1,
                )
        for main, colour, size in ((False, GREY, 3.5), (True, BLUE, 5.0)):
            mine = [one for one in ancestors if one.main is main]
            axes.errorbar(
                [one.generation for one in mine],
                [100 * one.mean for one in mine],
                yerr=[100 * one.stderr for one in mine] if main else None,
                color=colour,
                marker="o",
                markersize=size,
                elinewidth=0.8,
                linestyle="",
                label="main line" if main else "other parents",
                zorder=3,
            )
        last = ancestors[-1]
        axes.plot(
            [last.generation],
            [100 * last.mean],
            color=VERMILLION,
            marker="*",
            markersize=13,
            markeredgecolor=INK,
            markeredgewidth=0.5,
            linestyle="",
            label="champion",
            zorder=5,
        )
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
        axes.set_xlabel("generation of birth")
        axes.set_ylabel("problems solved (%)")
        axes.margins(x=0.06, y=0.12)
        keep_to_percent(axes)

    return Chart("lineage", "Lineage of the champion", caption, table_csv(ancestors), draw)
