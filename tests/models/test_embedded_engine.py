"""The embedded engine with a real model: SmolLM2-135M, the smallest in the registry (98 MB, fetched once)."""

import _thread
import asyncio
import importlib.util
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from evo.models import (
    BackendUnavailable,
    CallFailed,
    Chat,
    Completion,
    EmbeddedBackend,
    Message,
    Sampling,
    pull,
    weights_named,
)
from evo.models.engine import Engine, EngineCancelled

# Only looked for: imported before evo sets how its threads wait, it would be many times slower on busy cores.
pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(importlib.util.find_spec("xllamacpp") is None, reason="xllamacpp is not installed"),
]

MODEL = "smollm2:135m"
CONTEXT = 1024


@pytest.fixture(scope="module")
def path() -> Path:
    return pull(weights_named(MODEL))


@pytest.fixture
async def backend(path: Path) -> AsyncIterator[EmbeddedBackend]:
    backend = EmbeddedBackend(slots=4)
    yield backend
    await backend.aclose()


def chat(text: str = "Write a Python function that adds two numbers.", **changes: Any) -> Chat:
    values = {"model": MODEL, "messages": (Message("user", text),), "seed": 1, "temperature": 0.8, "max_tokens": 24}
    return Chat(**{**values, "sampling": Sampling(context=CONTEXT), **changes})


async def test_answers_with_counts(backend: EmbeddedBackend) -> None:
    answers = await asyncio.gather(*(backend.chat(chat(seed=seed)) for seed in range(6)))
    assert len({answer.text for answer in answers}) > 3  # seeds matter
    for answer in answers:
        assert 10 < answer.prompt_tokens < 100  # cached ones included
        assert 1 <= answer.completion_tokens <= 24
        assert answer.finish == ("length" if answer.completion_tokens == 24 else "stop")
        assert answer.seconds > 0


async def test_facts(backend: EmbeddedBackend, path: Path) -> None:
    info = await backend.describe(MODEL)
    assert info.digest == weights_named(MODEL).sha256
    assert (info.quantization, info.parameters, info.context) == ("Q4_1", "135M", 8192)
    assert info.server_version.startswith("xllamacpp ")
    assert info.options == {"think": False, "repeat_last_n": 64, "cache_prompt": True}
    by_path = await backend.describe(str(path))
    assert (by_path.digest, by_path.name) == (info.digest, str(path))


async def test_stop_words_and_an_empty_answer(backend: EmbeddedBackend) -> None:
    whole = await backend.chat(chat(temperature=0.0))
    first = whole.text[:3]
    cut = await backend.chat(chat(temperature=0.0, sampling=Sampling(context=CONTEXT, stop=(first,))))
    assert (cut.text, cut.finish) == ("", "stop")


async def test_a_prompt_beyond_the_context_is_a_failed_call(backend: EmbeddedBackend) -> None:
    with pytest.raises(CallFailed, match=r"a prompt of \d+ tokens does not fit into the context of 1024"):
        await backend.chat(chat("word " * 2000))
    assert (await backend.chat(chat())).completion_tokens  # and the next one is answered


async def test_a_cancelled_call_ends_soon_and_the_loop_goes_on(backend: EmbeddedBackend) -> None:
    await backend.chat(chat())  # loading holds the interpreter and is not what this is about
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.01)

    ticking = asyncio.create_task(tick())
    call = asyncio.create_task(backend.chat(chat("Tell a long story.", max_tokens=900)))
    await asyncio.sleep(0.5)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    started = time.monotonic()
    await backend.aclose()
    assert time.monotonic() - started < 5
    ticking.cancel()
    assert ticks > 10


async def test_closing_gives_up_what_is_in_flight(backend: EmbeddedBackend) -> None:
    await backend.chat(chat())
    call = asyncio.create_task(backend.chat(chat("Tell a long story.", max_tokens=900)))
    await asyncio.sleep(0.3)
    await backend.aclose()
    with pytest.raises(CallFailed, match="closing"):
        await call


async def test_strict_repeats_itself_whatever_came_before(path: Path) -> None:
    backend = EmbeddedBackend(strict=True)
    assert backend.slots(MODEL) == 1
    first, second = chat(seed=7, max_tokens=40), chat("Name three colours.", seed=9, max_tokens=40)
    before = [await backend.chat(first), await backend.chat(second)]
    together = await asyncio.gather(*(backend.chat(each) for each in (second, first, first, second)))
    assert [each.text for each in together] == [before[i].text for i in (1, 0, 0, 1)]
    await backend.aclose()
    again = EmbeddedBackend(strict=True)
    assert (await again.chat(second)).text == before[1].text
    await again.aclose()


async def test_one_model_makes_room_for_another(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.gguf"
    other.symlink_to(path)
    backend = EmbeddedBackend(slots=2, loaded=1)
    chats = [chat(seed=seed, model=model) for seed in range(3) for model in (MODEL, str(other))]
    answers = await asyncio.wait_for(asyncio.gather(*map(backend.chat, chats)), 120)
    assert all(answer.completion_tokens for answer in answers)
    await backend.aclose()


async def test_a_model_that_was_loaded_and_never_asked_can_be_closed(path: Path) -> None:
    for _ in range(2):
        backend = EmbeddedBackend(slots=2)
        assert await backend.prepare(MODEL, CONTEXT) == {MODEL}
        await asyncio.wait_for(backend.aclose(), 60)


async def test_a_file_that_is_no_model(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    backend = EmbeddedBackend()
    with pytest.raises(BackendUnavailable, match="must be a GGUF file of a chat model"):
        await backend.chat(chat(model=str(path)))
    assert capfd.readouterr() == ("", "")


# A shell starts what it puts into the background with SIGINT ignored, and the tests may be there: hence the handlers.
_PROGRAM = """
import asyncio, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from evo.models import Chat, EmbeddedBackend, Message, Sampling
async def main():
    backend = EmbeddedBackend(slots=2)
    call = Chat("smollm2:135m", (Message("user", "Tell a story"),), 1, 0.8, int(sys.argv[1]), Sampling(context=1024))
    await backend.chat(call.__class__(call.model, call.messages, 1, 0.8, 2, call.sampling))
    print("loaded", flush=True)
    await backend.chat(call)
asyncio.run(main())
"""


def test_silent_and_clean_without_being_closed(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, "4"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "loaded\n", "")


def test_ctrl_c_that_comes_before_the_loop_sleeps_ends_the_answer(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``interrupt_main`` leaves what such a signal leaves: it is noted, and nothing wakes the loop."""
    ends: list[object] = []
    ask = Engine.ask

    def watched(*arguments: Any) -> Completion:
        try:
            ends.append(ask(*arguments))
        except EngineCancelled as error:
            ends.append(error)
            raise
        return ends[-1]

    async def interrupted() -> None:
        backend = EmbeddedBackend(slots=1)
        await backend.chat(chat())
        threading.Timer(0.3, _thread.interrupt_main).start()
        try:
            await backend.chat(chat("Tell a long story.", max_tokens=900))
        finally:
            await backend.aclose()

    monkeypatch.setattr(Engine, "ask", watched)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(interrupted())
    finally:
        signal.signal(signal.SIGINT, before)
    assert [type(end) for end in ends] == [Completion, EngineCancelled]


def test_ctrl_c_does_not_hang(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, "900"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.5)
        process.send_signal(2)
        _out, errors = process.communicate(timeout=120)  # against waiting for ever; no limit on a busy machine
    assert process.returncode in (-2, 1, 130), errors
    assert "KeyboardInterrupt" in errors
