"""A model server that fails in every way it can: nothing lost, nothing counted twice, and no bias."""

import random
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from failing_ollama import FAULTS, MODEL, Server, chance

import evo.models.ollama.host
import evo.models.retry
from evo.evaluation import Measurement, Purpose, Scheduler, Store, estimate
from evo.genome.genes import Role
from evo.models import OllamaBackend
from evo.models.ollama import Patience
from evo.pipeline import PipelineSettings, Plan, PlanNode, Visit
from evo.sandbox import Status, Verdict
from evo.tasks import Check, Problem

PROBLEMS, REPLICATES = 50, 200  # 10,000 calls
SHARE = 0.2


class Reader:
    """A sandbox that reads the answer: with 10,000 programs of two kinds there is nothing to find out by running."""

    tier = "scripted"

    def run(self, job):
        passed = "x +" in job.code
        return Verdict(Status.PASSED if passed else Status.ASSERTION, "" if passed else "AssertionError", units=1)


def wanted() -> list[Measurement]:
    generator = PlanNode(Role.GENERATOR, 2, MODEL, "plain", "Write code.", 0.5)
    nodes = (PlanNode(Role.TASK, 0), generator, PlanNode(Role.OUTPUT, 1))
    plan = Plan(nodes, (Visit(1, 0, (), 1, 0),), (0,), PipelineSettings(max_tokens=16), "solo")
    found = []
    for k in range(PROBLEMS):
        name = f"add_{k}"
        check = Check(f"def check(candidate):\n    assert candidate(1) == {1 + k}\n", 1)
        task = Problem(
            f"P{k}", "test", f"Write {name}(x).", name, "", check, check, f"def {name}(x):\n    return x + {k}"
        )
        found += [Measurement(plan, task, Purpose.SEARCH, replicate) for replicate in range(REPLICATES)]
    return found


async def measured(path: Path, port: int, patience: Patience):
    """One session on the run's file: its cells and counters."""
    store = Store(path)
    backend = OllamaBackend(f"http://127.0.0.1:{port}", slots=48, patience=patience)
    models = {MODEL: await backend.describe(MODEL)}
    scheduler = Scheduler(backend, Reader(), store, seed=5, models=models)
    try:
        return await scheduler.measure(wanted()), scheduler.counters
    finally:
        scheduler.close()
        await backend.aclose()
        store.close()


@pytest.fixture
def impatient(monkeypatch):
    """Waits between tries are fifty times shorter, and a server that is silent for two seconds hangs."""
    uniform = random.uniform
    monkeypatch.setattr(evo.models.retry.random, "uniform", lambda low, high: uniform(low, high) / 50)
    monkeypatch.setattr(evo.models.ollama.host, "_READ", 1e9)


async def test_ten_thousand_calls_through_every_kind_of_failure(impatient, tmp_path):
    log = tmp_path / "answered"
    server = Server(0, str(log), SHARE)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    path = tmp_path / "run.sqlite"
    cells, counters = await measured(path, server.server_port, Patience(connect=10.0, first=2.0, between=2.0))

    requests = sum(server.faults.values()) + len(log.read_text().split())
    assert set(server.faults) == set(FAULTS)
    assert min(server.faults.values()) > 100
    assert abs(sum(server.faults.values()) / requests - SHARE) < 0.02
    missing = [cell for cell in cells if cell.solved is None]
    assert 0 < len(missing) == counters.cells_missing
    assert all(cell.fault for cell in missing)
    assert counters.calls_made == len(cells) - len(missing), "a failure is no call, and no call is counted twice"
    assert (counters.prompt_tokens, counters.completion_tokens) == (20 * counters.calls_made, 10 * counters.calls_made)

    # Which calls failed has nothing to do with what they would have said.
    truth = np.mean([chance(k) for k in range(PROBLEMS)])
    seen = estimate(cells)
    assert seen is not None
    assert seen.missing == len(missing)
    server.share = 0.0
    again, more = await measured(path, server.server_port, Patience())
    server.shutdown()
    server.server_close()
    whole = estimate(again)
    assert whole is not None
    assert whole.missing == more.cells_missing == 0
    noise = np.sqrt(np.mean([chance(k) * (1 - chance(k)) for k in range(PROBLEMS)]) / len(cells))
    assert abs(whole.mean - truth) < 4 * noise
    allowed = 4 * noise * np.sqrt(len(missing) / len(cells))
    assert abs(seen.mean - whole.mean) < allowed
    as_zeros = sum(cell.solved is True for cell in cells) / len(cells)
    assert whole.mean - as_zeros > allowed, "a failure counted as unsolved would have been noticed"
    assert all(a == b for a, b in zip(cells, again, strict=True) if a.solved is not None), "what was measured stays"

    # Only what was missing was asked for again, and everything is on record once.
    assert more.calls_made == len(missing)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT COUNT(*), COUNT(DISTINCT key) FROM calls").fetchone() == (len(cells), len(cells))
    answered = Counter(log.read_text().split())
    assert len(answered) == len(cells)
    twice = sum(answered.values()) - len(answered)
    assert twice <= len(cells) / 100, "asked again after an answer was only what came too late on a busy machine"
