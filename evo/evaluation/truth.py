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


_State = tuple[tuple[Load, ...], Draft]
"""Loads of the visits that are still needed, ascending; the best draft executed so far (an empty one before any)."""

_States = dict[_State, float]
_Outcomes = tuple[tuple[float, Load], ...]


class _Walk:
    """One plan on one problem."""

    def __init__(self, plan: Plan, problem: Problem, backend: KnownAnswers, verdict_of: VerdictOf) -> None:
        self._plan = plan
        self._problem = problem
        self._backend = backend
        self._verdict_of = verdict_of
        self._early = plan.settings.early_stopping
        self._verdicts: dict[tuple[str, Check], Verdict] = {}
        self._outcomes: dict[tuple[int, tuple[Load, ...]], _Outcomes] = {}
        self._loads: dict[Load, Load] = {}
        self._solved = 0.0

    def rate(self) -> float:
        """The probability that the plan solves the problem."""
        states: _States = {((), Draft("")): 1.0}
        live: tuple[int, ...] = ()
        for number in range(len(self._plan.visits)):
            states = self._after(number, live, states)
            live = tuple(i for i in (*live, number) if self._is_needed(i, number))
        for (loads, best), probability in states.items():
            arrived = [draft for load in loads for draft in load.drafts]
            final = foremost(arrived, rank) if arrived else Draft("")
            self._hand_in(final if rank(final) >= rank(best) else best, probability)
        return self._solved

    def _is_needed(self, visit: int, now: int) -> bool:
        later = self._plan.visits[now + 1 :]
        return visit in self._plan.output or any(visit in other.inputs for other in later)

    def _after(self, number: int, live: tuple[int, ...], states: _States) -> _States:
        visit = self._plan.visits[number]
        places = [live.index(i) for i in visit.inputs]
        kept = [place for place, i in enumerate(live) if self._is_needed(i, number)]
        stays = self._is_needed(number, number)
        judges = self._plan.role(number) in (Role.EXECUTOR, Role.SELECTOR)
        executes = self._plan.role(number) is Role.EXECUTOR
        gathers = self._gathering(number, tuple(live[place] for place in kept))
        found: _States = {}
        for (loads, best), before in states.items():
            for chance, load in self._made(number, tuple(loads[place] for place in places)):
                probability = before * chance
                if self._early and judges and (passed := next((d for d in load.drafts if d.stands), None)):
                    self._hand_in(passed, probability)
                    continue
                now_best = self._better(best, load) if self._early and executes else best
                now = (*(loads[place] for place in kept), *((load,) if stays else ()))
                state = (gathers(now) if gathers else now, now_best)
                found[state] = found.get(state, 0.0) + probability
        return found

    def _better(self, best: Draft, load: Load) -> Draft:
        """Of the best draft so far and an executor's: as code and rank alone, which is all that counts later."""
        found = foremost([best, *load.drafts], rank)
        return found if found is best else Draft(found.code, found.verdict, found.own)

    def _hand_in(self, draft: Draft, probability: float) -> None:
        self._solved += probability * self._verdict(draft.code, self._problem.hidden).passed

    # -- what one visit makes --------------------------------------------------------------------------------------

    def _made(self, number: int, inputs: tuple[Load, ...]) -> _Outcomes:
        """Probability and load of everything that a visit can make of its inputs."""
        key = (self._plan.visits[number].node, inputs)
        if key not in self._outcomes:
            found: dict[Load, float] = {}
            for chance, load in self._play(number, inputs):
                same = self._loads.setdefault(load, load)
                found[same] = found.get(same, 0.0) + chance
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

    def _gathering(self, number: int, live: tuple[int, ...]) -> Callable[[tuple[Load, ...]], tuple[Load, ...]] | None:
        """How a state's loads get simpler, without changing what follows, once this visit's is among them.

        live: the visits that the loads before it are of.
        """
        reader = self._only_reader(number)
        if reader is None:
            return None
        places = [p for p, i in enumerate((*live, number)) if self._only_reader(i) == reader]
        if len(places) < 2 or len(self._plan.visits[reader].inputs) < 2:
            return None
        reduce = self._sorted if self._plan.role(reader) is Role.SELECTOR else self._only_best

        def gathered(loads: tuple[Load, ...]) -> tuple[Load, ...]:
            simpler = iter(reduce([loads[place] for place in places]))
            return tuple(next(simpler) if place in places else load for place, load in enumerate(loads))

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

    def _sorted(self, loads: list[Load]) -> list[Load]:
        return sorted(loads, key=lambda load: [draft.code for draft in load.drafts])

    def _only_best(self, loads: list[Load]) -> list[Load]:
        offers = [(place, draft) for place, load in enumerate(loads) for draft in load.drafts]
        kept, _ = foremost(offers, lambda offer: rank(self._judged(offer[1])))
        return [load if place == kept else _NOTHING for place, load in enumerate(loads)]

    def _judged(self, draft: Draft) -> Draft:
        return Draft(draft.code, draft.verdict or self._verdict(draft.code, self._problem.visible))


_NOTHING = Load()
