"""The atom of evidence: one plan, one problem, one replicate."""

from enum import StrEnum
from typing import NamedTuple

__all__ = ["Cell", "Purpose"]


class Purpose(StrEnum):
    """What a measurement is for. Seeds of different purposes never coincide, so nothing is reported on what selected
    it.
    """

    SEARCH = "search"
    REEVALUATION = "reevaluation"
    VALIDATION = "validation"
    SELF_TEST = "self-test"


class Cell(NamedTuple):  # a run has a million of them, and no other record is made as fast
    """The outcome of one plan on one problem with one replicate's seeds.

    plan: Plan.digest. solved: hidden tests passed; None if the infrastructure failed (missing data; ``fault`` says
    why). status: of the final answer against the hidden tests. error_types: error type of each visible execution in
    order, "" = pass. calls, tokens: what the pipeline used, whether newly made or from the store. shown: share of the
    visible tests that the answer passes; None where nobody asked for it or there are none. seconds: what its calls took
    when they were made; None where that is not on record.
    """

    plan: str
    problem: str
    purpose: Purpose
    replicate: int
    solved: bool | None
    status: str = ""
    error_types: tuple[str, ...] = ()
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    fault: str = ""
    shown: float | None = None
    seconds: float | None = None
