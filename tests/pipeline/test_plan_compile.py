"""compile_genome: the plan, what its digest ignores and what it does not, and the faults it names."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipeline_kit import Stage, linear

from evo.errors import UserError
from evo.genome.genes import ConnectionGene, Feedback, Genome, NodeGene, Role
from evo.models.chat import Sampling
from evo.pipeline import PipelineSettings, Plan, PromptBook, compile_genome

Build = Callable[..., Plan]
BOOK = PromptBook.load()

stages = st.builds(
    Stage,
    prompt=st.sampled_from(["fix", "rewrite", "minimal"]),
    model=st.sampled_from(["small", "big"]),
    iterations=st.integers(1, 3),
    analyzer=st.sampled_from(["", "cause", "trace"]),
    feedback=st.sampled_from(Feedback),
    temperature=st.sampled_from([0.0, 0.2, 0.5]),
)
pipelines = st.lists(stages, max_size=3)


def roles(plan: Plan) -> str:
    return " ".join(node.role for node in plan.nodes)


def course(plan: Plan) -> str:
    return " ".join(plan.role(number) for number in range(len(plan.visits)))


def compiled(genome: Genome, **settings_: object) -> Plan:
    return compile_genome(genome, PipelineSettings(**settings_), BOOK)  # type: ignore[arg-type]


def test_a_loop_becomes_nodes_in_execution_order_with_their_visits() -> None:
    plan = compiled(linear(Stage(iterations=3, analyzer="cause")))
    assert roles(plan) == "task generator executor analyzer refiner output"
    assert course(plan) == "generator " + 3 * "executor analyzer refiner " + "executor"
    assert [visit.inputs for visit in plan.visits] == [(), *((i,) for i in range(10))]
    assert [visit.position for visit in plan.visits] == [0, None, 1, 2, None, 3, 4, None, 5, 6, None]
    assert (plan.max_calls, plan.output) == (7, (10,))
    assert plan.models == ("big", "small")


def test_each_stage_feeds_the_next_and_only_the_last_executes_once_more() -> None:
    plan = compiled(linear(Stage(iterations=1), Stage(prompt="rewrite", iterations=2)))
    assert roles(plan) == "task generator executor refiner executor refiner output"
    assert course(plan) == "generator executor refiner executor refiner executor refiner executor"
    assert [visit.node for visit in plan.visits] == [1, 2, 3, 4, 5, 4, 5, 4]
    assert [visit.iteration for visit in plan.visits] == [0, 0, 0, 0, 0, 1, 1, 2]


def test_solo_and_a_lone_execution() -> None:
    assert roles(compiled(linear(execute=False))) == "task generator output"
    assert roles(compiled(linear())) == "task generator executor output"


@given(pipelines, st.randoms(use_true_random=False))
def test_digest_ignores_ids_order_and_dead_or_disabled_genes(chain: list[Stage], rng: random.Random) -> None:
    genome = linear(*chain)
    fresh = dict(zip([n.id for n in genome.nodes], rng.sample(range(2, 1000), len(genome.nodes)), strict=True))
    fresh |= {0: 0, 1: 1}
    nodes = [replace(node, id=fresh[node.id]) for node in genome.nodes]
    edges = [replace(c, source=fresh[c.source], target=fresh[c.target]) for c in genome.connections]
    nodes += [
        NodeGene(2001, Role.ANALYZER, "huge", "trace", 1.0),
        NodeGene(2002, Role.GENERATOR, "huge", "plain", 1.0),
    ]
    executors = [node.id for node in nodes if node.role is Role.EXECUTOR]
    edges += [
        ConnectionGene(9001, rng.choice(executors), 2001),
        ConnectionGene(9002, 2002, rng.choice(executors)),
        ConnectionGene(9003, 0, 2002, enabled=False),
    ]
    rng.shuffle(nodes)
    rng.shuffle(edges)
    assert compiled(Genome(tuple(nodes), tuple(edges))).digest == compiled(genome).digest


@given(pipelines.filter(bool), st.data())
def test_digest_notices_every_gene_that_acts(chain: list[Stage], data: st.DataObject) -> None:
    """Runs of equal stages fold, so a change can only be invisible where it makes the same chain of single visits."""
    where = data.draw(st.integers(0, len(chain) - 1))
    changed = [*chain]
    changed[where] = data.draw(stages)

    def unrolled(stages_: list[Stage]) -> list[Stage]:
        return [replace(s, iterations=1, temperature=s.temperature) for s in stages_ for _ in range(s.iterations)]

    same = unrolled(chain) == unrolled(changed)
    assert (compiled(linear(*chain)).digest == compiled(linear(*changed)).digest) is same


def test_digest_notices_generator_genes_and_settings() -> None:
    genome = linear(Stage())
    digests = {
        compiled(genome).digest,
        compiled(linear(Stage(), model="other")).digest,
        compiled(linear(Stage(), prompt="careful")).digest,
        compiled(linear()).digest,
        compiled(linear(execute=False)).digest,
        compiled(genome, early_stopping=False).digest,
        compiled(genome, prelude=False).digest,
        compiled(genome, max_tokens=256).digest,
        compiled(genome, sampling=Sampling(top_k=1)).digest,
    }
    assert len(digests) == 9


def test_digest_follows_a_prompts_text_not_its_name(tmp_path: Path) -> None:
    (tmp_path / "generator").mkdir()
    (tmp_path / "generator" / "twin.md").write_text(BOOK.text(Role.GENERATOR, "plain"))
    (tmp_path / "generator" / "careful.md").write_text("Something else.")
    (tmp_path / "generator" / "closed.md").write_text(BOOK.text(Role.GENERATOR, "plain") + "\n---\nNow write it.")
    book = PromptBook.load(tmp_path)
    plain = compiled(linear()).digest
    assert compile_genome(linear(prompt="twin"), PipelineSettings(), book).digest == plain
    assert compile_genome(linear(prompt="closed"), PipelineSettings(), book).digest != plain
    assert (
        compile_genome(linear(prompt="careful"), PipelineSettings(), book).digest
        != compiled(linear(prompt="careful")).digest
    )


def test_same_behaviour_written_differently_has_one_plan() -> None:
    twice = compiled(linear(Stage(iterations=1), Stage(iterations=2)))
    once = compiled(linear(Stage(iterations=3)))
    assert twice.digest == once.digest
    assert twice.max_calls == once.max_calls == 4

    straight = linear(Stage())  # ... refiner -> second executor -> output instead of a loop
    last = len(straight.nodes)
    refiner, executor = last - 1, last - 2
    unlooped = Genome(
        (*straight.nodes, NodeGene(last, Role.EXECUTOR, feedback=Feedback.TYPE)),
        (
            *(c for c in straight.connections if (c.source, c.target) not in {(refiner, executor), (executor, 1)}),
            ConnectionGene(50, refiner, last),
            ConnectionGene(51, last, 1),
        ),
    )
    assert compiled(unlooped).digest == compiled(straight).digest


def test_what_nobody_reads_does_not_count() -> None:
    genome = linear()
    quiet = replace(
        genome,
        nodes=tuple(replace(n, feedback=Feedback.TYPE) if n.role is Role.EXECUTOR else n for n in genome.nodes),
    )
    assert compiled(quiet).digest == compiled(genome).digest
    assert compiled(genome, early_stopping=False).digest == compiled(genome).digest


def test_a_refiner_whose_loop_is_disabled_falls_away() -> None:
    genome = linear(Stage(iterations=3))
    refiner = genome.nodes[-1].id
    cut = replace(genome, connections=tuple(replace(c, enabled=c.source != refiner) for c in genome.connections))
    assert compiled(cut).digest == compiled(linear()).digest


@given(pipelines)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_compilation_is_deterministic_and_hashable(chain: list[Stage]) -> None:
    first, second = compiled(linear(*chain)), compiled(linear(*chain))
    assert first == second
    assert hash(first) == hash(second)
    assert len(first.digest) == 16


def _without(genome: Genome, role: Role, **fields: object) -> Genome:
    return replace(
        genome,
        nodes=tuple(replace(n, **fields) if n.role is role else n for n in genome.nodes),  # type: ignore[arg-type]
    )


def _edge(genome: Genome, source: int, target: int) -> Genome:
    return replace(genome, connections=(*genome.connections, ConnectionGene(99, source, target)))


LOOP = linear(Stage(analyzer="cause"))  # 2 generator, 3 executor, 4 analyzer, 5 refiner
TWO = linear(Stage(), Stage(prompt="rewrite"))  # 2 generator, 3 executor, 4 refiner, 5 executor, 6 refiner


@pytest.mark.parametrize(
    ("genome", "says"),
    [
        (_without(LOOP, Role.GENERATOR, model=None), r"node 2 \(generator\) has no model"),
        (_without(LOOP, Role.REFINER, prompt=""), r"node 5 \(refiner\) has no prompt"),
        (_without(LOOP, Role.ANALYZER, temperature=None), r"node 4 \(analyzer\) has no temperature"),
        (_without(LOOP, Role.REFINER, temperature=float("nan")), r"node 5 .*temperature nan"),
        (_without(LOOP, Role.REFINER, iterations=0), r"node 5 \(refiner\) has iterations 0"),
        (_without(LOOP, Role.REFINER, prompt="magic"), r"node 5: unknown refiner prompt 'magic': known are fix"),
        (replace(LOOP, connections=()), r"no enabled connections lead from task"),
        (replace(LOOP, nodes=LOOP.nodes[1:], connections=()), r"has 0 task nodes"),
        (replace(LOOP, nodes=(*LOOP.nodes, LOOP.nodes[-1])), r"node 5 is there twice"),
        (_edge(LOOP, 5, 77), r"connection 99 ends at node 77"),
        (_edge(LOOP, 0, 4), r"node 0 \(task\) leads to node 4 \(analyzer\), which it may not"),
        (_edge(LOOP, 5, 4), r"node 5 \(refiner\) loops back to node 4 \(analyzer\), which it may not"),
        (_edge(TWO, 6, 3), r"node 6 \(refiner\) loops to more than one node"),
        (_edge(_edge(TWO, 0, 5), 5, 4), r"node 0 \(task\) leads to node 5"),
    ],
)
def test_a_genome_that_cannot_run_gets_one_line_that_names_node_and_fault(genome: Genome, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        compiled(genome)
    assert "\n" not in str(caught.value)
