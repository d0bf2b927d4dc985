"""Names, files and folders that cannot be what they are given as: one line, and what is there stays as it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SEARCH = ("search", "--backend", "simulated", "--config", "tiny")


def evo(folder: Path, *words: str, to: str | int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"evo.{words[0]}", *words[1:]]
    return subprocess.run(command, cwd=folder, stdout=to, stderr=subprocess.PIPE, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((*SEARCH, "--run", "./mine"), "mine: has no run in it but a summary.md; name another --run"),
        ((*SEARCH, "--run", "x" * 300), f"--run '{'x' * 40}...': must be printable characters, at most 200 bytes"),
        ((*SEARCH, "--run", "a\nb"), "must be printable characters"),
        (("search", "--config", "latin.ini"), "--config latin.ini: cannot be read (it is not UTF-8)"),
        (("doctor", "--plan", "latin.ini"), "--config latin.ini: cannot be read (it is not UTF-8)"),
        (("compare", "mine", "--replicates", "0"), "--replicates 0: must be at least 1"),
        (("compare", "mine", "--replicates", "-1"), "--replicates -1: must be at least 1"),
        (("render", "solo", "-o", "link.svg"), "link.svg: cannot write this file (it is there and no file)"),
        (("render", "half.json", "--explain"), "half.json: holds half a character"),
    ],
)
def test_refused_in_one_line(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "summary.md").write_text("mine")
    (tmp_path / "latin.ini").write_bytes(b"\xff")
    (tmp_path / "link.svg").symlink_to(os.devnull)
    (tmp_path / "half.json").write_text('{"name": "\\ud800"}')
    done = evo(tmp_path, *words)
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, ""), done.stderr
    assert told in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["summary.md"]
    assert (tmp_path / "mine" / "summary.md").read_text() == "mine"
    assert (tmp_path / "link.svg").readlink() == Path(os.devnull)


def test_a_picture_goes_through_a_link_to_a_file(tmp_path: Path) -> None:
    (tmp_path / "real.svg").write_text("old")
    (tmp_path / "link.svg").symlink_to("real.svg")
    assert evo(tmp_path, "render", "solo", "-o", "link.svg").returncode == 0
    assert (tmp_path / "link.svg").is_symlink()
    assert "<svg" in (tmp_path / "real.svg").read_text()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
def test_a_full_disk_behind_standard_output_is_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = evo(tmp_path, "render", "solo", to=full.fileno())
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "error: standard output: No space left on device"
