"""Graph genomes written as edges, for the tests of the pipeline."""

from evo.genome.genes import ConnectionGene, Feedback, Genome, NodeGene, Role

PROMPTS = {
    Role.PLANNER: "steps",
    Role.GENERATOR: "plain",
    Role.TESTER: "asserts",
    Role.ANALYZER: "cause",
    Role.REFINER: "fix",
}


def graph(*edges: str, **changes: dict[str, object]) -> Genome:
    """Nodes named "role" or "role_a"; edges "from to"; ids in the order of first mention. changes: fields by name."""
    names = list(dict.fromkeys(["task", "output", *(name for edge in edges for name in edge.split())]))
    nodes = []
    for id, name in enumerate(names):
        role = Role(name.split("_")[0])
        fields: dict[str, object] = {}
        if role.calls_model:
            fields = {"model": "m", "prompt": PROMPTS[role], "temperature": 0.2}
        if role is Role.REFINER:
            fields["iterations"] = 2
        if role is Role.EXECUTOR:
            fields["feedback"] = Feedback.VALUES
        nodes.append(NodeGene(id, role, **(fields | changes.get(name, {}))))  # type: ignore[arg-type]
    pairs = (edge.split() for edge in edges)
    return Genome(
        tuple(nodes),
        tuple(ConnectionGene(n, names.index(source), names.index(target)) for n, (source, target) in enumerate(pairs)),
    )


def best_of(n: int, *more: str) -> Genome:
    """n equal generators into one executor."""
    names = [f"generator_{k}" for k in range(n)]
    return graph(*(f"task {g}" for g in names), *(f"{g} executor" for g in names), "executor output", *more)
