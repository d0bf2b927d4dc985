"""What visits make where a backend's answers have known distributions: each is worked out once, for all plans.

What a visit hands on depends on its node, the problem, what its inputs handed on and what its model answers, and on
nothing else of the plan. So it is played once for each of these, by the pipeline's own steps. Loads have numbers, equal
ones the same: that makes the states of a run cheap to compare and to remember.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol

from evo.genome.genes import Role
from evo.models import Chat, Completion
from evo.pipeline import Effect, PipelineSettings, Plan, PlanNode, Reply, Visit
from evo.pipeline.drafts import Draft, Load, best, foremost, rank
from evo.pipeline.interpreter import finished
from evo.pipeline.steps import STEPS, Doing, Turn
from evo.sandbox import Verdict
from evo.tasks import Check, Problem

__all__ = ["NOTHING", "Act", "KnownAnswers", "Made", "Played", "VerdictOf", "acts"]

NOTHING = 0
"""The number of a load that holds nothing."""

VerdictOf = Callable[[Problem, str, Check], Verdict]
_VISIT = Visit(node=0, iteration=0, inputs=(), level=0, position=None)  # what a visit makes does not depend on these


class KnownAnswers(Protocol):
    """What is asked of a backend with ground truth; the simulated pool is one."""

    def distribution(self, chat: Chat) -> tuple[tuple[float, str], ...]:
        """(probability, text) of each possible answer, whatever the seed; the probabilities sum to 1."""


@dataclass(frozen=True, slots=True, eq=False)  # there is one of each: see ``acts``
class Act:
    """All that a node brings to what its visits make."""

    node: PlanNode
    settings: PipelineSettings


def acts(plan: Plan) -> tuple[Act, ...]:
    """Of each node of the plan; nodes of any plans that do the same have the same act."""
    return tuple(_act(replace(node, gene=0, prompt=""), plan.settings) for node in plan.nodes)


@cache
def _act(node: PlanNode, settings: PipelineSettings) -> Act:
    return Act(node, settings)


@dataclass(frozen=True, slots=True)
class Made:
    """All that a visit can make of what it is given.

    chat: its model call, with seed 0; None if it makes none. answers: probability, text and number of the load of each
    answer, in the backend's order. loads: probability by load.
    """

    chat: Chat | None
    answers: tuple[tuple[float, str, int], ...]
    loads: tuple[tuple[float, int], ...]


class Played:
    """The visits of all plans on one problem, as far as anybody has asked for them."""

    def __init__(self, problem: Problem, backend: KnownAnswers, verdict_of: VerdictOf) -> None:
        self._problem = problem
        self._backend = backend
        self._loads: list[Load] = []
        self._numbers: dict[Load, int] = {}
        self._made: dict[tuple[Act, tuple[int, ...]], Made] = {}
        self._finished: dict[tuple[Role, PipelineSettings, tuple[int, ...], str], int] = {}
        self._essences: dict[tuple[tuple[int, ...], bool], int] = {}
        self._verdict = cache(lambda code, check: verdict_of(problem, code, check))
        self.better = cache(self._find_better)
        self.passing = cache(self._find_passing)
        self.solves = cache(self._find_solves)
        self._judged = cache(self._judge)
        self._best = cache(self._find_best)
        self.number(Load())

    def number(self, load: Load) -> int:
        """The load's number."""
        if load not in self._numbers:
            self._numbers[load] = len(self._loads)
            self._loads.append(load)
        return self._numbers[load]

    def load(self, number: int) -> Load:
        """The load of this number."""
        return self._loads[number]

    def made(self, act: Act, inputs: tuple[int, ...]) -> Made:
        """What a visit of a node that acts so makes of these loads."""
        if act.node.role in (Role.ANALYZER, Role.REFINER):
            inputs = (self._best(inputs),)  # they see no other draft
        if (act, inputs) not in self._made:
            self._made[act, inputs] = self._play(act, inputs)
        return self._made[act, inputs]

    # -- reading loads: each of these is remembered ----------------------------------------------------------------

    def _find_best(self, loads: tuple[int, ...]) -> int:
        """The draft to work on, as a load."""
        return self.number(Load((best(draft for i in loads for draft in self._loads[i].drafts),)))

    def _find_passing(self, load: int) -> int | None:
        """The first draft, as a load, that ends the run."""
        found = next((draft for draft in self._loads[load].drafts if draft.stands), None)
        return None if found is None else self.number(Load((found,)))

    def _find_better(self, before: int, load: int) -> int:
        """The best of both loads' drafts, reduced to what counts at the end: its rank, and whether it is right."""
        drafts = (*self._loads[before].drafts, *self._loads[load].drafts)
        if not drafts:
            return before
        found = foremost(drafts, rank)
        essence = (rank(found), self.is_right(found.code))
        return self._essences.setdefault(essence, self.number(Load((found,))))

    def _find_solves(self, load: int) -> bool:
        """Whether a load's one draft passes the hidden tests; one that holds nothing does not."""
        return any(self.is_right(draft.code) for draft in self._loads[load].drafts)

    def is_right(self, code: str) -> bool:
        """Whether it passes the hidden tests."""
        return self._verdict(code, self._problem.hidden).passed

    def rank(self, load: int) -> tuple[int, ...]:
        """Of its best draft."""
        return max(map(rank, self._loads[load].drafts), default=(-2,))

    def only_best(self, loads: tuple[int, ...]) -> tuple[int, ...]:
        """The loads with nothing in place of all but the one with the best draft, once it is executed."""
        offers = [(place, self._judged(draft)) for place, i in enumerate(loads) for draft in self._loads[i].drafts]
        kept, _ = foremost(offers, lambda offer: rank(offer[1]))
        return tuple(load if place == kept else NOTHING for place, load in enumerate(loads))

    def _judge(self, draft: Draft) -> Draft:
        return Draft(draft.code, draft.verdict or self._verdict(draft.code, self._problem.visible))

    # -- playing a visit -------------------------------------------------------------------------------------------

    def _play(self, act: Act, inputs: tuple[int, ...]) -> Made:
        step = self._begun(act, inputs)
        effects = next(step)
        chat = next((effect for effect in effects if isinstance(effect, Chat)), None)
        if chat is None:
            load = self.number(finished(step, tuple(map(self._executed, effects)))[0])
            return Made(None, ((1.0, "", load),), ((1.0, load),))
        assert len(effects) == 1, "a step makes one call, or executes"
        answers = tuple(
            (chance, text, self._answered(act, inputs, text)) for chance, text in self._backend.distribution(chat)
        )
        loads: dict[int, float] = {}
        for chance, _, load in answers:
            loads[load] = loads.get(load, 0.0) + chance
        return Made(chat, answers, tuple((chance, load) for load, chance in loads.items()))

    def _answered(self, act: Act, inputs: tuple[int, ...], text: str) -> int:
        """What a visit makes of an answer: the same whatever model gave it, at whatever temperature."""
        key = (act.node.role, act.settings, inputs, text)
        if key not in self._finished:
            step = self._begun(act, inputs)
            next(step)
            reply = Completion(text, prompt_tokens=0, completion_tokens=0, seconds=0.0, finish="stop")
            self._finished[key] = self.number(finished(step, (reply,))[0])
        return self._finished[key]

    def _begun(self, act: Act, inputs: tuple[int, ...]) -> Doing:
        loads = tuple(self._loads[i] for i in inputs)
        return STEPS[act.node.role](Turn(act.node, _VISIT, loads, self._problem, act.settings, seed=0))

    def _executed(self, effect: Effect) -> Reply:
        assert not isinstance(effect, Chat)
        return self._verdict(effect.code, effect.tests or self._problem.visible)
