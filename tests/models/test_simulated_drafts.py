"""Every draft runs as its defect says, in the real sandbox, after the real extraction."""

import random
from pathlib import Path

import pytest

from evo.errors import UserError
from evo.models.simulated import Defect, SimulatedBackend, drafts_of
from evo.pipeline import extract_code
from evo.sandbox import Job, SandboxPool
from evo.tasks import Check, Mode, Problem, load_problems

HUMANEVAL = load_problems("humaneval")
MBPP_FILE = Path(__file__).parents[3] / "shared" / "data" / "sanitized-mbpp.json"
SAMPLE = 20
SLOW = {"Mbpp/123"}  # its own reference takes seconds


def extracted(problem, draft, *, prelude=True):
    return extract_code(draft.answer, stub=problem.stub, entry_point=problem.entry_point, prelude=prelude)


def toy(reference, entry_point="f"):
    check = Check("def check(candidate):\n    assert candidate() == 1\n", 1)
    return Problem("Toy/0", "toy", "Return 1.", entry_point, "", check, check, reference)


def check_in_sandbox(problems):
    backend = SimulatedBackend(problems)
    with SandboxPool(1) as sandbox:
        for problem in problems:
            for draft in drafts_of(problem):
                code = extracted(problem, draft)
                for check in (problem.visible, problem.hidden):
                    if check:
                        ran = sandbox.run(Job(code, check.source, problem.entry_point))
                        told = backend.verdict(problem, code, check)
                        seen = (ran.status, ran.error_type)
                        assert seen == (told.status, told.error_type), (problem.id, draft.defect, draft.variant)


def test_humaneval_drafts_run_as_they_should():
    check_in_sandbox(random.Random(3).sample(HUMANEVAL, SAMPLE))


def test_mbpp_drafts_run_as_they_should():
    if not MBPP_FILE.exists():
        pytest.skip(f"LOUD: {MBPP_FILE.name} is not there, so MBPP's drafts were not run")
    problems = [p for p in load_problems(str(MBPP_FILE), mode=Mode.ALL) if p.id not in SLOW]
    check_in_sandbox(random.Random(3).sample(problems, SAMPLE))


@pytest.mark.parametrize("prelude", [True, False])
def test_extraction_keeps_what_identifies_a_draft(prelude):
    backend = SimulatedBackend(HUMANEVAL)
    for problem in HUMANEVAL[::8]:
        for draft in drafts_of(problem):
            code = extracted(problem, draft, prelude=prelude)
            assert draft.mark in code
            assert backend.oracle(problem.id, code) is draft.defect
            assert backend.oracle(HUMANEVAL[1].id, code) is None or problem is HUMANEVAL[1]


def test_drafts_are_the_same_every_time_and_all_different():
    for problem in HUMANEVAL:
        drafts = drafts_of(problem)
        assert drafts == drafts_of(problem)
        assert drafts[0].defect is Defect.CORRECT
        assert {draft.defect for draft in drafts} == set(Defect)
        for draft in drafts:
            assert [other.mark in draft.code for other in drafts].count(True) == 1


def test_syntax_drafts_alone_do_not_parse():
    for problem in HUMANEVAL:
        for draft in drafts_of(problem):
            try:
                compile(draft.code, "draft", "exec")
            except SyntaxError:
                assert draft.defect is Defect.SYNTAX
            else:
                assert draft.defect is not Defect.SYNTAX


def values(reference, *arguments):
    """What the correct draft returns, and what each wrong one does."""
    found = []
    for draft in drafts_of(toy(reference)):
        if draft.defect in (Defect.CORRECT, Defect.VALUE):
            space = {}
            exec(draft.code, space)
            found.append(space["f"](*arguments))
    return found[0], found[1:]


@pytest.mark.parametrize(
    "value",
    [None, True, False, 0, 1, 0.0, 1e18, -2.5, 1j, "", "aa", [], [1], (), (1, 2), set(), {1}, frozenset(), {}, {1: 2}]
)  # fmt: skip
def test_wrong_values_are_never_right(value):
    right, wrong = values("def f(x):\n    return x\n", value)
    assert right == value
    assert all(other != value for other in wrong)


def test_recursion_reaches_the_unchanged_function():
    right, wrong = values("def f(n):\n    return 1 if n < 2 else n * f(n - 1)\n", 5)
    assert (right, wrong) == (120, [121, 119, 130])


@pytest.mark.parametrize(
    ("reference", "fault"),
    [("def f(:\n", "Toy/0: its reference is no Python"), ("def g():\n    return 1\n", "does not define f")],
)
def test_an_unusable_reference_is_named(reference, fault):
    with pytest.raises(UserError, match=fault) as raised:
        drafts_of(toy(reference))
    assert "\n" not in str(raised.value)
