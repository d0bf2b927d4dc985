import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap

import pytest

from evo.errors import UserError
from evo.evaluation import Cell, Purpose, Spent, Store, call_seed
from evo.models import Chat, Completion, Message
from evo.sandbox import FailedAssert, Frame, Status, Verdict

CHAT = Chat(
    "m",
    (Message("system", "s"), Message("user", "ü \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"))),
    7,
    0.5,
    64,
)
ANSWER = Completion('text\n"quotes" \x00 ü', 10, 20, 0.25, "length")
VERDICT = Verdict(
    Status.ASSERTION,
    "AssertionError",
    "m",
    FailedAssert("assert f(1) == 2", "f(1)", "1", "2"),
    (Frame("f", 3, "return 1"),),
    1,
    3,
)
CELL = Cell(
    "p", "HumanEval/0", Purpose.SEARCH, 2, False, "assertion", ("NameError", ""), 3, 100, 200, shown=0.5, seconds=1.25
)


async def test_everything_comes_back_as_it_was_put(tmp_path):
    store = Store(tmp_path / "run.sqlite")
    await asyncio.gather(
        store.put_call("k", CHAT, "d", ANSWER), store.put_execution("e", "HumanEval/0", VERDICT), store.put_cell(CELL)
    )
    store.put_meta("a", "b")
    store.put_generation(1, "{}", b"evidence")
    store.close()
    again = Store(tmp_path / "run.sqlite")
    assert again.call("k") == ANSWER
    assert again.execution("e") == VERDICT
    assert list(again.cells()) == [CELL] == list(again.cells_of("p", {("HumanEval/0", Purpose.SEARCH, 2)}))
    assert again.meta("a") == "b"
    assert list(again.generations()) == [(1, "{}")]
    assert (again.record(1), again.evidence(1)) == ("{}", b"evidence")
    assert again.call("other") is None
    assert not list(again.cells_of("p", {("HumanEval/0", Purpose.VALIDATION, 2), ("HumanEval/0", Purpose.SEARCH, 1)}))
    assert not list(again.cells_of("q", {("HumanEval/0", Purpose.SEARCH, 2)}))
    again.close()


async def test_it_sums_up_what_calls_took_by_model_role_and_purpose(tmp_path):
    store = Store(tmp_path / "run.sqlite")
    for number, (model, role, purpose) in enumerate(
        [
            ("m", "generator", Purpose.SEARCH),
            ("m", "generator", Purpose.SEARCH),
            ("m", "refiner", Purpose.SEARCH),
            ("n", "generator", Purpose.VALIDATION),
        ]
    ):
        seed = call_seed(1, purpose, "P", number, 0)
        chat = Chat(model, (), seed, 0.0, 64, problem="P", role=role)
        await store.put_call(str(number), chat, "d", Completion("", 10, number, 0.5, "stop"))
    assert store.spent() == (
        Spent("m", "generator", Purpose.SEARCH, calls=2, prompt_tokens=20, completion_tokens=1, seconds=1.0),
        Spent("m", "refiner", Purpose.SEARCH, calls=1, prompt_tokens=10, completion_tokens=2, seconds=0.5),
        Spent("n", "generator", Purpose.VALIDATION, calls=1, prompt_tokens=10, completion_tokens=3, seconds=0.5),
    )
    store.close()


async def test_a_draw_is_never_overwritten(tmp_path):
    store = Store(tmp_path / "run.sqlite")
    await store.put_call("k", CHAT, "d", ANSWER)
    await store.put_call("k", CHAT, "d", Completion("another draw", 1, 1, 0, "stop"))
    assert store.call("k") == ANSWER
    store.close()


async def test_a_missing_cell_is_replaced_by_its_measurement(tmp_path):
    store = Store(tmp_path / "run.sqlite")
    await store.put_cell(Cell("p", "x", Purpose.SEARCH, 0, None, fault="server went away"))
    await store.put_cell(Cell("p", "x", Purpose.SEARCH, 0, True))
    assert [cell.solved for cell in store.cells()] == [True]
    store.close()


def test_what_was_awaited_survives_sigkill(tmp_path):
    """The writer reports each row only once it was told that it is durable, and is killed in the middle of writing."""
    script = textwrap.dedent(
        """
        import asyncio, sys
        from pathlib import Path
        from evo.evaluation import Store
        from evo.models import Chat, Completion
        async def main():
            store = Store(Path(sys.argv[1]))
            async def one(i):
                await store.put_call(f"k{i}", Chat("m", (), i, 0.0, 1), "d", Completion(f"t{i}", 1, 1, 0.0, "stop"))
                print(i, flush=True)
            for start in range(0, 100000, 7):
                await asyncio.gather(*[one(i) for i in range(start, start + 7)])
        asyncio.run(main())
        """
    )
    path = tmp_path / "run.sqlite"
    writer = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    said = [int(writer.stdout.readline()) for _ in range(200)]
    os.kill(writer.pid, signal.SIGKILL)
    said += [int(line) for line in writer.stdout.read().splitlines() if line]
    writer.wait()
    store = Store(path)
    assert all(store.call(f"k{i}") is not None for i in said)
    store.close()


def test_a_file_that_is_no_database_gets_one_line(tmp_path):
    path = tmp_path / "run.sqlite"
    path.write_text("this is a text file, and it is long enough to be looked at as a database header " * 10)
    with pytest.raises(UserError, match=r"run\.sqlite.*cannot be used"):
        Store(path)
    assert path.read_text().startswith("this is a text file")


def test_a_newer_schema_is_not_touched(tmp_path):
    path = tmp_path / "run.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(UserError, match="newer version of evo"):
        Store(path)
