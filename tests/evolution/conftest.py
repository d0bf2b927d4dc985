import configparser

import pytest

from evo.evolution import EvolutionConfig, parse_evolution_config
from evo.resources import resource_folder

PROMPTS = {
    "planner": ["steps"],
    "generator": ["plain", "careful", "examples"],
    "tester": ["asserts"],
    "analyzer": ["cause", "trace"],
    "refiner": ["fix", "rewrite", "minimal"],
}
MODELS = ["gemma3:1b", "qwen2.5:1.5b", "llama3.2:3b"]


@pytest.fixture(scope="session")
def make_config():
    """Config of a preset with changes: ``make_config("tiny", NEAT={"pop_size": 2})``."""

    def make(preset: str = "laptop", **changes: dict[str, object]) -> EvolutionConfig:
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(resource_folder("configs") / f"{preset}.ini")
        sections = {name: dict(parser.items(name)) for name in parser.sections()}
        for section, values in changes.items():
            sections[section] |= {key: str(value) for key, value in values.items()}
        return parse_evolution_config(sections, source="test.ini", models=MODELS, prompts=PROMPTS)

    return make
