"""run: effects in, trace out, against scripted replies."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipeline_kit import PASSED, STUB, Stage, failed, fenced, linear, play
from test_plan_compile import compiled, pipelines

from evo.genome.genes import Feedback
from evo.models.chat import Chat
from evo.pipeline import Plan
from evo.sandbox.verdict import FailedAssert, Status, Verdict
from evo.tasks.problem import Check, Problem

Build = Callable[..., Plan]


def numbered(chat: Chat) -> str:
    """A different draft at every call."""
    return fenced(f"return {chat.seed}")


def never(code: str) -> Verdict:
    return failed()


def test_solo_is_one_call_and_no_execution(build: Build, problem: Problem) -> None:
    played = play(build(linear(execute=False)), problem, numbered, never)
    assert len(played.effects) == 1
    assert played.trace.answer == "def add(a):\n    return 100"
    assert not played.trace.stopped_early
    chat = played.chats[0]
    assert (chat.model, chat.seed, chat.temperature, chat.problem, chat.role) == (
        "small",
        100,
        0.4,
        "Test/0",
        "generator",
    )


def test_early_stopping_ends_at_the_first_visible_pass(build: Build, problem: Problem) -> None:
    plan = build(linear(Stage(iterations=3)))
    played = play(plan, problem, numbered, lambda code: PASSED if "101" in code else failed())
    assert [step.role for step in played.trace.steps] == ["generator", "executor", "refiner", "executor"]
    assert played.trace.answer.endswith("return 101")
    assert played.trace.stopped_early
    assert played.trace.calls == 2
    assert played.trace.tokens == 30


def test_a_pass_at_the_very_end_is_not_early(build: Build, problem: Problem) -> None:
    plan = build(linear(Stage(iterations=1)))
    played = play(plan, problem, numbered, lambda code: PASSED if "101" in code else failed())
    assert played.trace.answer.endswith("return 101")
    assert not played.trace.stopped_early


def test_without_early_stopping_every_iteration_is_made_and_the_last_draft_is_the_answer(
    build: Build, problem: Problem
) -> None:
    plan = build(linear(Stage(iterations=3)), early_stopping=False)
    played = play(plan, problem, numbered, lambda code: PASSED if "100" in code else failed(1))
    assert played.trace.calls == 4
    assert len(played.executed) == 4
    assert played.trace.answer.endswith("return 103")
    assert "All shown tests pass." in played.chats[1].messages[0].content


def test_when_nothing_passes_the_draft_with_most_visible_units_wins_and_the_latest_of_equals(
    build: Build, problem: Problem
) -> None:
    passed = {"100": 0, "101": 2, "102": 2, "103": 1}
    played = play(build(linear(Stage(iterations=3))), problem, numbered, lambda code: failed(passed[code.split()[-1]]))
    assert played.trace.answer.endswith("return 102")


def test_stages_follow_each_other(build: Build, problem: Problem) -> None:
    plan = build(
        linear(
            Stage(prompt="fix", iterations=2),
            Stage(prompt="rewrite", model="huge", iterations=1, analyzer="cause"),
        )
    )
    played = play(plan, problem, numbered, never)
    assert [(chat.role, chat.model) for chat in played.chats] == [
        ("generator", "small"),
        ("refiner", "big"),
        ("refiner", "big"),
        ("analyzer", "huge"),
        ("refiner", "huge"),
    ]
    assert [chat.seed for chat in played.chats] == [100, 101, 102, 103, 104]
    assert len(played.executed) == 4
    assert [step.iteration for step in played.trace.steps if step.node == 2] == [0, 1]
    assert [step.position for step in played.trace.steps if step.role != "executor"] == [0, 1, 2, 3, 4]


def test_no_visible_tests_count_as_nothing_failed(build: Build, problem: Problem) -> None:
    played = play(build(linear(Stage())), problem, numbered, lambda code: Verdict(Status.NO_CALL))
    assert played.trace.calls == 1
    assert played.trace.stopped_early
    uncalled = play(build(linear(Stage())), problem, numbered, lambda code: Verdict(Status.NO_CALL, units=3))
    assert uncalled.trace.calls == 2


def test_an_answer_without_code_keeps_the_draft_and_the_verdict_is_reused(build: Build, problem: Problem) -> None:
    script = iter([fenced("return 1"), "I cannot help with that.", fenced("return 1"), fenced("return 2")])
    played = play(build(linear(Stage(iterations=3))), problem, lambda chat: next(script), never)
    drafts = [step.code for step in played.trace.steps if step.role == "executor"]
    assert [draft[-1] for draft in drafts] == ["1", "1", "1", "2"]
    assert len(played.executed) == 2


def test_a_generator_without_code_yields_nothing(build: Build, problem: Problem) -> None:
    played = play(build(linear(execute=False)), problem, lambda chat: "Sorry.", never)
    assert played.trace.answer == ""


def test_messages_begin_with_what_calls_share(build: Build, problem: Problem) -> None:
    verdict = Verdict(
        Status.ASSERTION,
        "AssertionError",
        failed=FailedAssert("assert candidate([1]) == 1", "candidate([1])", "2", "1"),
        units=3,
    )
    plan = build(linear(Stage(analyzer="cause")))
    played = play(
        plan, problem, lambda c: "It adds one." if c.role == "analyzer" else numbered(c), lambda code: verdict
    )
    generator, analyzer, refiner = (chat.messages[0].content.split("\n\nTask:\n")[0] for chat in played.chats)
    assert analyzer.startswith(generator)
    assert refiner.startswith(analyzer)
    assert generator == (
        "Problem:\nSum of a. add([1, 2]) == 3\n\n"
        "```python\nfrom typing import List\n\n\ndef add(a: List[int]) -> int:\n```"
    )
    places = [
        refiner.index(part) for part in ("Problem:", "Code:", "Result:", "call: add([1])", "Diagnosis:", "It adds")
    ]
    assert places == sorted(places)
    assert "candidate" not in refiner
    assert all([message.role for message in chat.messages] == ["user"] for chat in played.chats)


def test_a_prompt_in_plain_text_is_not_fenced_and_names_the_function(build: Build, problem: Problem) -> None:
    check = Check("", 0)
    text = Problem("Mbpp/2", "mbpp", "Write a function that adds.", "add", "", check, check, "")
    content = play(build(linear(execute=False)), text, numbered, never).chats[0].messages[0].content
    assert content.startswith("Problem:\nWrite a function that adds.\n\nName of the function: add\n\nTask:\nWrite")


def test_the_prompt_ends_the_message_and_is_the_same_for_every_problem(build: Build, problem: Problem) -> None:
    plan = build(linear(Stage(analyzer="trace")))
    other = Problem("Test/1", "test", "def f(): ...", "f", "def f(): ...", problem.visible, problem.hidden, "")
    first, second = (play(plan, p, numbered, never).chats for p in (problem, other))
    texts = [node.text for node in plan.nodes if node.role.calls_model]
    for chats in (first, second):
        assert [chat.messages[0].content.rpartition("\n\nTask:\n")[2] for chat in chats] == texts


@given(pipelines, st.sampled_from(["fix", "rewrite", "minimal"]), st.sampled_from(Feedback))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_genomes_that_share_a_prefix_make_the_same_calls_there(
    problem: Problem, chain: list[Stage], prompt: str, feedback: Feedback
) -> None:
    longer = [*chain, Stage(prompt=prompt, feedback=feedback, model="huge")]
    first = play(compiled(linear(*chain), early_stopping=False), problem, numbered, never)
    second = play(compiled(linear(*longer), early_stopping=False), problem, numbered, never)
    assert second.chats[: len(first.chats)] == first.chats
    assert [chat.key("x") for chat in second.chats[: len(first.chats)]] == [chat.key("x") for chat in first.chats]


def test_genomes_that_differ_in_the_refiner_share_the_generators_call(build: Build, problem: Problem) -> None:
    one, two = (play(build(linear(Stage(prompt=p))), problem, numbered, never).chats for p in ("fix", "minimal"))
    assert one[0] == two[0]
    assert one[1] != two[1]
    shared, _, _ = one[1].messages[0].content.rpartition("\n\nTask:\n")
    assert two[1].messages[0].content.startswith(shared)


@given(
    pipelines,
    st.booleans(),
    st.lists(st.sampled_from([*map("return {}".format, range(4)), "", "oops("]), min_size=20, max_size=20),
    st.lists(st.integers(0, 3), min_size=20, max_size=20),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_runs_stay_in_budget_and_repeat(
    problem: Problem, chain: list[Stage], early: bool, bodies: list[str], passes: list[int]
) -> None:
    plan = compiled(linear(*chain), early_stopping=early)

    def answers(chat: Chat) -> str:
        return fenced(bodies[chat.seed % 20])

    def verdicts(code: str) -> Verdict:
        score = passes[sum(map(ord, code)) % 20]
        return PASSED if score == 3 else failed(score)

    played = play(plan, problem, answers, verdicts)
    assert len(played.chats) == played.trace.calls <= plan.max_calls
    assert len(played.executed) == len(set(played.executed)) <= plan.max_calls
    assert early or played.trace.calls == plan.max_calls
    assert played == play(plan, problem, answers, verdicts)
    assert [s.position for s in played.trace.steps if s.position is not None] == list(range(played.trace.calls))
    known = {s.code: s.verdict for s in played.trace.steps if s.verdict}
    best = max(v.passed_units for v in known.values())
    if early:
        assert known[played.trace.answer].passed_units == best
    else:
        assert played.trace.answer == played.trace.steps[-1].code


def test_run_ignores_hidden_tests(build: Build, problem: Problem) -> None:
    secret = Check("def check(candidate): assert candidate([41]) == 41", 1, "assert add([41]) == 41")
    guarded = Problem(problem.id, "t", STUB, "add", STUB, problem.visible, secret, "def add(a): return 41")
    played = play(build(linear(Stage(analyzer="cause", iterations=3))), guarded, numbered, never)
    assert not any("41" in message.content for chat in played.chats for message in chat.messages)


@pytest.mark.parametrize("early", [True, False])
def test_a_generator_may_be_closed_at_any_time(build: Build, problem: Problem, early: bool) -> None:
    from evo.pipeline import run

    pipeline = run(build(linear(Stage()), early_stopping=early), problem, lambda position: position)
    next(pipeline)
    pipeline.close()
