"""Charts of what was measured: inflation, errors and repairs, programs tried, accuracy against tokens, spending."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from evo.figures.chart import Chart, keep_to_percent, table_csv
from evo.figures.style import BLUE, GREEN, GREY, INK, MUTED, ORANGE, SERIES, VERMILLION, shade

__all__ = [
    "ClaimPoint",
    "ErrorPoint",
    "SpendingPoint",
    "TokenPoint",
    "TriedPoint",
    "claims_chart",
    "errors_chart",
    "spending_chart",
    "tokens_chart",
    "tried_chart",
]

_AMBER = shade(ORANGE, 0.08)


@dataclass(frozen=True, slots=True)
class ClaimPoint:
    """The pipeline that one evaluation of everybody would have chosen in a generation. Shares 0..1.

    claim: its score in that evaluation. since: its score on all its other seeds for the same problems, with standard
    error; NaN where it was never measured again. cells: measurements behind it.
    """

    generation: int
    plan: str
    claim: float
    since: float
    stderr: float
    cells: int


@dataclass(frozen=True, slots=True)
class ErrorPoint:
    """An error type. before: runs whose first program failed with it. after: runs whose last program did.

    refined: of those before, the ones where another program was tried. repaired: share of these whose last program
    passes the visible tests, with standard error over problems; NaN where none was refined.
    """

    error: str
    before: int
    after: int
    refined: int
    repaired: float
    stderr: float


@dataclass(frozen=True, slots=True)
class TriedPoint:
    """After so many programs tried, as shares of all runs 0..1 with standard errors over problems.

    passing: a program has passed the visible tests by then. solved: the run has ended and its answer passes the hidden
    tests. now: the program tried at that point passes the visible tests, without stopping at an earlier pass; NaN where
    the run stops early, because what comes after a pass is not on record then.
    """

    tried: int
    runs: int
    passing: float
    passing_stderr: float
    solved: float
    solved_stderr: float
    now: float


@dataclass(frozen=True, slots=True)
class TokenPoint:
    """A pipeline: tokens a problem, solve rate 0..1 with standard error, what it rests on."""

    plan: str
    name: str
    tokens: float
    mean: float
    stderr: float
    problems: int
    replicates: float


@dataclass(frozen=True, slots=True)
class SpendingPoint:
    """What measurements of one purpose took: calls that pipelines used, those of them made, and tokens of these."""

    purpose: str
    used: int
    made: int
    prompt_tokens: int
    completion_tokens: int


def claims_chart(points: Sequence[ClaimPoint]) -> Chart:
    """What a single evaluation would have claimed by generation, beside what its choice showed on other seeds."""
    known = [p for p in points if p.cells]
    gap = sum(p.claim - p.since for p in known) / len(known) if known else None
    caption = (
        f"Each generation's best by one evaluation. Since: the same pipeline on other seeds for the same problems, ± 1 "
        f"standard error, {sum(p.cells for p in known)} measurements in {len(known)} of {len(points)} generations. "
        + ("Not measured." if gap is None else f"Mean gap {100 * gap:+.1f} points.")
    )

    def draw(axes: Axes) -> None:
        for p in known:
            axes.plot(
                [p.generation] * 2, [100 * p.since, 100 * p.claim], color=ORANGE, alpha=0.35, linewidth=4, zorder=1
            )
        x = [p.generation for p in points]
        axes.plot(
            x, [100 * p.claim for p in points], color=_AMBER, marker="^", markersize=5, label="claim", linestyle=""
        )
        axes.errorbar(
            [p.generation for p in known],
            [100 * p.since for p in known],
            yerr=[100 * p.stderr for p in known],
            color=BLUE,
            marker="o",
            markersize=4,
            elinewidth=1,
            label="since, on other seeds",
            linestyle="",
        )
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
        axes.set_xlabel("generation")
        axes.set_ylabel("problems solved (%)")
        axes.margins(x=0.04, y=0.1)
        keep_to_percent(axes)

    return Chart("claims", "Claims of a single evaluation", caption, table_csv(points), draw)


def errors_chart(points: Sequence[ErrorPoint], runs: int) -> Chart:
    """Error types before and after refinement, the repair rate written beside them."""
    caption = (
        f"n = {runs} runs of pipelines that refine (a run: one pipeline, problem and replicate). Before: first "
        "program, after: last program, visible tests. Repaired: refined ones that pass in the end, ± 1 standard "
        "error over problems."
    )

    def draw(axes: Axes) -> None:
        rows = list(reversed(points))
        y = range(len(rows))
        axes.barh([i + 0.19 for i in y], [p.before for p in rows], 0.34, color=_AMBER, label="before refinement")
        axes.barh([i - 0.19 for i in y], [p.after for p in rows], 0.34, color=BLUE, label="after")
        widest = max((max(p.before, p.after) for p in rows), default=1)
        for i, p in enumerate(rows):
            text = (
                f"{100 * p.repaired:.0f} % ± {100 * p.stderr:.0f} of {p.refined} repaired"
                if p.refined
                else "none refined"
            )
            at = max(p.before, p.after) + 0.015 * widest
            axes.text(at, i, text, size=7, color=MUTED, va="center")
        axes.set_xlim(0, 1.5 * widest)
        axes.set_yticks(list(y), [p.error for p in rows])
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("runs")

    return Chart("errors", "Errors before and after refinement", caption, table_csv(points), draw)


def tried_chart(points: Sequence[TriedPoint], whose: str, *, early_stopping: bool) -> Chart:
    """How much each further program adds."""
    runs = points[0].runs if points else 0
    caption = f"{whose}: n = {runs} runs; bars: ± 1 standard error over problems. "
    caption += (
        "Runs stop at the first visible pass; what going on without early stopping would do is not on record."
        if early_stopping
        else "Runs do not stop early: solved counts the last program; by then is what stopping at the first pass gives."
    )

    def draw(axes: Axes) -> None:
        x = [p.tried for p in points]
        for label, values, errors, colour, marker in (
            ("passes visible tests by then", "passing", "passing_stderr", _AMBER, "^"),
            ("solved (hidden tests)", "solved", "solved_stderr", GREEN, "o"),
        ):
            axes.errorbar(
                x,
                [100 * getattr(p, values) for p in points],
                yerr=[100 * getattr(p, errors) for p in points],
                color=colour,
                marker=marker,
                markersize=4.5,
                linewidth=1.6,
                elinewidth=1,
                label=label,
            )
        if not early_stopping:
            now = [100 * p.now for p in points]
            axes.plot(
                x, now, color=BLUE, marker="s", markersize=4, linestyle=(0, (2, 1.2)), label="passes at that point"
            )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set_ylim(0, 100)
        axes.set_xlabel("programs tried, the first draft included")
        axes.set_ylabel("runs (%)")
        axes.margins(x=0.08)

    return Chart("tried", "Solved by iteration", caption, table_csv(points), draw)


def tokens_chart(points: Sequence[TokenPoint]) -> Chart:
    """Accuracy against tokens: every pipeline, those with a name marked."""
    caption = (
        f"n = {len(points)} pipelines. Tokens: read and written, mean per problem. Bars: ± 1 standard error. Grey: the "
        "search's pooled evidence, from one look to many, which flatters the best; named ones are on fresh seeds."
    )

    def draw(axes: Axes) -> None:
        plain = [p for p in points if not p.name]
        named = [p for p in points if p.name]
        axes.errorbar(
            [p.tokens for p in plain],
            [100 * p.mean for p in plain],
            yerr=[100 * p.stderr for p in plain],
            color=GREY,
            marker="o",
            markersize=3.2,
            linestyle="",
            elinewidth=0.5,
            alpha=0.7,
            label="pipelines of the search",
        )
        colours = [VERMILLION, *(colour for colour in SERIES if colour != VERMILLION)]
        for p, colour, marker in zip(named, colours * 3, "*sD^vPX" * 5, strict=False):
            axes.errorbar(
                [p.tokens],
                [100 * p.mean],
                yerr=[100 * p.stderr],
                color=colour,
                marker=marker,
                markersize=11 if marker == "*" else 6,
                markeredgecolor=INK,
                markeredgewidth=0.5,
                linestyle="",
                label=p.name,
                zorder=4,
            )
        axes.set_xlim(left=0)
        axes.set_ylim(-2, 102)
        axes.set_xlabel("tokens a problem")
        axes.set_ylabel("problems solved (%)")

    return Chart("tokens", "Accuracy against tokens", caption, table_csv(points), draw)


def spending_chart(points: Sequence[SpendingPoint]) -> Chart:
    """Calls that were made, and those that the record answered instead."""
    used, made = sum(p.used for p in points), sum(p.made for p in points)
    saved = 1 - made / used if used else 0.0
    caption = (
        f"{used} calls used by the measured cells, {made} made: {100 * saved:.0f} % were shared with another pipeline. "
        "Counts of the whole record, without sampling error."
    )

    def draw(axes: Axes) -> None:
        rows = list(reversed(points))
        y = list(range(len(rows)))
        axes.barh(y, [p.made for p in rows], 0.55, color=BLUE, label="made")
        axes.barh(
            y,
            [max(p.used - p.made, 0) for p in rows],
            0.55,
            left=[p.made for p in rows],
            color="#b9d3e6",
            label="saved",
        )
        for i, p in enumerate(rows):
            axes.text(max(p.used, p.made), i, f" {p.made} of {p.used}", size=7.5, color=MUTED, va="center")
        axes.set_yticks(y, [p.purpose for p in rows])
        axes.set_xlim(0, 1.25 * max((max(p.used, p.made) for p in points), default=1))
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("model calls")

    return Chart("spending", "Calls made and saved", caption, table_csv(points), draw)
