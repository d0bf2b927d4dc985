"""Which problems a run searches on and which it is judged on: a seeded draw, recorded by being repeatable."""

from collections.abc import Sequence
from dataclasses import dataclass

from evo.errors import UserError
from evo.evaluation import stream
from evo.run.settings import RunSettings
from evo.tasks import Problem

__all__ = ["ProblemDraw", "draw_problems"]

# With fewer problems left over than this, a rate on them says less than the search's own problems on fresh seeds.
_LEAST_UNSEEN = 10


@dataclass(frozen=True, slots=True)
class ProblemDraw:
    """subsets: what generations are measured on, in turn. validation: what the champion is reported on.

    unseen: the two have no problem in common.
    """

    subsets: tuple[tuple[Problem, ...], ...]
    validation: tuple[Problem, ...]
    unseen: bool


def draw_problems(problems: Sequence[Problem], settings: RunSettings) -> ProblemDraw:
    """Draw subsets without replacement; validate on what is left, or on the same problems if too few are left.

    Raises UserError if the suite has fewer problems than the subsets need.
    """
    size, count = settings.tasks.problems, settings.tasks.subsets
    if size * count > len(problems):
        raise UserError(
            f"{settings.source}: [tasks] problems = {size} times subsets = {count} is more than the {len(problems)} problems "
            f"of {settings.tasks.benchmark}; lower --problems"
        )
    order = [problems[i] for i in stream(settings.run.seed, "problems").permutation(len(problems))]
    subsets = tuple(tuple(order[k * size : (k + 1) * size]) for k in range(count))
    rest = order[size * count :]
    wanted = settings.evaluation.validation_problems
    unseen = len(rest) >= min(wanted, _LEAST_UNSEEN)
    return ProblemDraw(subsets, tuple((rest if unseen else order)[:wanted]), unseen)
