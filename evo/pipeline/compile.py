"""Genome to plan: live part, loops unrolled, bounds, digest.

Two genomes that behave alike get plans that differ in ``gene`` and ``prompt`` at most, and so equal digests: dead nodes
are pruned (``graph``), and two ways of writing the same course of events unroll to the same visits (``unroll``). What
nobody reads and what cannot act is left out of the digest.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict

from evo.errors import UserError
from evo.genome.genes import Feedback, Genome, NodeGene, Role
from evo.pipeline.graph import live_graph
from evo.pipeline.plan import PipelineSettings, Plan, PlanNode, Visit
from evo.pipeline.prompts import PromptBook
from evo.pipeline.unroll import unroll

__all__ = ["BEHAVIOUR", "compile_genome"]

BEHAVIOUR = 2  # part of every digest: raised when messages, feedback or extraction change what a plan does


def compile_genome(genome: Genome, settings: PipelineSettings, prompts: PromptBook) -> Plan:
    """Compile a genotype to its phenotype. Raises UserError, naming node and fault, if it is no executable pipeline or
    goes beyond the bounds of ``settings``.
    """
    graph = live_graph(genome)
    if len(graph.genes) - 2 > settings.max_nodes:
        raise UserError(f"genome: has {len(graph.genes) - 2} live nodes, at most {settings.max_nodes} allowed")
    nodes = tuple(_node(gene, settings, prompts) for gene in graph.genes)
    visits, output = unroll(graph, settings.max_calls)
    written = sum(nodes[visit.node].max_tokens for visit in visits if visit.position is not None)
    if written > settings.max_tokens_per_problem:
        raise UserError(
            f"genome: may write {written} tokens per problem, at most {settings.max_tokens_per_problem} allowed"
        )
    return Plan(nodes, visits, output, settings, _digest(nodes, visits, output, settings))


def _node(gene: NodeGene, settings: PipelineSettings, prompts: PromptBook) -> PlanNode:
    """A gene as a plan's node, its fields checked, its prompt looked up."""
    if gene.role is Role.REFINER and (gene.iterations is None or gene.iterations < 1):
        raise UserError(f"genome: node {gene.id} (refiner) has iterations {gene.iterations}; it must be 1 or more")
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
    if gene.max_tokens is not None and gene.max_tokens < 1:
        raise UserError(f"genome: node {gene.id} ({gene.role}) has max_tokens {gene.max_tokens}; it must be 1 or more")
    try:
        text = gene.text or prompts.text(gene.role, gene.prompt)
    except UserError as error:
        raise UserError(f"genome: node {gene.id}: {error}") from None
    return PlanNode(
        role=gene.role,
        gene=gene.id,
        model=gene.model,
        prompt=gene.prompt,
        text=text,
        temperature=abs(float(gene.temperature)),  # -0.0 is 0.0
        max_tokens=min(gene.max_tokens or settings.max_tokens, settings.max_tokens),
    )


# --- Digest ---------------------------------------------------------------------------------------------------------


def _digest(
    nodes: Sequence[PlanNode], visits: Sequence[Visit], output: Sequence[int], settings: PipelineSettings
) -> str:
    read = {i for visit in visits if nodes[visit.node].role in (Role.ANALYZER, Role.REFINER) for i in visit.inputs}
    rows = [
        [*_behaviour(nodes[visit.node], is_read=number in read), visit.inputs, visit.position]
        for number, visit in enumerate(visits)
    ]
    parts = [BEHAVIOUR, rows, output, _acting(nodes, visits, settings)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _behaviour(node: PlanNode, *, is_read: bool) -> tuple[object, ...]:
    """What a node does in one visit."""
    if node.role.calls_model:
        return (node.role, node.model, node.text, node.temperature, node.max_tokens)
    return (node.role, node.feedback if node.role is Role.EXECUTOR and is_read else None)


def _acting(nodes: Sequence[PlanNode], visits: Sequence[Visit], settings: PipelineSettings) -> dict[str, object]:
    """Of the settings those that can change what this plan does."""
    roles = {node.role for node in nodes}
    acting: dict[str, object] = {"prelude": settings.prelude, "sampling": asdict(settings.sampling)}
    # Without these, all calls are made before the first verdict, and all drafts reach the output.
    if roles & {Role.REFINER, Role.SELECTOR}:
        acting["early_stopping"] = settings.early_stopping
    if Role.TESTER in roles:
        acting["enough_tests"] = settings.enough_tests
    calls = [visit for visit in visits if visit.position is not None]
    if (
        sum(settings.sampling.context + nodes[visit.node].max_tokens for visit in calls)
        > settings.max_tokens_per_problem
    ):
        acting["max_tokens_per_problem"] = settings.max_tokens_per_problem
    return acting
