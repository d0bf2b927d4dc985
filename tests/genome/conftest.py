from dataclasses import replace

import pytest

from evo.genome import Feedback, Space

PROMPTS = {
    "generator": ["plain", "careful", "examples"],
    "analyzer": ["cause", "trace"],
    "refiner": ["fix", "rewrite", "minimal"],
}
MODELS = ["gemma3:1b", "qwen2.5:1.5b", "llama3.2:3b"]


@pytest.fixture(scope="session")
def space() -> Space:
    """The study's space, and every feedback level."""
    return Space(feedback=tuple(Feedback)).with_pool(MODELS, PROMPTS)


@pytest.fixture(scope="session")
def busy(space: Space) -> Space:
    """The same, with operators that fire often, so that short sequences reach every shape."""
    rates = replace(
        space.rates, add_stage=0.4, add_analyzer=0.4, remove_node=0.3, iterations=0.4, temperature=0.4, feedback=0.4
    )
    return replace(space, rates=rates)


@pytest.fixture(scope="session")
def gridded(busy: Space) -> Space:
    """The laptop's grid of temperatures."""
    return replace(busy, temperature=(0.2, 1.0), temperature_step=0.2)
