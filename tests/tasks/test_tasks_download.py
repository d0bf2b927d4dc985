"""Suites from their public home, with a real HTTP server in its place."""

import functools
import gzip
import hashlib
import importlib
import json
import threading
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from evo.errors import UserError
from evo.tasks import load_problems, suites

ITEMS = [
    {
        "task_id": 2,
        "prompt": "Add.",
        "code": "def add(a, b): return a + b",
        "test_imports": [],
        "test_list": [
            "assert add(1, 2) == 3",
            "assert add(0, 0) == 0",
        ],
    }
]
PLUS = {
    "task_id": "Mbpp/9",
    "prompt": "Negate.",
    "entry_point": "negate",
    "canonical_solution": "def negate(x): return -x",
    "base_input": [[1]],
    "plus_input": [[2]],
    "atol": 0,
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder that the server gives, with both files in it, and suites whose addresses are there."""
    folder = tmp_path / "home"
    folder.mkdir()
    files = {"mbpp": json.dumps(ITEMS).encode(), "mbpp-plus": json.dumps(PLUS).encode()}
    handler = functools.partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        moved = []
        for suite in suites():
            if suite.url:
                name = suite.url.rpartition("/")[2]
                content = files[suite.name]
                (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
                url = f"http://127.0.0.1:{server.server_port}/{name}"
                moved.append(replace(suite, url=url, sha256=hashlib.sha256(content).hexdigest()))
        # By its name: in the package, `suites` is the function.
        monkeypatch.setattr(importlib.import_module("evo.tasks.suites"), "_SUITES", tuple(moved))
        yield folder
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.mark.parametrize(("name", "ids"), [("mbpp", ["Mbpp/2"]), ("mbpp-plus", ["Mbpp/9"])])
def test_a_suite_is_downloaded_once(home, tmp_path, name, ids):
    seen = []
    first = load_problems(name, cache=tmp_path / "cache", progress=lambda done, total: seen.append((done, total)))
    assert [problem.id for problem in first] == ids
    assert seen[-1][0] == seen[-1][1]
    for file in home.iterdir():
        file.unlink()
    assert load_problems(name, cache=tmp_path / "cache") == first


def test_evos_cache_is_where_the_environment_says(home, tmp_path, monkeypatch):
    monkeypatch.setenv("EVO_CACHE", str(tmp_path / "elsewhere"))
    load_problems("mbpp")
    assert (tmp_path / "elsewhere" / "suites" / "sanitized-mbpp.json").is_file()


def test_another_file_is_refused_with_a_way_out(home, tmp_path):
    for file in home.iterdir():
        file.write_bytes(b"moved")
    for name in ("mbpp", "mbpp-plus"):
        with pytest.raises(UserError, match=r"SHA-256.*give a path instead") as caught:
            load_problems(name, cache=tmp_path)
        assert "\n" not in str(caught.value)
