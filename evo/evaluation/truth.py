"""The exact solve rate of a plan whose models' answers have known distributions: no sampling, no error bar.

A plan is a fixed list of visits (see ``evo.pipeline.Plan``), and what a visit makes depends on its inputs and on what
its model answers (see ``evo.evaluation.played``). So the visits are gone through in order with all states that a run
may be in, and their probabilities: what each visit whose result is still needed has handed on, and the best draft
executed so far. States that are equal are one.

Several drafts on their way to one executor would be as many states as there are combinations of drafts. But an
executor that only lets the best of its drafts go on needs no more of them than the best of those that have come so far,
and a selector does not care in which order its drafts come.
"""

from collections.abc import Callable, Sequence
from functools import cache

from evo.evaluation.played import NOTHING, KnownAnswers, Played, VerdictOf, acts
from evo.genome.genes import Role
from evo.pipeline import Plan
from evo.tasks import Problem

__all__ = ["KnownAnswers", "Truth", "VerdictOf", "true_rate", "true_rates"]


class Truth:
    """The truth about any number of plans on some problems: what their visits have in common is worked out once."""

    def __init__(self, problems: Sequence[Problem], backend: KnownAnswers, verdict_of: VerdictOf) -> None:
        """verdict_of: (problem, code, check) -> Verdict; check is the problem's visible or hidden tests, or a tester's.

        It is asked once for each program and check.
        """
        self.played = {problem.id: Played(problem, backend, verdict_of) for problem in problems}

    def rates(self, plan: Plan) -> dict[str, float]:
        """Probability, by problem id, that one run of the plan hands in a program which passes the hidden tests.

        Exact but for rounding if calls of one run have different seeds, as they have, and if the run's bound on tokens
        is not reached.
        """
        return {problem: _Walk(plan, played).rate() for problem, played in self.played.items()}


def true_rates(
    plan: Plan, problems: Sequence[Problem], backend: KnownAnswers, verdict_of: VerdictOf
) -> dict[str, float]:
    """``Truth.rates`` of one plan."""
    return Truth(problems, backend, verdict_of).rates(plan)


def true_rate(plan: Plan, problems: Sequence[Problem], backend: KnownAnswers, verdict_of: VerdictOf) -> float:
    """The mean of ``true_rates``. Raises ValueError without problems."""
    if not problems:
        raise ValueError("a solve rate needs at least one problem")
    return sum(true_rates(plan, problems, backend, verdict_of).values()) / len(problems)


_State = tuple[tuple[int, ...], int]
"""Numbers of the loads of the visits that are still needed, ascending, and of the best draft executed so far."""

_States = dict[_State, float]


class _Walk:
    """One plan on one problem."""

    def __init__(self, plan: Plan, played: Played) -> None:
        self._plan = plan
        self._played = played
        self._acts = acts(plan)
        self._early = plan.settings.early_stopping
        self._solved = 0.0

    def rate(self) -> float:
        """The probability that the plan solves the problem."""
        played = self._played
        states: _States = {((), NOTHING): 1.0}
        live: tuple[int, ...] = ()
        for number in range(len(self._plan.visits)):
            states = self._after(number, live, states)
            live = tuple(i for i in (*live, number) if self._is_needed(i, number))
        for (loads, best), probability in states.items():
            arrived = NOTHING
            for number, load in zip(live, loads, strict=True):
                if self._plan.role(number) is not Role.EXECUTOR:
                    arrived = played.better(arrived, load)
                elif not self._early:
                    best = played.better(best, load)  # noqa: PLW2901
            handed_in = arrived if played.rank(arrived) >= played.rank(best) else best
            self._solved += probability * played.solves(handed_in)
        return self._solved

    def _is_needed(self, visit: int, now: int) -> bool:
        return visit in self._plan.output or self._is_read(visit, now)

    def _is_read(self, visit: int, now: int) -> bool:
        return any(visit in later.inputs for later in self._plan.visits[now + 1 :])

    def _after(self, number: int, live: tuple[int, ...], states: _States) -> _States:
        played, visit, role = self._played, self._plan.visits[number], self._plan.role(number)
        act, now = self._acts[visit.node], (*live, number)
        places = [live.index(i) for i in visit.inputs]
        kept = [place for place, i in enumerate(now) if self._is_needed(i, number)]
        final = [not self._is_read(now[place], number) for place in kept]
        stops = self._early and role in (Role.EXECUTOR, Role.SELECTOR)
        counts = self._early and role is Role.EXECUTOR
        gathered = self._gathering(number, tuple(now[place] for place in kept))
        found: _States = {}
        for (loads, best), before in states.items():
            for chance, load in played.made(act, tuple([loads[place] for place in places])).loads:
                probability = before * chance
                if stops and (passing := played.passing(load)) is not None:
                    self._solved += probability * played.solves(passing)
                    continue
                all_loads = (*loads, load)
                left = tuple(
                    [
                        played.better(NOTHING, all_loads[place]) if done else all_loads[place]
                        for place, done in zip(kept, final, strict=True)
                    ]
                )
                state = (gathered(left), played.better(best, load) if counts else best)
                found[state] = found.get(state, 0.0) + probability
        return found

    # -- fewer states ----------------------------------------------------------------------------------------------

    def _gathering(self, number: int, live: tuple[int, ...]) -> Callable[[tuple[int, ...]], tuple[int, ...]]:
        """How a state's loads, which are of the visits ``live``, get simpler now that this visit's is among them."""
        reader = self._only_reader(number)
        places = [p for p, i in enumerate(live) if reader is not None and self._only_reader(i) == reader]
        if reader is None or len(places) < 2:
            return lambda loads: loads
        reduce = cache(_sorted if self._plan.role(reader) is Role.SELECTOR else self._played.only_best)

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


def _sorted(loads: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(loads))
