"""The search space: which genomes exist. One table of ports says what may be wired to what; bounds say the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from evo.genome.genes import Feedback, Role

__all__ = ["GRAPH", "LINEAR", "LONGEST_TEXT", "OPEN", "DistanceWeights", "Initial", "Port", "Rates", "Space", "Wiring"]


@dataclass(frozen=True, slots=True)
class Port:
    """Where edges meet a node: a node of ``role`` has ``least``..``most`` enabled edges to (or from) ``peers`` here.

    loop: the port takes back edges (the target dominates the source), the others take forward edges.
    """

    role: Role
    peers: tuple[Role, ...]
    least: int
    most: int
    loop: bool = False


@dataclass(frozen=True, slots=True, eq=False)  # a table is itself: looked up in caches thousands of times per second
class Wiring:
    """The table of role-to-role edges: the single source for validity, operators and documentation.

    Each enabled edge leaves by exactly one port of ``outputs`` and enters by exactly one of ``inputs``. A space with
    freer topologies is the same table with wider ports.
    """

    outputs: tuple[Port, ...]
    inputs: tuple[Port, ...]

    def allows(self, source: Role, target: Role, *, loop: bool) -> bool:
        """Whether an edge between these roles, forward or back, is in the table."""
        return (source, target, loop) in _edges(self)

    def between(self, source: Role, target: Role, *, loop: bool = False) -> tuple[Role, ...]:
        """Roles that may stand between these; loop: where the edge behind it leads back."""
        return _between(self, source, target, loop)

    def outputs_of(self, role: Role) -> tuple[Port, ...]:
        """The ports by which edges leave a node of this role."""
        return _ports(self, role)[0]

    def inputs_of(self, role: Role) -> tuple[Port, ...]:
        """The ports by which edges enter a node of this role."""
        return _ports(self, role)[1]


@cache
def _ports(wiring: Wiring, role: Role) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    return tuple(p for p in wiring.outputs if p.role is role), tuple(p for p in wiring.inputs if p.role is role)


@cache
def _edges(wiring: Wiring) -> frozenset[tuple[Role, Role, bool]]:
    """All (source, target, loop) that leave by a port and enter by one."""
    leaving = {(port.role, peer, port.loop) for port in wiring.outputs for peer in port.peers}
    return frozenset(leaving & {(peer, port.role, port.loop) for port in wiring.inputs for peer in port.peers})


@cache
def _between(wiring: Wiring, source: Role, target: Role, loop: bool) -> tuple[Role, ...]:
    edges = _edges(wiring)
    return tuple(role for role in Role if (source, role, False) in edges and (role, target, loop) in edges)


LINEAR = Wiring(
    outputs=(
        Port(Role.TASK, (Role.GENERATOR,), 1, 1),
        Port(Role.GENERATOR, (Role.EXECUTOR, Role.OUTPUT), 1, 1),
        Port(Role.EXECUTOR, (Role.ANALYZER, Role.REFINER), 1, 1),
        Port(Role.EXECUTOR, (Role.OUTPUT,), 0, 1),
        Port(Role.ANALYZER, (Role.REFINER,), 1, 1),
        Port(Role.REFINER, (Role.EXECUTOR,), 1, 1, loop=True),
        Port(Role.REFINER, (Role.EXECUTOR,), 0, 1),
    ),
    inputs=(
        Port(Role.GENERATOR, (Role.TASK,), 1, 1),
        Port(Role.EXECUTOR, (Role.GENERATOR, Role.REFINER), 1, 1),
        Port(Role.EXECUTOR, (Role.REFINER,), 1, 1, loop=True),
        Port(Role.ANALYZER, (Role.EXECUTOR,), 1, 1),
        Port(Role.REFINER, (Role.EXECUTOR, Role.ANALYZER), 1, 1),
        Port(Role.OUTPUT, (Role.GENERATOR, Role.EXECUTOR), 1, 1),
    ),
)
"""One generator, then stages executor -> [analyzer ->] refiner in a row, each refiner looping to its own executor."""

GRAPH = Wiring(
    outputs=(
        Port(Role.TASK, (Role.PLANNER, Role.GENERATOR, Role.TESTER), 1, 6),
        Port(Role.PLANNER, (Role.GENERATOR,), 1, 4),
        Port(Role.GENERATOR, (Role.EXECUTOR, Role.SELECTOR, Role.OUTPUT), 1, 2),
        Port(Role.TESTER, (Role.EXECUTOR,), 1, 2),
        Port(Role.EXECUTOR, (Role.ANALYZER, Role.REFINER), 0, 3),
        Port(Role.EXECUTOR, (Role.SELECTOR, Role.OUTPUT), 0, 1),
        Port(Role.ANALYZER, (Role.REFINER,), 1, 2),
        Port(Role.REFINER, (Role.EXECUTOR,), 0, 1, loop=True),
        Port(Role.REFINER, (Role.EXECUTOR, Role.SELECTOR, Role.OUTPUT), 0, 2),
        Port(Role.SELECTOR, (Role.EXECUTOR, Role.OUTPUT), 1, 1),
    ),
    inputs=(
        Port(Role.PLANNER, (Role.TASK,), 1, 1),
        Port(Role.GENERATOR, (Role.TASK,), 0, 1),
        Port(Role.GENERATOR, (Role.PLANNER,), 0, 1),
        Port(Role.TESTER, (Role.TASK,), 1, 1),
        Port(Role.EXECUTOR, (Role.GENERATOR, Role.REFINER, Role.SELECTOR), 1, 6),
        Port(Role.EXECUTOR, (Role.TESTER,), 0, 1),
        Port(Role.EXECUTOR, (Role.REFINER,), 0, 3, loop=True),
        Port(Role.ANALYZER, (Role.EXECUTOR,), 1, 1),
        Port(Role.REFINER, (Role.EXECUTOR,), 0, 1),
        Port(Role.REFINER, (Role.ANALYZER,), 0, 1),
        Port(Role.SELECTOR, (Role.GENERATOR, Role.EXECUTOR, Role.REFINER), 2, 6),
        Port(Role.OUTPUT, (Role.GENERATOR, Role.EXECUTOR, Role.REFINER, Role.SELECTOR), 1, 6),
    ),
)
"""Typed graphs: plans and tests beside drafts, several generators, choices among drafts, loops that share nodes."""

LONGEST_TEXT = 2000
"""Characters that a prompt of a node's own may have."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Probabilities of the operators, each drawn once per child. The defaults are the study's (paper.md, "The search").

    add_stage, add_analyzer: the linear space's; remove_analyzer_share: of its removals, how many take an analyzer
    rather than the last stage. add_node to remove_loop: the graph space's (see ``evo.genome.graph``). remove_node and
    the rest: every space's. iterations_down_share: of iteration changes, how many are -1. temperature_sigma: of the
    Gaussian step. weaker_disjoint: chance that crossover takes what only the weaker parent has: a stage, or in the
    graph space a subgraph. feedback, max_tokens: not in the study, which had one level and one length.
    """

    add_stage: float = 0.04
    add_analyzer: float = 0.05
    remove_analyzer_share: float = 0.60
    add_node: float = 0.12
    add_branch: float = 0.08
    add_edge: float = 0.06
    disable_edge: float = 0.06
    enable_edge: float = 0.04
    duplicate: float = 0.06
    add_loop: float = 0.08
    remove_loop: float = 0.06
    remove_node: float = 0.18
    swap_model: float = 0.25
    change_prompt: float = 0.30
    temperature: float = 0.20
    temperature_sigma: float = 0.08
    iterations: float = 0.10
    iterations_down_share: float = 0.60
    feedback: float = 0.0
    max_tokens: float = 0.0
    weaker_disjoint: float = 0.30


@dataclass(frozen=True, slots=True)
class Initial:
    """What new nodes start with: temperature range per role (low, high), and the bag that iterations are drawn from."""

    generator_temperature: tuple[float, float] = (0.2, 0.6)
    analyzer_temperature: tuple[float, float] = (0.1, 0.4)
    refiner_temperature: tuple[float, float] = (0.1, 0.4)
    planner_temperature: tuple[float, float] = (0.1, 0.4)
    tester_temperature: tuple[float, float] = (0.1, 0.4)
    iterations: tuple[int, ...] = (1, 2, 2)

    def temperature_range(self, role: Role) -> tuple[float, float]:
        """Low and high of a new node's temperature, for a role that calls a model."""
        low, high = getattr(self, f"{role}_temperature")
        return low, high


@dataclass(frozen=True, slots=True)
class DistanceWeights:
    """Weights of the distance between genomes. The defaults give the study's distances.

    node: for each that only one of two genomes has, so that the study's stage of executor and refiner weighs 1.0 and
    its analyzer 0.5. connection: for each that is enabled in one and not in the other; 0 in the study. model to
    max_tokens: for nodes that both have; feedback and max_tokens are ours.
    """

    node: float = 0.5
    connection: float = 0.0
    model: float = 0.4
    prompt: float = 0.2
    temperature: float = 0.1
    iteration: float = 0.1
    feedback: float = 0.1
    max_tokens: float = 0.1


@dataclass(frozen=True, slots=True)
class Space:
    """Everything that decides which genomes are valid and how they vary.

    models: the pool; prompts: names per role. An empty pool, or a role without names, means "any": such a space can
    judge genomes (see OPEN) but not make them. max_nodes: inner nodes. max_calls: of a model in one run, by
    ``visits``. stages (executors), iterations, temperature: least and most.
    temperature_step: grid, anchored at the least temperature, on which temperatures lie, so that genomes share calls;
    0 = continuous (three decimals). max_tokens: what a node may ask for in place of what the run allows; empty: "any".
    """

    name: str = "linear"
    wiring: Wiring = LINEAR
    models: tuple[str, ...] = ()
    prompts: tuple[tuple[Role, tuple[str, ...]], ...] = ()
    max_nodes: int = 8
    max_calls: int = 32
    stages: tuple[int, int] = (1, 3)
    iterations: tuple[int, int] = (1, 3)
    temperature: tuple[float, float] = (0.05, 1.2)
    temperature_step: float = 0.0
    feedback: tuple[Feedback, ...] = tuple(Feedback)
    max_tokens: tuple[int, ...] = ()
    rates: Rates = field(default_factory=Rates)
    initial: Initial = field(default_factory=Initial)
    weights: DistanceWeights = field(default_factory=DistanceWeights)

    def with_pool(self, models: Sequence[str], prompts: Mapping[str, Sequence[str]]) -> "Space":
        """The same space over these models and prompt names per role ("generator" -> names), in their order."""
        table = tuple((Role(role), tuple(names)) for role, names in prompts.items())
        return replace(self, models=tuple(models), prompts=table)

    def prompts_of(self, role: Role) -> tuple[str, ...]:
        """Names of this role's prompts; empty if the space does not restrict them."""
        return dict(self.prompts).get(role, ())

    def on_grid(self, temperature: float) -> float:
        """The nearest temperature that the space has."""
        low, high = self.temperature
        clipped = min(max(temperature, low), high)
        if not self.temperature_step:
            return round(clipped, 3)
        last = int((high - low) / self.temperature_step + 1e-9)
        return round(low + min(round((clipped - low) / self.temperature_step), last) * self.temperature_step, 6)


OPEN = Space(
    name="open",
    wiring=GRAPH,
    stages=(0, 64),
    max_nodes=64,
    max_calls=10_000,
    iterations=(1, 99),
    temperature=(0.0, 2.0),
)
"""Judges any genome whatever its pool, as a file may hold it: bounds only where a value would make no sense."""
