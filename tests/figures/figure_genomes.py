"""Genomes for the figures' tests: named ones built by hand, and strategies for random ones."""

from collections.abc import Callable, Collection, Sequence

from hypothesis import strategies as st

from evo.genome import OUTPUT_ID, TASK_ID, ConnectionGene, Feedback, Genome, NodeGene, Role

Edge = tuple[int, int]

TASK = NodeGene(TASK_ID, Role.TASK)
OUTPUT = NodeGene(OUTPUT_ID, Role.OUTPUT)


def build(nodes: Sequence[NodeGene], edges: Sequence[Edge], disabled: Collection[Edge] = ()) -> Genome:
    genes = tuple(sorted([TASK, OUTPUT, *nodes], key=lambda node: node.id))
    pairs = [*((edge, True) for edge in edges), *((edge, False) for edge in disabled)]
    return Genome(genes, tuple(ConnectionGene(i, *edge, enabled) for i, (edge, enabled) in enumerate(pairs, start=1)))


def generator(id: int, model: str = "qwen2.5-coder:0.5b", prompt: str = "plain", temperature: float = 0.4) -> NodeGene:
    return NodeGene(id, Role.GENERATOR, model, prompt, temperature)


def executor(id: int, feedback: Feedback = Feedback.VALUES) -> NodeGene:
    return NodeGene(id, Role.EXECUTOR, feedback=feedback)


def analyzer(id: int, model: str = "llama3.2:3b", prompt: str = "cause") -> NodeGene:
    return NodeGene(id, Role.ANALYZER, model, prompt, 0.2)


def refiner(id: int, model: str = "qwen2.5-coder:0.5b", prompt: str = "fix", iterations: int = 3) -> NodeGene:
    return NodeGene(id, Role.REFINER, model, prompt, 0.25, iterations)


def planner(id: int, model: str = "llama3.2:3b") -> NodeGene:
    return NodeGene(id, Role.PLANNER, model, "steps", 0.3)


def tester(id: int, model: str = "qwen2.5-coder:0.5b") -> NodeGene:
    return NodeGene(id, Role.TESTER, model, "asserts", 0.1)


def selector(id: int) -> NodeGene:
    return NodeGene(id, Role.SELECTOR)


SOLO = build([generator(2)], [(0, 2), (2, 1)])
LOOP = build([generator(2), executor(3), refiner(4)], [(0, 2), (2, 3), (3, 4), (4, 3), (3, 1)], {(2, 1)})
ANALYZED = build(
    [generator(2, "qwen2.5:1.5b"), executor(3), analyzer(4), refiner(5, "llama3.2:3b")],
    [(0, 2), (2, 3), (3, 4), (4, 5), (5, 3), (3, 1)],
    [(2, 1), (3, 5)],
)
THREE_STAGES = build(
    [
        generator(2, "qwen2.5:1.5b"),
        *(executor(3), refiner(4, "gemma3:1b", iterations=2)),
        *(executor(5, Feedback.TYPE), analyzer(6), refiner(7, "llama3.2:3b")),
        *(executor(8, Feedback.TRACEBACK), refiner(9, iterations=1)),
    ],
    [(0, 2), (2, 3), (3, 4), (4, 3), (4, 5), (5, 6), (6, 7), (7, 5), (7, 8), (8, 9), (9, 8), (8, 1)],
    [(2, 1), (3, 1), (5, 7), (5, 1)],
)
TWO_GENERATORS = build(
    [generator(2, "qwen2.5:1.5b"), generator(3, "gemma3:1b", "stepwise", 0.8), executor(4), refiner(5)],
    [(0, 2), (0, 3), (2, 4), (3, 4), (4, 5), (5, 4), (4, 1)],
)
LONG_NAMES = build(
    [
        generator(2, "hf.co/bartowski/Qwen2.5-Coder-1.5B-Instruct-GGUF:Q4_K_M", "work-through-the-examples-first"),
        executor(3),
        refiner(4, "m" * 70, 'quote " < $x^2$ & \\ name'),
    ],
    [(0, 2), (2, 3), (3, 4), (4, 3), (3, 1)],
)
BRANCHES = build(
    [
        generator(2),
        *(executor(3), refiner(4)),
        generator(5, "gemma3:1b"),
        *(executor(6), analyzer(7), refiner(8, iterations=2), executor(9)),
    ],
    [(0, 2), (2, 3), (3, 4), (4, 3), (3, 9), (0, 5), (5, 6), (6, 7), (7, 8), (8, 6), (6, 9), (9, 1), (2, 9)],
)
# A disabled connection between neighbours where the picture breaks into rows: it once left the picture.
BROKEN_BETWEEN_NEIGHBOURS = build(
    [generator(2), generator(3), generator(4), executor(5), generator(6), generator(7), generator(8)],
    [(0, 7), (6, 5), (5, 4), (2, 7), (4, 7), (7, 5), (8, 7), (2, 8), (4, 3), (4, 5), (7, 2), (7, 8), (2, 4), (5, 2),
     (2, 6), (6, 2)],
    [(6, 3)],
)  # fmt: skip
# Its first row is left by an edge that passes beside other nodes in it.
BROKEN_BESIDE_NODES = build([generator(id) for id in range(2, 10)], [(0, 4)], [(0, 7), (2, 4), (3, 2), (4, 6), (6, 5)])
GRAPH = build(
    [
        planner(2),
        generator(3, "qwen2.5-coder:0.5b", "careful", 0.2),
        generator(4, "qwen2.5:1.5b", "examples", 0.8),
        tester(5),
        *(executor(6), refiner(7, iterations=2)),
        *(executor(8, Feedback.TRACEBACK), analyzer(9), refiner(10)),
        selector(11),
    ],
    [(0, 2), (2, 3), (0, 4), (0, 5), (3, 6), (5, 6), (6, 7), (7, 6), (4, 8), (8, 9), (9, 10), (10, 8), (6, 11),
     (8, 11), (11, 1)],
    [(4, 11)],
)  # fmt: skip
GENOMES = {
    "solo": SOLO,
    "loop": LOOP,
    "analyzed": ANALYZED,
    "three_stages": THREE_STAGES,
    "two_generators": TWO_GENERATORS,
    "long_names": LONG_NAMES,
    "branches": BRANCHES,
    "graph": GRAPH,
}

_names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=40)
_temperatures = st.floats(0, 2, allow_nan=False)


@st.composite
def linear_genomes(draw: st.DrawFn) -> Genome:
    """A generator and up to three stages, any names, with any of the edges disabled that splits leave behind."""
    nodes, edges = [generator(2, draw(_names), draw(_names), draw(_temperatures))], [(0, 2)]
    last, disabled = 2, []
    for _ in range(draw(st.integers(0, 3))):
        disabled.append((last, 1))
        here = executor(len(nodes) + 2, draw(st.sampled_from(Feedback)))
        nodes.append(here)
        edges.append((last, here.id))
        before = here.id
        if draw(st.booleans()):
            nodes.append(analyzer(len(nodes) + 2, draw(_names), draw(_names)))
            edges.append((before, nodes[-1].id))
            before = nodes[-1].id
            disabled.append((here.id, before + 1))
        nodes.append(refiner(len(nodes) + 2, draw(_names), draw(_names), draw(st.integers(1, 3))))
        edges += [(before, nodes[-1].id), (nodes[-1].id, here.id)]
        disabled.append((here.id, 1))
        last = nodes[-1].id
    ending = 2 if len(nodes) == 1 else max(node.id for node in nodes if node.role is Role.EXECUTOR)
    kept = [edge for edge in disabled if edge != (ending, 1) and draw(st.booleans())]
    return build(nodes, [*edges, (ending, 1)], kept)


@st.composite
def graph_genomes(draw: st.DrawFn) -> Genome:
    """Any directed graph over up to eight nodes, loops and all, in which some connections may be disabled."""
    count = draw(st.integers(1, 8))
    makers: list[Callable[[int], NodeGene]] = [
        generator,
        generator,
        executor,
        analyzer,
        refiner,
        planner,
        tester,
        selector,
    ]
    nodes = [draw(st.sampled_from(makers))(id) for id in range(2, count + 2)]
    ids = [node.id for node in nodes]
    pairs = [(s, t) for s in [0, *ids] for t in [*ids, 1] if s != t]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=20))
    disabled = {edge for edge in chosen if draw(st.integers(0, 4)) == 0}
    return build(nodes, [edge for edge in chosen if edge not in disabled], sorted(disabled))
