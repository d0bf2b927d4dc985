"""The scheduler against scripted backends and a scripted sandbox: what is paid for, what is shared, what is missing."""

import asyncio
import itertools
import random
import threading
from collections import Counter

import pytest

from evo.errors import UserError
from evo.evaluation import BudgetSpent, Measurement, Purpose, Scheduler, Stopped, Store
from evo.genome.genes import Role
from evo.models import BackendUnavailable, CallFailed, Completion, ModelInfo, ModelMissing
from evo.pipeline import PipelineSettings, Plan, PlanNode, Visit
from evo.sandbox import SandboxFault, Status, Verdict
from evo.tasks import Check, Problem

CHECK = Check("def check(candidate):\n    assert candidate() == 1\n", 1)


def problem(name):
    return Problem(name, "test", f"Write {name}", "f", "", CHECK, CHECK, "def f():\n    return 1\n")


def plan(name, *refiners, generator="m"):
    """A loop whose refiner calls the model ``refiners[0]``; without, the generator alone."""
    nodes = [PlanNode(Role.TASK, 0), PlanNode(Role.GENERATOR, 2, generator, "plain", "Write code.", 0.5)]
    visits = [Visit(1, 0, (), 1, 0)]
    if refiners:
        nodes += [PlanNode(Role.EXECUTOR, 3), PlanNode(Role.REFINER, 4, refiners[0], "fix", "Fix it.", 0.5)]
        for turn in range(2):
            at = len(visits)
            visits += [
                Visit(2, turn, (at - 1,), at + 1, None),
                Visit(3, turn, (at,), at + 2, turn + 1),
            ]
        visits.append(Visit(2, 2, (4,), 6, None))
    nodes.append(PlanNode(Role.OUTPUT, 1))
    return Plan(tuple(nodes), tuple(visits), (len(visits) - 1,), PipelineSettings(), name)


class ScriptedBackend:
    name, simulated = "scripted", False

    def __init__(self, slots=4, fails=lambda chat: False):
        self.asked, self.most, self.now, self._slots, self._fails = [], 0, 0, slots, fails

    def slots(self, model):
        return self._slots

    async def prepare(self, model, context):
        return frozenset({model})

    async def describe(self, model):
        return ModelInfo(model, f"digest of {model}", "scripted", "", "", 4096, "")

    async def chat(self, chat):
        self.asked.append(chat)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(random.random() / 500)
        self.now -= 1
        if self._fails(chat):
            raise CallFailed("no answer")
        return Completion(f"```python\ndef f():\n    return {chat.seed % 3}\n```", 5, 7, 0.01, "stop")


class ScriptedSandbox:
    tier = "scripted"

    def __init__(self, faulty=False):
        self.jobs, self.faulty, self._lock = [], faulty, threading.Lock()

    def run(self, job):
        with self._lock:
            self.jobs.append(job)
        if self.faulty:
            raise SandboxFault("worker lost")
        if "return 1" in job.code:
            return Verdict(Status.PASSED, units=1, passed_units=1)
        return Verdict(Status.ASSERTION, "AssertionError", units=1)


class Bench:
    def __init__(self, tmp_path, backend, sandbox=None, **options):
        self.store = Store(tmp_path / "run.sqlite")
        self.sandbox = sandbox or ScriptedSandbox()
        models = {name: ModelInfo(name, f"digest of {name}", "scripted", "", "", 4096, "") for name in "mno"}
        self.scheduler = Scheduler(backend, self.sandbox, self.store, seed=3, models=models, **options)

    def __enter__(self):
        return self.scheduler

    def __exit__(self, *_):
        self.scheduler.close()
        self.store.close()


def wanted(*plans, problems=4, replicates=3):
    return [
        Measurement(p, problem(f"P{k}"), Purpose.SEARCH, r)
        for p in plans
        for k in range(problems)
        for r in range(replicates)
    ]


async def test_genomes_that_share_a_prefix_share_its_calls(tmp_path):
    backend = ScriptedBackend()
    with Bench(tmp_path, backend) as scheduler:
        cells = await scheduler.measure(wanted(plan("solo"), plan("loop m", "m"), plan("loop n", "n")))
    assert len(cells) == 36
    keys = Counter(chat.key(chat.model) for chat in backend.asked)
    assert set(keys.values()) == {1}, "no call is made twice"
    generated = [chat for chat in backend.asked if chat.messages[0].content.endswith("Write code.")]
    assert len(generated) == 12
    assert scheduler.counters.calls_made == len(backend.asked)
    assert scheduler.counters.calls_made + scheduler.counters.calls_saved == sum(cell.calls for cell in cells)
    assert all(cell.seconds == pytest.approx(0.01 * cell.calls) for cell in cells), "of calls made and saved"


async def test_slots_are_filled_and_never_overfilled(tmp_path):
    backend = ScriptedBackend(slots=3)
    with Bench(tmp_path, backend) as scheduler:
        await scheduler.measure(wanted(plan("solo"), problems=20))
    assert backend.most == 3


async def test_calls_are_grouped_by_model(tmp_path):
    backend = ScriptedBackend(slots=1)
    with Bench(tmp_path, backend) as scheduler:
        await scheduler.measure(wanted(plan("a", generator="m"), plan("b", generator="n"), plan("c", generator="o")))
    models = [chat.model for chat in backend.asked]
    assert sum(a != b for a, b in itertools.pairwise(models)) == 2


async def test_a_second_scheduler_on_the_same_store_pays_nothing(tmp_path):
    first, second = ScriptedBackend(), ScriptedBackend()
    with Bench(tmp_path, first) as scheduler:
        cells = await scheduler.measure(wanted(plan("loop", "n")))
    bench = Bench(tmp_path, second)
    with bench as scheduler:
        assert await scheduler.measure(wanted(plan("loop", "n"))) == cells
        # Cells forgotten, calls and executions on record: the same again, from the calls.
        scheduler._store._db.execute("DELETE FROM cells")
        assert await scheduler.measure(wanted(plan("loop", "n"))) == cells
    assert second.asked == []
    assert bench.sandbox.jobs == []


async def test_the_order_of_answers_changes_nothing(tmp_path):
    tables = []
    for k in range(3):
        random.seed(k)
        (tmp_path / str(k)).mkdir()
        with Bench(tmp_path / str(k), ScriptedBackend(slots=1 + 3 * k), workers=1 + k) as scheduler:
            tables.append(await scheduler.measure(wanted(plan("a", "n"), plan("b", "m"))))
    assert tables[0] == tables[1] == tables[2]


async def test_a_failed_call_is_a_missing_cell_and_is_measured_again(tmp_path):
    broken = ScriptedBackend(fails=lambda chat: chat.problem == "P1")
    with Bench(tmp_path, broken) as scheduler:
        cells = await scheduler.measure(wanted(plan("solo")))
    assert [c.solved is None for c in cells] == [c.problem == "P1" for c in cells]
    assert all(c.fault == "no answer" for c in cells if c.solved is None)
    mended = ScriptedBackend()
    with Bench(tmp_path, mended) as scheduler:
        cells = await scheduler.measure(wanted(plan("solo")))
    assert all(c.solved is not None for c in cells)
    assert {chat.problem for chat in mended.asked} == {"P1"}


async def test_a_fault_of_the_sandbox_is_missing_too(tmp_path):
    with Bench(tmp_path, ScriptedBackend(), ScriptedSandbox(faulty=True)) as scheduler:
        cells = await scheduler.measure(wanted(plan("solo")))
    assert all(c.solved is None and c.fault == "worker lost" for c in cells)


async def test_a_limit_of_calls_is_exact_and_what_was_paid_is_kept(tmp_path):
    backend = ScriptedBackend()
    with Bench(tmp_path, backend, max_calls=5) as scheduler:
        with pytest.raises(BudgetSpent, match="limit of 5"):
            await scheduler.measure(wanted(plan("solo")))
        assert len(backend.asked) == 5
    again = ScriptedBackend()
    with Bench(tmp_path, again) as scheduler:
        await scheduler.measure(wanted(plan("solo")))
    assert len(again.asked) == 12 - 5


async def test_stopping_makes_no_new_call(tmp_path):
    backend = ScriptedBackend(slots=2)
    with Bench(tmp_path, backend) as scheduler:
        measuring = asyncio.create_task(scheduler.measure(wanted(plan("solo"), problems=50)))
        while len(backend.asked) < 6:
            await asyncio.sleep(0)
        scheduler.stop("enough")
        with pytest.raises(Stopped, match="enough"):
            await measuring
    assert len(backend.asked) <= 8
    assert scheduler.counters.calls_made == len(backend.asked), "what was in flight is kept"


def side_by_side(name, *models):
    """Generators of these models into one executor."""
    nodes = [PlanNode(Role.GENERATOR, 2 + n, model, "plain", "Write code.", 0.5) for n, model in enumerate(models)]
    nodes = [PlanNode(Role.TASK, 0), *nodes, PlanNode(Role.EXECUTOR, 9), PlanNode(Role.OUTPUT, 1)]
    visits = [Visit(1 + n, 0, (), 1, n << 16) for n in range(len(models))]
    visits.append(Visit(len(models) + 1, 0, tuple(range(len(models))), 2, None))
    return Plan(tuple(nodes), tuple(visits), (len(models),), PipelineSettings(), name)


async def test_calls_of_one_level_are_in_flight_together(tmp_path):
    backend = ScriptedBackend(slots=8)
    with Bench(tmp_path, backend) as scheduler:
        (cell,) = await scheduler.measure(wanted(side_by_side("four", *"mmmm"), problems=1, replicates=1))
    assert backend.most == 4
    assert cell.calls == scheduler.counters.calls_made == len({chat.seed for chat in backend.asked}) == 4


async def test_what_was_paid_beside_a_failed_call_is_kept(tmp_path):
    seeds = []

    def second(chat):
        seeds.append(chat.seed)
        return len(seeds) == 1

    with Bench(tmp_path, ScriptedBackend(fails=second)) as scheduler:
        (cell,) = await scheduler.measure(wanted(side_by_side("three", *"mmm"), problems=1, replicates=1))
        assert cell.solved is None
        assert scheduler.counters.calls_made == 2
    again = ScriptedBackend()
    with Bench(tmp_path, again) as scheduler:
        (cell,) = await scheduler.measure(wanted(side_by_side("three", *"mmm"), problems=1, replicates=1))
    assert cell.solved is not None
    assert [chat.seed for chat in again.asked] == seeds[:1]


async def test_a_limit_within_a_level_keeps_what_it_allowed(tmp_path):
    backend = ScriptedBackend()
    with Bench(tmp_path, backend, max_calls=2) as scheduler:
        with pytest.raises(BudgetSpent, match="limit of 2"):
            await scheduler.measure(wanted(side_by_side("three", *"mmm"), problems=1, replicates=1))
        assert scheduler.counters.calls_made == len(backend.asked) == 2


async def test_hidden_tests_are_never_revealed(tmp_path):
    bench = Bench(tmp_path, ScriptedBackend())
    with bench as scheduler:
        await scheduler.measure(wanted(plan("loop", "n"), problems=1))
    assert {job.reveal for job in bench.sandbox.jobs} == {True, False}


class LeavingBackend(ScriptedBackend):
    """Its server is away for the time between two calls' numbers; describes itself only while it is there."""

    def __init__(self, leaves, digest="digest of m", **options):
        super().__init__(**options)
        self.leaves, self.digest, self.away, self.refused = leaves, digest, False, 0

    async def chat(self, chat):
        if len(self.asked) >= self.leaves:
            self.away, self.leaves = True, float("inf")
        if self.away:
            self.refused += 1
            raise CallFailed("connection refused")
        return await super().chat(chat)

    async def describe(self, model):
        if self.away:
            raise BackendUnavailable("nobody answers at example:11434")
        return ModelInfo(model, self.digest, "scripted", "", "", 4096, "")


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_server_that_stays_away_pauses_the_run_which_goes_on_by_itself(tmp_path):
    with Bench(tmp_path, ScriptedBackend()) as scheduler:
        whole = await scheduler.measure(wanted(plan("loop", "m")))
    (tmp_path / "paused").mkdir()
    backend = LeavingBackend(leaves=7)
    with Bench(tmp_path / "paused", backend) as scheduler:
        measuring = asyncio.create_task(scheduler.measure(wanted(plan("loop", "m"))))
        await until(lambda: scheduler.paused)
        assert scheduler.paused == "nobody answers at example:11434"
        await asyncio.sleep(1.5)  # the server is asked again meanwhile, and no call is sent
        assert (len(backend.asked), backend.refused) == (7, 4)
        backend.away = False
        assert await measuring == whole
        assert scheduler.paused == ""
    assert set(Counter(chat.key(chat.model) for chat in backend.asked).values()) == {1}
    assert scheduler.counters.cells_missing == 0


async def test_a_paused_run_can_be_stopped(tmp_path):
    with Bench(tmp_path, LeavingBackend(leaves=7)) as scheduler:
        measuring = asyncio.create_task(scheduler.measure(wanted(plan("solo"))))
        await until(lambda: scheduler.paused)
        scheduler.stop("enough")
        with pytest.raises(Stopped, match="enough"):
            await asyncio.wait_for(measuring, 5)


async def test_a_server_that_comes_back_with_other_weights_ends_the_run(tmp_path):
    backend = LeavingBackend(leaves=7, digest="0123")
    with Bench(tmp_path, backend) as scheduler:
        measuring = asyncio.create_task(scheduler.measure(wanted(plan("solo"))))
        await until(lambda: scheduler.paused)
        backend.away = False
        with pytest.raises(UserError, match="model m came back with digest 0123"):
            await measuring


async def test_a_model_that_is_lost_makes_its_cells_missing(tmp_path):
    class Losing(ScriptedBackend):
        async def chat(self, chat):
            if chat.problem == "P2":
                raise ModelMissing("no model m; run: ollama pull m")
            return await super().chat(chat)

    with Bench(tmp_path, Losing()) as scheduler:
        cells = await scheduler.measure(wanted(plan("solo")))
        assert scheduler.counters.cells_missing == 3
    assert [cell.problem for cell in cells if cell.solved is None] == ["P2"] * 3
    with Bench(tmp_path, ScriptedBackend()) as scheduler:
        assert all(cell.solved is not None for cell in await scheduler.measure(wanted(plan("solo"))))
        assert scheduler.counters.cells_missing == 0


async def test_no_call_is_made_once_nothing_can_be_recorded(tmp_path):
    backend = ScriptedBackend(slots=2)
    bench = Bench(tmp_path, backend)
    with bench as scheduler:
        measuring = asyncio.create_task(scheduler.measure(wanted(plan("solo"), problems=50)))
        await until(lambda: len(backend.asked) >= 20)
        pages = bench.store._db.execute("PRAGMA page_count").fetchone()[0]
        bench.store._db.execute(f"PRAGMA max_page_count={pages}")
        with pytest.raises(UserError, match="disk is full"):
            await measuring
        asked = len(backend.asked)
        assert asked < 150
    with Bench(tmp_path, second := ScriptedBackend()) as scheduler:
        await scheduler.measure(wanted(plan("solo"), problems=50))
    # A slot is free once its answer is there; the commit that failed may hold a few answers of a slow disk.
    assert asked + len(second.asked) - 150 <= 10, "lost is what was on its way, and nothing else"


class HalfRight(ScriptedSandbox):
    """Passes one of two visible tests, none of the hidden ones, and takes note of both."""

    def run(self, job):
        super().run(job)
        return Verdict(Status.ASSERTION, "AssertionError", passed_units=1 if job.reveal else 0, units=2)


async def test_graded_cells_tell_the_share_of_visible_tests_that_the_answer_passes(tmp_path):
    sandbox = HalfRight()
    with Bench(tmp_path, ScriptedBackend(), sandbox, graded=True) as scheduler:
        cells = await scheduler.measure(wanted(plan("loop", "m"), problems=2))
    assert {(cell.solved, cell.shown) for cell in cells} == {(False, 0.5)}
    codes = [(job.code, job.reveal) for job in sandbox.jobs]
    assert len(codes) == len(set(codes)), "what the pipeline ran is not run again"
    with Bench(tmp_path, ScriptedBackend()) as again:
        assert [cell.shown for cell in await again.measure(wanted(plan("loop", "m"), problems=2))] == [0.5] * 6
    ungraded = tmp_path / "ungraded"
    ungraded.mkdir()
    with Bench(ungraded, ScriptedBackend(), sandbox) as scheduler:
        assert {c.shown for c in await scheduler.measure(wanted(plan("loop", "m"), problems=1))} == {None}
