"""The dispatcher: what a free slot is given, as a server with a prompt cache per slot sees it."""

import asyncio
import random
from dataclasses import replace
from itertools import takewhile

from hypothesis import given, settings
from hypothesis import strategies as st

from evo.evaluation.dispatcher import Dispatcher
from evo.models import CallFailed, Chat, Completion, Message


def shared(one, other):
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


class CachingServer:
    """Every slot keeps its last prompt; a call goes to the idle slot that shares most with it, as llama.cpp does."""

    name, simulated = "caching", False

    def __init__(self, slots):
        self._slots, self.idle, self.order, self.read = slots, [""] * slots, [], 0

    def slots(self, model):
        return self._slots

    async def prepare(self, model, context):
        return frozenset({model})

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


class SwappingServer(CachingServer):
    """Holds ``loaded`` models; records what it was asked to prepare and what was in flight together."""

    def __init__(self, slots, loaded):
        super().__init__(slots)
        self.loaded, self.memory, self.prepared, self.together, self.now = loaded, [], [], set(), []

    async def prepare(self, model, context):
        assert not self.now, "a swap waits until the calls before it have ended"
        self.prepared.append((model, context))
        self.memory = [*(each for each in self.memory if each != model), model][-self.loaded :]
        if model == "broken":
            raise CallFailed("broken: does not load")
        return frozenset(self.memory)

    async def chat(self, chat):
        assert chat.model in self.memory
        self.now.append(chat.model)
        self.together.add(frozenset(self.now))
        assert self.now.count(chat.model) <= self._slots
        await asyncio.sleep(random.random() / 1000)
        self.now.remove(chat.model)
        return Completion(chat.model, 1, 1, 0.0, "stop")


def dispatch_models(server, models):
    async def run():
        dispatcher = Dispatcher(server, lambda: None)
        asked = (dispatcher.ask(replace(call("text", seed), model=model)) for seed, model in enumerate(models))
        return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(run())


def test_models_that_do_not_fit_together_take_turns():
    server = SwappingServer(3, loaded=1)
    answers = dispatch_models(server, ["a", "b", "a", "c", "b", "a"] * 5)
    assert [answer.text for answer in answers] == ["a", "b", "a", "c", "b", "a"] * 5
    assert server.prepared == [("a", 4096), ("b", 4096), ("c", 4096)], "each is loaded once, the largest group first"
    assert server.together == {frozenset(model) for model in "abc"}


def test_models_that_fit_together_work_side_by_side():
    server = SwappingServer(2, loaded=2)
    dispatch_models(server, ["a", "b"])  # both are in memory now
    server.prepared.clear()
    server.together.clear()

    async def run():
        dispatcher = Dispatcher(server, lambda: None)
        await dispatcher.ask(replace(call("first"), model="a"))
        await asyncio.gather(*(dispatcher.ask(replace(call("x", k), model="ab"[k % 2])) for k in range(20)))

    asyncio.run(run())
    assert server.prepared == [("a", 4096)]
    assert frozenset("ab") in server.together


def test_a_model_that_cannot_be_prepared_fails_its_own_calls_only():
    server = SwappingServer(2, loaded=1)
    answers = dispatch_models(server, ["broken", "a", "broken", "broken"])
    assert [isinstance(answer, CallFailed) for answer in answers] == [True, False, True, True]
    assert answers[1].text == "a"


def test_a_cancelled_call_is_cancelled_at_the_backend():
    class Slow(CachingServer):
        cancelled = False

        async def chat(self, chat):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancelled = True
                raise

    async def run():
        server = Slow(1)
        dispatcher = Dispatcher(server, lambda: None)
        task = asyncio.create_task(dispatcher.ask(call("x")))
        await asyncio.sleep(0.02)
        assert dispatcher.in_flight == 1
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return server.cancelled, dispatcher.in_flight

    assert asyncio.run(run()) == (True, 0)
