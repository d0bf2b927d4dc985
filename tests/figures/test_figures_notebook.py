"""What a notebook shows of a genome."""

from dataclasses import replace
from pathlib import Path

import pytest
from figure_genomes import LOOP

import evo
from evo.figures import explain
from evo.genome import Genome, write_genome


def test_a_genome_is_a_picture_and_its_steps_in_words(tmp_path: Path) -> None:
    path = tmp_path / "champion.json"
    write_genome(path, LOOP)
    shown = evo.show(evo.read_genome(str(path)), title="mine", simulated=True)
    page = shown._repr_html_()
    assert page.startswith("<figure")
    assert page.count("<svg") == page.count("</svg>") == 1
    assert ">mine<" in page
    assert ">SIMULATED<" in page
    assert page.count("<div style=") == len(explain(LOOP).splitlines())
    assert shown._repr_png_().startswith(b"\x89PNG")


def test_names_of_models_are_text() -> None:
    hostile = "<script>alert(1)</script>"
    nodes = tuple(replace(node, model=hostile) if node.model else node for node in LOOP.nodes)
    page = evo.show(Genome(nodes, LOOP.connections))._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_path_is_not_a_genome() -> None:
    with pytest.raises(evo.UserError, match="read it first"):
        evo.show("champion.json")  # type: ignore[arg-type]
