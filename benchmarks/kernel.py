"""What ``evo.pipeline.run`` does with the SIMULATED pool, as table look-ups: whole searches by the hundred.

A simulated model answers one of a problem's few drafts, so a run is a walk over their numbers. Messages, parsing and
extraction are left out; seeds, chances and the order of calls are the real ones. ``tests/benchmarks`` holds it to the
interpreter cell by cell, and its true rates to ``evo.evaluation.truth``.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from evo.evaluation import Cell, Measurement, call_seed
from evo.genome import Feedback, Role
from evo.models.simulated import SimulatedBackend
from evo.models.simulated.drafts import Defect, drafts_of
from evo.models.simulated.response import Request, draft_chances, uniform
from evo.pipeline import Plan, PlanNode
from evo.pipeline.feedback import describe
from evo.sandbox import Verdict
from evo.tasks import Problem

__all__ = ["Kernel"]

_ANALYSIS_TOKENS = 20  # about what a simulated diagnosis has

# What the executor tells, the analyzer before a call that writes, and that call's node.
_Turn = tuple[Feedback | None, PlanNode | None, PlanNode]

# Cumulative chances of a request, and the draft that each step stands for.
_Table = tuple[tuple[float, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Facts:
    """Of one problem's drafts: which are correct, which end a run, how many tokens and which verdict each has."""

    correct: tuple[bool, ...]
    ends: tuple[bool, ...]
    tokens: tuple[int, ...]
    verdicts: tuple[Verdict, ...]


class Kernel:
    """Linear plans with early stopping on one set of problems. ``made`` holds the distinct calls so far."""

    def __init__(self, problems: Sequence[Problem], backend: SimulatedBackend) -> None:
        self.made: set[tuple[object, ...]] = set()
        self._problems = tuple(problems)
        self._parameters = backend.parameters
        self._drafts = {problem.id: drafts_of(problem) for problem in problems}
        self._facts = {problem.id: self._look(problem, backend) for problem in problems}
        self._tables: dict[tuple[object, ...], _Table] = {}
        self._turns: dict[str, tuple[_Turn, ...]] = {}

    def cell(self, one: Measurement, study: int) -> Cell:
        """What measuring it gives. A call that has been made before is made again for nothing."""
        problem, facts = one.problem, self._facts[one.problem.id]
        position = tokens = 0
        draft: int | None = None
        for feedback, analyzer, writer in self._course(one.plan):
            if draft is not None and facts.ends[draft]:
                break
            # Levels of feedback that come to the same words make the same call.
            told = (
                describe(facts.verdicts[draft], feedback, problem.entry_point) if draft is not None and feedback else ""
            )
            if analyzer is not None:
                seed = call_seed(study, one.purpose, problem.id, one.replicate, position)
                self.made.add((analyzer.model, analyzer.text, analyzer.temperature, problem.id, seed, draft, told))
                position, tokens = position + 1, tokens + _ANALYSIS_TOKENS
            seed = call_seed(study, one.purpose, problem.id, one.replicate, position)
            analysed = analyzer is not None
            chat = (writer.role, writer.model, writer.text, writer.temperature, problem.id, seed, draft, analysed)
            self.made.add((*chat, told))
            cumulative, drafts = self._table(writer, problem, draft, analysed=analysed)
            drawn = bisect_right(cumulative, uniform(seed, problem.id, str(writer.role)))
            draft = drafts[min(drawn, len(drafts) - 1)]
            position, tokens = position + 1, tokens + facts.tokens[draft]
        assert draft is not None  # a plan begins with a generator
        return Cell(
            one.plan.digest, problem.id, one.purpose, one.replicate, facts.correct[draft],
            calls=position, completion_tokens=tokens,
        )  # fmt: skip

    def rates(self, plan: Plan) -> dict[str, float]:
        """By problem id, the probability that one run of the plan solves it: exact."""
        return {problem.id: self._rate(plan, problem) for problem in self._problems}

    def _rate(self, plan: Plan, problem: Problem) -> float:
        facts = self._facts[problem.id]
        state: dict[int | None, float] = {None: 1.0}
        solved = 0.0
        for _, analyzer, writer in self._course(plan):
            after: dict[int | None, float] = {}
            for held, chance in state.items():
                if held is not None and facts.ends[held]:
                    solved += chance * facts.correct[held]
                    continue
                for draft, share in self._steps(writer, problem, held, analysed=analyzer is not None):
                    after[draft] = after.get(draft, 0.0) + chance * share
            state = after
        return solved + sum(chance * facts.correct[held] for held, chance in state.items() if held is not None)

    def _steps(
        self, writer: PlanNode, problem: Problem, held: int | None, *, analysed: bool
    ) -> Iterator[tuple[int, float]]:
        cumulative, drafts = self._table(writer, problem, held, analysed=analysed)
        steps = zip((0.0, *cumulative), cumulative, strict=False)
        yield from zip(drafts, (high - low for low, high in steps), strict=True)

    def _course(self, plan: Plan) -> tuple[_Turn, ...]:
        """The calls that write, in their order, each with the analyzer before it."""
        if plan.digest not in self._turns:
            assert plan.settings.early_stopping
            turns: list[_Turn] = []
            analyzer = feedback = None
            for node in (plan.nodes[visit.node] for visit in plan.visits):
                if node.role is Role.EXECUTOR:
                    feedback = node.feedback
                elif node.role is Role.ANALYZER:
                    analyzer = node
                elif node.role in (Role.GENERATOR, Role.REFINER):
                    turns.append((feedback, analyzer, node))
                    analyzer = None
            self._turns[plan.digest] = tuple(turns)
        return self._turns[plan.digest]

    def _table(self, node: PlanNode, problem: Problem, held: int | None, *, analysed: bool) -> _Table:
        key = (node.role, node.model, node.text, node.temperature, problem.id, held, analysed)
        if key not in self._tables:
            drafts = self._drafts[problem.id]
            request = Request(
                problem.id, problem.suite, node.model, str(node.role), node.text, node.temperature, held, analysed
            )
            chances = draft_chances(self._parameters, request, drafts)
            order = sorted(range(len(drafts)), key=lambda index: (index != 0, index != held, index))
            likely = tuple(index for index in order if chances[index] > 0)
            cumulative = list(accumulate(chances[index] for index in likely))
            cumulative[-1] = 1.0
            self._tables[key] = tuple(cumulative), likely
        return self._tables[key]

    def _look(self, problem: Problem, backend: SimulatedBackend) -> _Facts:
        drafts = self._drafts[problem.id]
        verdicts = [backend.verdict(problem, draft.code, problem.visible) for draft in drafts]
        return _Facts(
            correct=tuple(draft.defect is Defect.CORRECT for draft in drafts),
            ends=tuple(v.passed or (v.units == 0 and draft.defect is not Defect.SYNTAX)
                       for v, draft in zip(verdicts, drafts, strict=True)),
            tokens=tuple(len(draft.answer) // 4 + 1 for draft in drafts),
            verdicts=tuple(verdicts),
        )  # fmt: skip
