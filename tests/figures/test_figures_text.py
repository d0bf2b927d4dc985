"""Genomes as ASCII, Mermaid, DOT and words."""

import re

import pytest
from figure_genomes import (
    ANALYZED,
    GENOMES,
    LONG_NAMES,
    LOOP,
    SOLO,
    THREE_STAGES,
    TWO_GENERATORS,
    build,
    executor,
    generator,
    graph_genomes,
    linear_genomes,
    refiner,
    selector,
)
from hypothesis import given, settings

from evo.figures import explain, topology_ascii, topology_dot, topology_mermaid
from evo.genome import Genome, Role
from evo.pipeline import PipelineSettings, PromptBook, compile_genome


def test_ascii_of_the_plain_loop() -> None:
    assert topology_ascii(LOOP) == (
        "task\n"
        "  |\n"
        "  v\n"
        "generator 2\n"
        "  qwen2.5-coder:0.5b, prompt: plain, temperature 0.40\n"
        "  |\n"
        "  v\n"
        "executor 3 <--------------------------------------------------------+\n"
        "  runs visible tests, feedback: values -----------------------------|--+\n"
        "  |                                                                 |  |\n"
        "  v                                                                 |  |\n"
        "refiner 4                                                           |  |\n"
        "  qwen2.5-coder:0.5b, prompt: fix, temperature 0.25, 3 iterations --+  |  up to 3 x\n"
        "                                                                       |\n"
        "output <---------------------------------------------------------------+\n"
        "disabled: generator 2 -> output\n"
    )


@given(linear_genomes() | graph_genomes())
@settings(max_examples=100, deadline=None)
def test_every_form_shows_every_node_and_every_edge(genome: Genome) -> None:
    drawing = topology_ascii(genome)
    assert drawing.isascii()
    for gene in genome.inner:
        assert len(re.findall(rf"^{gene.role.value} {gene.id}\b", drawing, re.MULTILINE)) == 1
    assert drawing.count("disabled:") == sum(not edge.enabled for edge in genome.connections)
    mermaid, dot = topology_mermaid(genome), topology_dot(genome)
    for edge in genome.connections:
        assert re.search(rf"^    n{edge.source} .*> n{edge.target}$", mermaid, re.MULTILINE)
        assert re.search(rf"^    n{edge.source} -> n{edge.target}( \[.*\])?;$", dot, re.MULTILINE)
    steps = explain(genome).splitlines()
    assert [line.split(".")[0] for line in steps[:-1]] == [str(n) for n in range(1, len(genome.inner) + 1)]


@pytest.mark.parametrize("name", GENOMES)
def test_forms_end_their_lines_and_hold_no_trailing_blanks(name: str) -> None:
    for form in (topology_ascii, topology_mermaid, topology_dot):
        text = form(GENOMES[name])
        assert text.endswith("\n")
        assert not re.search(r"[ \t]$", text, re.MULTILINE)
        assert text == form(GENOMES[name])


def test_ascii_rails_merge_where_edges_meet() -> None:
    rows = topology_ascii(TWO_GENERATORS).splitlines()
    assert rows[0].startswith("task ---") and rows[0].endswith("-+")
    assert next(row for row in rows if row.startswith("generator 3")).rstrip(" |").endswith("-+")
    executor = next(row for row in rows if row.startswith("executor 4"))
    assert executor.count("<") == 1
    assert executor.count("+") == 2, "one rail from the second generator's side, one from the refiner"


def test_mermaid_and_dot_escape_what_they_would_read_as_their_own() -> None:
    mermaid, dot = topology_mermaid(LONG_NAMES), topology_dot(LONG_NAMES)
    assert "quote #34; #60; #36;x#94;2#36; #38; #92; name" in mermaid
    assert 'quote \\" < $x^2$ & \\\\ name' in dot
    loop = topology_mermaid(LOOP)
    assert '    n4 -- "up to 3 ×" --> n3' in loop
    assert "    n2 -.-> n1" in loop


def test_explanation_of_a_lone_generator() -> None:
    assert explain(SOLO) == (
        '1. A generator (qwen2.5-coder:0.5b, prompt "plain", temperature 0.40) writes a program for the task. '
        "It goes on to the output.\n"
        "That program is the answer; nothing runs it before."
    )


def test_explanation_follows_loops_and_stages() -> None:
    steps = explain(ANALYZED).splitlines()
    assert "what was returned against what was expected" in steps[1]
    assert steps[1].endswith("It goes on to step 3, and when that loop is used up, to the output.")
    assert steps[3].endswith("It goes back to step 2, at most 3 times.")
    assert "passes all visible tests" in steps[-1]
    steps = explain(THREE_STAGES).splitlines()
    assert steps[2].endswith("It goes back to step 2, at most 1 time. After that it goes on to step 4.")
    assert steps[7].endswith("at most 1 time.")


@pytest.mark.parametrize("way_on", [False, True])
@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_a_loop_is_said_to_turn_as_often_as_it_does(iterations: int, way_on: bool) -> None:
    edges = [(0, 2), (2, 3), (3, 4), (4, 3), (3, 1)] + [(4, 1)] * way_on
    genome = build([generator(2), executor(3), refiner(4, iterations=iterations)], edges)
    plan = compile_genome(genome, PipelineSettings(), PromptBook.load())
    turns = sum(plan.role(number) is Role.EXECUTOR for number in range(len(plan.visits))) - 1
    said = re.search(r"goes back to step 2, at most (\d) times?\.", explain(genome))
    assert (int(said[1]) if said else 0) == turns == iterations - way_on
    assert f'"up to {turns} ×"' in topology_mermaid(genome)


def test_explanation_of_a_graph_says_who_works_on_what() -> None:
    steps = explain(GENOMES["graph"]).splitlines()
    assert "before there is any program. It goes on to step 4." in steps[0]
    assert "They never count for the score. It goes on to step 6." in steps[1]
    assert "after the plan of step 1." in steps[3]
    assert "runs the program against the visible tests, and those of step 2." in steps[5]
    assert "takes one of the programs of steps 5 and 6" in steps[8]
    assert steps[-1].endswith("of equals the one that was chosen.")
    many = build([generator(2), generator(3), executor(4)], [(0, 2), (0, 3), (2, 4), (3, 4), (4, 1)])
    assert "runs each program that comes" in explain(many)
    assert explain(build([generator(2), generator(3), selector(4)], [(0, 2), (0, 3), (2, 4), (3, 4), (4, 1)])).endswith(
        "The program that was chosen is the answer."
    )


def test_parts_that_nothing_leads_to_are_still_shown() -> None:
    genome = build([generator(2), generator(3)], [(0, 2), (2, 1)])
    assert "generator 3" in topology_ascii(genome)
    assert "2. A generator" in explain(genome)
