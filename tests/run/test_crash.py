"""SIGKILL at chosen and at random moments, inside writes too: the run ends as if nothing had happened."""

import random
from pathlib import Path

import pytest
from crash_kit import SETTINGS, Death, asked, problems, recorded, run, tables

FILES = ("champion.json", "topology.png", "fitness.png", "fitness.csv")
KINDS = ("statement", "race", "commit", "call", "race", "statement")


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> dict[str, str]:
    tasks = problems(tmp_path_factory.mktemp("tasks") / "tasks.jsonl", 18)
    return SETTINGS | {"tasks.benchmark": str(tasks)}


@pytest.fixture(scope="module")
def whole(settings, tmp_path_factory) -> Path:
    """The uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert run(folder, settings) == 0
    assert len(tables(folder)["calls"]) > 150
    assert sorted(asked(folder)) == sorted(recorded(folder)), "each call is asked for once"
    return folder


def killed_often(folder: Path, settings: dict[str, str], deaths: list[Death]) -> int:
    """Run until it ends by itself, dying as planned on the way; returns how often it really died.

    At each start, no call may be asked for that was on record at the death before.
    """
    killed = 0
    for death in [*deaths, None]:
        known, before = recorded(folder), len(asked(folder))
        code = run(folder, settings, death)
        assert code in (0, -9), code
        killed += code == -9
        repeated = known.intersection(asked(folder)[before:])
        assert not repeated, f"{death}: {len(repeated)} calls were paid for twice"
        if code == 0:
            assert death is None or killed >= 10, f"{death}: it ended too soon to be killed often"
            break
    return killed


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_killed_at_a_dozen_random_moments_it_ends_the_same(whole, settings, tmp_path, workers):
    draw = random.Random(workers)
    deaths = [
        Death(KINDS[k % len(KINDS)], draw.randint(2, 6) if k % 6 != 3 else draw.randint(1, 25), draw.randint(1, 1500))
        for k in range(12)
    ]
    folder = tmp_path / "run"
    assert killed_often(folder, settings | {"sandbox.workers": str(workers)}, deaths) >= 10
    assert tables(folder) == tables(whole)
    for name in FILES:
        assert (folder / name).read_bytes() == (whole / name).read_bytes(), name


def test_killed_while_the_results_are_written_every_file_is_whole_or_not_there(whole, settings, tmp_path):
    folder = tmp_path / "run"
    deaths = [Death("file", number) for number in range(1, 20)]
    for death in deaths:
        code = run(folder, settings, death)
        for name in FILES:
            assert not (folder / name).exists() or (folder / name).read_bytes() == (whole / name).read_bytes(), name
        if code == 0:
            break
    assert death.number > 4, "settings, champion and pictures are files of their own"
    assert tables(folder) == tables(whole)
    assert sorted(asked(folder)) == sorted(recorded(folder)), "each call was asked for once, over all those deaths"
