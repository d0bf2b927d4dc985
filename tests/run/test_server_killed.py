"""A server process that is killed with SIGKILL and started again under a search."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from crash_kit import problems
from failing_ollama import MODEL


class Process:
    """The server as a process, on one port whenever it runs."""

    def __init__(self, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._log = log
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        script = Path(__file__).with_name("failing_ollama.py")
        self._process = subprocess.Popen([sys.executable, str(script), str(self.port), str(self._log)])
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError("the server did not start")

    def kill(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()


def search(folder: Path, tasks: Path, port: int) -> subprocess.Popen:
    settings = {"run.generations": "4", "NEAT.pop_size": "6", "tasks.problems": "6", "models.models": MODEL}
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    command = [
        sys.executable,
        "-m",
        "evo.search",
        "--backend",
        "ollama",
        "--benchmark",
        str(tasks),
        "--run",
        str(folder),
    ]
    environment = os.environ | {"OLLAMA_HOST": f"http://127.0.0.1:{port}"}
    return subprocess.Popen([*command, *options], env=environment, stdout=subprocess.PIPE, text=True)


def test_a_server_that_is_killed_and_started_again_under_a_search_changes_nothing(tmp_path):
    tasks = problems(tmp_path / "tasks.jsonl", 18)
    server = Process(tmp_path / "answered")
    champions = []
    for name, kills in (("whole", 0), ("disturbed", 4)):
        log = tmp_path / "answered"
        log.write_text("")
        server.start()
        running = search(tmp_path / name / "run", tasks, server.port)
        for _ in range(kills):
            before = len(log.read_text().split())
            while len(log.read_text().split()) < before + 25 and running.poll() is None:
                time.sleep(0.005)
            server.kill()
            time.sleep(0.5)
            server.start()
        output, _ = running.communicate(timeout=300)
        server.kill()
        assert running.returncode == 0, output
        assert "missing" not in output
        champions.append((tmp_path / name / "run" / "champion.json").read_bytes())
        with closing(sqlite3.connect(tmp_path / name / "run" / "run.sqlite")) as db:
            calls = db.execute("SELECT COUNT(*) FROM calls").fetchone()[0]
        answered = Counter(log.read_text().split())
        assert len(answered) == calls
        assert sum(answered.values()) - calls <= 4 * 16, "asked twice is only what a kill cut short"
        if not kills:
            assert set(answered.values()) == {1}
    assert champions[0] == champions[1]
