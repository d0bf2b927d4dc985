"""The dispatcher: what a free slot is given, as a server with a prompt cache per slot sees it."""

import asyncio
import random
from itertools import takewhile

from hypothesis import given, settings
from hypothesis import strategies as st

from evo.evaluation.dispatcher import Dispatcher
from evo.models import Chat, Completion, Message


def shared(one, other):
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


class CachingServer:
    """Every slot keeps its last prompt; a call goes to the idle slot that shares most with it, as llama.cpp does."""

    name, simulated = "caching", False

    def __init__(self, slots):
        self._slots, self.idle, self.order, self.read = slots, [""] * slots, [], 0

    def slots(self, model):
        return self._slots

    async def chat(self, chat):
        text = chat.messages[0].content
        best = max(self.idle, key=lambda kept: shared(kept, text))
        self.idle.remove(best)
        self.read += len(text) - shared(best, text)
        self.order.append(text)
        await asyncio.sleep(random.random() / 1000)
        self.idle.append(text)
        return Completion(text, 1, 1, 0.0, "stop")


def call(text, seed=0):
    return Chat("m", (Message("user", text),), seed, 0.5, 8)


def dispatch(server, texts):
    async def run():
        dispatcher = Dispatcher(server, lambda: None)
        return await asyncio.gather(*(dispatcher.ask(call(text, seed)) for seed, text in enumerate(texts)))

    return [answer.text for answer in asyncio.run(run())]


def test_a_slot_goes_on_with_what_shares_the_longest_beginning():
    texts = [f"{problem} {prompt}" for problem in ("a" * 50, "b" * 50, "ab" * 25) for prompt in ("x", "y")] * 3
    random.Random(4).shuffle(texts)
    server = CachingServer(1)
    dispatch(server, texts)
    assert server.order == sorted(server.order), "one slot: every text once, beside its nearest"
    assert server.read < 3 * 52 + 3 * 2


def test_slots_share_the_work_and_read_little_twice():
    problems = [letter * 200 for letter in "abcdefgh"]
    texts = [f"{problem} {k}" for problem in problems for k in range(9)]
    server = CachingServer(4)
    dispatch(server, texts)
    asked_in_order = sum(map(len, texts))
    assert server.read < asked_in_order / 4
    assert sorted(server.order) == sorted(texts)


@settings(deadline=None)
@given(st.lists(st.text(max_size=6)), st.integers(1, 5))
def test_every_call_is_answered_once_by_its_own_answer(texts, slots):
    server = CachingServer(slots)
    assert dispatch(server, texts) == texts
    assert sorted(server.order) == sorted(texts)
