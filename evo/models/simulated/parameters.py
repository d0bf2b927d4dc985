"""The numbers of the simulated pool, all in one place."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from hashlib import sha256
from importlib.resources import files

__all__ = ["PoolParameters", "SuiteParameters"]

_NEVER = -1e9  # logits


@dataclass(frozen=True, slots=True)
class SuiteParameters:
    """An item-response model of one suite, in logits. Mappings by model have every model of the pool.

    discrimination: slope of difficulty (a standard normal number per problem). skill: of writing from nothing, by
    model. refining: of mending a draft, by model. repair: added to it, by the draft's error type. analysis: added to
    it where the draft returns a wrong value and the refiner has a diagnosis of it.
    """

    discrimination: float
    skill: Mapping[str, float]
    refining: Mapping[str, float]
    repair: Mapping[str, float]
    analysis: float


@dataclass(frozen=True, slots=True)
class PoolParameters:
    """Everything that an answer's distribution depends on besides the request itself.

    suites: by name; a problem of another suite answers to ``humaneval``. salt: of the hash that draws difficulties.
    never_solved: share of problems, the hardest ones, that no model ever solves. first_errors: shares of the error
    types among wrong answers. breaking: chance that refining a correct draft breaks it, by model.

    Assumed, not fitted: keeping: chance that a failed repair has the same defect again; otherwise it has one drawn
    like a first draft's. prompt_sd: standard deviation (logits) of a prompt's effect on a model in a role.
    temperature_best, temperature_cost: skill falls by cost x (temperature - best)**2 logits. planning: what a plan adds
    to writing, in logits. testing: chance that an assert of a tester is right, each for itself.
    """

    suites: Mapping[str, SuiteParameters]
    salt: int
    never_solved: float
    first_errors: Mapping[str, float]
    breaking: Mapping[str, float]
    keeping: float = 0.95
    prompt_sd: float = 0.1
    temperature_best: float = 0.3
    temperature_cost: float = 0.5
    planning: float = 0.1
    testing: float = 0.7

    @classmethod
    @cache
    def fitted(cls) -> "PoolParameters":
        """The parameters that benchmarks/fit_simulated.py fitted to the tables of arXiv 2604.21950."""
        data = json.loads(files("evo.models.simulated").joinpath("fitted.json").read_text("utf-8"))
        return cls(**data | {"suites": {name: SuiteParameters(**suite) for name, suite in data["suites"].items()}})

    def without_repair(self) -> "PoolParameters":
        """The same pool, but no model ever mends a wrong draft: loops cost tokens and gain nothing."""
        suites = {
            name: replace(suite, refining=dict.fromkeys(suite.refining, _NEVER)) for name, suite in self.suites.items()
        }
        return replace(self, suites=suites)

    @property
    def models(self) -> tuple[str, ...]:
        """Names of all models that the parameters describe."""
        return tuple(self.breaking)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all the numbers."""
        return sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def suite(self, name: str) -> SuiteParameters:
        """The parameters that a suite answers to: MBPP's for every kind of MBPP, else HumanEval's."""
        return self.suites["mbpp" if name.startswith("mbpp") else "humaneval"]
