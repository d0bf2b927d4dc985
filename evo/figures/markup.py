"""A genome in the languages of other drawing tools: Mermaid and Graphviz' DOT. Pure functions to text."""

from evo.figures.layers import loop_edges
from evo.figures.style import role_style, shade, tint
from evo.figures.words import budget_label, facts
from evo.genome import ConnectionGene, Genome, NodeGene, Role

__all__ = ["topology_dot", "topology_mermaid"]

_MERMAID_SHAPE = {
    Role.TASK: ("([", "])"),
    Role.OUTPUT: ("([", "])"),
    Role.GENERATOR: ("(", ")"),
    Role.EXECUTOR: ("{{", "}}"),
    Role.ANALYZER: ("[/", "/]"),
    Role.REFINER: ("[[", "]]"),
    Role.PLANNER: ("[/", "\\]"),
    Role.TESTER: ("[\\", "/]"),
    Role.SELECTOR: (">", "]"),
}
_DOT_SHAPE = {
    Role.TASK: "oval",
    Role.OUTPUT: "oval",
    Role.EXECUTOR: "hexagon",
    Role.ANALYZER: "note",
    Role.REFINER: "octagon",
    Role.PLANNER: "parallelogram",
    Role.TESTER: "invhouse",
    Role.SELECTOR: "cds",
}
_FILL = 0.86
_DARK = 0.45


def topology_mermaid(genome: Genome) -> str:
    """A Mermaid flowchart, as GitHub renders it inside a fence tagged ``mermaid``."""
    loops = loop_edges(genome)
    lines = ["flowchart LR"]
    for gene in genome.nodes:
        opening, closing = _MERMAID_SHAPE.get(gene.role, ("[", "]"))
        text = "<br/>".join([f"<b>{gene.role.value}</b>", *map(_mermaid_text, facts(gene))])
        lines.append(f'    n{gene.id}{opening}"{text}"{closing}:::{gene.role.value}')
    for edge in genome.connections:
        lines.append(f"    n{edge.source} {_mermaid_arrow(edge, genome, loops)} n{edge.target}")
    for role in sorted({gene.role for gene in genome.nodes}):
        fill, colour, text = _colours(role)
        lines.append(f"    classDef {role.value} fill:{fill},stroke:{colour},stroke-width:2px,color:{text}")
    return "\n".join(lines) + "\n"


def topology_dot(genome: Genome) -> str:
    """A digraph in DOT, for ``dot -Tsvg``."""
    loops = loop_edges(genome)
    lines = ["digraph genome {", "    rankdir=LR;", '    node [fontname="sans-serif", fontsize=11, penwidth=2];']
    lines.append('    edge [fontname="sans-serif", fontsize=10];')
    for gene in genome.nodes:
        fill, colour, text = _colours(gene.role)
        rounded = gene.role is Role.GENERATOR
        looks = f'shape={_DOT_SHAPE.get(gene.role, "box")}, style="filled{",rounded" if rounded else ""}"'
        colours = f'fillcolor="{fill}", color="{colour}", fontcolor="{text}"'
        lines.append(f'    n{gene.id} [label="{_dot_label(gene)}", {looks}, {colours}];')
    for edge in genome.connections:
        lines.append(f"    n{edge.source} -> n{edge.target}{_dot_edge(edge, genome, loops)};")
    return "\n".join([*lines, "}"]) + "\n"


def _colours(role: Role) -> tuple[str, str, str]:
    """Fill, outline and text of a role, as the pictures have them."""
    colour = role_style(role).colour
    return tint(colour, _FILL), colour, shade(colour, _DARK)


def _mermaid_arrow(edge: ConnectionGene, genome: Genome, loops: frozenset[tuple[int, int]]) -> str:
    if not edge.enabled:
        return "-.->"
    if (edge.source, edge.target) in loops:
        return f'-- "{budget_label(genome, edge.source)}" -->'
    return "-->"


def _mermaid_text(text: str) -> str:
    """Characters that mean something to Mermaid or to HTML become entity codes, in Mermaid's spelling."""
    return "".join(letter if letter.isalnum() or letter in " .,:/_-+()" else f"#{ord(letter)};" for letter in text)


def _dot_edge(edge: ConnectionGene, genome: Genome, loops: frozenset[tuple[int, int]]) -> str:
    if not edge.enabled:
        return " [style=dotted, color=gray, constraint=false]"
    if (edge.source, edge.target) in loops:
        return f' [label="{budget_label(genome, edge.source)}", color="#D55E00", constraint=false]'
    return ""


def _dot_label(gene: NodeGene) -> str:
    lines = [gene.role.value, *facts(gene)]
    return "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
