"""``python -m evo.render`` as a user runs it: arguments, files, exit codes."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from figure_genomes import LOOP

from evo.figures import explain, topology_ascii, topology_dot, topology_mermaid
from evo.genome import write_genome

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    path = tmp_path / "champion.json"
    write_genome(path, LOOP, name="the champion", description="validated: 55.0 %", provenance={"simulated": True})
    return path


@pytest.fixture
def render(evo_command: Command, tmp_path: Path) -> Command:
    return partial(evo_command, "render", cwd=tmp_path)


def test_text_forms(render: Command, genome: Path) -> None:
    forms = {"--ascii": topology_ascii, "--mermaid": topology_mermaid, "--dot": topology_dot, "--explain": explain}
    for option, form in forms.items():
        ended = render(genome, option)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout == form(LOOP).rstrip("\n") + "\n"
    assert render(genome).stdout == topology_ascii(LOOP)


@pytest.mark.parametrize("name", ["champion.png", "new/champion.svg"])
def test_pictures(name: str, render: Command, genome: Path, tmp_path: Path) -> None:
    ended = render(genome, "--output", name)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"wrote {name}\n", "")
    picture = (tmp_path / name).read_bytes()
    if name.endswith("svg"):
        for words in ("the champion", "validated: 55.0 %", "SIMULATED", "up to 3 ×"):
            assert f">{words}<".encode() in picture


def test_json_has_what_is_drawn(render: Command, genome: Path, tmp_path: Path) -> None:
    ended = render(genome, "--json", "--output", "drawn.svg")
    assert (ended.returncode, ended.stderr) == (0, "")
    found = json.loads(ended.stdout)
    assert (tmp_path / found["picture"]).stat().st_size > 0
    assert found["simulated"] is True
    assert {node["id"]: node["role"] for node in found["nodes"]} == {node.id: node.role for node in LOOP.nodes}
    assert [node["model"] for node in found["nodes"] if node["role"] == "generator"] == [
        node.model for node in LOOP.nodes if node.role == "generator"
    ]
    assert {(e["source"], e["target"]) for e in found["edges"]} == {(c.source, c.target) for c in LOOP.connections}
    (loop,) = [edge for edge in found["edges"] if edge["kind"] == "loop"]
    assert loop["budget"] == LOOP.node(loop["source"]).iterations == 3
    assert found["steps"] == explain(LOOP).splitlines()


def test_a_shipped_genome_by_name() -> None:
    command = [sys.executable, "-m", "evo.render", "self-refine", "--explain"]
    ended = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert ended.returncode == 0
    assert "at most 3 times" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.json"], "missing.json"),
        (["broken.json"], "broken.json"),
        (["champion.json", "-o", "champion.gif"], "name it .png or .svg"),
        (["champion.json", "--dot", "--ascii"], "choose one"),
        (["champion.json", "--dot", "--json"], "choose one"),
        (["champion.json", "--colour"], "--colour"),
        ([], "--help"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: list[str], words: str, render: Command, genome: Path) -> None:
    (genome.parent / "broken.json").write_text('{"evo_genome": 1, "nodes": [')
    ended = render(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1
    assert words in ended.stderr
    assert {path.name for path in genome.parent.iterdir()} == {"champion.json", "broken.json"}


def test_help_has_examples(render: Command) -> None:
    ended = render("--help")
    assert ended.returncode == 0
    assert "\n    python -m evo.render self-refine --explain\n" in ended.stdout
