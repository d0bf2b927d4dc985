"""Topologies: nothing overlaps, everything is said, the same genome gives the same bytes."""

import os
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path

import matplotlib as mpl
import pytest
from figure_genomes import (
    ANALYZED,
    BROKEN_BESIDE_NODES,
    BROKEN_BETWEEN_NEIGHBOURS,
    GENOMES,
    LONG_NAMES,
    LOOP,
    SOLO,
    THREE_STAGES,
    graph_genomes,
    linear_genomes,
)
from hypothesis import example, given, settings

from evo.errors import UserError
from evo.figures import TopologyInfo, draw_topology, to_networkx, topology_info
from evo.figures.layers import arrange
from evo.figures.picture import EdgeWay, NodeBox, WayKind
from evo.figures.topology_info import node_lines
from evo.genome import Genome

_SLACK = 1e-6


def _overlap(a: NodeBox, b: NodeBox) -> bool:
    return abs(a.x - b.x) < (a.width + b.width) / 2 and abs(a.y - b.y) < (a.height + b.height) / 2


def _crosses(way: EdgeWay, box: NodeBox) -> bool:
    """Whether a way passes through the inside of a box; its segments are looked at in small steps."""
    for (x0, y0), (x1, y1) in pairwise(way.points):
        for step in range(101):
            x, y = x0 + (x1 - x0) * step / 100, y0 + (y1 - y0) * step / 100
            if abs(x - box.x) < box.width / 2 - 0.01 and abs(y - box.y) < box.height / 2 - 0.01:
                return True
    return False


def _check_places(info: TopologyInfo) -> None:
    assert not [(a.id, b.id) for a, b in combinations(info.boxes, 2) if _overlap(a, b)]
    for box in info.boxes:
        assert box.x - box.width / 2 >= -_SLACK
        assert box.x + box.width / 2 <= info.width + _SLACK
        assert box.y - box.height / 2 >= -_SLACK
        assert box.y + box.height / 2 <= info.height + _SLACK
    for way in info.ways:
        assert all(-_SLACK <= x <= info.width + _SLACK and -_SLACK <= y <= info.height + _SLACK for x, y in way.points)


def _check_forward_ways(info: TopologyInfo) -> None:
    for way in info.ways:
        if way.kind is WayKind.FORWARD:
            others = [box for box in info.boxes if box.id not in (way.source, way.target)]
            assert not [box.id for box in others if _crosses(way, box)]


@given(linear_genomes())
@settings(max_examples=150, deadline=None)
def test_linear_genomes_are_laid_out_without_overlap(genome: Genome) -> None:
    info = topology_info(genome)
    _check_places(info)
    _check_forward_ways(info)
    loops = [way for way in info.ways if way.kind is WayKind.LOOP]
    for way in loops:
        ways_on = sum(c.source == way.source and c.enabled for c in genome.connections) - 1
        assert way.label == f"up to {(genome.node(way.source).iterations or 0) - ways_on} ×"
        assert not [box.id for box in info.boxes if box.id not in (way.source, way.target) and _crosses(way, box)]
    assert len(info.ways) == len(genome.connections)
    assert info == topology_info(genome)


@given(graph_genomes())
@example(BROKEN_BETWEEN_NEIGHBOURS)
@example(BROKEN_BESIDE_NODES)
@settings(max_examples=150, deadline=None)
def test_any_graph_is_laid_out_without_overlap(genome: Genome) -> None:
    info = topology_info(genome)
    _check_places(info)
    _check_forward_ways(info)
    assert {box.id for box in info.boxes} == {gene.id for gene in genome.nodes}
    assert len(info.ways) == len(genome.connections)


@given(graph_genomes())
@settings(max_examples=150, deadline=None)
def test_layers_lead_from_left_to_right(genome: Genome) -> None:
    layers = arrange(genome)
    for source, target in layers.ways:
        if source != 1:
            assert layers.layer[source] < layers.layer[target]
    assert layers.layer[1] == max(layers.layer.values())
    assert len(set(layers.layer)) == len(genome.nodes)
    places = [(layers.layer[id], layers.lane[id]) for id in layers.layer]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("name", GENOMES)
@pytest.mark.parametrize("kind", ["png", "svg"])
def test_files_are_whole_and_the_same_each_time(name: str, kind: str, tmp_path: Path) -> None:
    first, second = tmp_path / f"a.{kind}", tmp_path / "folder" / f"b.{kind}"
    for path in (first, second):
        draw_topology(GENOMES[name], path, title="Champion", subtitle="61.8 % ± 2.1", simulated=True)
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().startswith(b"\x89PNG" if kind == "png" else b"<?xml")
    assert {path.name for path in tmp_path.iterdir()} == {first.name, "folder"}, "no temporary files are left"


def test_bytes_do_not_depend_on_the_process(tmp_path: Path) -> None:
    """Another hash seed, another order of what was drawn before, and a user's own matplotlibrc."""
    here = tmp_path / "here.svg"
    draw_topology(SOLO, tmp_path / "before.svg")
    draw_topology(THREE_STAGES, here, title="Champion")
    (tmp_path / "matplotlibrc").write_text("font.size: 30\nsavefig.bbox: tight\nsvg.fonttype: path\n")
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from figure_genomes import THREE_STAGES\n"
        "from evo.figures import draw_topology\n"
        "draw_topology(THREE_STAGES, Path(sys.argv[2]), title='Champion')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    there = tmp_path / "there.svg"
    environment = os.environ | {"PYTHONHASHSEED": "7", "MATPLOTLIBRC": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script, str(Path(__file__).parent), str(there)], check=True, env=environment)
    assert there.read_bytes() == here.read_bytes()


@pytest.mark.parametrize("name", [name for name in GENOMES if name != "long_names"])
def test_svg_says_everything(name: str, tmp_path: Path) -> None:
    path = tmp_path / "topology.svg"
    draw_topology(GENOMES[name], path, title="Champion of laptop", subtitle="validated: 61.8 %")
    text = path.read_text()
    assert ">Champion of laptop<" in text
    assert ">validated: 61.8 %<" in text
    for gene in GENOMES[name].nodes:
        for line in node_lines(gene):
            assert f">{line}<" in text
    assert ("feedback loop" in text) == any(gene.iterations for gene in GENOMES[name].nodes)
    assert ("disabled" in text) == any(not gene.enabled for gene in GENOMES[name].connections)
    assert "SIMULATED" not in text


def test_simulated_is_stamped(tmp_path: Path) -> None:
    draw_topology(LOOP, tmp_path / "topology.svg", simulated=True)
    assert ">SIMULATED<" in (tmp_path / "topology.svg").read_text()


def test_hostile_and_long_names_are_drawn_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "topology.svg"
    draw_topology(LONG_NAMES, path, title="a $ b $ <script>")
    text = path.read_text()
    assert "a $ b $ &lt;script&gt;" in text
    lines = node_lines(LONG_NAMES.node(4))
    assert "".join(lines).count("m") >= 70
    assert max(map(len, lines)) < 40


def test_a_wide_picture_is_folded_and_reads_on_in_the_next_row() -> None:
    info = topology_info(THREE_STAGES)
    row = {box.id: box.y for box in info.boxes}
    assert info.width < 14
    assert row[2] == row[3] > row[5] == row[6]
    bridge = next(way for way in info.ways if (way.source, way.target) == (4, 5))
    assert len(bridge.points) == 6


def test_drawing_leaves_matplotlib_as_it_was(tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    draw_topology(ANALYZED, tmp_path / "topology.png")
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("name", ["topology.pdf", "topology", "topology.txt"])
def test_other_suffixes_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"name it \.png or \.svg") as error:
        draw_topology(LOOP, tmp_path / name)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot write this file"):
        draw_topology(LOOP, tmp_path / "file" / "topology.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UserError, match="cannot write this file"):
        draw_topology(LOOP, tmp_path / "folder.png")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder.png"}


def test_networkx_view_holds_genes_and_edges() -> None:
    graph = to_networkx(LOOP)
    assert graph.nodes[4]["gene"] == LOOP.node(4)
    assert graph.edges[2, 1] == {"enabled": False, "innovation": 6}
    assert graph.number_of_edges() == len(LOOP.connections)
