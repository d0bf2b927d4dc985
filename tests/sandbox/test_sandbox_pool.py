# ruff: noqa: E501 - programs read best on one line
"""The pool: tiers, threads, faults, and nothing left behind."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_kit import CHECK, HONEST, QUICK, TIERS, descendants

from evo.errors import UserError
from evo.sandbox import Job, Limits, SandboxFault, SandboxPool, Status, probe, processors
from evo.sandbox import pool as pool_module
from evo.sandbox.inside.zygote import ENOUGH, MOST
from evo.sandbox.tiers import BUBBLEWRAP, LANDLOCK, UNSAFE
from evo.sandbox.zygote import Zygote

ROOT = Path(__file__).parents[2]


def wait_until(condition, seconds: float = 10.0) -> bool:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_this_machine_isolates() -> None:
    found = {tier.name: tier for tier in probe()}
    assert found[TIERS[0]].available, found
    assert all(tier.available or tier.reason for tier in found.values())
    assert all(found[name].available for name in TIERS), found


def test_without_a_tier_it_refuses_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "missing", lambda tier: "" if tier == UNSAFE else "not today")
    with pytest.raises(UserError, match=r"no sandbox can be entered.*--unsafe") as refusal, SandboxPool():
        pass
    assert "\n" not in str(refusal.value)
    with SandboxPool(unsafe=True) as pool:
        assert pool.tier == UNSAFE
        assert pool.run(HONEST).tier == UNSAFE
        assert pool.run(HONEST).passed


def test_without_bubblewrap_the_next_tier_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    if LANDLOCK not in TIERS:
        pytest.skip("the kernel has no Landlock")
    monkeypatch.setenv("PATH", "/nonexistent")
    with SandboxPool() as pool:
        assert pool.tier == LANDLOCK
        assert pool.run(HONEST).passed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"workers": 0}, "workers"), ({"tier": "moon"}, "moon"), ({"tier": UNSAFE}, "unsafe=True")],
)
def test_impossible_arguments(arguments: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(UserError, match=message):
        SandboxPool(**arguments)


def test_threads_share_workers_and_get_their_own_verdicts() -> None:
    with SandboxPool(2, QUICK) as pool, ThreadPoolExecutor(6) as threads:
        jobs = [Job(f"def f(x): return x + {n}", CHECK, "f") for n in range(40)]
        assert [verdict.passed for verdict in threads.map(pool.run, jobs)] == [n == 1 for n in range(40)]


@pytest.mark.parametrize("tier", TIERS)
def test_environment_and_scratch_do_not_pass_between_runs(tier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVO_SECRET", "hunter2")
    code = "import os\ndef f(x):\n    found = os.listdir('.') + [v for v in os.environ.values() if 'hunter' in v]\n    open('left', 'w').write('x')\n    return found or 2"
    with SandboxPool(tier=tier) as pool:
        assert [pool.run(Job(code, CHECK, "f")).status for _ in range(3)] == [Status.PASSED] * 3


@pytest.mark.parametrize("tier", TIERS)
def test_few_descriptors_bind_the_program_and_not_what_runs_it(tier: str) -> None:
    code = "def f(x):\n    try: kept = [open('/dev/null') for _ in range(x)]\n    except OSError as e: return e.errno\n    return 2"
    check = "import errno\ndef check(c):\n    assert c(3) == 2\n    assert c(8) == errno.EMFILE"
    with SandboxPool(limits=Limits(descriptors=12), tier=tier) as pool:
        for _ in range(2 * MOST):
            verdict = pool.run(Job(code, check, "f"))
            assert verdict.passed, verdict


@pytest.mark.parametrize("tier", TIERS)
def test_locks_tell_nothing_to_a_run_beside(tier: str) -> None:
    code = (
        "import fcntl, sys, time\n"
        "def f(x):\n"
        "    file = open(f'{sys.path[0]}/os.py')\n"
        "    for take in (fcntl.flock, fcntl.lockf):\n"
        "        for fd, how in ((0, fcntl.LOCK_EX), (file.fileno(), fcntl.LOCK_SH)):\n"
        "            try: take(fd, how | fcntl.LOCK_NB)\n"
        "            except BlockingIOError: return 'another run is there'\n"
        "    time.sleep(0.02)\n"
        "    return 2"
    )
    with SandboxPool(2, tier=tier) as pool, ThreadPoolExecutor(2) as threads:
        verdicts = list(threads.map(lambda _: pool.run(Job(code, CHECK, "f")), range(20)))
    assert [verdict.status for verdict in verdicts] == [Status.PASSED] * 20, verdicts[0]


@pytest.mark.parametrize("tier", TIERS)
def test_a_database_in_scratch_works(tier: str) -> None:
    code = (
        "import sqlite3\n"
        "def f(x):\n"
        "    with sqlite3.connect('a.db') as db:\n"
        "        db.execute('create table t (n int)')\n"
        "        db.execute('insert into t values (?)', (x,))\n"
        "    return sqlite3.connect('a.db').execute('select n + 1 from t').fetchone()[0]"
    )
    with SandboxPool(tier=tier) as pool:
        verdict = pool.run(Job(code, CHECK, "f"))
    assert verdict.passed, verdict


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_that_cannot_be_entered_says_why(tier: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("evo.sandbox.tiers.zygote_program", lambda: b"no seccomp program")
    with pytest.raises(SandboxFault, match=r"does not start: OSError: \[Errno 22\] Invalid argument"):
        Zygote(tier, Limits(), tmp_path)


@pytest.mark.parametrize("tier", TIERS)
def test_state_of_the_interpreter_does_not_pass_between_runs(tier: str) -> None:
    spoil = "import builtins, math, sys\nbuiltins.len = None\nmath.floor = None\nsys.modules['json'] = None\ndef f(x): return x + 1"
    use = "import json, math\ndef f(x): return len([math.floor(1.5), json.loads('1')])"
    with SandboxPool(tier=tier) as pool:
        assert pool.run(Job(spoil, CHECK, "f")).passed
        assert pool.run(Job(use, CHECK, "f")).passed


@pytest.mark.parametrize("tier", TIERS)
def test_a_killed_zygote_or_worker_costs_a_retry_and_no_verdict(tier: str) -> None:
    others = descendants(os.getpid())
    with SandboxPool(tier=tier) as pool:
        assert pool.run(HONEST).passed
        for choose in (min, max, sorted):
            below = descendants(os.getpid()) - others
            for victim in below if choose is sorted else [choose(below)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
            time.sleep(0.05)
            assert pool.run(HONEST).passed


@pytest.mark.parametrize("tier", TIERS)
def test_a_zygote_serves_many_runs(tier: str) -> None:
    spoil = "import os\ndef f(x):\n    open('left', 'w').close()\n    try: os.chmod('.', 0)\n    except OSError: pass\n    return x + 1"
    with SandboxPool(tier=tier) as pool:
        before = oldest_descendants(pool)
        for job in [HONEST, Job(spoil, CHECK, "f"), Job("import os\ndef f(x): os._exit(0)", CHECK, "f")] * 10:
            pool.run(job)
        assert oldest_descendants(pool) == before


def oldest_descendants(pool: SandboxPool) -> list[int]:
    """The worker and its zygote (and bubblewrap between them): what is replaced where something went wrong."""
    process = pool._workers[0]._process
    assert process is not None
    return [process.pid, *sorted(descendants(process.pid))[: 1 + (pool.tier == BUBBLEWRAP)]]


def test_machinery_that_fails_twice_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with SandboxPool() as pool:
        monkeypatch.setattr(sys, "executable", "/bin/false")
        pool._workers[0]._kill()
        with pytest.raises(SandboxFault):
            pool.run(HONEST)
        monkeypatch.undo()
        assert pool.run(HONEST).passed


@pytest.mark.parametrize("tier", TIERS)
def test_nothing_is_left_when_it_ends(tier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = descendants(os.getpid())
    with SandboxPool(2, tier=tier) as pool, ThreadPoolExecutor(2) as threads:
        list(threads.map(pool.run, [HONEST] * 10))
        assert len(descendants(os.getpid()) - before) >= 4
        assert list(tmp_path.iterdir())
    assert wait_until(lambda: descendants(os.getpid()) <= before)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tier", TIERS)
def test_nothing_runs_on_when_the_program_is_killed(tier: str, tmp_path: Path) -> None:
    script = (
        "import sys; from evo.sandbox import *\n"
        f"with SandboxPool(limits=Limits(wall_seconds=1), tier={tier!r}) as pool:\n"
        f"    pool.run({HONEST!r}); print('ready', flush=True)\n"
        f"    pool.run(Job('def f(x):\\n    while True: pass', {CHECK!r}, 'f'))\n"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "ready\n"
    time.sleep(0.3)
    below = descendants(program.pid)
    assert len(below) >= 3
    program.kill()
    program.wait()
    assert wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below))


def test_leaving_ends_a_run_in_another_thread() -> None:
    with SandboxPool() as pool:
        outcome: list[object] = []

        def run() -> None:
            try:
                outcome.append(pool.run(Job("def f(x):\n    while True: pass", CHECK, "f")))
            except SandboxFault as error:
                outcome.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(0.3)
    thread.join(10)
    assert len(outcome) == 1


def resources(pid: int) -> tuple[int, int]:
    """Open descriptors and resident kilobytes of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return len(list(Path(f"/proc/{pid}/fd").iterdir())), int(status.partition("VmRSS:")[2].split()[0])


@pytest.mark.parametrize("tier", TIERS)
def test_in_a_pause_children_are_made_for_the_next_runs_in_bounded_number(tier: str) -> None:
    with SandboxPool(tier=tier) as pool:
        for _ in range(3):
            for _ in range(7):
                assert pool.run(HONEST).passed
            worker, *_, zygote = oldest_descendants(pool)
            assert wait_until(lambda: len(descendants(zygote)) >= ENOUGH)  # noqa: B023
            time.sleep(0.1)
            assert ENOUGH <= len(descendants(zygote)) <= MOST
            assert len(descendants(worker)) <= MOST + 1 + (tier == BUBBLEWRAP)


@given(everywhere=st.sets(st.integers(0, 500), min_size=1), workers=st.integers(1, 64))
def test_workers_share_the_processors_out(everywhere: set[int], workers: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processors, "available", lambda: tuple(everywhere))
        shares = processors.shares(workers)
    assert len(shares) == workers
    assert set().union(*shares) == everywhere
    if workers <= len(everywhere):
        assert sorted(number for share in shares for number in share) == sorted(everywhere)
        assert max(map(len, shares)) - min(map(len, shares)) <= 1
    else:
        assert all(set(share) == everywhere for share in shares)


@pytest.mark.skipif(len(processors.available()) < 2, reason="one processor: nothing to share out")
def test_a_run_is_on_its_workers_processors_until_it_takes_long() -> None:
    code = "import os, time\ndef f(seconds):\n    time.sleep(seconds)\n    return sorted(os.sched_getaffinity(0))\n"
    where = "def check(candidate):\n    first = candidate(0)\n    assert len(first) == 1\n"
    later = f"    assert candidate(0.3) == {sorted(processors.available())}\n"
    with SandboxPool(2) as pool, ThreadPoolExecutor(2) as threads:
        for verdict in threads.map(pool.run, [Job(code, where + later, "f", reveal=True)] * 8):
            assert verdict.passed, verdict


def test_two_thousand_runs_leak_nothing() -> None:
    jobs = [HONEST, Job("def f(x): return x", CHECK, "f"), Job("import os\ndef f(x): os._exit(0)", CHECK, "f")]
    with SandboxPool() as pool:
        for job in jobs * 100:
            pool.run(job)
        worker = pool._workers[0]._process
        assert worker is not None
        before, here, below = resources(worker.pid), resources(os.getpid()), len(descendants(os.getpid()))
        for job in jobs * 667:
            pool.run(job)
        after = resources(worker.pid)
        assert after[0] <= before[0] + MOST
        assert after[1] <= before[1] + 2048
        assert resources(os.getpid())[0] <= here[0]
        assert len(descendants(os.getpid())) <= below + MOST


ORPHAN = """
import os, sys, time
from evo.sandbox.inside.confine import Confinement
confinement, zygote = Confinement({}, b""), os.getpid()
if os.fork() == 0:
    while os.getppid() == zygote:
        time.sleep(0.01)
    print("orphan", flush=True)
    confinement.enter()
    print("goes on", flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_child_whose_zygote_has_ended_ends_too() -> None:
    """Its connection leads nowhere and nobody else would end it."""
    done = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.split("\n") == ["orphan", ""]
