"""As root and as an ordinary user: the same cheats and hostile programs, under every tier."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from sandbox_cheats import CHEATS, CHECK
from sandbox_hostile import CHECK as HOSTILE_CHECK
from sandbox_hostile import HOSTILE
from sandbox_kit import TIERS

USER = 64123
ROOT = Path(__file__).parents[2]
SCRIPT = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from evo.sandbox import Job, Limits, SandboxPool
tier, jobs = json.load(sys.stdin)
with SandboxPool(limits=Limits(wall_seconds=1.0, memory_bytes=128 << 20), tier=tier) as pool:
    print(json.dumps({name: pool.run(Job(*job)).status for name, job in jobs.items()}))
"""


def as_user(words: list[str], data: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, input=data, capture_output=True, text=True, user=USER, group=USER, extra_groups=[], cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


def readable_interpreter() -> str | None:
    """An interpreter that an ordinary user can start: ours may lie in root's home."""
    for candidate in (sys.executable, shutil.which("python3", path="/usr/local/bin:/usr/bin"), "/usr/bin/python3.12"):
        if candidate:
            try:
                test = as_user([candidate, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], "")
            except OSError:
                continue
            if test.returncode == 0:
                return candidate
    return None


@pytest.mark.skipif(os.getuid() != 0, reason="runs as an ordinary user anyway: all other tests are this one")
@pytest.mark.parametrize("tier", TIERS)
def test_contained_as_an_ordinary_user(tier: str) -> None:
    python = readable_interpreter()
    if python is None:
        pytest.skip("no Python 3.11 or later that an ordinary user can start")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:  # outside of any folder that is root's alone
        packages = Path(folder)
        (packages / "evo").mkdir()
        for file in ("__init__.py", "errors.py"):
            shutil.copy(ROOT / "evo" / file, packages / "evo")
        shutil.copytree(ROOT / "evo" / "sandbox", packages / "evo" / "sandbox")
        import seccompy

        shutil.copytree(Path(seccompy.__file__).parent, packages / "seccompy")
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        # What costs a second each was shown as root; who runs it matters for files, processes, memory.
        slow = ("timeout", "crash timeout")
        jobs = {name: (code, CHECK, "add") for name, (status, code) in CHEATS.items() if status not in slow}
        jobs |= {name: (code, HOSTILE_CHECK, "f") for name, (status, code) in HOSTILE.items() if status not in slow}
        expected = {name: (CHEATS | HOSTILE)[name][0] for name in jobs}
        done = as_user([python, "-S", "-c", SCRIPT, json.dumps([folder])], json.dumps([tier, jobs]))
        assert done.returncode == 0, done.stderr[-2000:]
        got = json.loads(done.stdout)
        assert {name: got[name] for name in got if got[name] not in expected[name].split()} == {}
