"""Options of the whole suite."""

import pytest


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
