"""The exact solve rate against brute force, closed forms and sampling."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.evaluation.truth import true_rate, true_rates
from evo.genome.genes import ConnectionGene, Feedback, Genome, NodeGene, Role
from evo.models import Chat, Completion
from evo.pipeline import Execute, PipelineSettings, PromptBook, compile_genome, run
from evo.sandbox import Status, Verdict
from evo.tasks import Check, Problem

BOOK = PromptBook.load()
VISIBLE, HIDDEN = Check("visible", 3), Check("hidden", 3)
PROBLEM = Problem("T/0", "toy", "Return a number.", "f", "", VISIBLE, HIDDEN, "")
# name -> (visible tests passed, hidden tests passed): "unlucky" fools the visible tests.
PROGRAMS = {"right": (3, True), "close": (2, False), "wrong": (0, False), "near": (2, False), "unlucky": (3, False),
            "shy": (2, True)}  # fmt: skip


def code(name):
    return f"def f():\n    return '{name}'"


def verdict_of(problem, text, check):
    passed, solves = PROGRAMS[text.split("'")[1]]
    if check == HIDDEN:
        return Verdict(Status.PASSED if solves else Status.ASSERTION, "" if solves else "AssertionError", units=3)
    if passed == 3:
        return Verdict(Status.PASSED, passed_units=3, units=3)
    return Verdict(Status.ASSERTION, "AssertionError", passed_units=passed, units=3)


class Toy:
    """Answers that depend on the role and on the draft in the message."""

    def __init__(self, rows):
        self.rows = rows

    def distribution(self, chat: Chat):
        text = chat.messages[-1].content
        if chat.role == "analyzer":
            return ((0.5, "Look closer."), (0.5, "The number is off."))
        held = next((name for name in PROGRAMS if f"'{name}'" in text), "")
        weights = self.rows[len(held) % len(self.rows)]
        if "off." in text:
            weights = weights[::-1]
        total = sum(weights)
        return tuple(
            (weight / total, f"```python\n{code(name)}\n```")
            for weight, name in zip(weights, PROGRAMS, strict=True)
            if weight
        )


def plan_of(iterations=2, *, analyzer=False, early_stopping=True, executor=True):
    """generator [-> executor -> [analyzer ->] refiner -> executor ...]"""

    edges = ["task generator"]
    if executor:
        edges += ["generator executor", "executor output", "refiner executor"]
        edges += ["executor analyzer", "analyzer refiner"] if analyzer else ["executor refiner"]
    else:
        edges.append("generator output")
    return graph(*edges, iterations=iterations, early_stopping=early_stopping)


def graph(*edges, iterations=1, **settings_):
    """A plan of nodes named "role" or "role.a", as "from to" pairs, first mention first."""
    names = list(dict.fromkeys(["task", "output", *(name for edge in edges for name in edge.split())]))
    prompts = {Role.GENERATOR: "plain", Role.REFINER: "fix", Role.ANALYZER: "cause", Role.PLANNER: "steps"}
    nodes = []
    for id, name in enumerate(names):
        role = Role(name.split(".")[0])
        fields = {"model": "m", "prompt": prompts.get(role, "asserts"), "temperature": 0.2} if role.calls_model else {}
        if role is Role.REFINER:
            fields["iterations"] = iterations
        if role is Role.EXECUTOR:
            fields["feedback"] = Feedback.VALUES
        nodes.append(NodeGene(id, role, **fields))
    pairs = (edge.split() for edge in edges)
    connections = tuple(ConnectionGene(n, names.index(s), names.index(t)) for n, (s, t) in enumerate(pairs))
    return compile_genome(Genome(tuple(nodes), connections), PipelineSettings(**settings_), BOOK)


def played(plan, answer: Callable[[Chat], str], verdict_of=verdict_of):
    """Whether a run with these answers solves the problem."""
    pipeline = run(plan, PROBLEM, lambda position: position)
    effects = next(pipeline)
    while True:
        replies = tuple(
            verdict_of(PROBLEM, effect.code, effect.tests or VISIBLE)
            if isinstance(effect, Execute)
            else Completion(answer(effect), 0, 0, 0.0, "stop")
            for effect in effects
        )
        try:
            effects = pipeline.send(replies)
        except StopIteration as end:
            return verdict_of(PROBLEM, end.value.answer, HIDDEN).passed


def brute_force(plan, backend, verdict_of=verdict_of):
    """The same sum over every path, nothing merged."""

    class Deeper(Exception):
        pass

    def walk(path):
        left = list(path)

        def answer(chat):
            if not left:
                raise Deeper(chat)
            return left.pop(0)

        try:
            return float(played(plan, answer, verdict_of))
        except Deeper as deeper:
            return sum(p * walk([*path, text]) for p, text in backend.distribution(deeper.args[0]))

    return walk([])


ROWS = ([1, 2, 3, 1, 1, 1], [2, 1, 1, 2, 0, 1], [1, 1, 4, 1, 1, 0])


def test_one_call_solves_with_the_chance_of_a_right_answer():
    backend = Toy(([1, 0, 3, 0, 0, 0],))
    assert true_rates(plan_of(executor=False), [PROBLEM], backend, verdict_of) == {"T/0": pytest.approx(0.25)}


def test_each_iteration_is_another_chance():
    backend = Toy(([1, 0, 3, 0, 0, 0],))
    for iterations in (1, 2, 3):
        rate = true_rate(plan_of(iterations), [PROBLEM], backend, verdict_of)
        assert rate == pytest.approx(1 - 0.75 ** (iterations + 1), abs=1e-12)


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("analyzer", [True, False])
def test_merging_changes_nothing(analyzer, early_stopping):
    plan, backend = plan_of(2, analyzer=analyzer, early_stopping=early_stopping), Toy(ROWS)
    assert true_rate(plan, [PROBLEM], backend, verdict_of) == pytest.approx(brute_force(plan, backend), abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 4), min_size=6, max_size=6).filter(any), min_size=1, max_size=4),
    st.integers(1, 2),
    st.booleans(),
)
def test_merging_changes_nothing_for_any_models(rows, iterations, early_stopping):
    plan, backend = plan_of(iterations, early_stopping=early_stopping), Toy(rows)
    assert true_rate(plan, [PROBLEM], backend, verdict_of) == pytest.approx(brute_force(plan, backend), abs=1e-12)


def test_sampled_runs_agree():
    plan, backend, draw = plan_of(3, analyzer=True), Toy(ROWS), random.Random(1)

    def answer(chat):
        chances, texts = zip(*backend.distribution(chat), strict=True)
        return draw.choices(texts, chances)[0]

    runs = 1000
    solved = sum(played(plan, answer) for _ in range(runs)) / runs
    rate = true_rate(plan, [PROBLEM], backend, verdict_of)
    assert abs(solved - rate) < 4 * (rate * (1 - rate) / runs) ** 0.5


def test_long_loops_stay_small():
    asked = []

    class Counting(Toy):
        def distribution(self, chat):
            asked.append(chat)
            return super().distribution(chat)

    plan = plan_of(8)
    assert 0 < true_rate(plan, [PROBLEM], Counting(ROWS), verdict_of) < 1
    # One request per call position, draft and best draft so far; without merging there would be a million.
    assert len(asked) <= 1 + 8 * len(PROGRAMS) ** 2


def test_each_program_is_judged_once_per_check():
    judged = []

    def counting(problem, text, check):
        judged.append((text, check))
        return verdict_of(problem, text, check)

    true_rate(plan_of(3), [PROBLEM], Toy(ROWS), counting)
    assert len(judged) == len(set(judged)) <= 2 * len(PROGRAMS)


def test_no_problems_have_no_rate():
    with pytest.raises(ValueError, match="at least one problem"):
        true_rate(plan_of(), [], Toy(ROWS), verdict_of)
