"""Two real models on one server: each answers for itself, and a search over both ends with all that it paid for."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import ollama
import pytest

import evo
from evo.evaluation.dispatcher import Dispatcher
from evo.models import Chat, Message, OllamaBackend, Sampling

pytestmark = [pytest.mark.ollama, pytest.mark.model]

CONTEXT = 1024
TASKS = {
    "add": ["assert add(2, 3) == 5", "assert add(1, 1) == 2"],
    "double": ["assert double(4) == 8", "assert double(0) == 0"],
}


@pytest.fixture(scope="module")
def pool(create: Callable[[str], str]) -> tuple[str, str]:
    """Both models, on the server; on our double one of them is in memory at a time."""
    return create("smollm2:135m"), create("qwen2.5-coder:0.5b")


async def test_calls_of_two_models_are_answered_by_the_model_that_was_asked(host: str, pool: tuple[str, str]) -> None:
    """Told by the tokens of the prompt, which each model's own template and vocabulary decide."""

    def chat(model: str, seed: int) -> Chat:
        task = Message("user", "Write a Python function that adds two numbers.")
        return Chat(model, (task,), seed, 0.8, 4, Sampling(context=CONTEXT))

    backend = OllamaBackend(host)
    infos = [await backend.describe(model) for model in pool]
    assert len({info.digest for info in infos}) == len({info.parameters for info in infos}) == 2
    alone = {model: (await backend.chat(chat(model, 1))).prompt_tokens for model in pool}
    assert alone[pool[0]] != alone[pool[1]]
    dispatcher = Dispatcher(backend, lambda: None)
    asked = [chat(model, seed) for seed in range(3) for model in pool]
    answers = await asyncio.gather(*map(dispatcher.ask, asked))
    assert [answer.prompt_tokens for answer in answers] == [alone[one.model] for one in asked]
    await backend.aclose()


def test_a_search_over_both(host: str, pool: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", host)
    tasks = [{"prompt": f"Write {name}.", "entry_point": name, "tests": tests} for name, tests in TASKS.items()]
    (tmp_path / "tasks.jsonl").write_text("\n".join(map(json.dumps, tasks)), "utf-8")
    changes = {
        "models.backend": "ollama",
        "models.models": " ".join(pool),
        "tasks.benchmark": str(tmp_path / "tasks.jsonl"),
        "run.generations": "3",
        "tasks.problems": "1",
        "NEAT.pop_size": "3",
        "pipeline.max_tokens": "16",
        "pipeline.context": str(CONTEXT),
        "evaluation.replicates": "1",
        "evaluation.validation_problems": "1",
        "evaluation.finalists": "0",
    }
    found = evo.search("tiny", run=str(tmp_path / "run"), changes=changes)
    assert len(found.generations) == 3
    assert not found.simulated
    with closing(sqlite3.connect(found.folder / "run.sqlite")) as db:
        calls = Counter(name for (name,) in db.execute("SELECT name FROM calls JOIN models ON models.id = calls.model"))
        assert db.execute("SELECT COUNT(*) FROM cells WHERE solved IS NULL").fetchone() == (0,)
        recorded = json.loads(db.execute("SELECT value FROM meta WHERE key='models'").fetchone()[0])
    assert set(calls) == set(pool)
    assert calls.total() == found.counters.calls_made
    listed = {each.model: each.digest for each in ollama.Client(host).list().models}
    assert {name: info["digest"] for name, info in recorded.items()} == {name: listed[name] for name in pool}
    again = evo.search(run=str(found.folder))
    assert again.counters.calls_made == 0
    assert again.champion == found.champion
