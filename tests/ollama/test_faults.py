"""Every fault between client and server, and five thousand calls through all of them."""

import asyncio
import json
import sqlite3
from collections import Counter
from contextlib import closing

import pytest
from engines import expected_words
from proxy import LASTING, PASSING, Proxy, faults

from evo.evaluation import Store
from evo.evaluation.dispatcher import Dispatcher
from evo.models import CallFailed, Chat, Message, OllamaBackend, Patience, Sampling
from evo.models import retry as retry_module
from evo.models.failures import Aborted, BadRequest, Endless, NotAsked, OutOfMemory, PromptTooLong, RunnerDied, Stalled
from evo.models.ollama.answer import options_of
from evo.models.ollama.pace import Pace

SHORT = 6  # words of an answer, in which it is told from others already
QUICK = Patience(first=1.0, between=1.0, load=1.0, again=30)
SAMPLING = Sampling(min_p=0.05, context=2048)


def chat(number: int, model: str = "quick", max_tokens: int = 64, text: str = "") -> Chat:
    messages = (Message("user", text or f"Task {number % 50}: write a function."),)
    return Chat(model, messages, number, 0.5, max_tokens, SAMPLING, problem=f"p{number % 50}", role="generator")


def expected(one: Chat) -> str:
    """What the stand-in answers, computed here."""
    messages = [{"role": message.role, "content": message.content} for message in one.messages]
    return "".join(expected_words(messages, options_of(one))[: one.max_tokens])


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    uniform = retry_module.random.uniform
    monkeypatch.setattr(retry_module.random, "uniform", lambda low, high: uniform(low, high) / 20)
    monkeypatch.setattr("evo.models.ollama.host._READ", 1e9)
    monkeypatch.setattr("evo.models.ollama.lanes._WRITE", 1e9)


@pytest.mark.parametrize("fault", PASSING)
async def test_what_passes_is_got_over(start_double, fault: str) -> None:
    double = start_double("--model", "quick=fake", "--parallel", "4")
    proxy = Proxy(double.url, lambda number: fault if number == 1 else "")
    backend = OllamaBackend(await proxy.start(), patience=QUICK)
    assert (await backend.chat(chat(1))).text == expected(chat(1))
    assert proxy.chats == 2
    await backend.aclose()
    await proxy.stop()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("options", BadRequest),
        ("memory", OutOfMemory),
        ("unfinished", Aborted),
        ("repeat-error", Aborted),
        ("endless", Endless),
    ],
)
async def test_what_lasts_is_told_at_once(start_double, fault: str, kind: type[CallFailed]) -> None:
    double = start_double("--model", "quick=fake")
    proxy = Proxy(double.url, lambda number: fault if number == 1 else "")
    backend = OllamaBackend(await proxy.start())
    with pytest.raises(kind) as caught:
        await backend.chat(chat(1))
    assert "\n" not in str(caught.value)
    assert proxy.chats == 1
    assert (await backend.chat(chat(1))).text == expected(chat(1))
    await backend.aclose()
    await proxy.stop()


async def test_five_thousand_calls_lose_nothing_and_count_nothing_twice(start_double, tmp_path) -> None:
    """A tenth of all requests is spoiled. What fails for good is asked again, as the scheduler does."""
    calls = 5000
    double = start_double("--model", "quick=fake", "--parallel", "8")
    proxy = Proxy(double.url, faults(1 / 10, PASSING + LASTING))
    backend = OllamaBackend(await proxy.start(), slots=16, patience=QUICK)
    dispatcher = Dispatcher(backend, lambda: None)
    store = Store(tmp_path / "run.sqlite")
    failed: Counter[str] = Counter()

    async def one(number: int) -> int:
        asked = chat(number, max_tokens=SHORT)
        while True:
            try:
                answer = await dispatcher.ask(asked)
            except CallFailed as failure:
                failed[type(failure).__name__] += 1
                continue
            await store.put_call(asked.key("digest"), asked, "digest", answer)
            return answer.completion_tokens

    tokens = await asyncio.gather(*map(one, range(calls)))
    store.close()
    with closing(sqlite3.connect(tmp_path / "run.sqlite")) as db:
        rows = dict(db.execute("SELECT key, text FROM calls"))
        total = db.execute("SELECT SUM(completion_tokens) FROM calls").fetchone()[0]
    asked = [chat(number, max_tokens=SHORT) for number in range(calls)]
    wanted = {one.key("digest"): expected(one) for one in asked}
    assert rows == wanted, "each call is on record once, with its own answer"
    assert total == sum(tokens)
    assert set(proxy.done) == {"", *PASSING, *LASTING}, "every fault has been met"
    assert proxy.done[""] + proxy.done["silence"] >= calls
    assert set(failed) >= {"BadRequest", "OutOfMemory", "Aborted", "Endless"}
    counters = double.counters()
    assert counters["generating"] == 0
    await backend.aclose()
    await proxy.stop()


async def test_a_cancelled_call_ends_on_the_server(start_double) -> None:
    double = start_double("--model", "quick=fake", "--token-seconds", "0.2", "--parallel", "4")
    backend = OllamaBackend(double.url)
    dispatcher = Dispatcher(backend, lambda: None)
    calls = [asyncio.create_task(dispatcher.ask(chat(number))) for number in range(3)]
    while (await asyncio.to_thread(double.counters))["generating"] < 3:
        await asyncio.sleep(0.02)
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)
    for _ in range(50):
        counters = await asyncio.to_thread(double.counters)
        if not counters["generating"]:
            break
        await asyncio.sleep(0.02)
    assert (counters["generating"], counters["answered"]) == (0, 0)
    await backend.aclose()


@pytest.mark.parametrize(
    ("odd", "kind", "words"),
    [
        ("repeat", Aborted, "done = false"),
        ("endless", Endless, "num_predict"),
        ("stall", Stalled, "stood still"),
        ("oom", OutOfMemory, "pipeline.context"),
        ("toobig", OutOfMemory, "99.0 GiB"),
    ],
)
async def test_odd_models(start_double, odd: str, kind: type[CallFailed], words: str) -> None:
    double = start_double("--model", f"odd=fake:{odd}")
    backend = OllamaBackend(double.url, patience=QUICK)
    with pytest.raises(kind, match=words):
        await backend.chat(chat(1, "odd"))
    await backend.aclose()


async def test_thoughts_alone_and_a_cut_answer_are_answers(start_double) -> None:
    double = start_double("--model", "odd=fake:think", "--model", "quick=fake")
    backend = OllamaBackend(double.url)
    thought = await backend.chat(chat(1, "odd"))
    assert (thought.text, thought.finish, thought.completion_tokens) == ("", "thinking", 64)
    cut = await backend.chat(chat(1, max_tokens=3))
    assert (cut.text, cut.finish, cut.completion_tokens) == (expected(chat(1, max_tokens=3)), "length", 3)
    await backend.aclose()


async def test_a_model_that_never_works_is_left_alone_after_five_calls(start_double) -> None:
    double = start_double("--model", "odd=fake:oom", "--model", "quick=fake")
    backend = OllamaBackend(double.url, patience=QUICK)
    kinds = Counter()
    for number in range(20):
        try:
            await backend.chat(chat(number, "odd"))
        except CallFailed as failure:
            kinds[type(failure)] += 1
    assert kinds == {OutOfMemory: 5, NotAsked: 15}
    assert (await backend.chat(chat(1))).text == expected(chat(1)), "others are not concerned"
    await backend.aclose()


async def test_a_tiny_queue_is_backed_off_from(start_double, monkeypatch) -> None:
    """Two models that take turns in memory keep the queue of one place full; nothing is lost."""
    limits = ("--parallel", "1", "--loaded", "1", "--queue", "1", "--load-seconds", "0.05")
    double = start_double("--model", "one=fake", "--model", "two=fake", *limits)
    backend = OllamaBackend(double.url)
    busy = []
    told = Pace.busy
    monkeypatch.setattr(Pace, "busy", lambda pace, now: (busy.append(now), told(pace, now)))
    asked = [chat(number, model) for number in range(30) for model in ("one", "two")]
    answers = await asyncio.gather(*map(backend.chat, asked))
    assert [answer.text for answer in answers] == [expected(one) for one in asked]
    assert busy, "the queue was full"
    await backend.aclose()


async def test_one_loaded_model_at_a_time_is_swapped_once_per_group(start_double) -> None:
    double = start_double(
        "--model", "one=fake", "--model", "two=fake", "--loaded", "1", "--load-seconds", "0.1", "--parallel", "4"
    )
    backend = OllamaBackend(double.url)
    dispatcher = Dispatcher(backend, lambda: None)
    asked = [chat(number, model) for number in range(50) for model in ("one", "two")]
    answers = await asyncio.gather(*map(dispatcher.ask, asked))
    assert [answer.text for answer in answers] == [expected(one) for one in asked]
    assert double.counters()["loads"] == 2
    await backend.aclose()


async def test_models_that_fit_are_called_side_by_side(start_double) -> None:
    double = start_double("--model", "one=fake", "--model", "two=fake", "--parallel", "2", "--token-seconds", "0.01")
    backend = OllamaBackend(double.url, slots=2)
    assert await backend.prepare("one", 2048) == {"one"}
    assert await backend.prepare("two", 2048) == {"one", "two"}
    assert await backend.prepare("two", 1024) == {"two"}, "the other was loaded with another context"
    dispatcher = Dispatcher(backend, lambda: None)
    await asyncio.gather(*(dispatcher.ask(chat(number, model)) for number in range(4) for model in ("one", "two")))
    calls = asyncio.gather(*(dispatcher.ask(chat(number, model)) for number in range(20) for model in ("one", "two")))
    most = 0
    while not calls.done():
        most = max(most, dispatcher.in_flight)
        await asyncio.sleep(0.005)
    await calls
    assert most == 4
    await backend.aclose()


async def test_two_thousand_calls_at_the_useful_concurrency(start_double) -> None:
    double = start_double("--model", "quick=fake", "--parallel", "4", "--token-seconds", "0.003")
    backend = OllamaBackend(double.url)
    dispatcher = Dispatcher(backend, lambda: None)
    asked = [chat(number, max_tokens=SHORT) for number in range(2000)]
    answers = await asyncio.gather(*map(dispatcher.ask, asked))
    assert [answer.text for answer in answers] == [expected(one) for one in asked]
    assert 2 <= backend.slots("quick") <= 16, "exactly only where time is virtual: test_ollama_pace.py"
    assert double.counters()["answered"] == 2000
    await backend.aclose()


async def test_a_prompt_that_was_cut_in_silence_is_found_out(start_double) -> None:
    double = start_double("--model", "quick=fake")
    backend = OllamaBackend(double.url)
    with pytest.raises(PromptTooLong, match=r"about \d+ tokens .* context of 2048"):
        await backend.chat(chat(1, text="word " * 2500))
    assert (await backend.chat(chat(1, text="word " * 1000))).prompt_tokens == 1251
    await backend.aclose()


async def test_two_hosts_share_the_work_and_one_may_die(start_double) -> None:
    doubles = [start_double("--model", "quick=fake", "--token-seconds", "0.01", "--parallel", "4") for _ in range(2)]
    backend = OllamaBackend(",".join(double.url for double in doubles), slots=4, patience=QUICK)
    info = await backend.describe("quick")
    assert info.digest
    assert backend.slots("quick") == 8
    asked = [chat(number) for number in range(120)]
    calls = asyncio.gather(*map(backend.chat, asked))
    while doubles[0].counters()["answered"] < 5:
        await asyncio.sleep(0.02)
    doubles[0].kill()
    answers = await calls
    assert [answer.text for answer in answers] == [expected(one) for one in asked]
    assert doubles[1].counters()["answered"] > 60
    await backend.aclose()


async def test_hosts_that_differ_are_refused(start_double) -> None:
    doubles = [start_double("--model", "quick=fake"), start_double("--model", "quick=fake:think")]
    backend = OllamaBackend(",".join(double.url for double in doubles))
    with pytest.raises(Exception, match="not the same on all hosts"):
        await backend.describe("quick")
    await backend.aclose()


async def test_the_key_is_sent_and_never_said(start_double, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "very-secret")
    double = start_double("--model", "quick=fake")
    seen: list[str] = []

    def fault(number: int) -> str:
        return "memory"

    proxy = Proxy(double.url, fault)
    forward = proxy._answer

    async def watch(request, *rest):
        seen.append(request.headers.get("authorization", ""))
        await forward(request, *rest)

    proxy._answer = watch
    backend = OllamaBackend((await proxy.start()).replace("http://", "http://user:very-secret@"), patience=QUICK)
    info = await backend.describe("quick")
    with pytest.raises(OutOfMemory) as caught:
        await backend.chat(chat(1))
    assert set(seen) == {"Bearer very-secret"}
    assert "very-secret" not in f"{caught.value} {backend.host} {json.dumps(info.__class__.__name__)} {info}"
    await backend.aclose()
    await proxy.stop()


async def test_a_runner_that_dies_is_asked_again(start_double) -> None:
    double = start_double("--model", "quick=fake")
    proxy = Proxy(double.url, lambda number: "terminated")
    backend = OllamaBackend(await proxy.start(), patience=QUICK)
    with pytest.raises(RunnerDied):
        await backend.chat(chat(1))
    assert proxy.chats == 4
    await backend.aclose()
    await proxy.stop()
