"""What the client learns from its calls: when a prompt was cut, when a model is left alone, which host has room."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.models import Chat, Message, Sampling
from evo.models.failures import ConnectionBroken, NotAsked, ServerBusy
from evo.models.ollama.breaker import Breaker
from evo.models.ollama.gauge import Gauge
from evo.models.ollama.host import Host, Patience
from evo.models.ollama.lanes import Lanes


def prompt(size: int, context: int = 4096) -> Chat:
    return Chat("m", (Message("user", "x" * size),), 1, 0.5, 64, Sampling(context=context))


@given(
    st.floats(2.5, 6.0),
    st.lists(st.integers(200, 8000), min_size=20, max_size=60),
    st.randoms(use_true_random=False),
    st.sampled_from([0.5, 0.6]),
)
def test_a_cut_prompt_is_told_from_whole_ones(bytes_per_token, sizes, random, left) -> None:
    """Prompts within 15 % of a model's density are accepted; one that fills the context or was cut to half is not."""
    gauge = Gauge()
    for size in sizes:
        tokens = round(size / bytes_per_token * random.uniform(0.85, 1.15)) + 10
        if tokens < 4096:
            gauge.is_cut(prompt(size), tokens)  # learns
    for size in sizes:
        tokens = round(size / bytes_per_token) + 10
        if tokens < 4096:
            assert not gauge.is_cut(prompt(size), tokens)
    long = round(4500 * bytes_per_token)
    assert gauge.is_cut(prompt(long), 4096)
    assert gauge.is_cut(prompt(2 * long), round(4096 * left))


def test_a_short_prompt_is_never_taken_for_cut() -> None:
    gauge = Gauge()
    assert not gauge.is_cut(prompt(8000), 100)  # e.g. one long run of the same letter
    assert gauge.is_cut(prompt(8000, context=100), 100)


def test_an_estimate_follows_what_was_counted() -> None:
    gauge = Gauge()
    assert gauge.expected(prompt(4000)) == 1000
    for _ in range(50):
        gauge.is_cut(prompt(3000), 1000)
    assert gauge.expected(prompt(3000)) == pytest.approx(1000, rel=0.02)


def test_a_breaker_opens_after_five_failures_in_a_row_and_lets_one_call_a_minute_try() -> None:
    now = 0.0
    breaker = Breaker(lambda: now)
    for _ in range(4):
        breaker.failed("dead")
    breaker.succeeded()
    for _ in range(4):
        breaker.failed("dead")
    assert breaker.admits()
    breaker.failed("stone dead")
    assert (breaker.admits(), breaker.reason) == (False, "stone dead")
    now = 61
    assert breaker.admits()
    assert not breaker.admits()
    breaker.succeeded()
    assert breaker.admits()


@pytest.fixture
async def hosts():
    hosts = [Host(address, Patience()) for address in ("http://one:1", "http://two:2")]
    yield hosts
    for host in hosts:
        await host.aclose()


async def test_calls_go_to_the_host_with_most_room(hosts) -> None:
    lanes = Lanes(hosts, 2)
    assert lanes.slots == 4
    entered = [await lanes.enter() for _ in range(4)]
    assert sorted(lane.host.address for lane in entered) == ["http://one:1"] * 2 + ["http://two:2"] * 2
    waiting = [asyncio.create_task(lanes.enter()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    lanes.leave(entered[3])
    assert (await asyncio.wait_for(waiting[1], 1)) is entered[3]
    assert not waiting[2].done()
    lanes.leave(entered[0])
    assert (await asyncio.wait_for(waiting[2], 1)) is entered[0]


async def test_a_host_that_broke_off_rests_while_there_is_another(hosts) -> None:
    lanes = Lanes(hosts, 4)
    lanes.lanes[0].failed(ConnectionBroken("gone"))
    assert {(await lanes.enter()).host.address for _ in range(4)} == {"http://two:2"}
    lanes.lanes[1].failed(ConnectionBroken("gone"))
    assert (await lanes.enter()).host.address == "http://one:1"


async def test_a_full_queue_makes_fewer_calls_useful_and_an_open_breaker_none(hosts) -> None:
    lanes = Lanes(hosts, 8)
    lanes.lanes[1].failed(ServerBusy("full"))
    assert lanes.slots == 8 + 4
    for _ in range(5):
        lanes.breaker.failed("model m: dead")
    with pytest.raises(NotAsked, match="model m: dead"):
        await lanes.enter()
