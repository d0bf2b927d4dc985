"""A server for the tests: the one at --ollama-host, or our double over a real llama.cpp, in a process of its own."""

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from evo.models import pull, weights_named

DOUBLE = Path(__file__).parent / "double"
sys.path.insert(0, str(DOUBLE))  # its modules, for the proxy and for what the stand-in answers
WEIGHTS = "smollm2:135m"


class Double:
    """A running double. ``restart`` brings it back at the same address."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._process = self._start("0")
        self.url = self._line()

    def _start(self, port: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(DOUBLE), "--port", port, *self._arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": _ROOT})

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "the double did not start"
        return line

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def restart(self) -> None:
        self._process = self._start(self.url.rpartition(":")[2])
        self._line()

    def counters(self) -> dict[str, int]:
        """generating (now), answered, loads: what only the double can tell."""
        return httpx.get(f"{self.url}/double", trust_env=False).json()


_ROOT = str(Path(__file__).parents[2])


@pytest.fixture(scope="session")
def weights() -> Path:
    return pull(weights_named(WEIGHTS))


@pytest.fixture
def start_double() -> Iterator[Callable[..., Double]]:
    """Doubles that end with the test."""
    with contextlib.ExitStack() as stack:

        def start(*arguments: str) -> Double:
            double = Double(*arguments)
            stack.callback(double.kill)
            return double

        yield start


@pytest.fixture(scope="session")
def host(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of the server that the conformance suite speaks to."""
    if given := request.config.getoption("--ollama-host"):
        yield given
        return
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("no --ollama-host, and the double needs xllamacpp, which is not installed")
    double = Double("--parallel", "2", "--loaded", "1")
    yield double.url
    double.kill()
