"""Options of the whole suite."""

import pytest
from hypothesis import settings

# How long an example takes depends on the machine and on what is imported late; no test of ours is about speed.
settings.register_profile("evo", deadline=None)
settings.load_profile("evo")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("evo")
    group.addoption(
        "--ollama-host", metavar="URL", help="run the tests marked `ollama` against this server instead of our double"
    )
    group.addoption(
        "--ollama-model",
        metavar="NAME",
        help="a chat model on that server; without, one is created from SmolLM2's file",
    )
