"""True rates of the study's pipelines under the simulated pool, against sampled runs of the same pipelines."""

import math
from pathlib import Path

import pytest

from evo.evaluation import Purpose, seeds_for
from evo.evaluation.truth import true_rates
from evo.genome import read_genome
from evo.models.simulated import Defect, SimulatedBackend
from evo.pipeline import Execute, PipelineSettings, PromptBook, compile_genome, run
from evo.resources import resource_folder
from evo.tasks import Mode, load_problems

PROBLEMS = load_problems("humaneval", mode=Mode.ALL)[3::28]  # 6 of 164
REPLICATES = 40


def plan_of(name, **settings):
    genome = read_genome(Path(resource_folder("genomes")) / f"{name}.json")
    return compile_genome(genome, PipelineSettings(**settings), PromptBook.load())


@pytest.fixture(scope="module")
def backend():
    return SimulatedBackend(PROBLEMS, models=("qwen2.5:1.5b", "llama3.2:3b"))


async def played(plan, problem, backend, replicate):
    """Whether one run with seeds of its own solves the problem."""
    pipeline = run(plan, problem, seeds_for(0, Purpose.SELF_TEST, problem.id, replicate))
    effects = next(pipeline)
    while True:
        replies = [
            backend.verdict(problem, effect.code, effect.tests or problem.visible)
            if isinstance(effect, Execute)
            else await backend.chat(effect)
            for effect in effects
        ]
        try:
            effects = pipeline.send(tuple(replies))
        except StopIteration as end:
            return backend.oracle(problem.id, end.value.answer) is Defect.CORRECT


@pytest.mark.parametrize(
    ("name", "early_stopping"),
    [("solo", True), ("study-temp0", True), ("study-v2", True), ("study-v3", True), ("study-v2", False)],
)
async def test_sampled_runs_agree(name, early_stopping, backend):
    plan = plan_of(name, early_stopping=early_stopping)
    rates = true_rates(plan, PROBLEMS, backend, backend.verdict)
    solved = [await played(plan, problem, backend, n) for problem in PROBLEMS for n in range(REPLICATES)]
    variance = sum(rate * (1 - rate) for rate in rates.values()) * REPLICATES
    assert abs(sum(solved) - REPLICATES * sum(rates.values())) < 4 * math.sqrt(variance) + 1


def test_feedback_helps_and_breaking_hurts(backend):
    def rate(name, **settings):
        return sum(true_rates(plan_of(name, **settings), PROBLEMS[:3], backend, backend.verdict).values())

    assert rate("study-v3") > rate("study-temp0")
    assert rate("study-v2", early_stopping=False) < rate("study-v2")
