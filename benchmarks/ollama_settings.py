"""What settings of an Ollama server cost, as far as llama.cpp decides it: measured on our double with real models.

``python -m benchmarks.ollama_settings --model NAME=FILE --model NAME=FILE``: the first model alone for slots, context
and flash attention, both for swapping, the second for keep-alive. Each row is a server of its own.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import httpx
import ollama
import typer

from benchmarks.ollama import evo_pace, typical
from evo.cli import console, new_app, run_app
from evo.models import Chat, Message, OllamaBackend, Sampling
from evo.models.ollama.answer import KEEP_ALIVE, options_of

_ROOT = Path(__file__).parents[1]
_LONG = 150  # words before a prompt that is long, each of a few tokens

app = new_app()


@dataclass(frozen=True)
class _Server:
    url: str
    process: "subprocess.Popen[str]"

    def loads(self) -> int:
        return int(httpx.get(f"{self.url}/double", trust_env=False).json()["loads"])

    def processor(self) -> float:
        """Processor seconds that it has taken, which other work on the machine changes less than the clock's."""
        times = Path(f"/proc/{self.process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()[11:13]
        return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Most memory that it has had, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@contextmanager
def _server(models: list[str], *flags: str) -> Iterator[_Server]:
    given = [part for model in models for part in ("--model", model)]
    command = [sys.executable, str(_ROOT / "tests" / "ollama" / "double"), *given, *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(_ROOT)})
    assert process.stdout is not None
    try:
        yield _Server(process.stdout.readline().strip(), process)
    finally:
        process.kill()
        process.wait()


@app.command()
def main(
    model: Annotated[list[str], typer.Option(metavar="NAME=FILE", help="Two models.")],
    number: Annotated[int, typer.Option("--calls", help="Calls of a row.")] = 32,
    tokens: Annotated[int, typer.Option(help="Tokens of an answer at most.")] = 32,
    only: Annotated[str, typer.Option(help="slots, context, flash, swap or keep; empty: all.")] = "",
) -> None:
    """Measure, and print rows of a table.

    Seconds of loading, calls and written tokens per second after that, tokens read per second of reading, times that a
    model was loaded, processor seconds and most memory of the server in MB.
    """
    first, second = (each.partition("=")[0] for each in model)
    columns = ("", "loading, s", "calls/s", "written/s", "read/s", "loads", "processor, s", "memory, MB")
    console.print(f"|{'|'.join(f' {column} ' for column in columns)}|\n{'|---' * len(columns)}|", soft_wrap=True)
    if only in ("", "slots"):
        for slots in (1, 2, 4, 8):
            with _server(model[:1], "--parallel", f"{slots}") as server:
                asyncio.run(_together(server, f"{slots} slots", typical([first], number, tokens, slots), slots))
    if only in ("", "context"):
        for context in (1024, 4096, 16384):
            chats = [replace(chat, sampling=Sampling(context=context)) for chat in typical([first], number, tokens, 1)]
            with _server(model[:1], "--parallel", "4") as server:
                asyncio.run(_together(server, f"4 slots of {context}", chats, 4))
    if only in ("", "flash"):
        for flash in ("on", "off", "on", "off"):
            with _server(model[:1], "--flash", flash) as server:
                _in_turn(server, f"flash attention {flash}", _long(typical([first], number // 4, tokens, 1)))
    if only in ("", "swap"):
        turns = [
            chat
            for pair in zip(*(typical([each], number // 4, tokens, 1) for each in (first, second)), strict=True)
            for chat in pair
        ]
        for loaded in (2, 1):
            with _server(model, "--loaded", f"{loaded}", "--parallel", "4") as server:
                _in_turn(server, f"{loaded} loaded, models in turn", turns)
            with _server(model, "--loaded", f"{loaded}", "--parallel", "4") as server:
                asyncio.run(_together(server, f"{loaded} loaded, evo", turns, None))
    if only in ("", "keep"):
        for keep in (KEEP_ALIVE, 0):
            with _server(model[1:]) as server:
                _in_turn(server, f"keep_alive {keep}", typical([second], number // 4, tokens, 1), keep)


def _long(chats: list[Chat]) -> list[Chat]:
    """The same with a beginning that no other one shares, so that all of it has to be read."""
    return [
        replace(
            chat,
            messages=(
                Message("user", f"{' '.join(f'{chat.seed}-{k}' for k in range(_LONG))}\n{chat.messages[0].content}"),
            ),
        )
        for chat in chats
    ]


async def _together(server: _Server, setting: str, chats: list[Chat], slots: int | None) -> None:
    """All at once by evo's client; a model that is alone is loaded first."""
    backend, loading = OllamaBackend(server.url, slots=slots), None
    models = sorted({chat.model for chat in chats})
    for model in models:
        await backend.describe(model)
    if len(models) == 1:
        started = time.perf_counter()
        await backend.prepare(models[0], chats[0].sampling.context)
        loading = time.perf_counter() - started
    pace, _ = await evo_pace(backend, chats)
    await backend.aclose()
    _row(server, setting, loading, pace.calls / pace.seconds, pace.tokens / pace.seconds, None)


def _in_turn(server: _Server, setting: str, chats: list[Chat], keep: str | float = KEEP_ALIVE) -> None:
    """One after the other by the official client."""
    client = ollama.Client(server.url)
    loading = read = reading = written = 0.0
    started = time.perf_counter()
    for chat in chats:
        messages = [{"role": message.role, "content": message.content} for message in chat.messages]
        answer = client.chat(chat.model, messages=messages, think=False, options=options_of(chat), keep_alive=keep)
        loading += (answer.load_duration or 0) / 1e9
        reading += (answer.prompt_eval_duration or 0) / 1e9
        read += answer.prompt_eval_count or 0
        written += answer.eval_count or 0
    seconds = time.perf_counter() - started
    _row(server, setting, loading, len(chats) / seconds, written / seconds, read / reading)


def _row(
    server: _Server, setting: str, loading: float | None, calls: float, written: float, read: float | None
) -> None:
    loaded, reading = ("" if value is None else f"{value:.1f}" for value in (loading, read))
    spent = (f"{server.loads()}", f"{server.processor():.0f}", f"{server.memory():.0f}")
    cells = (setting, loaded, f"{calls:.2f}", f"{written:.1f}", reading, *spent)
    console.print(f"| {' | '.join(cells)} |", soft_wrap=True)


if __name__ == "__main__":
    run_app(app, "python -m benchmarks.ollama_settings")
