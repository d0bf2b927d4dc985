"""docs/genomes.md says of the tables of ports what they are."""

from pathlib import Path

import pytest

from evo.genome import GRAPH, LINEAR, Port, Role, Wiring

DOCS = (Path(__file__).parents[2] / "docs" / "genomes.md").read_text("utf-8")


def phrase(port: Port) -> str:
    """``1 to 3 executor or output``."""
    number = f"{port.least}" if port.least == port.most else f"{port.least} to {port.most}"
    return f"{number} {' or '.join(port.peers)}{' (loop)' if port.loop else ''}"


def rows(wiring: Wiring) -> list[str]:
    sides = [(role, wiring.outputs_of(role), wiring.inputs_of(role)) for role in Role]
    return [
        f"| {role} | {'; '.join(map(phrase, outputs))} | {'; '.join(map(phrase, inputs))} |"
        for role, outputs, inputs in sides
        if outputs or inputs
    ]


@pytest.mark.parametrize("wiring", [GRAPH, LINEAR], ids=["graph", "linear"])
def test_the_table_in_the_docs_is_the_table(wiring):
    assert "\n".join(rows(wiring)) in DOCS
