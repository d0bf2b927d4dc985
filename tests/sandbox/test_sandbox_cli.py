"""python -m evo.sandbox."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sandbox_kit import TIERS

from evo.sandbox import Job, SandboxPool
from evo.sandbox.bubblewrap import bubblewrap
from evo.sandbox.library import interpreter
from evo.sandbox.seatbelt import profile
from evo.tasks import Mode, load_problems

ROOT = Path(__file__).parents[2]


def command(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "evo.sandbox", *words],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )


def test_run_prints_the_verdict_as_json(tmp_path: Path) -> None:
    problem = next(iter(load_problems("humaneval", mode=Mode.ALL)))
    solution = tmp_path / "solution.py"
    solution.write_text(problem.reference)
    done = command("run", "--task", problem.id, str(solution), "--json")
    assert done.returncode == 0, done.stderr
    verdict = json.loads(done.stdout)
    assert (verdict["status"], verdict["passed_units"], verdict["tier"]) == ("passed", verdict["units"], TIERS[0])


def test_run_reads_standard_input_and_fails_with_one() -> None:
    code = "def has_close_elements(numbers, threshold):\n    return 1 // 0\n"
    done = command("run", "--task", "HumanEval/0", "-", stdin=code)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout
    assert "line 2, in has_close_elements: return 1 // 0" in done.stdout


def test_standard_input_that_is_no_text_is_one_line() -> None:
    words = [sys.executable, "-m", "evo.sandbox", "run", "--task", "HumanEval/0", "-"]
    done = subprocess.run(words, input=b"x = '\xff'", capture_output=True, cwd=ROOT, check=False)
    assert done.returncode == 2
    assert b"UTF-8" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_unsafe_is_marked() -> None:
    code = "def has_close_elements(numbers, threshold): return None\n"
    done = command("run", "--task", "HumanEval/0", "-", "--tier", "unsafe", "--unsafe", "--json", stdin=code)
    verdict = json.loads(done.stdout)
    assert (done.returncode, verdict["status"], verdict["tier"]) == (1, "assertion", "unsafe")
    assert list(verdict) == [
        *("status", "error_type", "message", "failed", "frames", "passed_units", "units"),
        *("cpu_seconds", "peak_bytes", "tier"),
    ]
    assert set(verdict["failed"]) == {"source", "call", "returned", "expected"}


def test_info_lists_every_tier() -> None:
    tiers = json.loads(command("info", "--json").stdout)
    assert {tier["name"] for tier in tiers if tier["available"]} >= set(TIERS)
    assert all(tier["promises"] for tier in tiers)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["run", "--task", "HumanEval/9999", "-"], "HumanEval/9999"),
        (["run", "--task", "Nonsense/0", "-"], "--benchmark"),
        (["run", "--task", "HumanEval/0", "/nonexistent/solution.py"], "/nonexistent/solution.py"),
        (["run", "--task", "HumanEval/0", "-", "--tier", "moon"], "moon"),
        (["run", "--task", "HumanEval/0", "-", "--wall-seconds", "inf"], "--wall-seconds"),
        (["run", "--task", "HumanEval/0", "-", "--tier", "unsafe"], "--unsafe"),
        (["run", "--task", "HumanEval/0", "/"], "directory"),
        (["run", "-"], "--task"),
    ],
)
def test_bad_input_is_one_line(words: list[str], names: str) -> None:
    done = command(*words)
    assert done.returncode == 2
    assert names in done.stderr
    assert done.stderr.count("\n") == 1


def test_canonical_solutions_of_humaneval_pass() -> None:
    with SandboxPool() as pool:
        for problem in load_problems("humaneval", mode=Mode.ALL):
            verdict = pool.run(Job(problem.reference, problem.hidden.source, problem.entry_point))
            assert verdict.passed, (problem.id, verdict)


def test_macos_profile_names_what_may_be_touched(tmp_path: Path) -> None:
    folder = tmp_path / 'a "quoted" folder'
    folder.mkdir()
    text = profile(Path("/opt/python"), [folder, Path("/opt/file")], Path("/private/scratch"))
    assert text.splitlines()[:2] == ["(version 1)", "(deny default)"]
    assert '(allow file-read* file-write* (subpath "/private/scratch"))' in text
    assert '(subpath "' + str(folder).replace('"', '\\"') + '")' in text
    assert "network" not in text
    assert text.count("file-write*") == 1


@pytest.mark.parametrize("as_root", [True, False])
def test_bubblewrap_shows_no_third_party_packages(as_root: bool, tmp_path: Path) -> None:
    words = bubblewrap(interpreter(), (tmp_path, Path("/evo/inside")), (Path("/scratch"), 1), {}, as_root=as_root)
    assert ("--unshare-user" in words) != as_root
    bound = {words[i + 2] for i, word in enumerate(words) if word == "--ro-bind"}
    assert not any("site-packages" in path or "/home" in path for path in bound)
    assert not bound & {"/", "/usr", "/etc", "/usr/lib"}
