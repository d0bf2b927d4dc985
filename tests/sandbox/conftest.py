from collections.abc import Callable, Iterator

import pytest

from evo.sandbox import Job, Limits, SandboxPool, Verdict
from evo.sandbox.tiers import BUBBLEWRAP, LANDLOCK, missing

QUICK = Limits(wall_seconds=1.0, memory_bytes=128 << 20)
TIERS = [tier for tier in (BUBBLEWRAP, LANDLOCK) if not missing(tier)]


@pytest.fixture(scope="session", params=TIERS)
def tiered_pool(request: pytest.FixtureRequest) -> Iterator[SandboxPool]:
    """A pool under each isolating tier that this machine can enter."""
    with SandboxPool(limits=QUICK, tier=request.param) as pool:
        yield pool


@pytest.fixture(scope="session")
def pool() -> Iterator[SandboxPool]:
    """A pool under the strongest tier."""
    with SandboxPool(limits=QUICK) as strongest:
        yield strongest


@pytest.fixture
def run(pool: SandboxPool) -> Callable[..., Verdict]:
    """Run code against the statements of a check's body."""

    def call(code: str, body: str, *, reveal: bool = True, before: str = "") -> Verdict:
        lines = "\n".join("    " + line for line in body.strip().splitlines())
        return pool.run(Job(code, f"{before}\ndef check(candidate):\n{lines}\n", "f", reveal))

    return call
