"""Historical markings: the same structure has the same number during a whole run (Stanley & Miikkulainen 2002, 3.2)."""

from collections.abc import Mapping, Sequence
from typing import Any

from evo.genome.genes import OUTPUT_ID, ConnectionGene, Role

__all__ = ["InnovationTracker"]


class InnovationTracker:
    """Issues node ids and connection numbers; asks twice, answers the same.

    A node is known by the edge that it was put into, its role, and ``nth``, for a genome that already holds the earlier
    ones. A connection is known by its ends. neat-python's tracker forgets every generation: one edge, two numbers.
    """

    def __init__(self) -> None:
        self._nodes: dict[tuple[int, int, str, int], int] = {}
        self._connections: dict[tuple[int, int], int] = {}

    def node(self, source: int, target: int, role: Role, taken: Sequence[int] = ()) -> int:
        """Id (>= 2) of a ``role`` node put into the edge source -> target of a genome that has the ids ``taken``."""
        nth = 0
        while True:
            id = self._nodes.setdefault((source, target, role.value, nth), OUTPUT_ID + 1 + len(self._nodes))
            if id not in taken:
                return id
            nth += 1

    def connect(self, source: int, target: int, *, enabled: bool = True) -> ConnectionGene:
        """The gene of the edge ``source -> target`` with its number (>= 1)."""
        number = self._connections.setdefault((source, target), 1 + len(self._connections))
        return ConnectionGene(number, source, target, enabled)

    def state(self) -> dict[str, Any]:
        """All that was issued, as JSON-serialisable lists in order of issue."""
        return {"nodes": [list(key) for key in self._nodes], "connections": [list(key) for key in self._connections]}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "InnovationTracker":
        """The tracker that ``state`` was taken from."""
        tracker = cls()
        for source, target, role, nth in state["nodes"]:
            tracker._nodes[source, target, role, nth] = OUTPUT_ID + 1 + len(tracker._nodes)
        for source, target in state["connections"]:
            tracker._connections[source, target] = 1 + len(tracker._connections)
        return tracker

    def reset_generation(self) -> None:
        """neat-python calls this between generations. Numbers last for the run, so there is nothing to forget."""
