"""A genome in words: what stands on a node, and the whole pipeline step by step."""

from collections.abc import Mapping, Sequence

import networkx as nx

from evo.figures.layers import arrange, loop_edges
from evo.genome import OUTPUT_ID, Feedback, Genome, NodeGene, Role

__all__ = ["budget_label", "explain", "facts", "name", "reading_order", "turns_back"]

_FEEDBACK = {
    Feedback.TYPE: "the type of the error",
    Feedback.TRACEBACK: "the error and where in the program it arose",
    Feedback.VALUES: "the error, where it arose, and what was returned against what was expected",
}


def facts(gene: NodeGene) -> tuple[str, ...]:
    """What a node has of model, prompt, temperature, iterations and feedback, one short text each."""
    found = [
        gene.model,
        None if gene.prompt is None else f"prompt: {gene.prompt}",
        None if gene.temperature is None else f"temperature {gene.temperature:.2f}",
        None if gene.iterations is None else _count(gene.iterations, "iteration"),
        "runs visible tests" if gene.role is Role.EXECUTOR else None,
        None if gene.feedback is None else f"feedback: {gene.feedback.value}",
    ]
    return tuple(fact for fact in found if fact is not None)


def turns_back(genome: Genome, source: int) -> int | None:
    """How often a run may take the loop edge of this node: its iterations, one less where it has a way on, which it
    takes at its last turn. None for a node without iterations.
    """
    iterations, loops = genome.node(source).iterations, loop_edges(genome)
    edges = [(edge.source, edge.target) for edge in genome.connections if edge.enabled and edge.source == source]
    return None if iterations is None else iterations - any(edge not in loops for edge in edges)


def budget_label(genome: Genome, source: int) -> str:
    """The same, as it stands on a loop edge."""
    turns = turns_back(genome, source)
    return "feedback" if turns is None else f"up to {turns} ×"


def reading_order(genome: Genome) -> tuple[NodeGene, ...]:
    """Nodes from task to output, layer by layer and from top to bottom, as the picture has them."""
    layers = arrange(genome)
    return tuple(sorted(genome.nodes, key=lambda gene: (layers.layer[gene.id], -layers.lane[gene.id], gene.id)))


def name(gene: NodeGene) -> str:
    """A node's name in text: its role, and its id where there may be several of that role."""
    return gene.role.value if gene.role in (Role.TASK, Role.OUTPUT) else f"{gene.role.value} {gene.id}"


def explain(genome: Genome) -> str:
    """The pipeline in plain words, one numbered step per node, for a reader who has never seen a genome.

    It tells what happens with early stopping, the default of every run.
    """
    loops = loop_edges(genome)
    inner = [gene for gene in reading_order(genome) if gene.role not in (Role.TASK, Role.OUTPUT)]
    number = {gene.id: count for count, gene in enumerate(inner, start=1)} | {OUTPUT_ID: len(inner) + 1}
    edges = [(edge.source, edge.target) for edge in genome.connections if edge.enabled]
    forward = nx.DiGraph(edge for edge in edges if edge not in loops)
    forward.add_nodes_from(number)
    lines = []
    for gene in inner:
        sentence = _does(
            gene,
            {
                s: genome.node(s)
                for s, target in edges
                if target == gene.id and s in number and (s, target) not in loops
            },
            number,
        )
        back = [target for source, target in edges if source == gene.id and (source, target) in loops]
        rounds = [source for source, target in loops if target == gene.id]
        onward = sorted(forward.successors(gene.id), key=number.__getitem__)
        inside = [target for target in onward if any(nx.has_path(forward, target, end) for end in rounds)]
        beyond = [target for target in onward if target not in inside]
        turns = turns_back(genome, gene.id)
        back = [] if turns == 0 else back
        if back:
            often = "while that helps" if turns is None else f"at most {_count(turns, 'time')}"
            sentence += f" It goes back to {_steps(back, number)}, {often}."
        if inside and beyond:
            used_up = f"and when that loop is used up, to {_steps(beyond, number)}"
            sentence += f" It goes on to {_steps(inside, number)}, {used_up}."
        elif back and beyond:
            sentence += f" After that it goes on to {_steps(beyond, number)}."
        elif [number[target] for target in onward] not in ([], [number[gene.id] + 1]) or onward == [OUTPUT_ID]:
            sentence += f" It goes on to {_steps(onward, number)}."
        lines.append(f"{number[gene.id]}. {sentence}")
    last = [genome.node(source) for source, target in edges if target == OUTPUT_ID]
    return "\n".join([*lines, _answer(inner, last)])


def _does(gene: NodeGene, sources: Mapping[int, NodeGene], number: Mapping[int, int]) -> str:
    """What a node does with what comes from ``sources``."""
    prompt = "a prompt of its own" if gene.text else gene.prompt and f'prompt "{gene.prompt}"'
    said = [fact for fact in (gene.model, prompt, _warmth(gene)) if fact]
    who = f"{'An' if gene.role.value[0] in 'aeiou' else 'A'} {gene.role.value}" + f" ({', '.join(said)})" * bool(said)
    plans = [id for id, source in sources.items() if source.role is Role.PLANNER]
    tests = [id for id, source in sources.items() if source.role is Role.TESTER]
    programs = sorted(sources.keys() - {*plans, *tests}, key=number.__getitem__)
    does = {
        Role.PLANNER: "says in words how to solve the task, before there is any program.",
        Role.TESTER: "writes tests of its own, where the task shows too few. They never count for the score.",
        Role.GENERATOR: "writes a program for the task"
        + (f" after the plan of {_steps(plans, number)}." if plans else "."),
        Role.EXECUTOR: f"runs {'each program that comes' if len(programs) > 1 else 'the program'} "
        "against the visible tests"
        + (f", and those of {_steps(tests, number)}." if tests else ".")
        + (f" If one fails, it reports {_FEEDBACK[gene.feedback]}." if gene.feedback else ""),
        Role.ANALYZER: "says in words what is wrong with the program.",
        Role.REFINER: "rewrites the program with what is known of its failure.",
        Role.SELECTOR: f"takes one of the programs of {_steps(programs, number)}: the one that passes most visible "
        "tests, of equals one that behaves like most others, then the shortest.",
    }
    return f"{who} {does[gene.role]}"


def _warmth(gene: NodeGene) -> str | None:
    return None if gene.temperature is None else f"temperature {gene.temperature:.2f}"


def _answer(inner: Sequence[NodeGene], last: Sequence[NodeGene]) -> str:
    """last: the nodes that feed the output."""
    unseen = [gene for gene in last if gene.role in (Role.GENERATOR, Role.REFINER)]
    if all(gene.role is not Role.EXECUTOR for gene in inner):
        if unseen == list(last):
            return (
                f"{'That program' if len(last) == 1 else 'The latest program'} is the answer; nothing runs it before."
            )
        return "The program that was chosen is the answer."
    first = "The first program that passes all visible tests is the answer; if none does, the one that "
    if unseen:
        return first + "reaches the output without having been run."
    chosen = ", of equals the one that was chosen" if any(gene.role is Role.SELECTOR for gene in last) else ""
    return f"{first}passed most of them{chosen}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _steps(ids: Sequence[int], number: Mapping[int, int]) -> str:
    """ "step 2", "steps 2, 3 and 5", with the output named as such."""
    steps, output = [str(number[id]) for id in ids if id != OUTPUT_ID], ["the output"] * (OUTPUT_ID in ids)
    if not steps:
        return output[0] if output else "nobody"
    steps[0] = f"step{'s' if len(steps) > 1 else ''} {steps[0]}"
    *before, end = [*steps, *output]
    return f"{', '.join(before)} and {end}" if before else end
