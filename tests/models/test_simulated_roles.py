"""The simulated planner and tester, and the pool in which loops do not help."""

from dataclasses import replace

import pytest

from evo.models import Chat, Message, Sampling
from evo.models.simulated import Defect, PoolParameters, SimulatedBackend, drafts_of
from evo.pipeline.asserts import own_tests
from evo.sandbox import Job, SandboxPool
from evo.tasks import load_problems

PROBLEMS = load_problems("humaneval")
PARAMETERS = PoolParameters.fitted()
POOL = SimulatedBackend(PROBLEMS)


def chat(problem, role, text="", seed=0):
    messages = (Message("user", f"Problem:\n{problem.prompt}\n\n{text}\n\nTask:\nDo."),)
    return Chat("llama3.2:3b", messages, seed, 0.3, 512, Sampling(), problem.id, role)


def solves(backend, request):
    return sum(
        chance
        for chance, text in backend.distribution(request)
        if backend.oracle(request.problem, text) is Defect.CORRECT
    )


def written_by(problem):
    return [
        (chance, own_tests(text, problem.entry_point)) for chance, text in POOL.distribution(chat(problem, "tester"))
    ]


def test_an_assert_is_right_with_the_known_chance():
    for problem in PROBLEMS[:20]:
        written = written_by(problem)
        assert sum(chance for chance, _ in written) == pytest.approx(1)
        most = max(len(tests) for _, tests in written)
        if most:
            right = sum(chance * sum("_sim_wrong" not in test.source for test in tests) for chance, tests in written)
            assert right / most == pytest.approx(PARAMETERS.testing)
    assert sum(bool(written_by(problem)[0][1]) for problem in PROBLEMS) > 100


async def test_sampled_testers_follow_the_distribution():
    request = chat(PROBLEMS[0], "tester")
    answers = [(await POOL.chat(replace(request, seed=seed))).text for seed in range(2000)]
    for chance, text in POOL.distribution(request):
        assert abs(answers.count(text) / 2000 - chance) < 4 * (chance * (1 - chance) / 2000) ** 0.5


def test_the_oracle_says_of_asserts_what_running_them_says():
    problem = PROBLEMS[0]
    chosen = {test.source: test for _, tests in written_by(problem) for test in tests}
    assert len(chosen) == 6
    with SandboxPool() as sandbox:
        for draft in drafts_of(problem):
            for test in chosen.values():
                known = POOL.verdict(problem, draft.code, test)
                ran = sandbox.run(Job(draft.code, test.source, problem.entry_point))
                assert (known.passed, known.error_type) == (ran.passed, ran.error_type)


def test_a_plan_helps_a_little():
    problem = min(PROBLEMS, key=lambda p: abs(solves(POOL, chat(p, "generator")) - 0.5))
    ((chance, plan),) = POOL.distribution(chat(problem, "planner"))
    assert chance == 1.0
    gain = solves(POOL, chat(problem, "generator", f"Plan:\n```\n{plan}\n```")) - solves(
        POOL, chat(problem, "generator")
    )
    assert 0 < gain < 0.05
    without = SimulatedBackend(PROBLEMS, parameters=replace(PARAMETERS, planning=0.0))
    assert solves(without, chat(problem, "generator", plan)) == solves(without, chat(problem, "generator"))


def test_in_a_pool_without_repair_no_wrong_draft_is_mended():
    hopeless = SimulatedBackend(PROBLEMS, parameters=PARAMETERS.without_repair())
    for problem in PROBLEMS[:30]:
        for draft in drafts_of(problem):
            request = chat(problem, "refiner", f"Code:\n{draft.answer}")
            expected = 0.0 if draft.defect is not Defect.CORRECT else solves(POOL, request)
            assert solves(hopeless, request) == expected
        assert solves(hopeless, chat(problem, "generator")) == solves(POOL, chat(problem, "generator"))
