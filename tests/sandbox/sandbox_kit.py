"""What several tests of the sandbox share."""

from pathlib import Path

from evo.sandbox import Job, Limits
from evo.sandbox.tiers import BUBBLEWRAP, LANDLOCK, missing

QUICK = Limits(wall_seconds=1.0, memory_bytes=128 << 20)
TIERS = [tier for tier in (BUBBLEWRAP, LANDLOCK) if not missing(tier)]
CHECK = "def check(candidate):\n    assert candidate(1) == 2\n"
HONEST = Job("def f(x): return x + 1\n", CHECK, "f")


def parents() -> dict[int, int]:
    """Parent by process."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    return found


def descendants(pid: int) -> set[int]:
    """All processes below ``pid``."""
    table = parents()
    below: set[int] = set()
    grown = True
    while grown:
        more = {child for child, parent in table.items() if parent == pid or parent in below} - below
        below |= more
        grown = bool(more)
    return below
