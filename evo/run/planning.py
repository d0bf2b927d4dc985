"""What a search would cost, before it is begun: rehearsed on the simulated pool, timed with a few real calls."""

import asyncio
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from evo.evaluation import Counters, Purpose, call_seed
from evo.genome import Role
from evo.models import Chat, Sampling, open_backend
from evo.pipeline import TAILS, PromptBook
from evo.pipeline.drafts import Draft
from evo.pipeline.messages import messages
from evo.run.live import run_anywhere
from evo.run.result import GenerationReport, Observer, Progress
from evo.run.session import search
from evo.run.settings import RunSettings, ini_sections, parse_settings, read_preset
from evo.tasks import load_problems, suites

__all__ = ["Pace", "SearchCost", "measure_pace", "plan_search"]

_REHEARSED = 10  # generations; what later ones need is taken from the second half of these
_REHEARSALS = 5
_SMALL = 200  # genomes times problems
_WRITTEN = 84  # tokens of an answer: Qwen2.5-Coder-0.5B, 80 answers, docs/prompts.md
_ROUNDS = 2
_LONGEST = 256


@dataclass(frozen=True, slots=True)
class Pace:
    """Calls of a usual size on this machine, with as many in flight as a search has: seconds a call, and its tokens."""

    backend: str
    model: str
    calls: int
    seconds_per_call: float
    tokens_written: float


@dataclass(frozen=True, slots=True)
class SearchCost:
    """calls: new ones, validation included, on average; low, high: of the rehearsals. saved: answered from the record.

    rehearsed: generations of each of them. hours: None without a pace.
    """

    generations: int
    rehearsed: int
    rehearsals: int
    calls: int
    low: int
    high: int
    saved: int
    tokens_read: int
    tokens_written: int
    hours: float | None
    assumptions: tuple[str, ...]


def measure_pace(model: str | None = None, backend: str = "auto") -> Pace:
    """Make a few calls and time them. Nothing is downloaded that is not here, but for a model asked for by name.

    Raises EvoError if there is nobody to ask.
    """

    async def job() -> Pace:
        chosen = await open_backend(backend, (model,) if model else ())
        try:
            name, slots = chosen.models[0], chosen.backend.slots(chosen.models[0])
            prompts, problems = PromptBook.load(), cycle(load_problems("humaneval"))
            prompt = prompts.text(Role.GENERATOR, prompts.names(Role.GENERATOR)[-1])
            chats = [
                Chat(
                    model=name,
                    messages=messages(prompt, problem, Draft("")),
                    seed=call_seed(0, Purpose.SELF_TEST, problem.id, 0, 0),
                    temperature=0.4,
                    max_tokens=_LONGEST,
                    sampling=Sampling(stop=TAILS),
                )
                for problem, _ in zip(problems, range(1 + _ROUNDS * slots), strict=False)
            ]
            await chosen.backend.chat(chats[0])  # loads the model
            started = time.monotonic()
            answers = await asyncio.gather(*map(chosen.backend.chat, chats[1:]))
            seconds = (time.monotonic() - started) / len(answers)
            written = sum(answer.completion_tokens for answer in answers) / len(answers)
            return Pace(chosen.backend.name, name, len(answers), seconds, written)
        finally:
            await chosen.backend.aclose()

    return run_anywhere(job())


def plan_search(config: str, changes: Mapping[str, str] | None = None, pace: Pace | None = None) -> SearchCost:
    """What ``evo.search`` would use with these settings, if models solved and failed as often as the simulated pool's.

    The search is rehearsed for up to ten generations, a small one with several seeds, because how hard a handful of
    problems is differs that much; what the other generations need is extrapolated. Raises UserError.
    """
    text = read_preset(config, changes or {})
    settings = parse_settings(text, config)
    generations = min(settings.run.generations, _REHEARSED)
    known = settings.tasks.benchmark in {suite.name for suite in suites()}
    cells = int(ini_sections(text)["NEAT"]["pop_size"]) * settings.tasks.problems
    seeds = range(settings.run.seed, settings.run.seed + (_REHEARSALS if cells <= _SMALL else 1))
    quiet = {"models.backend": "simulated", "models.models": "", "models.call_store": "", "run.limit_minutes": "0"}
    quiet |= {"run.limit_calls": "0", "run.generations": str(generations)}
    quiet |= {} if known else {"tasks.benchmark": "humaneval"}
    used = [_rehearse(config, {**(changes or {}), **quiet, "run.seed": str(seed)}, settings) for seed in seeds]
    calls = sum(one.calls for one in used) / len(used)
    read = sum(one.tokens_per_call for one in used) / len(used)
    written = pace.tokens_written if pace else _WRITTEN
    return SearchCost(
        generations=settings.run.generations,
        rehearsed=generations,
        rehearsals=len(used),
        calls=round(calls),
        low=round(min(one.calls for one in used)),
        high=round(max(one.calls for one in used)),
        saved=round(sum(one.saved for one in used) / len(used)),
        tokens_read=round(calls * read),
        tokens_written=round(calls * written),
        hours=calls * pace.seconds_per_call / 3600 if pace else None,
        assumptions=tuple(_assumptions(settings, generations, len(used), known, read, written, pace)),
    )


def _assumptions(
    settings: RunSettings,
    generations: int,
    rehearsals: int,
    known: bool,
    read: float,
    written: float,
    pace: Pace | None,
) -> Iterator[str]:
    yield (
        f"{generations} of {settings.run.generations} generations rehearsed {rehearsals} times on the SIMULATED pool, "
        "which solves and fails as arXiv 2604.21950 reports of 1-3B models; weaker ones make more calls"
    )
    if not known:
        yield "problems of humaneval in the place of your own"
    source = "as measured now" if pace else "as Qwen2.5-Coder-0.5B wrote (docs/prompts.md)"
    yield f"{read:.0f} tokens read a call, as the prompts are long; {written:.0f} written, {source}"
    if pace is None:
        yield "no time: add --measure"
    else:
        yield f"{pace.seconds_per_call:.2f} s a call: {pace.calls} calls of {pace.model} ({pace.backend}), measured now"
    if settings.run.limit_minutes:
        yield f"without the limit of {settings.run.limit_minutes:g} minutes that these settings have"


@dataclass(frozen=True, slots=True)
class _Use:
    """Of a whole search: calls made and saved; tokens read a call."""

    calls: float
    saved: float
    tokens_per_call: float


def _rehearse(config: str, changes: Mapping[str, str], settings: RunSettings) -> _Use:
    meter = _Meter()
    with tempfile.TemporaryDirectory(prefix="evo-plan-") as folder:
        result = search(config, run=str(Path(folder) / "rehearsal"), observer=meter, changes=changes)
    counters, rest = result.counters, settings.run.generations - len(meter.made)
    return _Use(
        calls=counters.calls_made + rest * _per_generation(meter.made),
        saved=counters.calls_saved + rest * _per_generation(meter.saved),
        tokens_per_call=counters.prompt_tokens / max(counters.calls_made, 1),
    )


def _per_generation(totals: list[int]) -> float:
    """Of the second half: the first generations know nothing yet."""
    half = len(totals) // 2
    return (totals[-1] - totals[half - 1]) / (len(totals) - half) if half else totals[-1]


class _Meter(Observer):
    """Calls made and saved by the end of each generation."""

    def __init__(self) -> None:
        self.made: list[int] = []
        self.saved: list[int] = []
        self._counters = Counters()

    def started(self, progress: Progress) -> None:
        """Keep what counts."""
        self._counters = progress.counters

    def generation(self, report: GenerationReport) -> None:
        """Read it."""
        self.made.append(self._counters.calls_made)
        self.saved.append(self._counters.calls_saved)
