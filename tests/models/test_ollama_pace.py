"""The useful number of calls in flight, found on servers whose truth is known; in virtual time."""

import heapq
import random

import pytest

from evo.models.ollama.pace import Pace


def serve(
    pace: Pace,
    parallel: int,
    *,
    calls: int = 600,
    shared: bool = False,
    work: int = 10**9,
    away: float = 0.0,
    seed: int = 1,
) -> float:
    """A server that answers ``parallel`` calls at once and queues the rest; returns tokens per second at the end.

    shared: its slots share one processor, so that more of them write no more. work: calls that there are at once. away:
    seconds of each call on the way back, when its slot is free again.
    """
    draw = random.Random(seed)
    now, free, queue, running = 0.0, parallel, [], []
    sent = ended = 0
    tail: list[tuple[float, int]] = []
    while ended < calls:
        while sent - ended < min(pace.limit, work):
            queue.append(now)
            sent += 1
        while free and queue:
            free -= 1
            tokens = draw.randint(20, 200)
            speed = 50 / (parallel - free) if shared else 50
            served = 0.1 + tokens / speed
            asked = queue.pop(0)
            heapq.heappush(running, (now + served, asked, now - asked, tokens, False))
        now, asked, queued, tokens, back = heapq.heappop(running)
        if not back:
            free += 1
            heapq.heappush(running, (now + away, asked, queued, tokens, True))
            continue
        pace.ended(now=now, tokens=tokens, queued=queued, wall=now - asked, loading=0, in_flight=sent - ended)
        ended += 1
        tail = [*tail, (now, tokens)][-200:]
    return sum(tokens for _, tokens in tail[1:]) / (tail[-1][0] - tail[0][0])


@pytest.mark.parametrize("parallel", [1, 2, 4, 6, 8, 16])
@pytest.mark.parametrize("seed", range(5))
def test_it_finds_the_servers_parallel_calls_and_one_more(parallel: int, seed: int) -> None:
    pace = Pace()
    serve(pace, parallel, seed=seed)
    assert pace.settled
    assert parallel <= pace.limit <= parallel + 2


@pytest.mark.parametrize("seed", range(5))
def test_no_slot_is_left_idle(seed: int) -> None:
    found, generous = Pace(), Pace(fixed=64)
    assert serve(found, 8, seed=seed) > 0.93 * serve(generous, 8, seed=seed)


@pytest.mark.parametrize("seed", range(5))
def test_a_server_far_away_gets_enough_to_do(seed: int) -> None:
    """A call is on its way for twice as long as it is served: 4 slots need about 12 of them."""
    found, generous = Pace(), Pace(fixed=64)
    assert serve(found, 4, away=4.6, seed=seed) > 0.85 * serve(generous, 4, away=4.6, seed=seed)
    assert 10 <= found.limit <= 16


def test_where_slots_share_a_processor_few_are_enough() -> None:
    pace = Pace()
    serve(pace, 64, shared=True)
    assert pace.settled
    assert pace.limit <= 16


def test_too_little_work_teaches_nothing() -> None:
    pace = Pace()
    serve(pace, 1, work=3)
    assert (pace.limit, pace.settled) == (4, False)


def test_a_full_queue_halves_it_once_and_it_comes_back_step_by_step() -> None:
    pace = Pace()
    for now in (10.0, 10.1, 10.2):
        pace.busy(now)
    assert (pace.limit, pace.settled) == (2, True)
    pace.busy(12.0)
    assert pace.limit == 1
    limits = []
    for _ in range(12):
        pace.ended(now=13, tokens=1, queued=0, wall=1, loading=0, in_flight=1)
        limits.append(pace.limit)
    assert limits == [2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4]


def test_a_fixed_number_stays() -> None:
    fixed = Pace(fixed=7)
    serve(fixed, 1)
    assert fixed.limit == 7


def test_a_server_that_reports_no_times_is_judged_by_its_tokens() -> None:
    pace = Pace()
    now = 0.0
    for _ in range(500):  # always 4 tokens a second, whatever is in flight
        now += 1
        pace.ended(now=now, tokens=4, queued=0, wall=pace.limit, loading=0, in_flight=pace.limit)
    assert (pace.limit, pace.settled) == (4, True)
