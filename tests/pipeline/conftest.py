"""Fixtures of the pipeline's tests."""

from collections.abc import Callable

import pytest
from pipeline_kit import STUB

from evo.genome.genes import Genome
from evo.pipeline import PipelineSettings, Plan, PromptBook, compile_genome
from evo.tasks.problem import Check, Problem


@pytest.fixture(scope="session")
def prompts() -> PromptBook:
    return PromptBook.load()


@pytest.fixture
def problem() -> Problem:
    check = Check("def check(candidate): assert candidate([1, 2]) == 3", 3)
    return Problem("Test/0", "test", STUB, "add", STUB, check, check, STUB + "    return sum(a)\n")


@pytest.fixture(scope="session")
def build(prompts: PromptBook) -> Callable[..., Plan]:
    """compile_genome with the shipped prompts; keywords are PipelineSettings'."""

    def compiled(genome: Genome, **settings: object) -> Plan:
        return compile_genome(genome, PipelineSettings(**settings), prompts)  # type: ignore[arg-type]

    return compiled
