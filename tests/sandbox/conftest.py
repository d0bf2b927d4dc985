from collections.abc import Callable, Iterator

import pytest
from sandbox_kit import QUICK, TIERS

from evo.sandbox import Job, SandboxPool, Verdict


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
