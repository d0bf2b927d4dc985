"""A genome in words: what stands on a node, and the whole pipeline step by step."""

from collections.abc import Sequence

import networkx as nx

from evo.figures.layers import arrange, loop_edges
from evo.genome import OUTPUT_ID, Feedback, Genome, NodeGene, Role

__all__ = ["budget_label", "explain", "facts", "name", "reading_order"]

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


def budget_label(gene: NodeGene) -> str:
    """How often a loop that starts at this node may run."""
    return "feedback" if gene.iterations is None else f"up to {gene.iterations} ×"


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
    step = {gene.id: f"step {number}" for number, gene in enumerate(inner, start=1)} | {OUTPUT_ID: "the output"}
    edges = [(edge.source, edge.target) for edge in genome.connections if edge.enabled]
    forward = nx.DiGraph(edge for edge in edges if edge not in loops)
    forward.add_nodes_from(step)
    lines = []
    for number, gene in enumerate(inner, start=1):
        sentence = _does(gene)
        back = [step[target] for source, target in edges if source == gene.id and (source, target) in loops]
        rounds = [source for source, target in loops if target == gene.id]
        onward = sorted(forward.successors(gene.id), key=lambda target: step[target])
        inside = [step[target] for target in onward if any(nx.has_path(forward, target, end) for end in rounds)]
        beyond = [step[target] for target in onward if step[target] not in inside]
        if back:
            sentence += f" It goes back to {_list(back)}, {_times(gene)}."
        if inside and beyond:
            sentence += f" It goes on to {_list(inside)}, and when that loop is used up, to {_list(beyond)}."
        elif back and beyond:
            sentence += f" After that it goes on to {_list(beyond)}."
        elif [*inside, *beyond] not in ([], [f"step {number + 1}"]):
            sentence += f" It goes on to {_list([*inside, *beyond])}."
        lines.append(f"{number}. {sentence}")
    return "\n".join([*lines, _answer(inner)])


def _does(gene: NodeGene) -> str:
    who = f"{'An' if gene.role.value[0] in 'aeiou' else 'A'} {gene.role.value}"
    said = [fact for fact in (gene.model, gene.prompt and f'prompt "{gene.prompt}"', _warmth(gene)) if fact]
    who += f" ({', '.join(said)})" if said else ""
    match gene.role:
        case Role.GENERATOR:
            return f"{who} writes a program for the task."
        case Role.EXECUTOR:
            report = f" If one fails, it reports {_FEEDBACK[gene.feedback]}." if gene.feedback else ""
            return f"{who} runs the program against the visible tests.{report}"
        case Role.ANALYZER:
            return f"{who} says in words what is wrong with the program."
        case Role.REFINER:
            return f"{who} rewrites the program with what is known of its failure."
        case _:
            return f"{who} takes its turn."


def _warmth(gene: NodeGene) -> str | None:
    return None if gene.temperature is None else f"temperature {gene.temperature:.2f}"


def _times(gene: NodeGene) -> str:
    return "while that helps" if gene.iterations is None else f"at most {_count(gene.iterations, 'time')}"


def _answer(inner: Sequence[NodeGene]) -> str:
    if all(gene.role is not Role.EXECUTOR for gene in inner):
        return "That program is the answer; nothing runs it before."
    return (
        "The first program that passes all visible tests is the answer; if none does, the one that passed most of them."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _list(items: Sequence[str]) -> str:
    return " and ".join(items)
