"""A SIMULATED run goes on, is forked, copied and moved; what would change its results is refused in one line."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from crash_kit import Stopped, StoppingAfter, problems, recorded, tables

import evo
from evo.errors import UserError

FILES = ("champion.json", "fitness.png", "fitness.csv")  # topology.png has the run's name in it
SETTINGS = {
    "models.backend": "simulated",
    "run.generations": "3",
    "NEAT.pop_size": "4",
    "tasks.problems": "4",
    "evaluation.validation_replicates": "1",
    "baselines.enabled": "false",
}


def content(folder: Path) -> dict[str, bytes]:
    """All files but SQLite's own two beside the database, which a reader may leave there."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith("run.sqlite-")}


def sqlite(folder: Path, query: str, *values: object) -> list[tuple]:
    with closing(sqlite3.connect(folder / "run.sqlite", isolation_level=None)) as db:
        return db.execute(query, values).fetchall()


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """runs/whole, uninterrupted; runs/short, stopped after its first generation; the problems of both."""
    home = tmp_path_factory.mktemp("home")
    tasks = problems(home / "tasks.jsonl", 16)
    settings = SETTINGS | {"tasks.benchmark": str(tasks)}
    evo.search("tiny", run=str(home / "runs" / "whole"), changes=settings)
    with pytest.raises(Stopped):
        evo.search("tiny", run=str(home / "runs" / "short"), changes=settings, observer=StoppingAfter(0))
    assert recorded(home / "runs" / "short") < recorded(home / "runs" / "whole")
    return home


@pytest.fixture
def place(home, tmp_path) -> Path:
    """A folder with copies of both runs, which stay what they were wherever they are."""
    shutil.copytree(home / "runs", tmp_path / "runs")
    return tmp_path


@pytest.mark.parametrize("how", [("--resume",), ("--run", "short")], ids=["resume", "again"])
def test_a_run_goes_on_and_ends_as_if_it_had_never_stopped(place, how):
    whole, short = place / "runs" / "whole", place / "runs" / "short"
    paid = len(recorded(short))
    (short / "run.sqlite").touch()  # --resume alone takes the latest search
    command = [sys.executable, "-m", "evo.search", *how]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=place)
    assert done.returncode == 0, done.stderr
    assert f" {len(recorded(whole)) - paid} model calls made" in done.stdout
    assert tables(short) == tables(whole)
    for name in FILES:
        assert (short / name).read_bytes() == (whole / name).read_bytes(), name


def test_resume_never_begins_a_run(evo_command, tmp_path):
    for arguments, words in (
        (("--resume", "--run", "other"), "no run is there"),
        (("--resume",), "no search is there"),
    ):
        refused = evo_command("search", *arguments, cwd=tmp_path)
        assert refused.returncode == 2
        assert words in refused.stderr
        assert refused.stderr.count("\n") == 1
        assert not list(tmp_path.iterdir())


def test_a_fork_uses_what_was_paid_for_and_leaves_the_old_run_alone(evo_command, place):
    old, fork = place / "runs" / "whole", place / "runs" / "wider"
    before = content(old)
    done = evo_command("search", "--run", "whole", "--fork", "wider", "--problems", 5, cwd=place)
    assert done.returncode == 0, done.stderr
    assert content(old) == before
    fresh = place / "runs" / "fresh"
    settings = dict(line.split(" = ", 1) for line in (fork / "config.ini").read_text().splitlines() if " = " in line)
    assert settings["problems"] == "5"
    changes = SETTINGS | {"tasks.benchmark": settings["benchmark"], "tasks.problems": "5"}
    evo.search("tiny", run=str(fresh), changes=changes)
    for name in FILES:
        assert (fork / name).read_bytes() == (fresh / name).read_bytes(), name
    made = recorded(fork) - recorded(old)
    assert recorded(old) < recorded(fork)
    assert made == recorded(fresh) - recorded(old), "only what the old run had not asked is asked"
    assert f" {len(made)} model calls made" in done.stdout
    assert len(recorded(fresh) & recorded(old)) > 20
    refused = evo_command("search", "--run", "whole", "--fork", "widest", "--problems", 99, cwd=place)
    assert refused.returncode == 2
    assert "more than the 16 problems" in refused.stderr
    assert not (place / "runs" / "widest").exists()
    again = evo_command("search", "--run", "whole", "--fork", "wider", cwd=place)
    assert again.returncode == 2
    assert "is a run already" in again.stderr


def identity(key: str, value: str | None):
    """Something that the run was begun with, as its record would have it; None: it was not written down."""

    def change(place: Path) -> None:
        ((text,),) = sqlite(place / "runs" / "whole", "SELECT value FROM meta WHERE key='identity'")
        found = json.loads(text)
        name = next(name for name in found if name.startswith(key))
        changed = {**found, name: value} if value else {other: kept for other, kept in found.items() if other != name}
        sqlite(place / "runs" / "whole", "UPDATE meta SET value=? WHERE key='identity'", json.dumps(changed))

    return change


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        (None, ("--set", "evaluation.caution=2"), "was started with evaluation.caution"),
        (None, ("--seed", "99"), "was started with run.seed"),
        (identity("model ", "digest 0123456789ab"), (), "was started with model "),
        (identity("evo's pipelines", "version 0"), (), "was started with evo's pipelines of version 0"),
        (identity("evo's search", "version 0"), (), "was started with evo's search of version 0, but it is version"),
        (identity("evo's search", None), (), "was started with evo's search of version 1, but it is version"),
        (identity("neat-python", "version 0.92"), (), "was started with neat-python of version 0.92"),
        (identity("prompts", "digest 0123456789ab"), (), "was started with prompts of digest 0123456789ab"),
        (identity("problems", "digest 0123456789ab"), (), "was started with problems of "),
    ],
    ids=["setting", "seed", "model", "pipelines", "search", "first search", "library", "prompts", "problems"],
)
def test_what_would_change_results_is_named_and_refused(evo_command, place, change, arguments, words):
    folder = place / "runs" / "whole"
    if change:
        change(place)
    before = tables(folder), content(folder)["champion.json"], content(folder)["config.ini"]
    refused = evo_command("search", "--run", "whole", *arguments, cwd=place)
    assert refused.returncode == 2, refused.stdout + refused.stderr
    assert words in refused.stderr
    assert "--fork NAME" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert (tables(folder), content(folder)["champion.json"], content(folder)["config.ini"]) == before


def test_problems_that_were_edited_are_noticed(place):
    tasks = problems(place / "tasks.jsonl", 16)
    settings = SETTINGS | {"tasks.benchmark": str(tasks), "run.generations": "1"}
    folder = str(place / "runs" / "edited")
    evo.search("tiny", run=folder, changes=settings)
    tasks.write_text(tasks.read_text().replace("returns x plus 7.", "returns the sum of x and 7."))
    with pytest.raises(UserError, match=r"was started with problems of .*tasks\.jsonl of digest") as caught:
        evo.search(run=folder)
    assert "\n" not in str(caught.value)


def test_a_truncated_config_is_one_line_and_nothing_is_overwritten(evo_command, place):
    folder = place / "runs" / "whole"
    text = (folder / "config.ini").read_bytes()
    champion = (folder / "champion.json").read_bytes()
    cuts = (0, 3, text.index(b"\n[", 10) + 3, len(text) // 2, text.rindex(b"\n", 0, -2) + 1)
    for cut in cuts:
        (folder / "config.ini").write_bytes(text[:cut])
        before = tables(folder), {name: data for name, data in content(folder).items() if "sqlite" not in name}
        with pytest.raises(UserError, match=r"config\.ini.*the database has a copy of it") as caught:
            evo.search(run=str(folder))
        assert "\n" not in str(caught.value)
        after = tables(folder), {name: data for name, data in content(folder).items() if "sqlite" not in name}
        assert after == before
    refused = evo_command("search", "--run", "whole", cwd=place)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    doctor = evo_command("doctor", "whole", cwd=place)
    assert doctor.returncode == 1
    assert "BAD settings: runs/whole/config.ini" in doctor.stdout
    assert "ok  database: whole" in doctor.stdout
    (folder / "config.ini").rename(place / "away.ini")
    assert evo_command("search", "--run", "whole", cwd=place).returncode == 0
    assert (folder / "config.ini").read_bytes() == text
    assert (folder / "champion.json").read_bytes() == champion


def test_a_folder_that_was_copied_and_moved_goes_on(place):
    shutil.copytree(place / "runs" / "short", place / "copy")
    (place / "copy").rename(place / "moved")
    original = content(place / "runs" / "short")
    evo.search(run=str(place / "moved"))
    for name in FILES:
        assert (place / "moved" / name).read_bytes() == (place / "runs" / "whole" / name).read_bytes(), name
    assert content(place / "runs" / "short") == original


def test_a_read_only_folder_is_reported_on_and_examined(place):
    """Truly read-only, for root as well: a bind mount inside bubblewrap."""
    bwrap, folder = shutil.which("bwrap"), place / "runs" / "whole"
    if bwrap is None:
        pytest.skip("bubblewrap is not installed: no folder can be made read-only for root (apt install bubblewrap)")
    mounts = [bwrap, "--dev-bind", "/", "/", "--ro-bind", str(folder), str(folder)]
    if subprocess.run([*mounts, "true"], check=False, capture_output=True).returncode:
        pytest.skip("bubblewrap cannot mount here: no folder can be made read-only for root")
    before = content(folder)

    def locked(module: str, *arguments: object) -> subprocess.CompletedProcess:
        command = [*mounts, sys.executable, "-m", module, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=place)

    doctor = locked("evo.doctor", folder)
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert "ok  database: whole" in doctor.stdout
    report = locked("evo.report", folder, "--output", place / "page.html")
    assert report.returncode == 0, report.stderr
    assert "The champion solves" in (place / "page.html").read_text()
    refused = locked("evo.search", "--run", folder)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "cannot be used as a run's folder" in refused.stderr
    assert content(folder) == before
