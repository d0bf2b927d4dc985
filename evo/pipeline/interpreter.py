"""The interpreter of plans: a generator of effects without any I/O.

It goes through a plan level by level. Visits of one level do not depend on each other: what they want fulfilled is
yielded together (see ``evo.pipeline.steps`` for what each role does), and nothing that was asked for is ever dropped.
"""

from collections.abc import Callable, Generator, Mapping, Sequence

from evo.genome.genes import Role
from evo.pipeline.drafts import Draft, Load, foremost, rank
from evo.pipeline.effects import Effect, Reply
from evo.pipeline.plan import Plan
from evo.pipeline.steps import STEPS, Doing, Done, Turn
from evo.pipeline.trace import Step, Trace
from evo.tasks.problem import Problem

__all__ = ["answer", "finished", "run"]


def run(
    plan: Plan, problem: Problem, seeds: Callable[[int], int]
) -> Generator[tuple[Effect, ...], tuple[Reply, ...], Trace]:
    """Run a plan on one problem: yields effects that may be fulfilled in any order or at once, is sent their replies in
    the order of the effects (a Completion for a Chat, a Verdict for an Execute), returns the Trace.

    seeds: position of a model call (see Visit) -> its seed. It must not depend on the plan, so that plans which begin
    alike make the same calls. At most ``plan.max_calls`` Chats; the same program is executed once.

    With early stopping the first draft, in the plan's order, that fails no visible test ends the run and is the answer;
    for what the answer is otherwise see ``answer``. A level whose answers could go beyond max_tokens_per_problem is not
    begun, and the run ends with what there is.
    """
    loads: dict[int, Load] = {}
    known: dict[Effect, Reply] = {}
    steps: list[Step] = []
    for level in plan.levels:
        spent = sum(step.prompt_tokens + step.completion_tokens for step in steps)
        if spent + _most_written(plan, level) > plan.settings.max_tokens_per_problem:
            return Trace(answer(plan, loads, tuple(loads)), tuple(steps), stopped_early=False)
        turns = [_begin(plan, problem, seeds, loads, number) for number in level]
        wanted = [next(turn) for turn in turns]
        if fresh := tuple(dict.fromkeys(effect for effects in wanted for effect in effects if effect not in known)):
            known.update(zip(fresh, (yield fresh), strict=True))
        for number, turn, effects in zip(level, turns, wanted, strict=True):
            loads[number], record = finished(turn, tuple(known[effect] for effect in effects))
            steps += record
        for draft in _standing(plan, level, loads) if plan.settings.early_stopping else ():
            saved = any(visit.position is not None for visit in plan.visits[level[-1] + 1 :])
            return Trace(draft.code, tuple(steps), stopped_early=saved)
    return Trace(answer(plan, loads, plan.output), tuple(steps), stopped_early=False)


def _most_written(plan: Plan, level: Sequence[int]) -> int:
    visits = (plan.visits[number] for number in level)
    return sum(plan.nodes[visit.node].max_tokens for visit in visits if visit.position is not None)


def _begin(plan: Plan, problem: Problem, seeds: Callable[[int], int], loads: Mapping[int, Load], number: int) -> Doing:
    """A visit with what its inputs handed on, about to say what it wants."""
    visit = plan.visits[number]
    seed = 0 if visit.position is None else seeds(visit.position)
    inputs = tuple(loads[i] for i in visit.inputs)
    return STEPS[plan.role(number)](Turn(plan.nodes[visit.node], visit, inputs, problem, plan.settings, seed))


def finished(turn: Doing, replies: tuple[Reply, ...]) -> Done:
    """What a visit makes of the replies to what it wanted."""
    try:
        turn.send(replies)
    except StopIteration as end:
        done: Done = end.value
        return done
    raise AssertionError("a step yields once")


def _standing(plan: Plan, level: Sequence[int], loads: Mapping[int, Load]) -> list[Draft]:
    """Drafts of a level that were run and failed no visible test, in the plan's order. Of a selector, what it chose."""
    judges = (number for number in level if plan.role(number) in (Role.EXECUTOR, Role.SELECTOR))
    return [draft for number in judges for draft in loads[number].drafts if draft.stands]


def answer(plan: Plan, loads: Mapping[int, Load], arrived: Sequence[int]) -> str:
    """The program of a run that no passing draft has ended. arrived: the visits whose drafts reach the output.

    The best of the drafts that arrive; with early stopping, of all that were executed too. Of equals one that comes
    from elsewhere than an executor: it was chosen, or is what was made of the others.
    """
    early = plan.settings.early_stopping
    offers = [
        (number, draft)
        for number, load in loads.items()
        if number in arrived or (early and plan.role(number) is Role.EXECUTOR)
        for draft in load.drafts
    ]
    if not offers:
        return ""
    return foremost(offers, lambda offer: (*rank(offer[1]), plan.role(offer[0]) is not Role.EXECUTOR))[1].code
