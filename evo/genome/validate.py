"""Is this genome in the space? Every fault in words, with the node that has it."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from evo.genome.genes import OUTPUT_ID, TASK_ID, Genome, NodeGene, Role
from evo.genome.space import LONGEST_TEXT, Port, Space, Wiring
from evo.genome.structure import Edge, live_edges, loop_edges, reachable, visits

__all__ = ["faults", "valid"]

_FIELDS = ("model", "prompt", "temperature", "iterations", "feedback", "text", "max_tokens")


def faults(genome: Genome, space: Space) -> tuple[str, ...]:
    """What keeps ``genome`` out of ``space``: one line per fault, naming the node; empty for a valid genome."""
    broken = (*_identity(genome), *_fields(genome, space))
    return broken or (*_wiring(genome, space), *_size(genome, space))


def valid(genome: Genome, space: Space) -> bool:
    """Whether ``faults`` would find none; stops at the first, cheapest checks first."""
    checks = (_identity(genome), _fields(genome, space), _size(genome, space), _wiring(genome, space))
    return not any(True for check in checks for _ in check)


def _label(id: int, role: Role) -> str:
    return f"node {id} ({role})"


def _identity(genome: Genome) -> Iterator[str]:
    ids = [node.id for node in genome.nodes]
    known = set(ids)
    if len(known) < len(ids):
        yield from (f"node {id}: the id occurs {n} times" for id, n in Counter(ids).items() if n > 1)
    if ids != sorted(ids):
        yield "nodes are not sorted by id"
    for id, role in ((TASK_ID, Role.TASK), (OUTPUT_ID, Role.OUTPUT)):
        if not any(node.id == id and node.role is role for node in genome.nodes):
            yield f"node {id}: must be there and have the role {role}"
    for node in genome.nodes:
        if node.id < 0 or (node.role in (Role.TASK, Role.OUTPUT) and node.id > OUTPUT_ID):
            yield f"{_label(node.id, node.role)}: only node {TASK_ID} is the task and only node {OUTPUT_ID} the output"
    numbers = [c.innovation for c in genome.connections]
    if numbers != sorted(set(numbers)):
        yield "connections are not sorted by innovation number, or a number occurs twice"
    ends = Counter((c.source, c.target) for c in genome.connections)
    if len(ends) < len(numbers):
        yield from (f"connection {s} -> {t}: occurs {n} times" for (s, t), n in ends.items() if n > 1)
    for c in genome.connections:
        for id in (c.source, c.target):
            if id not in known:
                yield f"connection {c.innovation}: there is no node {id}"


def _fields(genome: Genome, space: Space) -> Iterator[str]:
    for node in genome.nodes:
        needs, may_have = node.role.needs, node.role.may_have
        for name in _FIELDS:
            value = getattr(node, name)
            if name in needs:
                if value is None or value == "":
                    yield f"{_label(node.id, node.role)}: has no {name}"
            elif value is not None and name not in may_have:
                yield f"{_label(node.id, node.role)}: has {name}, which its role does not use"
        for fault in _values(node, space):
            yield f"{_label(node.id, node.role)}: {fault}"


def _values(node: NodeGene, space: Space) -> Iterator[str]:
    if node.model and space.models and node.model not in space.models:
        yield f"model {node.model!r} is not in the pool ({', '.join(space.models)})"
    if node.prompt and node.text is None:
        prompts = space.prompts_of(node.role)
        if prompts and node.prompt not in prompts:
            yield f"prompt {node.prompt!r} is not among {', '.join(prompts)}"
    if node.text is not None and not 0 < len(node.text.strip()) <= len(node.text) <= LONGEST_TEXT:
        yield f"text has {len(node.text)} characters, needs 1 to {LONGEST_TEXT}, not all blank"
    if node.max_tokens is not None and node.max_tokens not in (space.max_tokens or range(16, 32_769)):
        wanted = ", ".join(map(str, space.max_tokens)) or "16 to 32768"
        yield f"max_tokens {node.max_tokens} is not one of {wanted}"
    if node.temperature is not None:
        low, high = space.temperature
        if not (math.isfinite(node.temperature) and low <= node.temperature <= high):
            yield f"temperature {node.temperature:g} is outside {low:g}..{high:g}"
        elif space.temperature_step and space.on_grid(node.temperature) != node.temperature:
            yield f"temperature {node.temperature:g} is off the grid {low:g} + n * {space.temperature_step:g}"
    if node.iterations is not None and not space.iterations[0] <= node.iterations <= space.iterations[1]:
        yield f"iterations {node.iterations} is outside {space.iterations[0]}..{space.iterations[1]}"
    if node.feedback is not None and node.feedback not in space.feedback:
        yield f"feedback {node.feedback} is not among {', '.join(space.feedback)}"


def _wiring(genome: Genome, space: Space) -> Iterator[str]:
    yield from _miswired(tuple((node.id, node.role) for node in genome.nodes), live_edges(genome), space.wiring)


@lru_cache(maxsize=4096)  # a population has many genomes and few shapes
def _miswired(nodes: tuple[tuple[int, Role], ...], edges: tuple[Edge, ...], wiring: Wiring) -> tuple[str, ...]:
    return tuple(_wiring_faults(dict(nodes), edges, wiring))


def _wiring_faults(roles: Mapping[int, Role], edges: tuple[Edge, ...], wiring: Wiring) -> Iterator[str]:
    """roles: by id."""
    loops = loop_edges(edges)
    label = {id: _label(id, role) for id, role in roles.items()}
    for s, t in edges:
        if not wiring.allows(roles[s], roles[t], loop=(s, t) in loops):
            kind = "loop back" if (s, t) in loops else "lead"
            yield f"{label[s]}: may not {kind} to {label[t]}"
    leaving: dict[int, list[tuple[Role, bool]]] = {id: [] for id in roles}
    entering: dict[int, list[tuple[Role, bool]]] = {id: [] for id in roles}
    for edge in edges:
        s, t = edge
        leaving[s].append((roles[t], edge in loops))
        entering[t].append((roles[s], edge in loops))
    for id, role in roles.items():
        for port in wiring.outputs_of(role):
            yield from _count(label[id], port, leaving[id], "to")
        for port in wiring.inputs_of(role):
            yield from _count(label[id], port, entering[id], "from")
    task = reachable(TASK_ID, edges)
    output = reachable(OUTPUT_ID, [(t, s) for s, t in edges])
    for id in roles:
        if id not in task or id not in output:
            yield f"{label[id]}: is on no path from the task to the output"
    for id in _circular([e for e in edges if e not in loops]):
        yield f"{label[id]}: is on a cycle that no loop edge closes"


def _circular(edges: list[Edge]) -> list[int]:
    """Nodes on cycles, sorted: what is left when edges that end nowhere or start nowhere are taken away."""
    while True:
        sources, targets = {s for s, _ in edges}, {t for _, t in edges}
        inner = [(s, t) for s, t in edges if t in sources and s in targets]
        if len(inner) == len(edges):
            return sorted(sources)
        edges = inner


def _count(label: str, port: Port, peers: Iterable[tuple[Role, bool]], word: str) -> Iterator[str]:
    found = sum(loop is port.loop and role in port.peers for role, loop in peers)
    if not port.least <= found <= port.most:
        wanted = str(port.least) if port.least == port.most else f"{port.least} to {port.most}"
        kind = "loop edge" if port.loop else "edge"
        yield f"{label}: has {found} {kind}(s) {word} {' or '.join(port.peers)}, needs {wanted}"


def _size(genome: Genome, space: Space) -> Iterator[str]:
    if len(genome.inner) > space.max_nodes:
        yield f"{len(genome.inner)} nodes, at most {space.max_nodes} allowed"
    stages, (low, high) = sum(node.role is Role.EXECUTOR for node in genome.nodes), space.stages
    if not low <= stages <= high:
        yield f"{stages} stages, {low} to {high} allowed"
    callers = [node for node in genome.nodes if node.role.calls_model]
    most = 1 + sum(node.iterations or 0 for node in callers)
    if len(callers) * most <= space.max_calls:
        return  # whatever the loops are: spares looking for them
    calls = sum(visits(genome).values())
    if calls > space.max_calls:
        yield f"{calls} model calls in one run, at most {space.max_calls} allowed"
