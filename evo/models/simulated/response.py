"""How likely which draft is: an item-response model of writing, mending and breaking.

The chance of a correct draft is sigmoid(ability - discrimination x difficulty) (the two-parameter logistic model,
Birnbaum, in Lord and Novick, Statistical Theories of Mental Test Scores, 1968). Difficulty belongs to the problem and
is shared by all models, roles and replicates. A repair has the difficulty of its problem too, so what was not mended
once is likely not to be mended the next time.
"""

import math
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from statistics import NormalDist

from evo.models.simulated.drafts import Defect, Draft
from evo.models.simulated.parameters import PoolParameters

__all__ = ["Request", "correct_chance", "difficulty", "draft_chances", "uniform"]

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Request:
    """What of a chat the answer depends on. held: index of the draft that the messages quote, None for none.

    analysed: they hold the diagnosis of that draft. planned: they hold a plan.
    """

    problem: str
    suite: str
    model: str
    role: str
    prompt: str
    temperature: float
    held: int | None
    analysed: bool
    planned: bool = False


def uniform(*parts: object) -> float:
    """A number in (0, 1) that depends on the parts alone, the same on every machine."""
    digest = blake2b("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 0.5) / 2**64


@lru_cache(maxsize=1 << 14)
def difficulty(salt: int, never_solved: float, problem: str) -> float:
    """Standard normal, infinite for the hardest share ``never_solved`` of problems."""
    quantile = uniform(salt, problem)
    return math.inf if quantile > 1 - never_solved else _NORMAL.inv_cdf(quantile)


def correct_chance(
    parameters: PoolParameters,
    suite: str,
    model: str,
    hard: float,
    held: Defect | None,
    *,
    analysed: bool,
    nudge: float,
) -> float:
    """The chance that an answer is correct. held: defect of the draft to refine, None for a first draft.

    nudge: what prompt and temperature add, in logits.
    """
    numbers = parameters.suite(suite)
    if held is Defect.CORRECT:
        return 1 - parameters.breaking[model]
    if hard == math.inf:
        return 0.0
    ability = numbers.skill[model] if held is None else numbers.refining[model] + numbers.repair[held]
    if held is Defect.VALUE and analysed:
        ability += numbers.analysis
    return _sigmoid(ability + nudge - numbers.discrimination * hard)


def draft_chances(parameters: PoolParameters, request: Request, drafts: tuple[Draft, ...]) -> tuple[float, ...]:
    """The chance of each draft, in their order; they sum to 1."""
    held = None if request.held is None else drafts[request.held].defect
    hard = difficulty(parameters.salt, parameters.never_solved, request.problem)
    correct = correct_chance(
        parameters,
        request.suite,
        request.model,
        hard,
        held,
        analysed=request.analysed,
        nudge=_nudge(parameters, request),
    )
    shares = dict(parameters.first_errors)
    if held is not None and held is not Defect.CORRECT:
        shares = {error: share * (1 - parameters.keeping) for error, share in shares.items()}
        shares[held] += parameters.keeping
    alike = Counter(draft.defect for draft in drafts)
    return tuple(
        correct if draft.defect is Defect.CORRECT else (1 - correct) * shares[draft.defect] / alike[draft.defect]
        for draft in drafts
    )


def _nudge(parameters: PoolParameters, request: Request) -> float:
    taste = _NORMAL.inv_cdf(uniform(parameters.salt, request.model, request.role, request.prompt))
    off = request.temperature - parameters.temperature_best
    planning = parameters.planning if request.planned else 0.0
    return parameters.prompt_sd * taste - parameters.temperature_cost * off * off + planning


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit)) if logit >= 0 else math.exp(logit) / (1 + math.exp(logit))
