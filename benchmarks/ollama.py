"""Calls per second: evo's client against a plain loop. ``python -m benchmarks.ollama --models NAME --host URL``

The plain loop is what one would write with the official client: one call after the other, in the order in which they
come. Both make calls of the same kind to the same server in turns, each round with seeds of its own, so that the ratio
holds on a machine that does other things as well.
"""

import asyncio
import os
import random
import time
from dataclasses import dataclass
from typing import Annotated

import ollama
import typer

from evo.cli import console, new_app, print_json, run_app
from evo.evaluation.dispatcher import Dispatcher
from evo.models import Chat, Message, OllamaBackend, Sampling
from evo.models.ollama.answer import KEEP_ALIVE, options_of
from evo.tasks import load_problems

_PROMPTS = ("Complete this function.", "Write correct Python for this task; code only.")

app = new_app()


@dataclass(frozen=True)
class Round:
    """Calls per second of both, their ratio, and how many calls the server worked on at once, on average."""

    plain: float
    evo: float
    ratio: float
    plain_in_service: float
    evo_in_service: float
    slots: int


@app.command()
def main(
    models: Annotated[str, typer.Option(help="Models on the server, separated by commas; several take turns.")],
    host: Annotated[str | None, typer.Option(help="Address; OLLAMA_HOST if not given.")] = None,
    calls: Annotated[int, typer.Option(help="Calls of each round and model.")] = 32,
    rounds: Annotated[int, typer.Option(help="Rounds of each.")] = 3,
    tokens: Annotated[int, typer.Option(help="Tokens of an answer at most.")] = 32,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare evo's client with a plain loop on one server."""
    if host:
        os.environ["OLLAMA_HOST"] = host
    pool = models.replace(",", " ").split()
    results = asyncio.run(_rounds(pool, calls, rounds, tokens))
    if json:
        print_json(results)
        return
    for each in results:
        console.print(
            f"plain {each.plain:.2f} calls/s ({each.plain_in_service:.1f} in service), evo {each.evo:.2f} "
            f"({each.evo_in_service:.1f} in service, {each.slots} slots): ratio {each.ratio:.2f}",
            soft_wrap=True,
        )
    console.print(f"ratio over all rounds: {sum(each.ratio for each in results) / len(results):.2f}")


def _calls(models: list[str], calls: int, tokens: int, number: int) -> list[Chat]:
    """What a search asks: few problems and prompts, many seeds, in no order that a cache would like."""
    problems = load_problems("humaneval", seed=1)[:8]
    chats = [
        Chat(
            model,
            (Message("user", f"{_PROMPTS[k % 2]}\n\nTask:\n{problems[k % len(problems)].prompt}"),),
            seed=number * 10_000 + k,
            temperature=0.8,
            max_tokens=tokens,
            sampling=Sampling(context=2048),
        )
        for k in range(calls)
        for model in models
    ]
    random.Random(number).shuffle(chats)
    return chats


async def _rounds(models: list[str], calls: int, rounds: int, tokens: int) -> list[Round]:
    backend = OllamaBackend()
    plain = ollama.AsyncClient()
    results = []
    try:
        for model in models:
            await backend.describe(model)
            await backend.prepare(model, 2048)
        for number in range(rounds):
            measured = {}
            both = [("plain", lambda chats: _plain(plain, chats)), ("evo", lambda chats: _evo(backend, chats))]
            for name, run in both if number % 2 == 0 else reversed(both):
                chats = _calls(models, calls, tokens, 2 * number + (name == "evo"))
                started = time.perf_counter()
                served = await run(chats)
                seconds = time.perf_counter() - started
                measured[name] = len(chats) / seconds, served / seconds
            results.append(
                Round(
                    plain=measured["plain"][0],
                    evo=measured["evo"][0],
                    ratio=measured["evo"][0] / measured["plain"][0],
                    plain_in_service=measured["plain"][1],
                    evo_in_service=measured["evo"][1],
                    slots=max(map(backend.slots, models)),
                )
            )
    finally:
        await backend.aclose()
    return results


async def _plain(client: ollama.AsyncClient, chats: list[Chat]) -> float:
    """One call after the other; returns the seconds that the server worked on them."""
    served = 0
    for chat in chats:
        messages = [{"role": message.role, "content": message.content} for message in chat.messages]
        answer = await client.chat(
            chat.model, messages=messages, think=False, options=options_of(chat), keep_alive=KEEP_ALIVE
        )
        served += (answer.prompt_eval_duration or 0) + (answer.eval_duration or 0)
    return served / 1e9


async def _evo(backend: OllamaBackend, chats: list[Chat]) -> float:
    dispatcher = Dispatcher(backend, lambda: None)
    return sum(answer.seconds for answer in await asyncio.gather(*map(dispatcher.ask, chats)))


if __name__ == "__main__":
    run_app(app, "python -m benchmarks.ollama")
