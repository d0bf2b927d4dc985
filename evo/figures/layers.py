"""Where the nodes of a genome's graph go: layers from left to right, lanes from top to bottom.

A small Sugiyama layout (Sugiyama, Tagawa, Toda 1981), deterministic: loops are found and set aside, every node's layer
is the longest way to it, an edge that skips layers holds a lane in each of them so that it crosses no node, and sweeps
by barycentre order the lanes. An edge that belongs to the longest way from task to output keeps lane 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import networkx as nx

from evo.genome import OUTPUT_ID, TASK_ID, Genome, back_edges

__all__ = ["Edge", "Layers", "arrange", "loop_edges", "to_networkx"]

Edge = tuple[int, int]
_Slot = int | tuple[Edge, int]  # a node, or an edge's place in a layer that it only passes

_SWEEPS = 8


@dataclass(frozen=True, slots=True)
class Layers:
    """layer, lane: of each node; lanes may be halves, 0 is the main line and negative is below.

    loops: enabled edges that lead back. ways: for each other enabled edge the lanes it holds in the layers between.
    """

    layer: Mapping[int, int]
    lane: Mapping[int, float]
    loops: frozenset[Edge]
    ways: Mapping[Edge, tuple[float, ...]]


def to_networkx(genome: Genome) -> Any:
    """The genome as a ``networkx.DiGraph``: each node's attribute "gene", each edge's "enabled" and "innovation"."""
    graph = nx.DiGraph()
    graph.add_nodes_from((gene.id, {"gene": gene}) for gene in genome.nodes)
    for gene in genome.connections:
        graph.add_edge(gene.source, gene.target, enabled=gene.enabled, innovation=gene.innovation)
    return graph


def loop_edges(genome: Genome) -> frozenset[Edge]:
    """Enabled edges that close a loop: the genome's back edges, and where parts cut off from the task still go in
    circles, one edge of each circle.
    """
    loops = set(back_edges(genome))
    graph = nx.DiGraph((c.source, c.target) for c in genome.connections if c.enabled)
    graph.remove_edges_from(loops)
    while not nx.is_directed_acyclic_graph(graph):
        closing = nx.find_cycle(graph)[-1]
        graph.remove_edge(*closing)
        loops.add(closing)
    return frozenset(loops)


def arrange(genome: Genome) -> Layers:
    """Layer and lane of every node, and the ways of the edges between them. The same genome gives the same places."""
    loops = loop_edges(genome)
    enabled = [(c.source, c.target) for c in genome.connections if c.enabled and (c.source, c.target) not in loops]
    graph = nx.DiGraph()
    graph.add_nodes_from(gene.id for gene in genome.nodes)
    graph.add_edges_from(enabled)
    _anchor_loose_nodes(graph, genome)
    layer = _longest_way(graph)
    slots, chains = _slots(layer, enabled)
    neighbours = nx.Graph()
    for chain in chains.values():
        nx.add_path(neighbours, chain)
    main = _main_line(graph, chains)
    lanes = _lanes(slots, neighbours, main)
    return Layers(
        layer=layer,
        lane={gene.id: lanes[gene.id] for gene in genome.nodes},
        loops=loops,
        ways={edge: tuple(lanes[slot] for slot in chain[1:-1]) for edge, chain in chains.items()},
    )


def _anchor_loose_nodes(graph: Any, genome: Genome) -> None:
    """A node without enabled edges stands where its disabled ones say, else between task and output."""
    for gene in genome.connections:
        loose = not (graph.degree(gene.source) and graph.degree(gene.target))
        if not gene.enabled and loose and not nx.has_path(graph, gene.target, gene.source):
            graph.add_edge(gene.source, gene.target)
    for node in sorted(graph.nodes):
        if node not in (TASK_ID, OUTPUT_ID) and not nx.has_path(graph, TASK_ID, node) and not graph.in_degree(node):
            graph.add_edge(TASK_ID, node)


def _longest_way(graph: Any) -> dict[int, int]:
    layer: dict[int, int] = {}
    for node in nx.lexicographical_topological_sort(graph):
        layer[node] = 1 + max((layer[before] for before in graph.predecessors(node)), default=-1)
    layer[OUTPUT_ID] = 1 + max((at for node, at in layer.items() if node != OUTPUT_ID), default=-1)
    return layer


def _slots(layer: Mapping[int, int], edges: Iterable[Edge]) -> tuple[list[list[_Slot]], dict[Edge, list[_Slot]]]:
    """What stands in each layer, and each edge as the chain of slots that it passes, its ends included."""
    slots: list[list[_Slot]] = [[] for _ in range(1 + max(layer.values()))]
    for node in sorted(layer):
        slots[layer[node]].append(node)
    chains: dict[Edge, list[_Slot]] = {}
    for source, target in sorted(edges):
        between: list[_Slot] = [((source, target), at) for at in range(layer[source] + 1, layer[target])]
        for slot, at in zip(between, range(layer[source] + 1, layer[target]), strict=True):
            slots[at].append(slot)
        chains[source, target] = [source, *between, target]
    return slots, chains


def _main_line(graph: Any, chains: Mapping[Edge, Sequence[_Slot]]) -> frozenset[_Slot]:
    """The slots of the way from task to output that visits most nodes; of equals the one through the lowest ids."""
    best: dict[int, tuple[int, ...]] = {TASK_ID: (TASK_ID,)}
    for node in nx.lexicographical_topological_sort(graph):
        ways = [
            (*best[before], node) for before in graph.predecessors(node) if before in best and (before, node) in chains
        ]
        if ways:
            best[node] = min(ways, key=lambda way: (-len(way), way))
    way = best.get(OUTPUT_ID, (TASK_ID,))
    return frozenset(slot for edge in pairwise(way) for slot in chains[edge])


def _lanes(slots: Sequence[list[_Slot]], neighbours: Any, main: frozenset[_Slot]) -> dict[_Slot, float]:
    lanes: dict[_Slot, float] = {}
    for column in slots:
        column.sort(key=lambda slot: (slot not in main, not isinstance(slot, tuple)))
        lanes |= _spread(column, main)

    def pull(slot: _Slot) -> float:
        near = [lanes[other] for other in neighbours[slot]] if slot in neighbours else []
        return sum(near) / len(near) if near else lanes[slot]

    for sweep in range(_SWEEPS):
        for column in slots if sweep % 2 == 0 else reversed(slots):
            # A node goes below a passing edge where both are pulled alike: the main line stays free for the eye.
            column.sort(key=lambda slot: (-pull(slot), not isinstance(slot, tuple), slot not in main))
            lanes |= _spread(column, main)
    return lanes


def _spread(column: Sequence[_Slot], main: frozenset[_Slot]) -> dict[_Slot, float]:
    """Lanes for one layer from top to bottom, one apart: around the main line if an edge holds it, else centred."""
    held = [index for index, slot in enumerate(column) if slot in main and isinstance(slot, tuple)]
    top = float(held[0]) if held else (len(column) - 1) / 2
    return {slot: top - index for index, slot in enumerate(column)}
