"""What runs of a pipeline did with its graph: how often each edge was used, what was solved at each node."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Traffic"]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Counted over ``runs`` runs of one pipeline (one problem, one replicate each). All per run, by node id.

    solved: share of runs whose answer was written by this node and passed the hidden tests; over all nodes they add up
    to the solve rate. passed: of an executor, share of runs in which a program passed its tests there. passes: of an
    edge (source, target), how often a run goes along it, so 2 for a loop run twice.
    """

    runs: int
    solved: Mapping[int, float] = field(default_factory=dict)
    passed: Mapping[int, float] = field(default_factory=dict)
    passes: Mapping[tuple[int, int], float] = field(default_factory=dict)

    def note(self, node: int) -> str:
        """What is written on a node, "" where nothing is known of it."""
        if node in self.passed:
            return f"passed in {100 * self.passed[node]:.0f} % of runs"
        if node in self.solved:
            return f"solved {100 * self.solved[node]:.0f} % of runs"
        return ""
