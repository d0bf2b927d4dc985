"""Trying again: how often, and how long it waits."""

import asyncio

import pytest

from evo.models.retry import with_retries


class Fault(Exception):
    pass


async def _no_wait(seconds: float) -> None:
    assert seconds > 0


@pytest.mark.parametrize(("faults", "patience", "tries"), [(0, 0, 1), (2, 2, 3), (2, 5, 3)])
async def test_the_first_success_counts(
    faults: int, patience: int, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asyncio, "sleep", _no_wait)
    seen = []

    async def attempt() -> int:
        seen.append(1)
        if len(seen) <= faults:
            raise Fault
        return len(seen)

    assert await with_retries(attempt, lambda error: patience, seconds=99) == tries


async def test_patience_depends_on_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio, "sleep", _no_wait)
    seen: list[Exception] = []

    async def attempt() -> None:
        seen.append(Fault() if len(seen) < 2 else KeyError())
        raise seen[-1]

    with pytest.raises(KeyError):
        await with_retries(attempt, lambda error: 9 if isinstance(error, Fault) else 0, seconds=99)
    assert len(seen) == 3


async def test_waits_grow_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def attempt() -> None:
        raise Fault

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr("evo.models.retry.random.uniform", lambda low, high: high)
    with pytest.raises(Fault):
        await with_retries(attempt, lambda error: 5, seconds=99, first_wait=1, longest_wait=6)
    assert waits == [1, 2, 4, 6, 6]


async def test_cancelling_is_not_an_error_to_retry() -> None:
    tries = []

    async def attempt() -> None:
        tries.append(1)
        await asyncio.sleep(60)

    task = asyncio.create_task(with_retries(attempt, lambda error: 9, seconds=99))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(tries) == 1


async def test_no_try_begins_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    now, tries = 0.0, 0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    async def attempt() -> None:
        nonlocal now, tries
        tries += 1
        now += 10  # the first try's own time does not count
        raise Fault

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr("evo.models.retry.time.monotonic", lambda: now)
    monkeypatch.setattr("evo.models.retry.random.uniform", lambda low, high: high)
    with pytest.raises(Fault):
        await with_retries(attempt, lambda error: 100, seconds=30, longest_wait=5)
    assert (tries, now) == (4, 40 + 1 + 2 + 4)
