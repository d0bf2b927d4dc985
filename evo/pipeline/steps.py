"""What each role does in one visit.

A step function takes a ``Turn`` and is a generator: it yields once, all effects that it wants fulfilled (none is fine),
is sent their replies, and returns what it hands on and its record. A new role is an entry in ``STEPS``.
"""

from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

from evo.genome.genes import Role
from evo.models.chat import Chat, Completion
from evo.pipeline.asserts import own_tests
from evo.pipeline.drafts import Draft, Load, best, nothing_failed, rank
from evo.pipeline.effects import Effect, Execute, Reply
from evo.pipeline.extraction import extract_code
from evo.pipeline.feedback import describe
from evo.pipeline.messages import messages
from evo.pipeline.plan import PipelineSettings, PlanNode, Visit
from evo.pipeline.trace import Step
from evo.sandbox.verdict import Verdict
from evo.tasks.problem import Problem

__all__ = ["STEPS", "Doing", "Done", "Turn"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One visit with all that it may depend on. seed: of its model call (0 where it makes none)."""

    node: PlanNode
    visit: Visit
    inputs: tuple[Load, ...]
    problem: Problem
    settings: PipelineSettings
    seed: int

    @property
    def drafts(self) -> tuple[Draft, ...]:
        """All drafts that have come, in the order of the visits that they come from."""
        return tuple(draft for load in self.inputs for draft in load.drafts)


Done = tuple[Load, tuple[Step, ...]]
Doing = Generator[tuple[Effect, ...], tuple[Reply, ...], Done]


def _plan(turn: Turn) -> Doing:
    """Planner: a plan in words."""
    reply = yield from _ask(turn)
    return Load(plan=reply.text.strip()), (_said(turn, reply, ""),)


def _test(turn: Turn) -> Doing:
    """Tester: asserts of its own, where the problem shows too few."""
    if turn.problem.visible.units >= turn.settings.enough_tests:
        yield ()
        return Load(), ()
    reply = yield from _ask(turn)
    return Load(tests=own_tests(reply.text, turn.problem.entry_point)), (_said(turn, reply, ""),)


def _generate(turn: Turn) -> Doing:
    """Generator: a draft; an empty one where the answer holds no code."""
    reply = yield from _ask(turn, plan="\n\n".join(load.plan for load in turn.inputs if load.plan))
    code = _code(turn, reply)
    return Load((Draft(code),)), (_said(turn, reply, code),)


def _analyze(turn: Turn) -> Doing:
    """Analyzer: a diagnosis of the best draft in words."""
    draft = best(turn.drafts)
    reply = yield from _ask(turn, draft)
    return Load((replace(draft, diagnosis=reply.text.strip()),)), (_said(turn, reply, draft.code),)


def _refine(turn: Turn) -> Doing:
    """Refiner: the best draft rewritten; where the answer holds no code, or the same, the draft there was stays."""
    old = best(turn.drafts)
    reply = yield from _ask(turn, old)
    code = _code(turn, reply)
    draft = replace(old, feedback="", diagnosis="") if code in ("", old.code) else Draft(code)
    return Load((draft,)), (_said(turn, reply, draft.code),)


def _execute(turn: Turn) -> Doing:
    """Executor: all drafts, with what running them shows.

    A test of a tester's own that several different drafts were run on, and all failed, is taken to be wrong.
    """
    tests = tuple(test for load in turn.inputs for test in load.tests)
    unknown = [draft for draft in turn.drafts if draft.verdict is None]
    wanted = [Execute(draft.code) for draft in unknown]
    wanted += [Execute(draft.code, test) for draft in turn.drafts for test in tests]
    said = _verdicts(wanted, (yield tuple(wanted)))
    several = len({draft.code for draft in turn.drafts}) > 1
    sound = [
        test for test in tests if not several or any(said[Execute(draft.code, test)].passed for draft in turn.drafts)
    ]
    drafts = []
    for draft in turn.drafts:
        verdict = draft.verdict or said[Execute(draft.code)]
        failed = [said[Execute(draft.code, test)] for test in sound if not said[Execute(draft.code, test)].passed]
        fine = nothing_failed(verdict)
        drafts.append(
            Draft(
                draft.code,
                verdict,
                own=sum(said[Execute(draft.code, test)].passed for test in tests),
                stands=fine and not failed,
                feedback=describe(
                    failed[0] if fine and failed else verdict, turn.node.feedback, turn.problem.entry_point
                ),
            )
        )
    return Load(tuple(drafts)), tuple(_ran(turn, draft) for draft in drafts)


def _select(turn: Turn) -> Doing:
    """Selector: of all drafts, those that nobody has run being run, the one that passed most visible tests.

    Of equals one that behaves like most others on the visible tests, as far as their verdicts tell; then the shortest.
    """
    unknown = [Execute(draft.code) for draft in turn.drafts if draft.verdict is None]
    said = _verdicts(unknown, (yield tuple(unknown)))
    drafts = [_judged(draft, said) for draft in turn.drafts]
    top = max(map(rank, drafts))
    alike = Counter(_behaviour(draft.verdict) for draft in drafts if rank(draft) == top)
    chosen = min(
        (draft for draft in drafts if rank(draft) == top),
        key=lambda draft: (-alike[_behaviour(draft.verdict)], len(draft.code), draft.code),
    )
    ran = (_ran(turn, draft) for draft, before in zip(drafts, turn.drafts, strict=True) if before.verdict is None)
    return Load((chosen,)), (*ran, _ran(turn, replace(chosen, verdict=None)))


STEPS: dict[Role, Callable[[Turn], Doing]] = {
    Role.PLANNER: _plan,
    Role.TESTER: _test,
    Role.GENERATOR: _generate,
    Role.EXECUTOR: _execute,
    Role.ANALYZER: _analyze,
    Role.REFINER: _refine,
    Role.SELECTOR: _select,
}


def _ask(
    turn: Turn, draft: Draft | None = None, plan: str = ""
) -> Generator[tuple[Effect, ...], tuple[Reply, ...], Completion]:
    sampling = turn.settings.sampling
    (reply,) = yield (
        Chat(
            model=turn.node.model,
            messages=messages(turn.node.text, turn.problem, draft or Draft(""), plan),
            seed=turn.seed,
            temperature=turn.node.temperature,
            max_tokens=turn.node.max_tokens,
            # Where an answer is to be asserts, an assert does not end it.
            sampling=replace(sampling, stop=()) if turn.node.role is Role.TESTER else sampling,
            problem=turn.problem.id,
            role=str(turn.node.role),
        ),
    )
    assert isinstance(reply, Completion)
    return reply


def _code(turn: Turn, reply: Completion) -> str:
    problem, prelude = turn.problem, turn.settings.prelude
    return extract_code(reply.text, stub=problem.stub, entry_point=problem.entry_point, prelude=prelude)


def _verdicts(wanted: list[Execute], replies: tuple[Reply, ...]) -> dict[Execute, Verdict]:
    said = {}
    for effect, reply in zip(wanted, replies, strict=True):
        assert isinstance(reply, Verdict)
        said[effect] = reply
    return said


def _judged(draft: Draft, said: dict[Execute, Verdict]) -> Draft:
    if draft.verdict is not None:
        return draft
    verdict = said[Execute(draft.code)]
    return replace(draft, verdict=verdict, stands=nothing_failed(verdict))


def _behaviour(verdict: Verdict | None) -> tuple[object, ...]:
    """What a verdict tells of how a program behaves: how far it came, and what it did there."""
    if verdict is None:
        return ()
    failed = verdict.failed
    shown = (failed.call, failed.returned) if failed is not None else ()
    return (verdict.status, verdict.error_type, verdict.passed_units, *shown)


def _said(turn: Turn, reply: Completion, code: str) -> Step:
    return Step(
        node=turn.visit.node,
        role=str(turn.node.role),
        iteration=turn.visit.iteration,
        position=turn.visit.position,
        text=reply.text,
        code=code,
        verdict=None,
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
        seconds=reply.seconds,
    )


def _ran(turn: Turn, draft: Draft) -> Step:
    return Step(turn.visit.node, str(turn.node.role), turn.visit.iteration, None, "", draft.code, draft.verdict)
