"""The job of evo.solve: a pipeline at work on the user's own tasks, where an answer is wanted and not a score."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from evo.errors import EvoError
from evo.evaluation import Measurement, Purpose
from evo.genome import Genome
from evo.models import CallFailed
from evo.pipeline import Trace, compile_genome
from evo.run.bench import open_bench
from evo.run.folder import RunFolder, write_text
from evo.run.identity import settle
from evo.run.live import live, run_anywhere
from evo.run.result import Observer, Progress
from evo.run.session import free_name
from evo.run.settings import parse_settings
from evo.sandbox import SandboxFault, Verdict
from evo.tasks import TestFile

__all__ = ["Solution", "one_task", "solve"]


@dataclass(frozen=True, slots=True)
class Solution:
    """One task worked on. verdict: of the answer against all of the task's tests. attempts: runs of the pipeline."""

    task: str
    trace: Trace
    verdict: Verdict
    attempts: int
    simulated: bool


def one_task(folder: Path, prompt: str, tests: TestFile) -> Path:
    """A file of one task in the JSONL format of docs/tasks.md."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "task.jsonl"
    task = {"id": tests.entry_point, "prompt": prompt, **asdict(tests)}
    write_text(path, json.dumps(task, ensure_ascii=False) + "\n")
    return path


def solve(
    genome: Genome,
    tasks: str,
    *,
    attempts: int = 1,
    config: str | None = None,
    run: str | None = None,
    observer: Observer | None = None,
    changes: Mapping[str, str] | None = None,
) -> tuple[Solution, ...]:
    """Run a genome's pipeline on each task of a JSONL file or suite, anew until its tests pass, ``attempts`` times at
    most.

    Every test may give feedback (mode ``all``): what is wanted is a program that passes. Raises UserError for bad
    input, EvoError if a call or the sandbox fails.
    """
    models = sorted({node.model for node in genome.nodes if node.model})
    defaults = {"tasks.benchmark": tasks, "tasks.mode": "all", "tasks.problems": "1", "run.limit_minutes": "0"}
    defaults["run.limit_calls"] = "0"
    defaults["models.models"] = " ".join(models)
    observer = observer or Observer()
    with RunFolder.named(run or free_name("solve")) as folder:
        text = settle(folder, config, defaults | dict(changes or {}))
        settings = parse_settings(text, config or str(folder.config))

        async def job() -> tuple[Solution, ...]:
            async with open_bench(settings, text, folder, observer) as bench:
                plan = compile_genome(genome, settings.pipeline_settings, bench.prompts)
                found = []
                async with live(bench, Progress(folder.name, settings, phase="solving"), observer, str(folder.path)):
                    for problem in bench.problems:
                        for attempt in range(attempts):
                            wanted = Measurement(plan, problem, Purpose.VALIDATION, attempt)
                            try:
                                trace, verdict = await bench.scheduler.trace(wanted)
                            except (CallFailed, SandboxFault) as fault:
                                raise EvoError(f"{problem.id}: {fault}; run the same command again") from fault
                            if verdict.passed:
                                break
                        simulated = bench.pool.backend.simulated
                        found.append(Solution(problem.id, trace, verdict, attempt + 1, simulated))
                return tuple(found)

        try:
            return run_anywhere(job())
        finally:
            observer.ended()
