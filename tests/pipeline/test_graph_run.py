"""Graphs run against scripted replies: who asks what when, on what, and what comes out."""

import random
from dataclasses import replace

import pytest
from graph_kit import best_of, graph
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipeline_kit import PASSED, Played, failed, fenced, play
from test_plan_compile import compiled, course

from evo.errors import UserError
from evo.genome import GRAPH, OPEN, Genome, InnovationTracker, Space, crossover, faults, minimal, mutate
from evo.genome.genes import Role
from evo.genome.space import Rates
from evo.genome.structure import visits
from evo.models.chat import Chat, Sampling
from evo.pipeline import TAILS, Execute, PromptBook
from evo.sandbox.verdict import FailedAssert, Status, Verdict
from evo.tasks.problem import Check, Problem


def numbered(chat: Chat) -> str:
    return fenced(f"return {chat.seed}")


def never(code: str) -> Verdict:
    return failed()


def drafts_of(played: Played, role: str) -> list[str]:
    return [step.code.split()[-1] for step in played.trace.steps if step.role == role]


def shown(chat: Chat) -> str:
    return chat.messages[0].content


# -- several drafts --------------------------------------------------------------------------------------------------


def test_generators_of_one_executor_ask_at_once_with_seeds_of_their_own(problem: Problem) -> None:
    played = play(compiled(best_of(4)), problem, numbered, never)
    assert [len(batch) for batch in played.batches] == [4, 4]
    assert len({chat.seed for chat in played.chats}) == 4
    assert len({shown(chat) for chat in played.chats}) == 1
    assert len(set(played.executed)) == 4


def test_genomes_that_begin_alike_make_the_same_calls(problem: Problem) -> None:
    alone = play(compiled(graph("task generator", "generator output")), problem, numbered, never).chats
    loop = ("executor refiner", "refiner executor")
    two, four, refined = (
        play(compiled(g), problem, numbered, never).chats for g in (best_of(2), best_of(4), best_of(4, *loop))
    )
    assert alone == two[:1]
    assert two == four[:2]
    assert four == refined[:4]
    helped = best_of(2, "task tester", "tester executor", "task planner", "planner generator_9", "generator_9 executor")
    assert play(compiled(helped, enough_tests=9), problem, numbered, never).chats[:2] == two


def test_the_first_draft_that_passes_is_the_answer(problem: Problem) -> None:
    plan = compiled(best_of(3, "executor refiner", "refiner executor"))
    codes = [f"return {chat.seed}" for chat in play(plan, problem, numbered, never).chats]
    played = play(plan, problem, numbered, lambda code: failed() if code.endswith(codes[0]) else PASSED)
    assert played.trace.answer.endswith(codes[1])
    assert played.trace.stopped_early
    assert played.trace.calls == 3
    assert [step.verdict.passed for step in played.trace.steps if step.verdict] == [False, True, True]


def test_a_refiner_gets_the_best_of_what_came(problem: Problem) -> None:
    plan = compiled(best_of(3, "executor analyzer", "analyzer refiner", "refiner executor"))
    order = [f"return {chat.seed}" for chat in play(plan, problem, numbered, never).chats[:3]]
    scores = dict(zip(order, (1, 2, 2), strict=True))
    played = play(
        plan,
        problem,
        lambda chat: "It is off." if chat.role == "analyzer" else numbered(chat),
        lambda code: failed(scores.get(code.split("\n    ")[1], 0)),
    )
    analyzer, refiner = played.chats[3:5]
    assert order[2] in shown(analyzer)
    assert not any(draft in shown(analyzer) for draft in order[:2])
    assert order[2] in shown(refiner)
    assert "It is off." in shown(refiner)
    assert played.trace.answer.endswith(order[2]), "nothing did better later"


def test_branches_run_side_by_side(problem: Problem) -> None:
    plan = compiled(
        graph(
            *("task generator_a", "generator_a executor_a", "executor_a refiner", "refiner executor_a"),
            *("task generator_b", "generator_b executor_b", "executor_b analyzer", "analyzer refiner_b"),
            *("refiner_b executor_b", "executor_a output", "executor_b output"),
        )
    )
    played = play(plan, problem, numbered, never)
    kinds = [[effect.role if isinstance(effect, Chat) else "run" for effect in batch] for batch in played.batches]
    assert kinds[:4] == [["generator"] * 2, ["run"] * 2, ["refiner", "analyzer"], ["run", "refiner"]]
    assert len({chat.seed for chat in played.chats}) == len(played.chats) == 2 + 2 + 4
    # A passing draft of one branch ends the run; what was asked beside it is in the trace.
    first = played.chats[2].seed
    ended = play(plan, problem, numbered, lambda code: PASSED if code.endswith(f" {first}") else failed())
    assert ended.trace.answer.endswith(f"return {first}")
    assert ended.trace.calls == len(ended.chats) == 5
    assert ended.trace.tokens == 5 * 15


# -- roles -----------------------------------------------------------------------------------------------------------


def test_a_plan_goes_to_its_generator_alone(problem: Problem) -> None:
    genome = graph(
        *("task planner", "planner generator_a", "task generator_b", "generator_a executor", "generator_b executor"),
        *("executor refiner", "refiner executor", "executor output"),
    )
    played = play(
        compiled(genome), problem, lambda c: "1. Add.\n```up```" if c.role == "planner" else numbered(c), never
    )
    with_plan = [chat.role for chat in played.chats if "Plan:\n```\n1. Add.\n up\n```\n\nTask:" in shown(chat)]
    assert with_plan == ["generator"]
    assert played.trace.steps[0].role in ("planner", "generator")
    assert next(step for step in played.trace.steps if step.role == "planner").code == ""


TESTED = graph(
    *("task generator_a", "task generator_b", "task tester", "generator_a executor", "generator_b executor"),
    *("tester executor", "executor refiner", "refiner executor", "executor output"),
)
BARE = Check("", 0)


@pytest.fixture
def untested(problem: Problem) -> Problem:
    return replace(problem, visible=BARE)


def asserting(*lines: str):  # type: ignore[no-untyped-def]
    return lambda chat: "\n".join(lines) if chat.role == "tester" else numbered(chat)


def test_a_tester_is_not_asked_where_the_problem_shows_enough(problem: Problem) -> None:
    played = play(compiled(TESTED, enough_tests=3), problem, numbered, never)
    assert "tester" not in [chat.role for chat in played.chats]
    asked = play(compiled(TESTED, enough_tests=4), problem, numbered, never)
    assert [chat.role for chat in asked.chats][:3] == ["generator", "generator", "tester"]


def test_a_testers_asserts_decide_between_drafts_that_nothing_else_tells_apart(untested: Problem) -> None:
    answers = asserting("assert add([1]) == 1", "assert add([2]) == 2")
    second = 100 + (1 << 16)

    def own(effect: Execute) -> Verdict:
        return PASSED if effect.code.endswith(f" {second}") else failed()

    played = play(compiled(TESTED), untested, answers, lambda code: Verdict(Status.NO_CALL), own)
    assert played.trace.answer.endswith(f"return {second}")
    assert played.trace.calls == 3
    assert played.trace.stopped_early
    tried = [effect.tests.shown for effect in played.effects if isinstance(effect, Execute) and effect.tests]
    assert sorted(tried) == 2 * ["assert add([1]) == 1"] + 2 * ["assert add([2]) == 2"]


def test_an_assert_that_all_drafts_fail_sinks_none(untested: Problem) -> None:
    answers = asserting("assert add([1]) == 1", "assert add([2]) == 77")

    def own(effect: Execute) -> Verdict:
        assert effect.tests is not None
        return failed() if "77" in effect.tests.shown else PASSED

    played = play(compiled(TESTED), untested, answers, lambda code: Verdict(Status.NO_CALL), own)
    assert played.trace.answer.endswith("return 100")
    assert played.trace.stopped_early
    # One draft alone cannot tell whose fault it is: it is refined, and stays the answer if nothing does better.
    alone = graph(
        *("task generator", "task tester", "generator executor", "tester executor", "executor refiner"),
        *("refiner executor", "executor output"),
    )
    wrong = Verdict(Status.ASSERTION, "AssertionError", failed=FailedAssert("", "add([2])", "2", "77"), units=1)
    refined = play(
        compiled(alone),
        untested,
        answers,
        lambda code: Verdict(Status.NO_CALL),
        lambda effect: wrong if effect.tests and "77" in effect.tests.shown else PASSED,
    )
    assert refined.trace.calls == 4
    assert "expected: 77" in shown(refined.chats[-1])
    assert refined.trace.answer.endswith("return 100")


def test_asserts_do_not_end_a_testers_answer(problem: Problem) -> None:
    plan = compiled(TESTED, enough_tests=9, sampling=Sampling(stop=TAILS))
    stops = {chat.role: chat.sampling.stop for chat in play(plan, problem, numbered, never).chats}
    assert stops["tester"] == ()
    assert stops["generator"] == stops["refiner"] == TAILS


CHOSEN = graph(
    *(f"task generator_{k}" for k in range(4)), *(f"generator_{k} selector" for k in range(4)), "selector output"
)


def returning(text: str, passed: int = 1) -> Verdict:
    return Verdict(
        Status.ASSERTION, "AssertionError", failed=FailedAssert("", "add([1])", text, "1"), passed_units=passed, units=3
    )


@pytest.mark.parametrize(
    ("verdicts", "chosen"),
    [
        ([failed(0), failed(2), failed(1), failed(1)], 1),  # most visible tests
        ([returning("5"), returning("7"), returning("7"), returning("6")], 1),  # the majority
        ([returning("5"), returning("7", 2), returning("7"), returning("5")], 1),  # tests before majority
        ([failed(), PASSED, failed(), PASSED], 3),  # the shortest
    ],
)
def test_a_selector_goes_by_tests_then_majority_then_length(
    problem: Problem, verdicts: list[Verdict], chosen: int
) -> None:
    bodies = ["return 1111", "return 222", "return 33333", "return 44"]
    script = dict(zip((100 + (lane << 16) for lane in range(4)), bodies, strict=True))
    played = play(
        compiled(CHOSEN),
        problem,
        lambda chat: fenced(script[chat.seed]),
        lambda code: verdicts[bodies.index(code.split("\n    ")[1])],
    )
    assert played.trace.answer.endswith(bodies[chosen])
    assert [step.role for step in played.trace.steps] == ["generator"] * 4 + ["selector"] * 5
    assert played.trace.steps[-1].verdict is None


def test_what_nobody_has_run_is_handed_in_before_what_failed(problem: Problem) -> None:
    genome = graph("task generator", "generator executor", "executor refiner", "refiner output")
    played = play(compiled(genome), problem, numbered, never)
    assert played.trace.answer.endswith("return 101")
    assert played.executed == ["def add(a):\n    return 100"]


# -- loops -----------------------------------------------------------------------------------------------------------


def test_a_loop_over_two_stages_turns_as_often_as_its_refiner_may() -> None:
    genome = graph(
        *("task generator", "generator executor_a", "executor_a refiner_a", "refiner_a executor_b"),
        *("executor_b refiner_b", "refiner_b executor_a", "executor_b output"),
    )
    plan = compiled(genome)
    turn = "executor refiner executor refiner "
    assert course(plan) == "generator " + 2 * turn + "executor refiner executor"
    assert plan.output == (len(plan.visits) - 1,)


def test_loops_within_loops_keep_their_own_budgets() -> None:
    genome = graph(
        *("task generator", "generator executor_a", "executor_a refiner_a", "refiner_a executor_a"),
        *("executor_a refiner_b", "refiner_b executor_b", "executor_b refiner_c", "refiner_c executor_a"),
        "executor_b output",
    )
    plan = compiled(genome)
    turns = [plan.nodes[visit.node].gene for visit in plan.visits if plan.nodes[visit.node].role is Role.REFINER]
    names = {gene: turns.count(gene) for gene in set(turns)}
    assert sum(names.values()) == plan.max_calls - 1 <= sum(visits(genome).values()) - 1
    assert sorted(names.values())[:2] == [2, 2]


def test_refiners_of_one_executor_work_side_by_side(problem: Problem) -> None:
    genome = graph(
        *("task generator", "generator executor", "executor refiner_a", "executor refiner_b"),
        *("refiner_a executor", "refiner_b executor", "executor output"),
        refiner_a={"iterations": 3},
    )
    played = play(compiled(genome), problem, numbered, never)
    assert [len(batch) for batch in played.batches] == [1, 1, 2, 2, 2, 2, 1, 1]


# -- bounds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        ({"max_nodes": 4}, "has 5 live nodes, at most 4 allowed"),
        ({"max_calls": 6}, "makes more than 6 model calls per problem"),
        ({"max_tokens_per_problem": 3000}, r"may write 3584 tokens per problem, at most 3000"),
    ],
)
def test_bounds_hold_at_compile_time(bounds: dict[str, int], says: str) -> None:
    genome = best_of(3, "executor refiner", "refiner executor")
    with pytest.raises(UserError, match=says):
        compiled(replace(genome, nodes=tuple(_four_turns(node) for node in genome.nodes)), **bounds)


def _four_turns(node):  # type: ignore[no-untyped-def]
    return replace(node, iterations=4) if node.role is Role.REFINER else node


def test_a_run_makes_no_call_that_could_go_beyond_its_tokens(problem: Problem) -> None:
    genome = best_of(2, "executor refiner", "refiner executor")
    plan = compiled(genome, max_tokens=5, max_tokens_per_problem=34)  # an answer here counts 10 + 5
    played = play(plan, problem, numbered, lambda code: failed(1))
    assert played.trace.calls == 2
    assert played.trace.answer.endswith(f"return {played.chats[-1].seed}")
    assert compiled(genome, max_tokens_per_problem=1 << 17).digest == compiled(genome).digest
    assert compiled(genome, max_tokens_per_problem=9999).digest != compiled(genome).digest


# -- normal form -----------------------------------------------------------------------------------------------------


def test_a_nodes_own_prompt_and_length_are_what_counts(problem: Problem) -> None:
    own = graph("task generator", "generator output", generator={"text": "Sing.", "prompt": "mine", "max_tokens": 99})
    (chat,) = play(compiled(own), problem, numbered, never).chats
    assert shown(chat).endswith("Task:\nSing.")
    assert chat.max_tokens == 99
    assert play(compiled(own, max_tokens=50), problem, numbered, never).chats[0].max_tokens == 50
    book = PromptBook.load()
    same = graph("task generator", "generator output", generator={"text": book.text(Role.GENERATOR, "plain")})
    assert compiled(same).digest == compiled(graph("task generator", "generator output")).digest


def test_a_loop_that_cannot_turn_is_no_loop() -> None:
    edges = ("task generator", "generator executor_a", "executor_a refiner", "refiner executor_b", "executor_b output")
    once = {"refiner": {"iterations": 1}}
    assert compiled(graph(*edges, "refiner executor_a", **once)).digest == compiled(graph(*edges)).digest


SPACE = Space(
    name="graph",
    wiring=GRAPH,
    max_nodes=12,
    max_calls=40,
    stages=(0, 8),
    rates=Rates(
        add_node=0.6, add_branch=0.5, add_edge=0.4, add_loop=0.5, duplicate=0.3, disable_edge=0.2, enable_edge=0.2
    ),
).with_pool(["small", "big"], {role: PromptBook.load().names(role) for role in Role if role.calls_model})


@st.composite
def genomes(draw: st.DrawFn) -> Genome:
    rng, tracker = random.Random(draw(st.integers(0, 2**32))), InnovationTracker()
    one, other = minimal(SPACE, rng, tracker), minimal(SPACE, rng, tracker)
    for _ in range(draw(st.integers(1, 30))):
        one, other = mutate(crossover(one, other, SPACE, rng), SPACE, rng, tracker), one
    return one


@given(genomes(), st.integers(0, 2**32), st.booleans(), st.sampled_from([0, 9]))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_every_valid_graph_runs_to_an_end_within_its_bounds(
    problem: Problem, genome: Genome, seed: int, early: bool, enough: int
) -> None:
    assert not faults(genome, OPEN)
    plan = compiled(genome, early_stopping=early, enough_tests=enough)
    assert {plan.nodes[visit.node].gene for visit in plan.visits} == {node.id for node in genome.inner}
    assert plan.output
    assert plan.max_calls <= sum(visits(genome).values()) <= SPACE.max_calls
    for number, visit in enumerate(plan.visits):
        assert all(i < number and plan.visits[i].level < visit.level for i in visit.inputs)

    def once() -> Played:
        rng, scores = random.Random(seed), {}

        def answers(chat: Chat) -> str:
            if chat.role == "tester":
                return "assert add([1]) == 1\nassert add([2]) == 3"
            return rng.choice([fenced(f"return {rng.randrange(9)}"), "No code.", "```python\ndef add(a:\n```"])

        def verdict(code: str) -> Verdict:
            return scores.setdefault(code, rng.choice([failed(0), failed(1), failed(2), PASSED]))

        return play(plan, problem, answers, verdict, lambda effect: rng.choice([PASSED, failed()]))

    played = once()
    assert played == once(), "same replies, same run"
    assert played.trace.calls == len(played.chats) <= plan.max_calls
    seeds = [chat.seed for chat in played.chats]
    assert len(set(seeds)) == len(seeds)
    assert len(set(played.executed)) == len(played.executed)
    assert played.trace.tokens == 15 * played.trace.calls
    passing = {step.code for step in played.trace.steps if step.verdict is not None and step.verdict.passed}
    if early and passing and enough == 0:
        assert played.trace.answer in passing


@given(genomes(), st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_digest_ignores_ids_whose_order_stays_and_dead_genes(genome: Genome, rng: random.Random) -> None:
    ids = [0, 1, *sorted(rng.sample(range(2, 999), len(genome.inner)))]
    fresh = dict(zip([node.id for node in genome.nodes], ids, strict=True))
    moved = Genome(
        tuple(replace(node, id=fresh[node.id]) for node in genome.nodes),
        tuple(
            replace(c, innovation=rng.randrange(10**9), source=fresh[c.source], target=fresh[c.target])
            for c in rng.sample(genome.connections, len(genome.connections))
            if c.enabled
        ),
    )
    assert compiled(moved).digest == compiled(genome).digest
