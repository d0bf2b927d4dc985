"""Genome to plan: live part, shape, normal form, digest.

Two genomes that behave alike get equal plans but for ``gene`` and ``prompt``, and so equal digests. Each pass removes
one kind of difference that no run can show: disabled connections and dead nodes (``_live``), the same step written as
two stages, and a trailing execution that the loop makes anyway (``_fold``), loop edges without a second iteration,
feedback that nobody reads, and gene ids (``_lay_out``).
"""

import hashlib
import json
import math
from collections.abc import Set
from dataclasses import asdict, replace

from evo.errors import UserError
from evo.genome.genes import OUTPUT_ID, TASK_ID, Feedback, Genome, NodeGene, Role
from evo.pipeline.plan import PipelineSettings, Plan, PlanNode
from evo.pipeline.prompts import PromptBook

__all__ = ["BEHAVIOUR", "compile_genome"]

BEHAVIOUR = 1  # part of every digest: raised when messages, feedback or extraction change what a plan does


def compile_genome(genome: Genome, settings: PipelineSettings, prompts: PromptBook) -> Plan:
    """Compile a genotype to its phenotype. Raises UserError, naming node and fault, if it is no executable pipeline."""
    generator, stages = _shape(genome, _live(genome))
    chain = _fold([tuple(_node(gene, prompts) for gene in stage) for stage in stages])
    nodes, edges = _lay_out(_node(generator, prompts), chain)
    return Plan(nodes, edges, settings, _digest(nodes, edges, settings))


# --- The live part of the graph -------------------------------------------------------------------------------------

_Edges = dict[int, tuple[int, ...]]


def _live(genome: Genome) -> _Edges:
    """Enabled connections between nodes that lie on a path from task to output, as successors by node id."""
    ids = [gene.id for gene in genome.nodes]
    if len(set(ids)) < len(ids):
        raise UserError(f"genome: node {next(i for i in ids if ids.count(i) > 1)} is there twice; ids are unique")
    for connection in genome.connections:
        for end in (connection.source, connection.target):
            if end not in ids:
                raise UserError(f"genome: connection {connection.innovation} ends at node {end}, which does not exist")
    pairs = {(c.source, c.target) for c in genome.connections if c.enabled}
    task, output = _only(genome, Role.TASK), _only(genome, Role.OUTPUT)
    alive = _reach(task, pairs) & _reach(output, {(target, source) for source, target in pairs})
    if output not in alive:
        raise UserError(f"genome: no enabled connections lead from task (node {task}) to output (node {output})")
    return {id: tuple(sorted(t for s, t in pairs if s == id and t in alive)) for id in alive}


def _only(genome: Genome, role: Role) -> int:
    found = [gene.id for gene in genome.nodes if gene.role is role]
    if len(found) != 1:
        raise UserError(f"genome: has {len(found)} {role} nodes, not one")
    return found[0]


def _reach(start: int, pairs: set[tuple[int, int]]) -> set[int]:
    seen, frontier = {start}, [start]
    while frontier:
        here = frontier.pop()
        fresh = {target for source, target in pairs if source == here} - seen
        seen |= fresh
        frontier.extend(fresh)
    return seen


# --- The shape: a generator and a chain of stages -------------------------------------------------------------------


def _shape(genome: Genome, live: _Edges) -> tuple[NodeGene, list[tuple[NodeGene, ...]]]:
    """The generator and its stages (executor, [analyzer,] refiner), followed from the task along live connections.

    A last stage may be an executor alone.
    """

    def follow(gene: NodeGene, *roles: Role, but: Set[int] = frozenset()) -> NodeGene:
        targets = [genome.node(id) for id in live[gene.id] if id not in but]
        if len(targets) != 1 or targets[0].role not in roles:
            fed = ", ".join(f"{t.role} (node {t.id})" for t in targets) or "nothing else"
            wanted = " or ".join(f"one {role}" for role in roles)
            raise UserError(f"genome: node {gene.id} ({gene.role}) feeds {fed}; it must feed {wanted}")
        return targets[0]

    task, output = (genome.node(_only(genome, role)) for role in (Role.TASK, Role.OUTPUT))
    generator = follow(task, Role.GENERATOR)
    here = follow(generator, Role.EXECUTOR, Role.OUTPUT)
    stages: list[tuple[NodeGene, ...]] = []
    while here.role is Role.EXECUTOR:
        executor = here
        if live[executor.id] == (output.id,):
            return generator, [*stages, (executor,)]
        stage = [executor, follow(executor, Role.ANALYZER, Role.REFINER, but={output.id})]
        if stage[-1].role is Role.ANALYZER:
            stage.append(follow(stage[-1], Role.REFINER))
        refiner = stage[-1]
        if back := {s[0].id for s in stages}.intersection(live[refiner.id]):
            raise UserError(
                f"genome: node {refiner.id} (refiner) loops to node {min(back)}; "
                f"it must loop to its own executor, node {executor.id}"
            )
        stages.append((*stage[:-1], _budgeted(refiner, loops=executor.id in live[refiner.id])))
        if live[refiner.id] == (executor.id,):
            return generator, stages
        here = follow(refiner, Role.EXECUTOR, but={executor.id})
    return generator, stages


def _budgeted(refiner: NodeGene, loops: bool) -> NodeGene:
    if refiner.iterations is None or refiner.iterations < 1:
        raise UserError(
            f"genome: node {refiner.id} (refiner) has iterations {refiner.iterations}; it must be 1 or more"
        )
    return refiner if loops else replace(refiner, iterations=1)


def _node(gene: NodeGene, prompts: PromptBook) -> PlanNode:
    """A gene as a plan's node, its fields checked, its prompt looked up."""
    if not gene.role.calls_model:
        return PlanNode(gene.role, gene.id, feedback=gene.feedback or Feedback.VALUES)
    for field in ("model", "prompt", "temperature"):
        if getattr(gene, field) in (None, ""):
            raise UserError(f"genome: node {gene.id} ({gene.role}) has no {field}")
    assert gene.model is not None and gene.prompt is not None and gene.temperature is not None
    if not (math.isfinite(gene.temperature) and gene.temperature >= 0):
        raise UserError(
            f"genome: node {gene.id} ({gene.role}) has temperature {gene.temperature}; it must be 0 or more"
        )
    try:
        text = prompts.text(gene.role, gene.prompt)
    except UserError as error:
        raise UserError(f"genome: node {gene.id}: {error}") from None
    temperature = abs(float(gene.temperature))  # -0.0 is 0.0
    return PlanNode(
        role=gene.role,
        gene=gene.id,
        model=gene.model,
        prompt=gene.prompt,
        text=text,
        temperature=temperature,
        iterations=gene.iterations or 1,
    )


# --- Normal form and digest -----------------------------------------------------------------------------------------


def _fold(stages: list[tuple[PlanNode, ...]]) -> list[tuple[PlanNode, ...]]:
    """Equal stages in a row become one with their iterations added; a lone last executor is what the loop before it
    does.
    """
    folded: list[tuple[PlanNode, ...]] = []
    for stage in stages:
        if folded and len(stage) == 1:
            break
        if folded and [_behaviour(node) for node in folded[-1]] == [_behaviour(node) for node in stage]:
            *before, refiner = folded.pop()
            stage = (*before, replace(refiner, iterations=refiner.iterations + stage[-1].iterations))  # noqa: PLW2901
        folded.append(stage)
    return folded


def _behaviour(node: PlanNode) -> tuple[object, ...]:
    """What a node does in one visit."""
    return (node.role, node.model, node.text, node.temperature, node.feedback)


def _lay_out(
    generator: PlanNode, stages: list[tuple[PlanNode, ...]]
) -> tuple[tuple[PlanNode, ...], tuple[tuple[int, int], ...]]:
    """Nodes in execution order with their visits per run, and the edges between them that a run can take."""
    nodes = [PlanNode(Role.TASK, TASK_ID), generator]
    edges = [(0, 1)]
    for stage in stages:
        first, last = len(nodes), stage is stages[-1]
        edges.append((first - 1, first))
        edges.extend((index, index + 1) for index in range(first, first + len(stage) - 1))
        turns = stage[-1].iterations
        if len(stage) == 1:
            nodes.append(replace(stage[0], feedback=Feedback.VALUES))
            continue
        executor, *readers = stage
        nodes.append(replace(executor, iterations=turns + last))
        nodes.extend(replace(node, iterations=turns) for node in readers)
        if last or turns > 1:
            edges.append((len(nodes) - 1, first))
    final = max(index for index, node in enumerate(nodes) if node.role in (Role.GENERATOR, Role.EXECUTOR))
    edges.append((final, len(nodes)))
    return (*nodes, PlanNode(Role.OUTPUT, OUTPUT_ID)), tuple(sorted(edges))


def _digest(nodes: tuple[PlanNode, ...], edges: tuple[tuple[int, int], ...], settings: PipelineSettings) -> str:
    refines = any(node.role is Role.REFINER for node in nodes)
    effective = replace(settings, early_stopping=settings.early_stopping or not refines)  # nothing to stop without one
    parts = [BEHAVIOUR, [(*_behaviour(node), node.iterations) for node in nodes], edges, asdict(effective)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
