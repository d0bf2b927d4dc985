"""The exact solve rate of a plan whose models' answers have known distributions: no sampling, no error bar.

A pipeline cannot be copied in the middle, but it is a pure function of the replies it gets. So the tree of everything
that can happen is walked one model call deeper at a time, and runs that have come to the same state are merged, which
keeps the tree as narrow as the number of different drafts. A state with several possible answers needs a waiting
pipeline for each: those of the merged runs serve, and only where they are too few are replies replayed.

Which runs are in the same state: a pipeline carries one piece of work along (see ``evo.pipeline.run``), all of which
stands in its next request, and remembers besides only which executed draft would be its answer if nothing better came.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from evo.models import Chat, Completion
from evo.pipeline import Effect, Execute, Plan, Reply, Trace, run
from evo.sandbox import Verdict
from evo.tasks import Check, Problem

__all__ = ["KnownAnswers", "VerdictOf", "true_rate", "true_rates"]

VerdictOf = Callable[[Problem, str, Check], Verdict]


class KnownAnswers(Protocol):
    """What is asked of a backend with ground truth; the simulated pool is one."""

    def distribution(self, chat: Chat) -> tuple[tuple[float, str], ...]:
        """(probability, text) of each possible answer, whatever the seed; the probabilities sum to 1."""


def true_rates(
    plan: Plan, problems: Sequence[Problem], backend: KnownAnswers, verdict_of: VerdictOf
) -> dict[str, float]:
    """Probability, by problem id, that one run of the plan hands in a program which passes the hidden tests.

    verdict_of: (problem, code, check) -> Verdict; check is the problem's visible or hidden tests. It is asked once for
    each program and check. Exact but for rounding if calls of one run have different seeds, as they have.
    """
    return {problem.id: _Walk(plan, problem, backend, verdict_of).rate() for problem in problems}


def true_rate(plan: Plan, problems: Sequence[Problem], backend: KnownAnswers, verdict_of: VerdictOf) -> float:
    """The mean of ``true_rates``. Raises ValueError without problems."""
    if not problems:
        raise ValueError("a solve rate needs at least one problem")
    return sum(true_rates(plan, problems, backend, verdict_of).values()) / len(problems)


_Pipeline = Generator[Effect, Reply, Trace]


_Waiting = tuple[_Pipeline, tuple[Reply, ...]]  # a pipeline, and what it was sent so far


@dataclass(frozen=True, slots=True)
class _State:
    """All runs that wait for the answer to ``chat``.

    probability: of all of them together. waiting: those of them that there are pipelines for. best: code of the draft
    that would be their answer by now, and the visible tests that this passes.
    """

    probability: float
    chat: Chat
    waiting: tuple[_Waiting, ...]
    best: tuple[int, str]


class _Walk:
    """One plan on one problem."""

    def __init__(self, plan: Plan, problem: Problem, backend: KnownAnswers, verdict_of: VerdictOf) -> None:
        self._plan = plan
        self._problem = problem
        self._backend = backend
        self._verdict_of = verdict_of
        self._verdicts: dict[tuple[str, Check], Verdict] = {}
        self._executed: dict[str, str] = {}  # answer -> the code it was executed as
        self._solved = 0.0

    def rate(self) -> float:
        """The probability that the plan solves the problem."""
        pipeline = self._begin()
        level = self._merged([self._advance(1.0, pipeline, next(pipeline), (), (-1, ""))])
        while level:
            level = self._merged([child for state in level for child in self._children(state)])
        return self._solved

    def _begin(self) -> _Pipeline:
        # A call's position is its seed: requests of different positions are never taken for the same state.
        return run(self._plan, self._problem, lambda position: position)

    def _children(self, state: _State) -> list[_State | None]:
        answers = self._backend.distribution(state.chat)
        waiting = list(state.waiting)
        _, first = waiting[0]
        children = []
        for chance, text in answers:
            reply = Completion(text, prompt_tokens=0, completion_tokens=0, seconds=0.0, finish="stop")
            pipeline, replies = waiting.pop() if waiting else (self._replayed(first), first)
            children.append(self._answered(state, chance, reply, pipeline, replies))
        if len(answers) == 1:  # the others go on too, with no probability of their own: they will be needed
            children += [self._answered(state, 0.0, reply, *one) for one in waiting]
        return children

    def _replayed(self, replies: tuple[Reply, ...]) -> _Pipeline:
        pipeline = self._begin()
        next(pipeline)
        for reply in replies:
            pipeline.send(reply)
        return pipeline

    def _answered(
        self, state: _State, chance: float, reply: Completion, pipeline: _Pipeline, replies: tuple[Reply, ...]
    ) -> _State | None:
        probability, replies = state.probability * chance, (*replies, reply)
        try:
            effect = pipeline.send(reply)
        except StopIteration as end:
            self._count(probability, end.value)
            return None
        if isinstance(effect, Execute):
            self._executed[reply.text] = effect.code
        # A draft that the run has executed before is not executed again, but counts as the latest.
        elif code := self._executed.get(reply.text):
            return self._advance(probability, pipeline, effect, replies, self._better(state.best, code))
        return self._advance(probability, pipeline, effect, replies, state.best)

    def _advance(
        self, probability: float, pipeline: _Pipeline, effect: Effect, replies: tuple[Reply, ...], best: tuple[int, str]
    ) -> _State | None:
        """On to the next request, past executions; None if the run ends before."""
        while isinstance(effect, Execute):
            best = self._better(best, effect.code)
            verdict = self._verdict(effect.code, self._problem.visible)
            replies = (*replies, verdict)
            try:
                effect = pipeline.send(verdict)
            except StopIteration as end:
                self._count(probability, end.value)
                return None
        return _State(probability, effect, ((pipeline, replies),), best)

    def _better(self, best: tuple[int, str], code: str) -> tuple[int, str]:
        if not self._plan.settings.early_stopping:  # the answer is the last draft: nothing is remembered
            return best
        passed = self._verdict(code, self._problem.visible).passed_units
        return (passed, code) if passed >= best[0] else best

    def _count(self, probability: float, trace: Trace) -> None:
        self._solved += probability * self._verdict(trace.answer, self._problem.hidden).passed

    def _verdict(self, code: str, check: Check) -> Verdict:
        if (code, check) not in self._verdicts:
            self._verdicts[code, check] = self._verdict_of(self._problem, code, check)
        return self._verdicts[code, check]

    def _merged(self, states: Sequence[_State | None]) -> list[_State]:
        found: dict[tuple[Chat, tuple[int, str]], _State] = {}
        for state in states:
            if state is not None:
                key = (state.chat, state.best)
                same = found.get(key)
                found[key] = _joined(same, state) if same else state
        return list(found.values())


def _joined(one: _State, other: _State) -> _State:
    probability = one.probability + other.probability
    return replace(one, probability=probability, waiting=one.waiting + other.waiting)
