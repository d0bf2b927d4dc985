"""Charts as data and as files: what they say, that nothing overlaps, that the numbers are beside them."""

import csv
import io
import math
from pathlib import Path

import pytest
from figure_genomes import ANALYZED, GRAPH, LOOP, SOLO, THREE_STAGES, build, generator
from matplotlib.backends.backend_agg import FigureCanvasAgg

from evo.evaluation.estimate import Estimate
from evo.figures import (
    Ancestor,
    Chart,
    ClaimPoint,
    ComplexityPoint,
    ErrorPoint,
    GenerationPoint,
    Panel,
    SharePoint,
    SpeciesPoint,
    SpendingPoint,
    TokenPoint,
    Traffic,
    TriedPoint,
    chart_figure,
    claims_chart,
    complexity_chart,
    differences,
    draw_chart,
    draw_gallery,
    draw_topology,
    errors_chart,
    figure_style,
    fitness_chart,
    lineage_chart,
    runs_chart,
    share_chart,
    species_chart,
    spending_chart,
    tokens_chart,
    topology_info,
    tried_chart,
)

HISTORY = [
    GenerationPoint(g, Estimate(0.4 + g / 20, 0.08, 3, 25), Estimate(0.3, 0.02, 3, 25), 0.52, 3) for g in range(4)
]
CHARTS = {
    chart.name: chart
    for chart in (
        fitness_chart(HISTORY, Estimate(0.4, 0.03, 5, 80)),
        runs_chart({"one": HISTORY, "another": HISTORY[:2]}),
        species_chart([SpeciesPoint(g, s, 1 + (g + s) % 3, 0.5) for g in range(5) for s in range(12)]),
        complexity_chart([ComplexityPoint(g, 3 + g / 2, 0.2, 6, 3, 4) for g in range(5)]),
        share_chart([SharePoint(g, n, 3, 0.5) for g in range(3) for n in ("generator", "refiner")], "role"),
        share_chart([SharePoint(0, "a-model-with-a-long-name:1.5b-instruct", 3, 1.0)], "model"),
        claims_chart([ClaimPoint(0, "a", 0.7, 0.5, 0.1, 12), ClaimPoint(1, "b", 0.8, math.nan, math.nan, 0)]),
        errors_chart([ErrorPoint("NameError", 30, 12, 30, 0.6, 0.1), ErrorPoint("Timeout", 2, 2, 0, math.nan, 0)], 90),
        tried_chart([TriedPoint(k, 50, 0.4, 0.1, 0.3, 0.1, 0.3) for k in (1, 2)], "All", early_stopping=False),
        tokens_chart([TokenPoint("a", "champion", 800, 0.5, 0.1, 60, 1), TokenPoint("b", "", 300, 0.4, 0.1, 6, 2)]),
        spending_chart([SpendingPoint("search", 100, 60, 5000, 900)]),
        lineage_chart([Ancestor(k, k, (k - 1,), True, 0.4, 0.1, 6, 2, "a change") for k in (1, 2, 3)]),
    )
}  # fmt: skip


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_a_chart_says_n_and_error_and_has_its_numbers_beside_it(chart: Chart, tmp_path: Path) -> None:
    assert any(letter.isdigit() for letter in chart.caption)
    assert "error" in chart.caption
    for name in ("a.svg", "b.svg"):
        draw_chart(chart, tmp_path / name, simulated=True)
    text = (tmp_path / "a.svg").read_text()
    assert text == (tmp_path / "b.svg").read_text()
    assert ">SIMULATED<" in text
    assert chart.title in text
    assert list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text())))
    draw_chart(chart, tmp_path / "a.svg", simulated=False)
    assert "SIMULATED" not in (tmp_path / "a.svg").read_text()


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_nothing_in_a_chart_lies_on_anything_else(chart: Chart, bare: bool) -> None:
    """Title, stamp, legend, axes with their labels, and caption, from top to bottom, inside the picture."""
    with figure_style():
        figure = chart_figure(chart, simulated=True, bare=bare)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        renderer = canvas.get_renderer()
        (axes,) = figure.axes
        boxes = [axes.get_tightbbox(renderer), *(legend.get_window_extent(renderer) for legend in figure.legends)]
        boxes += [text.get_window_extent(renderer) for text in figure.texts]
    slack = 2.0
    for i, one in enumerate(boxes):
        assert one.x0 >= -slack
        assert one.x1 <= figure.bbox.width + slack
        assert one.y0 >= -slack
        assert one.y1 <= figure.bbox.height + slack
        for other in boxes[i + 1 :]:
            apart = (
                one.x1 <= other.x0 + slack
                or other.x1 <= one.x0 + slack
                or one.y1 <= other.y0 + slack
                or other.y1 <= one.y0 + slack
            )
            assert apart, (chart.name, one, other)


def test_the_gap_of_claims_is_over_those_that_were_measured_again() -> None:
    assert "Mean gap +20.0 points" in CHARTS["claims"].caption
    assert "Not measured." in claims_chart([ClaimPoint(0, "a", 0.7, math.nan, math.nan, 0)]).caption
    assert "1 of 2 generations" in CHARTS["claims"].caption


def test_differences_are_told_by_node() -> None:
    other = build([generator(2, "gemma3:1b", temperature=0.8)], [(0, 2), (2, 1)])
    assert differences(SOLO, SOLO) == ()
    assert differences(SOLO, other) == (
        "generator 2: model qwen2.5-coder:0.5b → gemma3:1b",
        "generator 2: temperature 0.40 → 0.80",
    )
    assert differences(SOLO, LOOP) == ("+ executor 3", "+ refiner 4 (qwen2.5-coder:0.5b, fix)")
    assert differences(LOOP, SOLO) == ("− executor 3", "− refiner 4 (qwen2.5-coder:0.5b, fix)")


def test_traffic_is_line_width_and_stands_on_the_nodes(tmp_path: Path) -> None:
    shown = Traffic(40, {2: 0.25, 4: 0.1}, {3: 0.3}, {(0, 2): 1.0, (3, 4): 0.5})
    info = topology_info(LOOP, shown)
    lines = {box.id: box.lines for box in info.boxes}
    assert lines[2][-1] == "solved 25 % of runs"
    assert lines[3][-1] == "passed in 30 % of runs"
    passes = {(way.source, way.target): way.passes for way in info.ways}
    assert passes[0, 2] == 1.0
    assert passes[3, 4] == 0.5
    assert passes[4, 3] == 0.0
    assert {way.passes for way in topology_info(LOOP).ways} == {None}
    draw_topology(LOOP, tmp_path / "traffic.svg", traffic=shown)
    assert "in n = 40 runs" in (tmp_path / "traffic.svg").read_text()


def test_a_gallery_shows_every_panel(tmp_path: Path) -> None:
    panels = [
        Panel("Species 1", "generation 0", SOLO),
        Panel("Species 1", "generation 1 to 4: 50.0 % ± 9.0", THREE_STAGES),
        Panel("Species 2", "generation 2", GRAPH),
        Panel("Species 2", "generation 3", ANALYZED),
    ]
    for name in ("a.svg", "b.svg"):
        draw_gallery(panels, tmp_path / name, title="Champions", simulated=True)
    text = (tmp_path / "a.svg").read_text()
    assert text == (tmp_path / "b.svg").read_text()
    for words in ("Champions", "SIMULATED", "Species 1", "Species 2", *(panel.caption for panel in panels)):
        assert f">{words}<" in text
    assert text.count(">task<") == 4
