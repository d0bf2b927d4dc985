"""The problem browser: per problem, what the champion wrote, what came of it, and how it was repaired."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from evo.evaluation import Purpose
from evo.pipeline import Step
from evo.run.ending import RACE_REPLICATES
from evo.run.report.replay import Replay
from evo.sandbox import Verdict

__all__ = ["ProblemView", "RunView", "StepView", "browse"]

_LONGEST = 6_000  # characters of one text
_MOST = 1_700_000  # characters of all of them: the page stays below 5 MB
_ORDER = (Purpose.VALIDATION, Purpose.REEVALUATION, Purpose.SEARCH, Purpose.SELF_TEST)


@dataclass(frozen=True, slots=True)
class StepView:
    """One step. code: "" where the draft is what it was. answer: the model's whole answer where it says more."""

    number: int
    role: str
    model: str
    tokens: int
    code: str
    answer: str
    passed: bool | None
    verdict: str
    detail: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RunView:
    """One run of the pipeline. repaired: the first program failed its visible tests and the answer is right."""

    purpose: str
    replicate: int
    solved: bool
    repaired: bool
    final: str
    tokens: int
    steps: tuple[StepView, ...]


@dataclass(frozen=True, slots=True)
class ProblemView:
    """A problem with the champion's runs on it. status: solved, mixed or failed; kinds: also repaired, for filters."""

    id: str
    entry_point: str
    prompt: str
    status: str
    kinds: tuple[str, ...]
    runs: tuple[RunView, ...]


def browse(replays: Sequence[Replay]) -> tuple[tuple[ProblemView, ...], int]:
    """Problems in the order of what they were for, and how many runs there was no room for."""
    room, left = _MOST, 0
    runs: dict[str, list[RunView]] = {}
    problems = {}
    for one in sorted(replays, key=_place):
        view = _run(one)
        size = sum(len(s.code) + len(s.answer) + sum(len(text) for _, text in s.detail) for s in view.steps)
        if size > room:
            left += 1
            continue
        room -= size
        problems[one.problem.id] = one.problem
        runs.setdefault(one.problem.id, []).append(view)
    views = []
    for id, mine in runs.items():
        solved = sum(run.solved for run in mine)
        status = "solved" if solved == len(mine) else "mixed" if solved else "failed"
        kinds = (status, *(["repaired"] if any(run.repaired for run in mine) else []))
        problem = problems[id]
        views.append(ProblemView(id, problem.entry_point, _cut(problem.prompt), status, kinds, tuple(mine)))
    return tuple(views), left


def _place(one: Replay) -> tuple[int, list[tuple[int, str]], int]:
    """Validation first, then problems as people count: 9 before 10."""
    parts = [(int(part or 0), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", one.cell.problem)]
    return (_ORDER.index(one.cell.purpose), parts, one.cell.replicate)


def _run(one: Replay) -> RunView:
    verdicts = [step.verdict for step in one.trace.steps if step.verdict is not None]
    drafts = [""] + [step.code for step in one.trace.steps]
    return RunView(
        purpose="final race" if one.cell.replicate >= RACE_REPLICATES else one.cell.purpose.value,
        replicate=one.cell.replicate % RACE_REPLICATES,
        solved=one.final.passed,
        repaired=one.final.passed and bool(verdicts) and not verdicts[0].passed and len(verdicts) > 1,
        final=_in_words(one.final),
        tokens=one.trace.tokens,
        steps=tuple(
            _step(number, step, one.plan.nodes[step.node].model, before)
            for number, (step, before) in enumerate(zip(one.trace.steps, drafts, strict=False), start=1)
        ),
    )


def _step(number: int, step: Step, model: str, before: str) -> StepView:
    called = step.position is not None
    code = step.code if called and step.code != before else ""
    more = called and _plain(step.text) != _plain(step.code)
    return StepView(
        number=number,
        role=step.role,
        model=model,
        tokens=step.prompt_tokens + step.completion_tokens,
        code=_cut(code),
        answer=_cut(step.text) if more else "",
        passed=None if step.verdict is None else step.verdict.passed,
        verdict="" if step.verdict is None else _in_words(step.verdict),
        detail=() if step.verdict is None else _detail(step.verdict),
    )


def _plain(text: str) -> str:
    """What is left of an answer without its fence."""
    return text.strip().removeprefix("```python").removeprefix("```").removesuffix("```").strip()


def _in_words(verdict: Verdict) -> str:
    if verdict.passed:
        return "passed"
    what = verdict.error_type or verdict.status.value.replace("_", " ")
    return f"{what}, {verdict.passed_units} of {verdict.units} passed" if verdict.units else what


def _detail(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    found = []
    if verdict.message:
        found.append(("message", _cut(verdict.message)))
    if verdict.failed:
        found.append(("test", _cut(verdict.failed.source)))
        found.append(("returned", _cut(verdict.failed.returned)))
        if verdict.failed.expected:
            found.append(("expected", _cut(verdict.failed.expected)))
    found += [("at", _cut(f"line {frame.line} in {frame.function}: {frame.source}")) for frame in verdict.frames[-1:]]
    return tuple((name, text) for name, text in found if text)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n… {len(text) - _LONGEST} more characters"
