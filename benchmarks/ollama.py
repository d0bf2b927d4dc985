"""evo's client on an Ollama server: against a plain loop, and with many calls.

``python -m benchmarks.ollama loop --models NAME --host URL``, and ``many``: see ``--help``. The plain
loop is what one would write with the official client: one call after the other, in the order in which they come.
"""

import asyncio
import os
import random
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import httpx
import ollama
import typer

from evo.cli import console, new_app, print_json, run_app
from evo.evaluation import Store
from evo.evaluation.dispatcher import Dispatcher
from evo.models import CallFailed, Chat, Completion, Message, OllamaBackend, Sampling
from evo.models.ollama.answer import KEEP_ALIVE, options_of
from evo.tasks import load_problems

_PROMPTS = ("Complete this function.", "Write correct Python for this task; code only.")
_CONTEXT = 2048
_SAMPLE = 50  # calls that are asked again to see whether seeds are honoured

app = new_app()
Host = Annotated[str | None, typer.Option(help="Address; OLLAMA_HOST if not given.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True)
class Pace:
    """calls answered in so many seconds, tokens written, calls that the server worked on at once on average, and slots:
    calls in flight at most, when it ended.
    """

    calls: int
    seconds: float
    tokens: int
    in_service: float
    slots: int

    def __str__(self) -> str:
        return (
            f"{self.calls} calls in {self.seconds:.0f} s, {self.calls / self.seconds:.2f} calls/s, "
            f"{self.tokens / self.seconds:.0f} tokens/s, {self.in_service:.1f} in service, {self.slots} slots"
        )


# -- loop --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Round:
    """Both sides of a round, and the ratio of their calls per second."""

    plain: Pace
    evo: Pace
    ratio: float


@app.command()
def loop(
    models: Annotated[str, typer.Option(help="Models on the server, separated by commas; several take turns.")],
    host: Host = None,
    calls: Annotated[int, typer.Option(help="Calls of each round and model.")] = 32,
    rounds: Annotated[int, typer.Option(help="Rounds of each.")] = 3,
    tokens: Annotated[int, typer.Option(help="Tokens of an answer at most.")] = 32,
    as_json: _Json = False,
) -> None:
    """Compare evo's client with a plain loop on one server.

    Both make calls of the same kind in turns, each round with seeds of its own, so that the ratio holds on a machine
    that does other things as well.
    """
    speak_to(host)
    results = asyncio.run(_rounds(models.replace(",", " ").split(), calls, rounds, tokens))
    if as_json:
        print_json(results)
        return
    for each in results:
        console.print(f"plain {each.plain}\nevo   {each.evo}\nratio {each.ratio:.2f}", soft_wrap=True)
    console.print(f"ratio over all rounds: {sum(each.ratio for each in results) / len(results):.2f}")


async def _rounds(models: list[str], calls: int, rounds: int, tokens: int) -> list[Round]:
    backend = OllamaBackend()
    results = []
    try:
        for model in models:
            await backend.describe(model)
            await backend.prepare(model, _CONTEXT)
        for number in range(rounds):
            plain, own = (typical(models, calls, tokens, 2 * number + side) for side in (0, 1))
            if number % 2 == 0:
                slow, (fast, _) = await asyncio.to_thread(plain_pace, plain), await evo_pace(backend, own)
            else:
                (fast, _), slow = await evo_pace(backend, own), await asyncio.to_thread(plain_pace, plain)
            ratio = (fast.calls / fast.seconds) / (slow.calls / slow.seconds)
            results.append(Round(slow, fast, ratio))
    finally:
        await backend.aclose()
    return results


# -- many --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Many:
    """found: at the concurrency that the client finds. fixed: with so many slots, in the order of measuring.

    lost: calls without an answer. recorded: rows of a run's store, one per call. served: what the server counted
    (our double alone can tell). again, other: shares of a sample of calls that had the same text when asked again, with
    the same seed and with another.
    """

    found: Pace
    lost: int
    recorded: int
    served: int | None
    again: float
    other: float
    fixed: tuple[Pace, ...]


@app.command()
def many(
    model: Annotated[str, typer.Option(help="A model on the server.")],
    host: Host = None,
    calls: Annotated[int, typer.Option(help="Calls at the concurrency that the client finds.")] = 2000,
    tokens: Annotated[int, typer.Option(help="Tokens of an answer at most.")] = 12,
    fixed: Annotated[str, typer.Option(help="Slots to compare with, separated by commas.")] = "1,2,4,8",
    fixed_calls: Annotated[int, typer.Option(help="Calls with each of them, in each of two rounds.")] = 100,
    as_json: _Json = False,
) -> None:
    """Make many calls at the useful concurrency: is each answered once, are seeds honoured, what would others bring?"""
    speak_to(host)
    found = asyncio.run(_many(model, calls, tokens, [int(each) for each in fixed.split(",")], fixed_calls))
    if as_json:
        print_json(found)
        return
    served = "" if found.served is None else f", answered by the server {found.served}"
    console.print(f"found: {found.found}", soft_wrap=True)
    console.print(f"lost {found.lost}, on record {found.recorded}{served}", soft_wrap=True)
    console.print(f"same text again {found.again:.0%}, with another seed {found.other:.0%}", soft_wrap=True)
    for each in found.fixed:
        console.print(f"fixed: {each}", soft_wrap=True)


async def _many(model: str, calls: int, tokens: int, fixed: list[int], fixed_calls: int) -> Many:
    backend = OllamaBackend()
    digest = (await backend.describe(model)).digest
    await backend.prepare(model, _CONTEXT)
    chats = typical([model], calls, tokens, 0)
    before = _counters(backend.host)
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "run.sqlite")
        found, answers = await evo_pace(
            backend, chats, lambda chat, answer: store.put_call(chat.key(digest), chat, digest, answer)
        )
        store.close()
        with closing(sqlite3.connect(Path(folder) / "run.sqlite")) as db:
            (recorded,) = db.execute("SELECT COUNT(*) FROM calls").fetchone()
    after = _counters(backend.host)
    sample = chats[:_SAMPLE]
    _, again = await evo_pace(backend, sample)
    _, other = await evo_pace(backend, [replace(chat, seed=chat.seed + 1_000_000) for chat in sample])
    await backend.aclose()
    paces = []
    for number, slots in enumerate([*fixed, *reversed(fixed)], start=1):
        held = OllamaBackend(slots=slots)
        await held.describe(model)
        await held.prepare(model, _CONTEXT)
        paces.append((await evo_pace(held, typical([model], fixed_calls, tokens, number)))[0])
        await held.aclose()
    return Many(
        found=found,
        lost=calls - found.calls,
        recorded=recorded,
        served=after["answered"] - before["answered"] if after else None,
        again=_same(answers[:_SAMPLE], again),
        other=_same(answers[:_SAMPLE], other),
        fixed=tuple(paces),
    )


def _same(one: list[Completion | None], other: list[Completion | None]) -> float:
    """Share of calls with the same text."""
    pairs = list(zip(one, other, strict=True))
    return sum(bool(a and b and a.text == b.text) for a, b in pairs) / len(pairs)


def _counters(host: str) -> Mapping[str, int]:
    """What our double counts; empty for any other server."""
    answer = httpx.get(f"{host}/double", trust_env=False)
    return answer.json() if answer.is_success else {}


# -- both sides --------------------------------------------------------------------------------------------------------


def speak_to(host: str | None) -> None:
    if host:
        os.environ["OLLAMA_HOST"] = host


def typical(models: list[str], calls: int, tokens: int, number: int) -> list[Chat]:
    """What a search asks: few problems and prompts, many seeds, in no order that a cache would like."""
    problems = load_problems("humaneval", seed=1)[:8]
    chats = [
        Chat(
            model,
            (Message("user", f"{_PROMPTS[k % 2]}\n\nTask:\n{problems[k % len(problems)].prompt}"),),
            seed=number * 10_000 + k,
            temperature=0.8,
            max_tokens=tokens,
            sampling=Sampling(context=_CONTEXT),
        )
        for k in range(calls)
        for model in models
    ]
    random.Random(number).shuffle(chats)
    return chats


def plain_pace(chats: list[Chat]) -> Pace:
    """One call after the other with the official client."""
    client = ollama.Client()
    served, tokens = 0, 0
    started = time.perf_counter()
    for chat in chats:
        messages = [{"role": message.role, "content": message.content} for message in chat.messages]
        answer = client.chat(
            chat.model, messages=messages, think=False, options=options_of(chat), keep_alive=KEEP_ALIVE
        )
        served += (answer.prompt_eval_duration or 0) + (answer.eval_duration or 0)
        tokens += answer.eval_count or 0
    seconds = time.perf_counter() - started
    return Pace(len(chats), seconds, tokens, served / 1e9 / seconds, 1)


async def evo_pace(
    backend: OllamaBackend, chats: list[Chat], keep: Callable[[Chat, Completion], Awaitable[None]] | None = None
) -> tuple[Pace, list[Completion | None]]:
    """All at once as a search does it, each answer kept before it counts; None for a call that failed."""
    dispatcher = Dispatcher(backend, lambda: None)

    async def ask(chat: Chat) -> Completion | None:
        try:
            answer = await dispatcher.ask(chat)
        except CallFailed as failure:
            console.print(f"failed: {failure}", soft_wrap=True)
            return None
        if keep:
            await keep(chat, answer)
        return answer

    started = time.perf_counter()
    answers = await asyncio.gather(*map(ask, chats))
    seconds = time.perf_counter() - started
    done = [answer for answer in answers if answer]
    served = sum(answer.seconds for answer in done)
    slots = max(backend.slots(model) for model in {chat.model for chat in chats})
    return Pace(len(done), seconds, sum(each.completion_tokens for each in done), served / seconds, slots), answers


if __name__ == "__main__":
    run_app(app, "python -m benchmarks.ollama")
