"""evo.compare as its user runs it, on the SIMULATED pool."""

import csv
import json
import subprocess
import sys
from functools import partial

import pytest

QUICK = ("--backend", "simulated", "--problems", "12", "--replicates", "4", "--model", "gemma3:1b")


@pytest.fixture
def compare(evo_command):
    return partial(evo_command, "compare")


def test_genomes_are_compared_and_the_files_say_so(compare, tmp_path):
    arguments = ("solo", "self-refine", "study-v2", *QUICK, "--run", "./here")
    command = [sys.executable, "-m", "evo.compare", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "SIMULATED" in done.stdout
    assert "self-refine - solo: +" in done.stdout
    text = (tmp_path / "here" / "compare.md").read_text()
    assert "SIMULATED" in text
    assert "12 problems of humaneval (mode `split`) x 4 replicates" in text
    for name in ("scores", "ranks"):
        assert (tmp_path / "here" / f"{name}.png").stat().st_size > 10_000
    rows = list(csv.DictReader((tmp_path / "here" / "scores.csv").open()))
    assert len(rows) == 3 * 4
    again = compare(*arguments, "--json", cwd=tmp_path)
    document = json.loads(again.stdout)
    assert document["simulated"] is True
    assert len(document["pairs"]) == 3
    gap = document["pairs"][0]["difference"]
    assert gap["interval"][0] <= gap["mean"] <= gap["interval"][1]
    assert (tmp_path / "here" / "compare.md").read_text() == text, "the same calls, the same words"


def test_a_run_is_held_against_its_single_evaluations(evo_command, compare, tmp_path):
    search = ("search", "--backend", "simulated", "--generations", "4", "--run", "./run", "--limit-minutes", "9")
    evo_command(*search, cwd=tmp_path)
    done = compare("run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "single evaluation is inflated by" in done.stdout
    rows = list(csv.DictReader((tmp_path / "run" / "inflation.csv").open()))
    assert [row["generation"] for row in rows] == list("0123")
    assert "SIMULATED" in (tmp_path / "run" / "inflation.md").read_text()
    champion = (tmp_path / "run" / "champion.json").read_bytes()
    document = json.loads(compare("./run", "--json", cwd=tmp_path).stdout)
    assert document["calls_made"] == 0, "what was measured is on record"
    total, selection, drift = (document["single"][name]["mean"] for name in ("total", "selection", "drift"))
    assert total == pytest.approx(selection + drift)
    evo_command(*search, cwd=tmp_path)
    assert (tmp_path / "run" / "champion.json").read_bytes() == champion, "the search is none the wiser"


def test_a_run_is_found_by_its_name_by_every_command(evo_command, tmp_path):
    search = ("search", "--backend", "simulated", "--generations", "2", "--run", "demo", "--limit-minutes", "9")
    assert evo_command(*search, cwd=tmp_path).returncode == 0
    commands = [("doctor", "demo"), ("report", "demo"), ("compare", "demo"), ("search", "--resume", "--run", "demo")]
    for command in commands:
        done = evo_command(*command, cwd=tmp_path)
        assert done.returncode == 0, (command, done.stderr)
    (tmp_path / "runs" / "demo").rename(tmp_path / "demo")
    for command in commands:
        done = evo_command(*command, cwd=tmp_path)
        assert done.returncode == 0, (command, done.stderr)
    assert not (tmp_path / "runs" / "demo").exists()
    (tmp_path / "runs" / "demo").mkdir()
    (tmp_path / "runs" / "demo" / "config.ini").write_text("[run]\n")
    done = evo_command("doctor", "demo", cwd=tmp_path)
    assert "runs/demo" in done.stdout, "a run under runs/ goes before one here"


def test_a_genome_against_itself(compare, tmp_path):
    done = compare("self-refine", "--self-test", *QUICK, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 0 <= json.loads(done.stdout)["false_accepts"] <= 0.09


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no-such-genome", *QUICK], "no-such-genome"),
        (["solo", "solo", *QUICK], "named twice"),
        (["solo", "self-refine", "--self-test", *QUICK], "takes one genome"),
        (["."], "no run is there"),
        (["x" * 300], "cannot read the genome: File name too long"),
        ([".", "--model", "gemma3:1b"], "a run keeps its settings"),
        (["solo", "--backend", "simulated", "--model", "gpt-9"], "gpt-9"),
        (["solo", "--replicates", "0"], "at least 1"),
        ([], "targets"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(compare, tmp_path, arguments, words):
    done = compare(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
