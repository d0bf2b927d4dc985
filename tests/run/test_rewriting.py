"""Prompts that evolve: what a model is shown, what is taken of its answer, and that a run repeats it all."""

import asyncio
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evo
from evo.evaluation import Cell, Ledger, Purpose, Store
from evo.evolution import Individual
from evo.genome import LONGEST_TEXT, OPEN, NodeGene, Role, faults, read_genome
from evo.models import CallFailed, Completion
from evo.pipeline import PromptBook, Step, Trace, compile_genome
from evo.resources import genome_path
from evo.run import parse_settings
from evo.run.rewriting import LONGEST, ROLE, Rewriter, rewritten
from evo.sandbox import FailedAssert, Status, Verdict
from evo.tasks import load_problems

PROMPTS = PromptBook.load()
NODE = NodeGene(2, Role.GENERATOR, "m", "plain", 0.4)
SETTINGS = parse_settings("[pipeline]\nevolve_prompts = 1.0", "test")


def test_the_text_is_stored_in_the_node_and_equal_texts_have_one_name():
    new = rewritten(NODE, "Write  it\nwell. ", PROMPTS)
    assert new == replace(NODE, prompt=new.prompt, text="Write it\nwell.")
    assert new.prompt.startswith("own-")
    for variant in (
        "Write it\n\nwell.",
        "```\nWrite it\nwell.\n```",
        '"Write it\nwell."',
        "**New Instructions:**\nWrite it\nwell.",
    ):
        assert rewritten(NODE, variant, PROMPTS) == new
    assert rewritten(new, "Write it\nwell.", PROMPTS) == new


def test_a_text_that_a_prompt_file_has_is_that_prompt():
    assert rewritten(NODE, PROMPTS.text(Role.GENERATOR, "careful"), PROMPTS) == replace(NODE, prompt="careful")
    assert rewritten(NODE, PROMPTS.text(Role.GENERATOR, "plain"), PROMPTS) == NODE


@settings(max_examples=200, deadline=None)
@given(answer=st.text(max_size=2 * LONGEST))
def test_whatever_a_model_writes_the_node_stays_valid(answer):
    new = rewritten(NODE, answer, PROMPTS)
    assert new.text is None or 0 < len(new.text) <= LONGEST <= LONGEST_TEXT
    solo = read_genome(genome_path("solo"))
    nodes = tuple(replace(new, id=n.id) if n.role is Role.GENERATOR else n for n in solo.nodes)
    assert faults(replace(solo, nodes=nodes), OPEN) == ()


@pytest.mark.parametrize("answer", ["", "   ", "``` ```", "x" * (LONGEST + 1)])
def test_an_empty_or_endless_answer_changes_nothing(answer):
    assert rewritten(NODE, answer, PROMPTS) == NODE


# -- what the model is shown ------------------------------------------------------------------------------------------

PROBLEM = load_problems("humaneval")[0]
GENOME = read_genome(genome_path("self-refine"))
PLAN = compile_genome(GENOME, SETTINGS.pipeline_settings, PROMPTS)
GENERATOR = next(i for i, node in enumerate(PLAN.nodes) if node.role is Role.GENERATOR)
EXECUTOR = next(i for i, node in enumerate(PLAN.nodes) if node.role is Role.EXECUTOR)
WRONG = Verdict(Status.ASSERTION, "AssertionError", failed=FailedAssert("f(1) == 2", "f(1)", "SEEN", "2"), units=2)


class Recorded:
    """A scheduler whose traces are given; remembers what is asked."""

    def __init__(self, verdicts, answer="Better instructions.", fault=None):
        steps = [Step(GENERATOR, "generator", 0, 0, "raw", "def f(): WRONG_DRAFT", None)]
        steps += [Step(EXECUTOR, "executor", i, None, "", "def f(): WRONG_DRAFT", v) for i, v in enumerate(verdicts)]
        self.traced, self.asked = Trace("def f(): WRONG_DRAFT", tuple(steps), False), []
        self.answer, self.fault = answer, fault

    async def trace(self, one):
        return self.traced, Verdict(Status.ASSERTION, "HIDDEN_VERDICT", message="HIDDEN_VERDICT")

    async def ask(self, chat):
        self.asked.append(chat)
        if self.fault:
            raise self.fault
        return Completion(self.answer, 1, 1, 0.0, "stop")


KEY = 9  # a newborn whose generator the draw chooses


def revised(asks: Recorded, *, errors=("AssertionError",), solved=False, text=SETTINGS, key=KEY):
    cell = Cell(PLAN.digest, PROBLEM.id, Purpose.SEARCH, 0, solved, error_types=errors)
    rewriter = Rewriter(text, PROMPTS, asks, Ledger([cell]))
    born = Individual(key, GENOME, (1,), 1)
    return asyncio.run(rewriter.revised(born, [(GENOME, PLAN)], [PROBLEM], 3))


def test_a_model_sees_the_draft_and_the_visible_feedback_and_never_a_hidden_test():
    asks = Recorded([WRONG])
    child = revised(asks)
    (chat,) = asks.asked
    shown = chat.messages[0].content
    assert chat.role == ROLE
    assert "WRONG_DRAFT" in shown and "SEEN" in shown and PROBLEM.entry_point in shown
    assert "HIDDEN_VERDICT" not in shown
    for line in PROBLEM.hidden.source.splitlines():
        assert "assert" not in line or line.strip() not in shown
    changed = [new for old, new in zip(GENOME.nodes, child.nodes, strict=True) if old != new]
    assert [(node.role, node.text) for node in changed] == [(Role.GENERATOR, "Better instructions.")]
    assert faults(child, OPEN) == ()


def test_hidden_outcomes_do_not_choose_what_is_shown():
    for solved in (True, False):
        asks = Recorded([WRONG])
        revised(asks, solved=solved)
        assert len(asks.asked) == 1
        asks = Recorded([Verdict(Status.PASSED, passed_units=2, units=2)])
        assert revised(asks, solved=solved, errors=("",)) is None
        assert asks.asked == []


def test_it_is_off_by_default_and_the_same_draw_asks_the_same():
    asks = Recorded([WRONG])
    assert revised(asks, text=parse_settings("", "test")) is None
    assert asks.asked == []
    one, two = Recorded([WRONG]), Recorded([WRONG])
    assert revised(one) == revised(two)
    assert one.asked == two.asked != []


def test_a_call_that_fails_costs_a_mutation_and_not_the_run():
    assert revised(Recorded([WRONG], fault=CallFailed("the server is gone"))) is None


# -- whole searches on the SIMULATED pool -----------------------------------------------------------------------------


def search(folder, **changes):
    quick = {"models.backend": "simulated", "run.generations": "5", "NEAT.pop_size": "6", "tasks.problems": "4"}
    return evo.search("laptop", run=str(folder), changes=quick | {"pipeline.evolve_prompts": "0.6"} | changes)


def texts(folder) -> set[str]:
    store = Store(folder / "run.sqlite", readonly=True)
    try:
        return {
            node["text"]
            for _, record in store.generations()
            for one in json.loads(record)["individuals"]
            for node in one["genome"]["nodes"]
            if "text" in node
        }
    finally:
        store.close()


def test_a_search_with_rewriting_is_replayed_without_a_call_and_repeats_elsewhere(tmp_path):
    first = search(tmp_path / "one")
    found = texts(tmp_path / "one")
    assert found
    champion = (tmp_path / "one" / "champion.json").read_bytes()
    again = search(tmp_path / "one")
    assert again.counters.calls_made == 0
    search(tmp_path / "two")
    assert texts(tmp_path / "one") == texts(tmp_path / "two") == found
    assert (tmp_path / "one" / "champion.json").read_bytes() == champion
    assert (tmp_path / "two" / "champion.json").read_bytes() == champion
    assert first.counters.calls_made > 0
