"""One scheduler fulfils all effects: it drives many pipelines at once and pays for nothing twice.

Every effect has a key over all that its answer depends on. A key that is on record is answered from the store; one
that is being worked on is waited for; only the rest reaches the model server or the sandbox. Which of these it was
cannot be seen in the resulting cells, so the order in which things finish changes nothing.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar

from evo.errors import EvoError
from evo.evaluation.cell import Cell, Purpose
from evo.evaluation.dispatcher import Dispatcher
from evo.evaluation.outage import PausingBackend
from evo.evaluation.seeds import seeds_for
from evo.evaluation.store import Store
from evo.models import Backend, CallFailed, Chat, Completion, ModelInfo, ModelMissing
from evo.pipeline import Effect, Plan, Reply, Trace, run
from evo.sandbox import Job, SandboxFault, SandboxPool, Verdict
from evo.tasks import Check, Problem

__all__ = ["BudgetSpent", "Counters", "Measurement", "Scheduler", "Stopped"]

T = TypeVar("T")

# Against a problem without visible tests, code is only loaded: the verdict says whether that worked.
_LOAD_ONLY = Check("def check(candidate):\n    return None\n", units=0)


class BudgetSpent(EvoError):
    """No further call may be made: a limit is reached. What is on record stays valid."""


class Stopped(EvoError):
    """No further call may be made: the user asked to stop. What is on record stays valid."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One cell that is wanted."""

    plan: Plan
    problem: Problem
    purpose: Purpose
    replicate: int


@dataclass(slots=True)
class Counters:
    """What has been done so far; read by displays. Tokens are of calls made, not of those saved. cells_missing: what
    the infrastructure has lost in this session and not measured again since.
    """

    cells_done: int = 0
    cells_wanted: int = 0
    cells_missing: int = 0
    calls_made: int = 0
    calls_saved: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    executions_made: int = 0
    executions_saved: int = 0


class Scheduler:
    """Measures plans. Belongs to one event loop; ``models`` says which weights each model name stands for."""

    def __init__(
        self,
        backend: Backend,
        sandbox: SandboxPool,
        store: Store,
        *,
        seed: int,
        models: Mapping[str, ModelInfo],
        workers: int = 1,
        max_calls: int | None = None,
        deadline: float | None = None,
        graded: bool = False,
    ) -> None:
        """workers: concurrent sandbox runs. max_calls: new calls at most. deadline: of time.monotonic(). graded: cells
        tell what share of the visible tests their answer passes.
        """
        self.counters = Counters()
        self._seed = seed
        self._models = models
        self._store = store
        self._sandbox = sandbox
        self._backend = PausingBackend(backend, models, self._check_open)
        self._dispatcher = Dispatcher(self._backend, self._check_open)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="sandbox")
        self._max_calls = max_calls
        self._deadline = deadline
        self._graded = graded
        self._stopped = ""
        self._calls: dict[str, asyncio.Future[Completion]] = {}
        self._executions: dict[str, asyncio.Future[Verdict]] = {}
        self._missing: set[tuple[str, str, Purpose, int]] = set()

    def stop(self, reason: str) -> None:
        """Make no new call from now on: who asks for one meets Stopped. What is in flight ends and is recorded."""
        self._stopped = self._stopped or reason

    def lift_limits(self) -> None:
        """Let the calls that end a run (validation of the champion) pass a spent budget, but not a user's stop."""
        self._max_calls = self._deadline = None

    def allow(self, seconds: float) -> None:
        """New calls for so long from now on."""
        self._deadline = time.monotonic() + seconds

    def close(self) -> None:
        """Wait for the sandbox runs that have begun; drop the others."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    @property
    def in_flight(self) -> int:
        """Model calls being answered now."""
        return self._dispatcher.in_flight

    @property
    def paused(self) -> str:
        """Why calls wait for a server that is away; "" while none does."""
        return self._backend.reason

    async def measure(self, wanted: Sequence[Measurement]) -> tuple[Cell, ...]:
        """The cells, in the order wanted. A failure of the infrastructure gives a missing cell, not an error.

        Raises BudgetSpent when a limit is reached before all are measured, Stopped after ``stop``; cells finished until
        then are on record.
        """
        self.counters.cells_wanted += len(wanted)
        cells = self._known(wanted)
        rest = [(index, one) for index, one in enumerate(wanted) if index not in cells]
        results = await asyncio.gather(*(self._cell(one) for _, one in rest), return_exceptions=True)
        for (index, _), result in zip(rest, results, strict=True):
            if isinstance(result, BaseException):
                raise result
            cells[index] = result
        return tuple(cells[index] for index in range(len(wanted)))

    # -- one cell --------------------------------------------------------------------------------------------------

    def _known(self, wanted: Sequence[Measurement]) -> dict[int, Cell]:
        """By index, the cells that are on record; those that are missing there are measured again."""
        places: dict[str, dict[tuple[str, Purpose, int], int]] = {}
        for index, one in enumerate(wanted):
            places.setdefault(one.plan.digest, {})[one.problem.id, one.purpose, one.replicate] = index
        cells = {
            mine[cell.problem, cell.purpose, cell.replicate]: cell
            for plan, mine in places.items()
            for cell in self._store.cells_of(plan, mine)
            if cell.solved is not None
        }
        self.counters.calls_saved += sum(cell.calls for cell in cells.values())
        self.counters.cells_done += len(cells)
        return cells

    async def _cell(self, one: Measurement) -> Cell:
        key = (one.plan.digest, one.problem.id, one.purpose, one.replicate)
        try:
            cell = await self._run(one)
        except (CallFailed, ModelMissing, SandboxFault) as fault:
            cell = Cell(*key, solved=None, fault=str(fault))
        await self._store.put_cell(cell)
        (self._missing.add if cell.solved is None else self._missing.discard)(key)
        self.counters.cells_missing = len(self._missing)
        self.counters.cells_done += 1
        return cell

    async def ask(self, chat: Chat) -> Completion:
        """The answer to a call that belongs to no pipeline; on record and limited like any other.

        Raises BudgetSpent at a limit and CallFailed if the backend fails.
        """
        return await self._chat(chat)

    async def trace(self, one: Measurement) -> tuple[Trace, Verdict]:
        """What happened in one run of a pipeline, step by step, and how its answer fared with the hidden tests.

        Raises BudgetSpent at a limit, and CallFailed or SandboxFault if the infrastructure fails. A cell that has been
        measured is traced from the record.
        """
        seeds = seeds_for(self._seed, one.purpose, one.problem.id, one.replicate)
        pipeline = run(one.plan, one.problem, seeds)
        replies: tuple[Reply, ...] | None = None
        while True:
            try:
                effects = next(pipeline) if replies is None else pipeline.send(replies)
            except StopIteration as end:
                trace: Trace = end.value
                break
            replies = await self._together(effects, one.problem)
        return trace, await self._execute(trace.answer, one.problem, one.problem.hidden, reveal=False)

    async def _run(self, one: Measurement) -> Cell:
        trace, final = await self.trace(one)
        return Cell(
            plan=one.plan.digest,
            problem=one.problem.id,
            purpose=one.purpose,
            replicate=one.replicate,
            solved=final.passed,
            status=final.status.value,
            error_types=tuple(step.verdict.error_type for step in trace.steps if step.verdict is not None),
            calls=trace.calls,
            prompt_tokens=sum(step.prompt_tokens for step in trace.steps),
            completion_tokens=sum(step.completion_tokens for step in trace.steps),
            shown=await self._shown(trace.answer, one.problem) if self._graded else None,
            seconds=trace.seconds,
        )

    async def _shown(self, code: str, problem: Problem) -> float | None:
        """The share of its visible tests that a program passes. Mostly on record: the pipeline ran it, too."""
        if problem.visible is None:
            return None
        verdict = await self._execute(code, problem, problem.visible, reveal=True)
        return 1.0 if verdict.passed else verdict.passed_units / max(verdict.units, 1)

    async def _together(self, effects: Sequence[Effect], problem: Problem) -> tuple[Reply, ...]:
        """The replies, in order. If one fails, the others are still waited for and recorded: they are paid for."""
        if len(effects) == 1:
            return (await self._fulfil(effects[0], problem),)
        asked = (self._fulfil(effect, problem) for effect in effects)
        replies = await asyncio.gather(*asked, return_exceptions=True)
        for reply in replies:
            if isinstance(reply, BaseException):
                raise reply
        return tuple(reply for reply in replies if not isinstance(reply, BaseException))

    async def _fulfil(self, effect: Effect, problem: Problem) -> Reply:
        if isinstance(effect, Chat):
            return await self._chat(effect)
        check = effect.tests or problem.visible or _LOAD_ONLY
        return await self._execute(effect.code, problem, check, reveal=True)

    # -- effects ---------------------------------------------------------------------------------------------------

    async def _chat(self, chat: Chat) -> Completion:
        digest = self._models[chat.model].digest
        key = chat.key(digest)
        known = self._store.call(key)
        if known is not None or key in self._calls:
            self.counters.calls_saved += 1
            return known if known is not None else await _others(self._calls[key])

        async def make() -> Completion:
            answer = await self._dispatcher.ask(chat)
            await self._store.put_call(key, chat, digest, answer)
            self.counters.calls_made += 1
            self.counters.prompt_tokens += answer.prompt_tokens
            self.counters.completion_tokens += answer.completion_tokens
            return answer

        self._check_budget()
        return await _once(self._calls, key, make)

    async def _execute(self, code: str, problem: Problem, check: Check, *, reveal: bool) -> Verdict:
        parts = (code, check.source, problem.entry_point, str(reveal), self._sandbox.tier)
        key = sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
        known = self._store.execution(key)
        if known is not None or key in self._executions:
            self.counters.executions_saved += 1
            return known if known is not None else await _others(self._executions[key])

        async def make() -> Verdict:
            job = Job(code=code, check=check.source, entry_point=problem.entry_point, reveal=reveal)
            verdict = await asyncio.get_running_loop().run_in_executor(self._threads, self._sandbox.run, job)
            await self._store.put_execution(key, problem.id, verdict)
            self.counters.executions_made += 1
            return verdict

        return await _once(self._executions, key, make)

    def _check_budget(self) -> None:
        self._check_open()
        # Calls that are on their way count, so that the limit is exact.
        if self._max_calls is not None and self.counters.calls_made + len(self._calls) >= self._max_calls:
            raise BudgetSpent(f"the limit of {self._max_calls} model calls is reached")

    def _check_open(self) -> None:
        self._store.check()
        if self._stopped:
            raise Stopped(self._stopped)
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise BudgetSpent("the time limit is reached")


async def _once(running: dict[str, asyncio.Future[T]], key: str, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Do it, while others who want the same can wait for it under its key."""
    running[key] = future = asyncio.get_running_loop().create_future()
    try:
        result = await make()
    except BaseException as error:
        future.set_exception(error)
        future.exception()  # marked as seen: nobody else may be waiting
        raise
    else:
        future.set_result(result)
        return result
    finally:
        del running[key]


async def _others(future: "asyncio.Future[T]") -> T:
    """Somebody else's result; their cancellation or failure is ours too."""
    return await asyncio.shield(future)
