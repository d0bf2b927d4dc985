"""What ``evo.pipeline.run`` does with the SIMULATED pool, as table look-ups: whole searches by the hundred.

What a visit can make is worked out once, by the pipeline's own steps (``evo.evaluation.played``). A run is then a walk
over numbers of loads, whatever the plan's topology; seeds, chances, tokens and the order of calls are the real ones.
``tests/benchmarks`` holds it to the interpreter cell by cell.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from evo.evaluation import Cell, Measurement, call_seed
from evo.evaluation.played import Act, Made, acts
from evo.evaluation.truth import Truth
from evo.genome import Role
from evo.models import Chat
from evo.models.simulated import Defect, SimulatedBackend
from evo.models.simulated.response import uniform
from evo.pipeline import Plan
from evo.pipeline.interpreter import answer
from evo.tasks import Problem

__all__ = ["Kernel"]

_CHARACTERS_PER_TOKEN = 4  # of simulated models


@dataclass(frozen=True, slots=True)
class _Table:
    """What a visit makes, to be drawn from. call: a number of its own for each chat but for the seed; -1: no call."""

    call: int
    role: str
    cumulative: tuple[float, ...]
    loads: tuple[int, ...]
    prompt_tokens: int
    completion_tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Turn:
    """A visit: its node's act, the visits that it works on, the position of its call."""

    act: Act
    inputs: tuple[int, ...]
    position: int | None


@dataclass(frozen=True, slots=True)
class _Level:
    """Visits that happen at once, and the numbers of those whose passing draft ends the run."""

    turns: tuple[_Turn, ...]
    judges: tuple[int, ...]


class Kernel:
    """Any plans on one set of problems, of runs that stay within their bound on tokens.

    ``made`` holds the distinct calls so far.
    """

    def __init__(self, problems: Sequence[Problem], backend: SimulatedBackend) -> None:
        self.made: set[tuple[int, int]] = set()
        self._truth = Truth(problems, backend, backend.verdict)
        self._backend = backend
        self._tables: dict[tuple[str, Act, tuple[int, ...]], _Table] = {}
        self._study = 0
        self._draws: dict[tuple[object, ...], tuple[int, float]] = {}
        self._chats: dict[Chat, int] = {}
        self._levels: dict[str, tuple[_Level, ...]] = {}
        self._answers: dict[tuple[str, str, tuple[int, ...]], bool] = {}

    def rates(self, plan: Plan) -> dict[str, float]:
        """By problem id, the probability that one run of the plan solves it: exact."""
        return self._truth.rates(plan)

    def cell(self, one: Measurement, study: int) -> Cell:
        """What measuring it gives. A call that has been made before is made again for nothing."""
        plan, problem = one.plan, one.problem.id
        loads: list[int] = []
        calls = prompt_tokens = completion_tokens = 0
        passing: int | None = None
        for level in self._course(plan):
            for turn in level.turns:
                table = self._table(problem, turn.act, tuple([loads[i] for i in turn.inputs]))
                if table.call < 0:
                    loads.append(table.loads[0])
                    continue
                seed, chance = self._draw(study, one, turn.position, table.role)
                self.made.add((table.call, seed))
                drawn = min(bisect_right(table.cumulative, chance), len(table.loads) - 1)
                loads.append(table.loads[drawn])
                calls += 1
                prompt_tokens += table.prompt_tokens
                completion_tokens += table.completion_tokens[drawn]
            found = (self._truth.played[problem].passing(loads[number]) for number in level.judges)
            passing = next((load for load in found if load is not None), None)
            if passing is not None:
                break
        solved = self._answered(plan, problem, tuple(loads)) if passing is None else self._is_right(problem, passing)
        return Cell(
            plan.digest, problem, one.purpose, one.replicate, solved, calls=calls,
            prompt_tokens=prompt_tokens, completion_tokens=completion_tokens,
        )  # fmt: skip

    def _draw(self, study: int, one: Measurement, position: int | None, role: str) -> tuple[int, float]:
        """A call's seed, and the number in (0, 1) that it stands for; plans have most of them in common."""
        assert position is not None  # it is a call
        if study != self._study:
            self._study = study
            self._draws.clear()
        key = (one.purpose, one.problem.id, one.replicate, position, role)
        if key not in self._draws:
            seed = call_seed(study, one.purpose, one.problem.id, one.replicate, position)
            self._draws[key] = seed, uniform(seed, one.problem.id, role)
        return self._draws[key]

    def _course(self, plan: Plan) -> tuple[_Level, ...]:
        if plan.digest not in self._levels:
            of, stops = acts(plan), plan.settings.early_stopping
            self._levels[plan.digest] = tuple(
                _Level(
                    tuple(_Turn(of[v.node], v.inputs, v.position) for v in (plan.visits[i] for i in level)),
                    tuple(i for i in level if stops and plan.role(i) in (Role.EXECUTOR, Role.SELECTOR)),
                )
                for level in plan.levels
            )
        return self._levels[plan.digest]

    def _table(self, problem: str, act: Act, inputs: tuple[int, ...]) -> _Table:
        table = self._tables.get((problem, act, inputs))
        if table is None:
            made = self._truth.played[problem].made(act, inputs)
            self._tables[problem, act, inputs] = table = self._tabled(made)
        return table

    def _tabled(self, made: Made) -> _Table:
        chances, texts, loads = zip(*made.answers, strict=True)
        return _Table(
            call=-1 if made.chat is None else self._chats.setdefault(made.chat, len(self._chats)),
            role="" if made.chat is None else made.chat.role,
            cumulative=tuple(accumulate(chances)),
            loads=loads,
            prompt_tokens=0 if made.chat is None else _tokens(sum(len(m.content) for m in made.chat.messages)),
            completion_tokens=tuple(_tokens(len(text)) for text in texts),
        )

    def _is_right(self, problem: str, load: int) -> bool:
        return self._truth.played[problem].solves(load)

    def _answered(self, plan: Plan, problem: str, loads: tuple[int, ...]) -> bool:
        """Whether a run that no passing draft ended hands in a right program."""
        key = (plan.digest, problem, loads)
        if key not in self._answers:
            played = self._truth.played[problem]
            of = {number: played.load(load) for number, load in enumerate(loads)}
            self._answers[key] = self._backend.oracle(problem, answer(plan, of, plan.output)) is Defect.CORRECT
        return self._answers[key]


def _tokens(characters: int) -> int:
    return characters // _CHARACTERS_PER_TOKEN + 1
