"""The calls that a run recorded, made again by a plain loop. ``python -m benchmarks.ollama_replay RUN --host URL``

Each model is cold at first. The order is the record's, which is evo's: grouped by model, and prompts that begin alike
together. A loop over genomes has neither, so the loop is shown at its best.
"""

import json
import sqlite3
import zlib
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import ollama
import typer

from benchmarks.ollama import Host, plain_pace, speak_to
from evo.cli import console, new_app, run_app
from evo.evaluation import read_meta
from evo.models import Chat, Message, Sampling
from evo.run.folder import RunFolder

app = new_app()


@app.command()
def main(run: Annotated[str, typer.Argument(help="A run's name or folder.")], host: Host = None) -> None:
    """Time a run's calls in a plain loop of the official client."""
    speak_to(host)
    chats = _recorded(RunFolder.named(run).database)
    for model in {chat.model for chat in chats}:
        ollama.Client().generate(model, keep_alive=0)
    console.print(f"plain loop: {plain_pace(chats)}", soft_wrap=True)


def _recorded(database: Path) -> list[Chat]:
    options = json.loads(read_meta(database, "options") or "{}")
    named = {field.name: options[field.name] for field in fields(Sampling)}
    sampling = Sampling(**{**named, "stop": tuple(named["stop"])})
    with closing(sqlite3.connect(database)) as db:
        rows = db.execute("SELECT name, request FROM calls JOIN models ON models.id = calls.model ORDER BY calls.id")
        requests = [(name, json.loads(zlib.decompress(request))) for name, request in rows]
    return [
        Chat(
            name,
            tuple(Message(role, content) for role, content in request["messages"]),
            request["seed"],
            request["temperature"],
            request["max_tokens"],
            sampling,
        )
        for name, request in requests
    ]


if __name__ == "__main__":
    run_app(app, "python -m benchmarks.ollama_replay")
