"""The exact solve rate of a plan whose models' answers have known distributions: no sampling, no error bar.

A plan is a fixed list of visits (see ``evo.pipeline.Plan``), and what a visit makes depends on its inputs and on what
its model answers. So the visits are gone through in order with all states that a run may be in, and their
probabilities: what each visit whose result is still needed has handed on, and the best draft executed so far. States
that are equal are one, and each visit's outcomes are worked out once for each of its inputs.

Several drafts on their way to one executor would be as many states as there are combinations of drafts. But an
executor that only lets the best of its drafts go on needs no more of them than the best of those that have come so far,
and a selector does not care in which order its drafts come.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Protocol

from evo.genome.genes import Role
from evo.models import Chat, Completion
from evo.pipeline import Effect, Plan, Reply
from evo.pipeline.drafts import Draft, Load, foremost, rank
from evo.pipeline.interpreter import begun, finished
from evo.pipeline.steps import Doing
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

    verdict_of: (problem, code, check) -> Verdict; check is the problem's visible or hidden tests, or a tester's. It is
    asked once for each program and check. Exact but for rounding if calls of one run have different seeds, as they
    have, and if the run's bound on tokens is not reached.
    """
    return {problem.id: _Walk(plan, problem, backend, verdict_of).rate() for problem in problems}


def true_rate(plan: Plan, problems: Sequence[Problem], backend: KnownAnswers, verdict_of: VerdictOf) -> float:
    """The mean of ``true_rates``. Raises ValueError without problems."""
    if not problems:
        raise ValueError("a solve rate needs at least one problem")
    return sum(true_rates(plan, problems, backend, verdict_of).values()) / len(problems)


_State = tuple[tuple[int, ...], int]
"""Numbers of the loads of the visits that are still needed, ascending, and of the best draft executed so far."""

_States = dict[_State, float]
_Outcomes = tuple[tuple[float, int], ...]
_NOTHING = Load()


class _Walk:
    """One plan on one problem. Loads have numbers, equal ones the same: that makes states cheap to compare."""

    def __init__(self, plan: Plan, problem: Problem, backend: KnownAnswers, verdict_of: VerdictOf) -> None:
        self._plan = plan
        self._problem = problem
        self._backend = backend
        self._verdict_of = verdict_of
        self._early = plan.settings.early_stopping
        self._verdicts: dict[tuple[str, Check], Verdict] = {}
        self._outcomes: dict[tuple[int, tuple[int, ...]], _Outcomes] = {}
        self._numbers: dict[Load, int] = {}
        self._loads: list[Load] = []
        self._essences: dict[tuple[tuple[int, ...], bool], int] = {}
        self._better = cache(self._find_better)
        self._passing = cache(self._find_passing)
        self._judged = cache(self._judge)
        self._solved = 0.0

    def rate(self) -> float:
        """The probability that the plan solves the problem."""
        nothing = self._number(_NOTHING)
        states: _States = {((), nothing): 1.0}
        live: tuple[int, ...] = ()
        for number in range(len(self._plan.visits)):
            states = self._after(number, live, states)
            live = tuple(i for i in (*live, number) if self._is_needed(i, number))
        for (loads, best), probability in states.items():
            arrived = nothing
            for number, load in zip(live, loads, strict=True):
                if self._plan.role(number) is not Role.EXECUTOR:
                    arrived = self._better(arrived, load)
                elif not self._early:
                    best = self._better(best, load)  # noqa: PLW2901
            self._hand_in(arrived if self._rank(arrived) >= self._rank(best) else best, probability)
        return self._solved

    def _is_needed(self, visit: int, now: int) -> bool:
        return visit in self._plan.output or self._is_read(visit, now)

    def _is_read(self, visit: int, now: int) -> bool:
        return any(visit in later.inputs for later in self._plan.visits[now + 1 :])

    def _after(self, number: int, live: tuple[int, ...], states: _States) -> _States:
        role, now = self._plan.role(number), (*live, number)
        places = [live.index(i) for i in self._plan.visits[number].inputs]
        kept = [place for place, i in enumerate(now) if self._is_needed(i, number)]
        final = [not self._is_read(now[place], number) for place in kept]
        stops = self._early and role in (Role.EXECUTOR, Role.SELECTOR)
        counts = self._early and role is Role.EXECUTOR
        gathered = self._gathering(number, tuple(now[place] for place in kept))
        found: _States = {}
        for (loads, best), before in states.items():
            for chance, load in self._made(number, tuple([loads[place] for place in places])):
                probability = before * chance
                if stops and (passing := self._passing(load)) is not None:
                    self._hand_in(passing, probability)
                    continue
                all_loads = (*loads, load)
                left = tuple(
                    [
                        self._better(self._number(_NOTHING), all_loads[place]) if done else all_loads[place]
                        for place, done in zip(kept, final, strict=True)
                    ]
                )
                state = (gathered(left), self._better(best, load) if counts else best)
                found[state] = found.get(state, 0.0) + probability
        return found

    # -- loads by number -------------------------------------------------------------------------------------------

    def _number(self, load: Load) -> int:
        if load not in self._numbers:
            self._numbers[load] = len(self._loads)
            self._loads.append(load)
        return self._numbers[load]

    def _find_passing(self, load: int) -> int | None:
        """The first draft, as a load, that ends the run."""
        found = next((draft for draft in self._loads[load].drafts if draft.stands), None)
        return None if found is None else self._number(Load((found,)))

    def _find_better(self, best: int, load: int) -> int:
        """The best of both loads' drafts, reduced to what counts at the end: its rank, and whether it is right."""
        drafts = (*self._loads[best].drafts, *self._loads[load].drafts)
        if not drafts:
            return best
        found = foremost(drafts, rank)
        essence = (rank(found), self._verdict(found.code, self._problem.hidden).passed)
        return self._essences.setdefault(essence, self._number(Load((found,))))

    def _rank(self, load: int) -> tuple[int, ...]:
        return max(map(rank, self._loads[load].drafts), default=(-2,))

    def _hand_in(self, load: int, probability: float) -> None:
        for draft in self._loads[load].drafts:
            self._solved += probability * self._verdict(draft.code, self._problem.hidden).passed

    # -- what one visit makes --------------------------------------------------------------------------------------

    def _made(self, number: int, inputs: tuple[int, ...]) -> _Outcomes:
        """Probability and load of everything that a visit can make of its inputs."""
        key = (self._plan.visits[number].node, inputs)
        if key not in self._outcomes:
            found: dict[int, float] = {}
            for chance, load in self._play(number, tuple(self._loads[i] for i in inputs)):
                made = self._number(load)
                found[made] = found.get(made, 0.0) + chance
            self._outcomes[key] = tuple((chance, load) for load, chance in found.items())
        return self._outcomes[key]

    def _play(self, number: int, inputs: tuple[Load, ...]) -> Iterator[tuple[float, Load]]:
        step = self._begin(number, inputs)
        effects = next(step)
        chat = next((effect for effect in effects if isinstance(effect, Chat)), None)
        if chat is None:
            yield 1.0, finished(step, tuple(map(self._executed, effects)))[0]
            return
        assert len(effects) == 1, "a step makes one call, or executes"
        for chance, text in self._backend.distribution(chat):
            again = self._begin(number, inputs)
            next(again)
            reply = Completion(text, prompt_tokens=0, completion_tokens=0, seconds=0.0, finish="stop")
            yield chance, finished(again, (reply,))[0]

    def _begin(self, number: int, inputs: tuple[Load, ...]) -> Doing:
        return begun(self._plan, self._problem, number, inputs, seed=0)

    def _executed(self, effect: Effect) -> Reply:
        assert not isinstance(effect, Chat)
        return self._verdict(effect.code, effect.tests or self._problem.visible)

    def _verdict(self, code: str, check: Check) -> Verdict:
        if (code, check) not in self._verdicts:
            self._verdicts[code, check] = self._verdict_of(self._problem, code, check)
        return self._verdicts[code, check]

    # -- fewer states ----------------------------------------------------------------------------------------------

    def _gathering(self, number: int, live: tuple[int, ...]) -> Callable[[tuple[int, ...]], tuple[int, ...]]:
        """How a state's loads, which are of the visits ``live``, get simpler now that this visit's is among them."""
        reader = self._only_reader(number)
        places = [p for p, i in enumerate(live) if reader is not None and self._only_reader(i) == reader]
        if reader is None or len(places) < 2:
            return lambda loads: loads
        reduce = cache(_sorted if self._plan.role(reader) is Role.SELECTOR else self._only_best)

        def gathered(loads: tuple[int, ...]) -> tuple[int, ...]:
            simpler = iter(reduce(tuple([loads[place] for place in places])))
            return tuple([next(simpler) if place in places else load for place, load in enumerate(loads)])

        return gathered

    def _only_reader(self, number: int) -> int | None:
        """The visit that alone works on the draft of this one, if it needs no more than the best, or no order."""
        visits, plan = self._plan.visits, self._plan
        readers = [i for i, visit in enumerate(visits) if number in visit.inputs]
        if plan.role(number) not in (Role.GENERATOR, Role.REFINER) or number in plan.output or len(readers) != 1:
            return None
        (reader,) = readers
        if plan.role(reader) is Role.SELECTOR:
            simple = all(plan.role(i) in (Role.GENERATOR, Role.REFINER) for i in visits[reader].inputs)
            return reader if simple else None
        further = {plan.role(i) for i, visit in enumerate(visits) if reader in visit.inputs}
        tested = any(plan.role(i) is Role.TESTER for i in visits[reader].inputs)
        simple = plan.role(reader) is Role.EXECUTOR and Role.SELECTOR not in further and not tested
        return reader if simple else None

    def _only_best(self, loads: tuple[int, ...]) -> tuple[int, ...]:
        offers = [(place, self._judged(draft)) for place, i in enumerate(loads) for draft in self._loads[i].drafts]
        kept, _ = foremost(offers, lambda offer: rank(offer[1]))
        return tuple(load if place == kept else self._number(_NOTHING) for place, load in enumerate(loads))

    def _judge(self, draft: Draft) -> Draft:
        return Draft(draft.code, draft.verdict or self._verdict(draft.code, self._problem.visible))


def _sorted(loads: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(loads))
