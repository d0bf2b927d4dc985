"""Cheats win nothing, hostile programs reach nothing, and the sandbox goes on: under every tier of this machine."""

import pytest
from sandbox_cheats import CHEATS, CHECK
from sandbox_hostile import CHECK as HOSTILE_CHECK
from sandbox_hostile import HOSTILE

from evo.sandbox import Job, SandboxPool

HONEST = Job("def add(a, b): return a + b\n", CHECK, "add")


def test_there_are_enough_cheats() -> None:
    assert len(CHEATS) >= 40


@pytest.mark.parametrize("name", CHEATS)
def test_cheat_is_no_pass_and_named(tiered_pool: SandboxPool, name: str) -> None:
    status, code = CHEATS[name]
    verdict = tiered_pool.run(Job(code, CHECK, "add"))
    assert not verdict.passed
    assert verdict.status == status, verdict


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_program_is_contained_and_named(tiered_pool: SandboxPool, name: str) -> None:
    status, code = HOSTILE[name]
    verdict = tiered_pool.run(Job(code, HOSTILE_CHECK, "f"))
    assert verdict.status in status.split(), verdict
    assert tiered_pool.run(HONEST).passed
