"""Every canonical solution passes all its tests in our sandbox, in every suite and mode."""

from pathlib import Path

import pytest

from evo.sandbox import Job, Limits, SandboxPool
from evo.tasks import Mode, load_problems

SHARED = Path(__file__).parents[3] / "shared" / "data"
LIMITS = Limits()
MBPP, PLUS = SHARED / "sanitized-mbpp.json", SHARED / "MbppPlus.jsonl"


@pytest.fixture(scope="module")
def pool():
    # The sandbox's own limits, but for wall time: a loaded machine must not fail a slow reference.
    with SandboxPool(1, Limits(wall_seconds=60)) as sandbox:
        yield sandbox


def file(path):
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the repository (shared/data)")
    return str(path)


def failures(pool, problems, cpu_seconds=LIMITS.cpu_seconds):
    """(problem, verdict) of every reference that does not pass in time, visible and hidden tests apart."""
    found = []
    for problem in problems:
        checks = {problem.visible.source: problem.visible, problem.hidden.source: problem.hidden}
        for check in filter(None, checks.values()):
            verdict = pool.run(Job(problem.reference, check.source, problem.entry_point))
            in_time = verdict.cpu_seconds < cpu_seconds
            if not (verdict.passed and in_time and verdict.units == verdict.passed_units == check.units):
                found.append((problem.id, verdict))
    return found


@pytest.mark.parametrize("mode", Mode)
def test_humaneval(pool, mode):
    problems = load_problems("humaneval", mode=mode, seed=7)
    assert len(problems) == 164
    assert failures(pool, problems) == []


@pytest.mark.parametrize("mode", Mode)
def test_mbpp(pool, mode):
    problems = load_problems(file(MBPP), mode=mode, seed=7)
    assert len(problems) == 427
    assert failures(pool, problems) == []


def test_mbpp_plus(pool):
    problems = load_problems(file(PLUS), mode=Mode.ALL)
    assert len(problems) == 399
    # The reference runs a second time, as the oracle: half of the limit leaves room for both.
    assert failures(pool, problems, cpu_seconds=LIMITS.wall_seconds / 2) == []
