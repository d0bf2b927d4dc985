"""What a search or a comparison leaves behind, and what it shows while it goes on. Plain data."""

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evo.comparison import Finalist, Inflation, Noise, Outcomes, Pair, RankStability, Single, Winner
from evo.evaluation import Counters, Difference, Estimate, Variance
from evo.figures import Shown
from evo.genome import Genome
from evo.models import ModelInfo
from evo.run.front import FrontPoint
from evo.run.settings import RunSettings

__all__ = [
    "GenerationClaim",
    "GenerationReport",
    "GenomeComparison",
    "Observer",
    "Progress",
    "Rival",
    "RunComparison",
    "SearchResult",
]


@dataclass(frozen=True, slots=True)
class GenerationReport:
    """One finished generation.

    best: the estimate that ranked highest. mean: of the population's estimates, with the standard error of that mean.
    single_best: the best score that evaluating every genome once would have shown, averaged over the replicates.
    """

    number: int
    best: Estimate
    mean: Estimate
    single_best: float
    species: int
    nodes: float


@dataclass(slots=True)
class Progress:
    """The live state of a search; whoever displays it reads it at any time. paused: why calls wait, "" if none do."""

    run: str
    settings: RunSettings
    backend: str = ""
    simulated: bool = False
    reason: str = ""
    models: tuple[str, ...] = ()
    tier: str = ""
    phase: str = "starting"
    generation: int = 0
    generations: int = 0
    counters: Counters = field(default_factory=Counters)
    in_flight: int = 0
    paused: str = ""
    reports: list[GenerationReport] = field(default_factory=list)


class Observer:
    """Is told of what happens in a search; does nothing itself. Subclass it; all methods must return quickly."""

    def started(self, progress: Progress) -> None:
        """Backend, models and problems are settled; ``progress`` stays the same object from here on."""

    def tick(self) -> None:
        """About twice a second."""

    def generation(self, report: GenerationReport) -> None:
        """A generation has ended."""

    def note(self, text: str) -> None:
        """Something that the user should know."""

    def download(self, name: str, done: int, total: int | None) -> None:
        """Bytes of a download so far."""

    def ended(self) -> None:
        """Nothing more will come."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A baseline, or the champion without a part, on validation problems and seeds. tokens, calls: a problem's, mean.

    lead: of the champion over it, paired. missing: why it was not measured; the other fields are then empty.
    """

    name: str
    estimate: Estimate | None = None
    tokens: float = 0.0
    calls: float = 0.0
    lead: Difference | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The end of a search.

    search: the champion's estimate on the evidence that selected it (biased upwards). final: the race that it won, the
    champion first; empty if there was none. validated: on seeds, and where there are enough problems on problems, that
    selection never saw; None if the search was stopped before. baselines, parts: plainer pipelines, and the champion
    without each of its parts; empty if they were not asked for. unseen: whether validation problems were apart from the
    search's. ended: why the search ended. complete: whether that was because all generations are done; if not, the same
    run goes on with higher limits. front: of accuracy and tokens, empty where only accuracy is wanted.
    """

    folder: Path
    champion: Genome
    plan: str
    search: Estimate
    final: tuple[Finalist, ...]
    validated: Estimate | None
    front: tuple[FrontPoint, ...]
    baselines: tuple[Rival, ...]
    parts: tuple[Rival, ...]
    unseen: bool
    simulated: bool
    backend: str
    models: Mapping[str, ModelInfo]
    generations: tuple[GenerationReport, ...]
    counters: Counters
    genomes: int
    phenotypes: int
    tokens_per_problem: float
    ended: str
    complete: bool
    seconds: float

    def _repr_png_(self) -> bytes:
        return self._shown._repr_png_()

    def _repr_html_(self) -> str:
        rows = {
            "on fresh seeds and problems it never saw" if self.unseen else "on fresh seeds": _told(self.validated),
            "as the search saw it (biased upwards)": _told(self.search),
            "ended": self.ended,
            "model calls made, saved": f"{self.counters.calls_made}, {self.counters.calls_saved}",
            "models": ", ".join(self.models),
            "folder": self.folder,
        }
        left = 'style="text-align: left"'  # notebooks centre headings and put numbers to the right
        cells = "".join(
            f"<tr><th {left}>{name}</th><td {left}>{html.escape(str(text))}</td></tr>" for name, text in rows.items()
        )
        mark = "<p><b>SIMULATED models, an instrument: no claim about real ones.</b></p>" if self.simulated else ""
        return f"<div>{mark}<table>{cells}</table>{self._shown._repr_html_()}</div>"

    @property
    def _shown(self) -> Shown:
        return Shown(self.champion, f"Champion of {self.folder.name}", self.simulated)


def _told(found: Estimate | None) -> str:
    if found is None:
        return "not measured"
    low, high = (100 * end for end in found.interval())
    return f"{found}, 95 % interval {low:.1f} to {high:.1f}, n = {found.problems} problems x {found.replicates:.3g}"


@dataclass(frozen=True, slots=True)
class GenomeComparison:
    """Given genomes on the same problems and seeds. By name: estimates, parts of the error, mean tokens and
    seconds per problem; the seconds are what the calls took when they were made, None where they are not on record.

    singles: what evaluating each once would have shown. winner: choosing the best of them by that. noise, winner: None,
    ranks, singles: empty where there is too little to tell.
    """

    folder: Path
    simulated: bool
    estimates: Mapping[str, Estimate]
    tokens: Mapping[str, float]
    seconds: Mapping[str, float | None]
    variances: Mapping[str, Variance | None]
    pairs: tuple[Pair, ...]
    ranks: tuple[RankStability, ...]
    noise: Noise | None
    singles: tuple[Single, ...]
    winner: Winner | None
    outcomes: Outcomes
    calls_made: int


@dataclass(frozen=True, slots=True)
class GenerationClaim:
    """What single evaluation would have chosen in a generation (a plan's digest), and what is known of it. Shares."""

    generation: int
    plan: str
    claim: float
    estimate: float
    fresh: float


@dataclass(frozen=True, slots=True)
class RunComparison:
    """A run's single evaluations against fresh seeds. repeated: the same for what the run's own selection ranked first
    in each generation, with its estimates as the claims.
    """

    folder: Path
    simulated: bool
    generations: tuple[GenerationClaim, ...]
    single: Inflation
    repeated: Inflation
    replicates: int
    unselected: int
    calls_made: int
