"""The fast kernel of the benchmarks against the interpreter that it stands for."""

from random import Random

import pytest

from benchmarks.kernel import Kernel
from benchmarks.simulated import Pool
from evo.evaluation import Measurement, Purpose
from evo.genome import GRAPH, InnovationTracker, Rates, Role, Space, minimal, mutate, read_genome
from evo.pipeline import PipelineSettings
from evo.resources import genome_path

MODELS = ("gemma3:1b", "qwen2.5:1.5b", "llama3.2:3b")
OFTEN = Rates(add_node=0.6, add_branch=0.5, add_edge=0.4, add_loop=0.4, duplicate=0.3, feedback=0.3)
SPACES = {
    "linear": Space(temperature_step=0.2),
    "graph": Space(name="graph", wiring=GRAPH, stages=(0, 4), temperature_step=0.2, max_calls=12, rates=OFTEN),
}


@pytest.fixture(scope="module", params=[True, False], ids=["early stopping", "to the end"])
def pool(request):
    return Pool(MODELS, PipelineSettings(early_stopping=request.param))


@pytest.fixture(scope="module")
def kernel(pool):
    return Kernel(pool.problems, pool.backend)


def random_plans(pool, space, count):
    names = {role.value: pool.prompts.names(role) for role in Role if role.calls_model}
    space, random, tracker = SPACES[space].with_pool(MODELS, names), Random(1), InnovationTracker()
    plans = []
    for _ in range(count):
        genome = minimal(space, random, tracker)
        for _ in range(random.randrange(12)):
            genome = mutate(genome, space, random, tracker)
        plans.append(pool.compile(genome))
    return plans


@pytest.mark.parametrize("space", SPACES)
async def test_it_makes_the_same_cells_and_the_same_number_of_calls(pool, kernel, space):
    pool.new_study()
    kernel.made.clear()
    for plan in random_plans(pool, space, 16):
        wanted = [Measurement(plan, p, Purpose.SEARCH, r) for p in pool.problems[::19] for r in range(3)]
        real = await pool.cells(wanted, seed=3)
        assert [kernel.cell(one, 3) for one in wanted] == list(real)
        assert len(kernel.made) == pool.calls


@pytest.mark.parametrize("name", ["best-of-4", "choose-of-3", "own-tests", "plan-then-code", "study-v3"])
async def test_shipped_genomes_are_among_what_it_walks(pool, kernel, name):
    plan = pool.compile(read_genome(genome_path(name)))
    wanted = [Measurement(plan, p, Purpose.VALIDATION, r) for p in pool.problems[::31] for r in range(4)]
    assert [kernel.cell(one, 5) for one in wanted] == list(await pool.cells(wanted, seed=5))


def test_rates_that_share_their_tables_are_each_plans_own(pool):
    few = pool.problems[::41]
    shared = Kernel(few, pool.backend)
    for plan in [*random_plans(pool, "linear", 3), *random_plans(pool, "graph", 6)]:
        assert shared.rates(plan) == pytest.approx(Kernel(few, pool.backend).rates(plan))
