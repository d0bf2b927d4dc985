"""The simulated pool keeps its promises: known distributions, common random numbers, the study's figures."""

import math
import time
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.errors import UserError
from evo.models import Chat, Message, ModelMissing, Sampling
from evo.models.simulated import Defect, PoolParameters, SimulatedBackend, drafts_of
from evo.models.simulated.response import difficulty
from evo.tasks import load_problems

PROBLEMS = load_problems("humaneval")
PARAMETERS = PoolParameters.fitted()
POOL = ("gemma3:1b", "qwen2.5:1.5b", "llama3.2:3b")
# Without the effect of a prompt, and at the best temperature: what the fit is about.
PLAIN = SimulatedBackend(PROBLEMS, models=PARAMETERS.models, parameters=replace(PARAMETERS, prompt_sd=1e-9))


def chat(problem, model="llama3.2:3b", *, text="", role="generator", seed=0, prompt="", temperature=0.3):
    messages = (Message("user", f"Problem:\n{problem.prompt}\n\n{text}\n\nTask:\n{prompt}"),)
    return Chat(model, messages, seed, temperature, 512, Sampling(), problem.id, role)


def refine(problem, defect, model="llama3.2:3b", *, diagnosis="", **fields):
    draft = next(d for d in drafts_of(problem) if d.defect is defect)
    return chat(problem, model, text=f"Code:\n{draft.answer}\n\n{diagnosis}", role="refiner", **fields)


def correct(request, backend=PLAIN):
    return chances(request, backend)[Defect.CORRECT]


def chances(request, backend=PLAIN):
    found = Counter()
    for chance, text in backend.distribution(request):
        found[backend.oracle(request.problem, text)] += chance
    return found


def solvable():
    return [p for p in PROBLEMS if difficulty(PARAMETERS.salt, PARAMETERS.never_solved, p.id) < math.inf]


# -- figures of the study --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "solved"), [("llama3.2:3b", 76.6), ("qwen2.5-coder:3b", 133.6), ("qwen2.5:1.5b", 69.0)]
)
def test_first_drafts_solve_as_many_as_published(model, solved):
    # The fitted numbers are rounded to 4 digits: within 0.05 of 164 problems.
    assert sum(correct(chat(p, model)) for p in PROBLEMS) == pytest.approx(solved, abs=0.05)


def test_runs_spread_as_published():
    rates = [correct(chat(p)) for p in PROBLEMS]
    assert math.sqrt(sum(rate * (1 - rate) for rate in rates)) == pytest.approx(3.7, abs=0.05)


def test_wrong_first_drafts_have_the_published_shares():
    found = chances(chat(PROBLEMS[0]))
    wrong = 1 - found[Defect.CORRECT]
    for defect, number in ((Defect.NAME, 23), (Defect.SYNTAX, 3), (Defect.TYPE, 6), (Defect.VALUE, 63)):
        assert found[defect] / wrong == pytest.approx(number / 95)


def test_seven_problems_are_never_solved():
    never = [p for p in PROBLEMS if correct(chat(p, "qwen2.5-coder:3b")) == 0]
    assert len(never) == 7
    assert all(correct(refine(p, defect)) == 0 for p in never for defect in Defect if defect is not Defect.CORRECT)


@pytest.mark.parametrize(("model", "broken"), [("llama3.2:3b", 43 / 69), ("qwen2.5-coder:3b", 19 / 132)])
def test_three_refinements_break_as_many_as_published(model, broken):
    assert 1 - correct(refine(PROBLEMS[0], Defect.CORRECT, model)) ** 3 == pytest.approx(broken, abs=0.001)


def test_names_are_mended_and_values_seldom():
    for problem in solvable():
        values, names = (correct(refine(problem, defect)) for defect in (Defect.VALUE, Defect.NAME))
        assert values < names <= correct(refine(problem, Defect.SYNTAX))


# -- behaviour -------------------------------------------------------------------------------------------------------


def test_a_failed_repair_mostly_keeps_its_defect():
    for defect in (Defect.NAME, Defect.SYNTAX, Defect.TYPE, Defect.VALUE):
        found = chances(refine(solvable()[0], defect))
        assert found[defect] >= 0.9 * (1 - found[Defect.CORRECT])


@given(
    st.sampled_from(PROBLEMS),
    st.sampled_from(PARAMETERS.models),
    st.sampled_from([None, *Defect]),
    st.text(max_size=20),
    st.floats(0, 2),
)
def test_distributions_are_distributions(problem, model, defect, prompt, temperature):
    backend = SimulatedBackend(PROBLEMS)
    fields = {"prompt": prompt, "temperature": temperature}
    request = chat(problem, model, **fields) if defect is None else refine(problem, defect, model, **fields)
    answers = backend.distribution(request)
    assert sum(chance for chance, _ in answers) == pytest.approx(1)
    assert all(chance > 0 for chance, _ in answers)
    assert len({text for _, text in answers}) == len(answers)


async def test_samples_follow_the_distribution():
    problem = min(PROBLEMS, key=lambda p: abs(correct(chat(p)) - 0.5))
    drawn = Counter([(await PLAIN.chat(chat(problem, seed=seed))).text for seed in range(4000)])
    for chance, text in PLAIN.distribution(chat(problem)):
        assert abs(drawn[text] / 4000 - chance) < 4 * math.sqrt(chance * (1 - chance) / 4000) + 1e-3


async def test_common_random_numbers_order_the_models():
    """With the same seed, what the weaker model solves the stronger one solves too."""
    for seed in range(20):
        for problem in PROBLEMS[::10]:
            solved = [
                PLAIN.oracle(problem.id, (await PLAIN.chat(chat(problem, model, seed=seed))).text) is Defect.CORRECT
                for model in (*POOL, "qwen2.5-coder:3b")
            ]
            assert solved == sorted(solved)


async def test_an_answer_depends_on_the_request_alone():
    requests = [chat(problem, seed=seed, prompt="Do.") for problem in PROBLEMS[:20] for seed in range(5)]
    one, other = SimulatedBackend(PROBLEMS), SimulatedBackend(PROBLEMS[::-1])
    first = [await one.chat(request) for request in requests]
    assert first == [await other.chat(request) for request in reversed(requests)][::-1]
    assert all(answer.seconds == 0.0 and answer.prompt_tokens > 0 < answer.completion_tokens for answer in first)


async def test_prompt_and_temperature_have_small_effects():
    backend, problem = SimulatedBackend(PROBLEMS), min(PROBLEMS, key=lambda p: abs(correct(chat(p)) - 0.5))
    prompted = [correct(chat(problem, prompt=str(n)), backend) for n in range(50)]
    assert len(set(prompted)) == 50
    assert max(prompted) - min(prompted) < 0.2
    assert correct(chat(problem, temperature=1.2)) < correct(chat(problem, temperature=0.5)) < correct(chat(problem))


async def test_an_analysis_names_the_defect_and_helps_with_wrong_values():
    problem = max(solvable(), key=lambda p: correct(refine(p, Defect.VALUE)))
    gains = {}
    for defect in (Defect.NAME, Defect.SYNTAX, Defect.TYPE, Defect.VALUE):
        ((chance, diagnosis),) = PLAIN.distribution(replace(refine(problem, defect), role="analyzer"))
        assert chance == 1.0
        assert diagnosis.startswith(defect.value)
        gains[defect] = correct(refine(problem, defect, diagnosis=diagnosis)) - correct(refine(problem, defect))
    assert gains.pop(Defect.VALUE) > 0
    assert set(gains.values()) == {0.0}


async def test_a_refiner_without_code_writes_from_nothing():
    problem = PROBLEMS[0]
    assert chances(chat(problem, role="refiner")) == pytest.approx(chances(chat(problem)))


# -- the face of a backend -------------------------------------------------------------------------------------------


async def test_describes_itself_as_simulated():
    backend = SimulatedBackend(PROBLEMS)
    assert backend.models == POOL
    assert (backend.name, backend.simulated, backend.slots(POOL[0])) == ("simulated", True, 64)
    infos = [await backend.describe(model) for model in POOL]
    assert {info.server_version for info in infos} == {"SIMULATED"}
    assert len({info.digest for info in infos}) == len(POOL)
    other = SimulatedBackend(PROBLEMS, parameters=replace(PARAMETERS, keeping=0.5))
    assert (await other.describe(POOL[0])).digest != infos[0].digest
    await backend.aclose()


async def test_unknown_models_and_problems_are_named():
    with pytest.raises(ModelMissing, match=r"no model 'gpt'; choose from gemma3:1b, qwen2\.5:1\.5b"):
        SimulatedBackend(PROBLEMS, models=["gpt"])
    backend = SimulatedBackend(PROBLEMS[:1])
    with pytest.raises(ModelMissing, match="no model 'gpt'"):
        await backend.describe("gpt")
    with pytest.raises(UserError, match=f"not told of problem '{PROBLEMS[1].id}'"):
        await backend.chat(chat(PROBLEMS[1]))


def test_foreign_code_has_no_oracle():
    assert PLAIN.oracle(PROBLEMS[0].id, "def f():\n    return 1\n") is None
    with pytest.raises(ValueError, match="no draft"):
        PLAIN.verdict(PROBLEMS[0], "def f():\n    return 1\n", PROBLEMS[0].visible)


async def test_calls_are_fast():
    requests = [refine(problem, Defect.VALUE, seed=seed) for problem in PROBLEMS[:40] for seed in range(5)]
    for request in requests:
        await PLAIN.chat(request)
    seconds = []
    for request in requests:
        begin = time.perf_counter()
        await PLAIN.chat(request)
        seconds.append(time.perf_counter() - begin)
    assert sorted(seconds)[len(seconds) // 2] < 100e-6
