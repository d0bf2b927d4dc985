"""What the terminal shows while a search goes on: a live panel, or plain lines where the output is no terminal."""

import time

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from evo.run.clock import Clock
from evo.run.result import GenerationReport, Observer, Progress

__all__ = ["LiveDisplay", "PlainLines", "display_for"]

_PLAIN_SECONDS = 30.0
_DOWNLOAD_SECONDS = 5.0


def display_for(console: Console) -> Observer:
    """The observer that fits the output."""
    return LiveDisplay(console) if console.is_terminal else PlainLines(console)


def _heading(progress: Progress) -> list[str]:
    settings = progress.settings
    return [
        f"evo: run {progress.run}, {settings.tasks.benchmark} ({settings.tasks.mode.value}), seed {settings.run.seed}"
        + (", SIMULATED" if progress.simulated else ""),
        f"backend {progress.backend}: {progress.reason}",
        f"models {', '.join(progress.models)}; sandbox {progress.tier}",
    ]


def _best(report: GenerationReport) -> str:
    return f"best {report.best}, mean {report.mean}, single evaluation would claim {100 * report.single_best:.1f} %"


def _numbers(progress: Progress, clock: Clock) -> list[tuple[str, str]]:
    counters = progress.counters
    return [
        ("cells", f"{counters.cells_done} of {counters.cells_wanted} wanted so far" + _missing(counters.cells_missing)),
        ("calls", f"{counters.calls_made} made, {counters.calls_saved} saved, {progress.in_flight} in flight"),
        ("tokens", f"{counters.completion_tokens} written, {clock.rate(progress):.1f} a second"),
        ("executions", f"{counters.executions_made} made, {counters.executions_saved} saved"),
    ]


def _missing(cells: int) -> str:
    return f", {cells} missing" if cells else ""


class PlainLines(Observer):
    """One line per event; while nothing ends, a line every half a minute."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._clock = Clock()
        self._progress: Progress | None = None
        self._said = 0.0
        self._downloaded = -_DOWNLOAD_SECONDS

    def started(self, progress: Progress) -> None:
        self._clock = Clock()
        self._progress = progress
        for line in _heading(progress):
            self._say(line)

    def tick(self) -> None:
        if self._progress is not None and self._clock.seconds() - self._said >= _PLAIN_SECONDS:
            numbers = "; ".join(f"{name} {value}" for name, value in _numbers(self._progress, self._clock))
            self._say(f"  {self._where(self._progress)}: {numbers}; ETA {self._clock.remaining(self._progress)}")

    def generation(self, report: GenerationReport) -> None:
        progress = self._progress
        assert progress is not None  # nothing ends before it started
        self._clock.generation_ended(progress)
        counters = progress.counters
        self._say(
            f"generation {report.number + 1}/{progress.generations}: {_best(report)}; {report.species} species; "
            f"calls {counters.calls_made} made, {counters.calls_saved} saved; ETA {self._clock.remaining(progress)}"
        )

    def note(self, text: str) -> None:
        self._say(text)

    def download(self, name: str, done: int, total: int | None) -> None:
        if done == total or time.monotonic() - self._downloaded >= _DOWNLOAD_SECONDS:
            self._downloaded = time.monotonic()
            share = f" of {total / 1e6:.0f}" if total else ""
            self._say(f"downloading {name}: {done / 1e6:.0f}{share} MB")

    def _where(self, progress: Progress) -> str:
        return (
            f"generation {progress.generation + 1}/{progress.generations}"
            if progress.phase == "search"
            else progress.phase
        )

    def _say(self, line: str) -> None:
        self._said = self._clock.seconds()
        self._console.print(line, markup=False, soft_wrap=True)


class LiveDisplay(Observer):
    """A panel that is redrawn twice a second."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._clock = Clock()
        self._progress: Progress | None = None
        self._live: Live | None = None
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}

    def started(self, progress: Progress) -> None:
        self._end_downloads()
        self._clock = Clock()
        self._progress = progress
        for line in _heading(progress):
            self._console.print(line, markup=False)
        self._live = Live(self._panel(), console=self._console, refresh_per_second=2, transient=True)
        self._live.start()

    def tick(self) -> None:
        if self._live is not None:
            self._live.update(self._panel())

    def generation(self, report: GenerationReport) -> None:
        assert self._progress is not None  # nothing ends before it started
        self._clock.generation_ended(self._progress)
        self._console.print(
            f"generation {report.number + 1:>3}: {_best(report)}; {report.species} species", markup=False
        )

    def note(self, text: str) -> None:
        self._console.print(text, markup=False)

    def download(self, name: str, done: int, total: int | None) -> None:
        if self._bars is None:
            columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
            self._bars = Bars(*columns, console=self._console, transient=True)
            self._bars.start()
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total)
        self._bars.update(self._tasks[name], completed=done, total=total)

    def ended(self) -> None:
        self._end_downloads()
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _end_downloads(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def _panel(self) -> Group:
        progress = self._progress
        assert progress is not None  # drawn only once started
        table = Table.grid(padding=(0, 2))
        where = f"{progress.generation + 1} of {progress.generations}" if progress.phase == "search" else progress.phase
        table.add_row("generation", where, "ETA", self._clock.remaining(progress))
        rows = _numbers(progress, self._clock)
        for (name, value), (other, more) in zip(rows[::2], rows[1::2], strict=True):
            table.add_row(name, value, other, more)
        if progress.reports:
            last = progress.reports[-1]
            table.add_row("best", str(last.best), "species", str(last.species))
        titles = [Text("SIMULATED models", style="bold red")] if progress.simulated else []
        if progress.paused:
            titles.append(Text(f"PAUSED: {progress.paused}", style="bold yellow"))
        return Group(*titles, table)
