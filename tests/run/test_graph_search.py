"""A whole search in the graph space, from the command line, on the SIMULATED pool: it goes on as if never stopped."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from crash_kit import problems, recorded, tables

from evo.evaluation import Store
from evo.genome import GRAPH, LINEAR, OPEN, Genome, Role, Space, faults, loads, read_genome

LINEAR_TABLE = Space(name="any linear", wiring=LINEAR, stages=(0, 64), max_nodes=64, max_calls=10_000)
CALLS = 60  # on record when the search is killed


def command(folder: Path) -> list[str]:
    changes = {
        "run.generations": 6,
        "NEAT.pop_size": 10,
        "tasks.problems": 5,
        "evaluation.validation_problems": 8,
        "PipelineGenome.stages": "0 3",
        "PipelineGenome.rate_add_node": 0.8,
        "PipelineGenome.rate_add_branch": 0.5,
    }
    arguments = ["--config", "tiny", "--space", "graph", "--objectives", "accuracy,tokens", "--backend", "simulated"]
    arguments += ["--benchmark", str(folder.parent.parent / "tasks.jsonl"), "--run", str(folder)]
    arguments += [word for key, value in changes.items() for word in ("--set", f"{key}={value}")]
    return [sys.executable, "-m", "evo.search", *arguments]


def search(folder: Path) -> str:
    done = subprocess.run(command(folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def killed_search(folder: Path) -> None:
    process = subprocess.Popen(command(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and len(recorded(folder)) < CALLS:
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -signal.SIGKILL


def genomes(folder: Path) -> list[Genome]:
    store = Store(folder / "run.sqlite", readonly=True)
    try:
        records = [json.loads(record) for _, record in store.generations()]
    finally:
        store.close()
    return [loads(json.dumps(one["genome"])) for record in records for one in record["individuals"]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("graph")
    problems(home / "tasks.jsonl", 20)
    search(home / "whole" / "run")
    return home / "whole" / "run"


def test_it_begins_with_lone_generators_and_leaves_the_linear_table(whole):
    found = genomes(whole)
    assert all([node.role for node in genome.inner] == [Role.GENERATOR] for genome in found[:10])
    assert OPEN.wiring is GRAPH
    assert not any(faults(genome, OPEN) for genome in found)
    assert any(faults(genome, LINEAR_TABLE) for genome in found)
    front = sorted((whole / "front").glob("*.json"))
    assert front and not any(faults(read_genome(path), OPEN) for path in front)


def test_a_killed_one_goes_on_and_ends_as_if_it_had_never_stopped(whole):
    short = whole.parent.with_name("short") / "run"  # a run's name stands in its files
    killed_search(short)
    paid = len(recorded(short))
    assert CALLS <= paid < len(recorded(whole))
    said = search(short)
    assert f" {len(recorded(whole)) - paid} model calls made" in said
    assert tables(short) == tables(whole)
    front = (path.relative_to(whole) for path in (whole / "front").glob("*.json"))
    for name in ("champion.json", "fitness.csv", "pareto.csv", *sorted(front)):
        assert (short / name).read_bytes() == (whole / name).read_bytes(), name
