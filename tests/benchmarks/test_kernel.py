"""The fast kernel of the benchmarks against the interpreter that it stands for."""

from random import Random

import pytest

from benchmarks.kernel import Kernel
from benchmarks.simulated import Pool
from evo.evaluation import Measurement, Purpose
from evo.genome import InnovationTracker, Role, Space, minimal, mutate

MODELS = ("gemma3:1b", "qwen2.5:1.5b", "llama3.2:3b")


@pytest.fixture(scope="module")
def pool():
    return Pool(MODELS)


def random_plans(pool, count):
    names = {role.value: pool.prompts.names(role) for role in (Role.GENERATOR, Role.ANALYZER, Role.REFINER)}
    space, random, tracker = Space(temperature_step=0.2).with_pool(MODELS, names), Random(1), InnovationTracker()
    plans = []
    for _ in range(count):
        genome = minimal(space, random, tracker)
        for _ in range(random.randrange(8)):
            genome = mutate(genome, space, random, tracker)
        plans.append(pool.compile(genome))
    return plans


async def test_it_makes_the_same_cells_and_the_same_number_of_calls(pool):
    pool.new_study()
    kernel = Kernel(pool.problems, pool.backend)
    for plan in random_plans(pool, 12):
        wanted = [Measurement(plan, p, Purpose.SEARCH, r) for p in pool.problems[::13] for r in range(3)]
        real = await pool.cells(wanted, seed=3)
        mine = [kernel.cell(one, 3) for one in wanted]
        assert [(c.solved, c.calls) for c in mine] == [(c.solved, c.calls) for c in real]
    assert abs(len(kernel.made) - pool.calls) <= pool.calls / 200


def test_its_true_rates_are_exact(pool):
    kernel = Kernel(pool.problems, pool.backend)
    for plan in random_plans(pool, 3):
        assert kernel.rates(plan) == pytest.approx(pool.truth(plan))
