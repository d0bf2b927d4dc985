"""The interpreter of plans: a generator of effects without any I/O.

A run carries one piece of work from node to node (see ``Plan`` for the way it takes). Each role has a step function in
``_STEPS``: it yields the effects of one visit and returns what has become of the work. A new role is an entry there.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace

from evo.genome.genes import Role
from evo.models.chat import Chat, Completion
from evo.pipeline.effects import Effect, Execute, Reply
from evo.pipeline.extraction import extract_code
from evo.pipeline.feedback import describe
from evo.pipeline.messages import Work, messages
from evo.pipeline.plan import PipelineSettings, Plan, PlanNode
from evo.pipeline.trace import Step, Trace
from evo.sandbox.verdict import Status, Verdict
from evo.tasks.problem import Problem

__all__ = ["run"]


@dataclass(slots=True)
class _Run:
    """What the visits of one run share: its inputs, its record so far, and the verdicts it knows, by code."""

    settings: PipelineSettings
    problem: Problem
    seeds: Callable[[int], int]
    steps: list[Step] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    calls: int = 0


@dataclass(frozen=True, slots=True)
class _Visit:
    """One arrival of the work at a node, for the ``iteration``-th time."""

    run: _Run
    index: int
    node: PlanNode
    iteration: int
    work: Work


_Step = Generator[Effect, Reply, Work]


def run(plan: Plan, problem: Problem, seeds: Callable[[int], int]) -> Generator[Effect, Reply, Trace]:
    """Run a plan on one problem: yields Chat (answer with a Completion), Execute (with a Verdict), returns the Trace.

    seeds: position of a model call in this run (0, 1, ...) -> its seed. It must not depend on the plan, so that plans
    which begin alike make the same calls. At most ``plan.max_calls`` Chats and ``plan.max_executions`` Executes.

    With early stopping the first draft that fails no visible test ends the run and is the answer; if all fail, the
    answer is the draft that passed most visible units, the latest of equals: it has seen most feedback. Without early
    stopping every iteration is made and the answer is the last draft.
    """
    current = _Run(plan.settings, problem, seeds)
    work, visits, here = Work(), [0] * len(plan.nodes), 0
    while plan.nodes[here].role is not Role.OUTPUT:
        node = plan.nodes[here]
        if node.role is not Role.TASK:
            work = yield from _STEPS[node.role](_Visit(current, here, node, visits[here], work))
        visits[here] += 1
        onward = next(target for target in plan.successors(here) if visits[target] < plan.nodes[target].iterations)
        if (
            plan.settings.early_stopping
            and node.role is Role.EXECUTOR
            and _nothing_failed(current.verdicts[work.draft])
        ):
            return Trace(work.draft, tuple(current.steps), stopped_early=plan.nodes[onward].role is not Role.OUTPUT)
        here = onward
    return Trace(_answer(current, work), tuple(current.steps), stopped_early=False)


def _nothing_failed(verdict: Verdict) -> bool:
    """Passed, or there were no visible tests."""
    return verdict.passed or (verdict.status is Status.NO_CALL and verdict.units == 0)


def _answer(current: _Run, work: Work) -> str:
    if not (current.settings.early_stopping and current.verdicts):
        return work.draft
    executed = [
        (step.verdict.passed_units, index) for index, step in enumerate(current.steps) if step.verdict is not None
    ]
    return current.steps[max(executed)[1]].code


def _write(visit: _Visit) -> _Step:
    """Generator and refiner: a new draft; where the answer holds no code, the draft there was stays."""
    problem, prelude = visit.run.problem, visit.run.settings.prelude
    reply = yield from _ask(visit)
    code = extract_code(reply.text, stub=problem.stub, entry_point=problem.entry_point, prelude=prelude)
    draft = code or visit.work.draft
    _record(visit, reply, draft)
    return Work(draft)


def _analyze(visit: _Visit) -> _Step:
    """Analyzer: a diagnosis of the draft in words."""
    reply = yield from _ask(visit)
    _record(visit, reply, visit.work.draft)
    return replace(visit.work, diagnosis=reply.text.strip())


def _execute(visit: _Visit) -> _Step:
    """Executor: the verdict on the draft, as feedback. A draft seen before has the verdict it had."""
    draft, verdicts = visit.work.draft, visit.run.verdicts
    if draft not in verdicts:
        reply = yield Execute(draft)
        assert isinstance(reply, Verdict)
        verdicts[draft] = reply
    verdict = verdicts[draft]
    visit.run.steps.append(Step(visit.index, str(visit.node.role), visit.iteration, None, "", draft, verdict))
    return Work(draft, feedback=describe(verdict, visit.node.feedback, visit.run.problem.entry_point))


_STEPS: dict[Role, Callable[[_Visit], _Step]] = {
    Role.GENERATOR: _write,
    Role.EXECUTOR: _execute,
    Role.ANALYZER: _analyze,
    Role.REFINER: _write,
}


def _ask(visit: _Visit) -> Generator[Effect, Reply, Completion]:
    reply = yield Chat(
        model=visit.node.model,
        messages=messages(visit.node.text, visit.run.problem, visit.work),
        seed=visit.run.seeds(visit.run.calls),
        temperature=visit.node.temperature,
        max_tokens=visit.run.settings.max_tokens,
        sampling=visit.run.settings.sampling,
        problem=visit.run.problem.id,
        role=str(visit.node.role),
    )
    assert isinstance(reply, Completion)
    return reply


def _record(visit: _Visit, reply: Completion, code: str) -> None:
    visit.run.steps.append(
        Step(
            node=visit.index,
            role=str(visit.node.role),
            iteration=visit.iteration,
            position=visit.run.calls,
            text=reply.text,
            code=code,
            verdict=None,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
        )
    )
    visit.run.calls += 1
