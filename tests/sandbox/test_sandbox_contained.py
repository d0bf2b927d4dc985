"""Cheats win nothing, hostile programs reach nothing, and the sandbox goes on: under every tier of this machine."""

import pytest
from sandbox_cheats import CHEATS, CHECK, WITH_CHECKS
from sandbox_hostile import CHECK as HOSTILE_CHECK
from sandbox_hostile import HOSTILE

from evo.sandbox import Job, SandboxPool
from evo.sandbox.inside.zygote import MOST

HONEST = Job("def add(a, b): return a + b\n", CHECK, "add")


def test_there_are_enough_cheats() -> None:
    assert len(CHEATS) + len(WITH_CHECKS) >= 90


@pytest.mark.parametrize("name", CHEATS)
def test_cheat_is_no_pass_and_named(tiered_pool: SandboxPool, name: str) -> None:
    status, code = CHEATS[name]
    verdict = tiered_pool.run(Job(code, CHECK, "add"))
    assert not verdict.passed
    assert verdict.status in status.split(), verdict
    if name.endswith("next_run"):  # in the same row of children, and in the next one
        assert {tiered_pool.run(Job(code, CHECK, "add")).status for _ in range(2 * MOST)} == {status}


@pytest.mark.parametrize("name", WITH_CHECKS)
def test_cheat_on_a_check_is_no_pass_and_named(tiered_pool: SandboxPool, name: str) -> None:
    status, code, check = WITH_CHECKS[name]
    verdict = tiered_pool.run(Job(code, check, "add"))
    assert not verdict.passed
    assert verdict.status in status.split(), verdict
    assert tiered_pool.run(HONEST).passed


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_program_is_contained_and_named(tiered_pool: SandboxPool, name: str) -> None:
    status, code = HOSTILE[name]
    verdict = tiered_pool.run(Job(code, HOSTILE_CHECK, "f"))
    assert verdict.status in status.split(), verdict
    assert tiered_pool.run(HONEST).passed
