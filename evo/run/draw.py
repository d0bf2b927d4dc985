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
    """subsets: what generations are measured on, in turn. final: what the best of them race for champion on: all of
    the subsets and some more. validation: what the champion is reported on.

    unseen: validation has no problem in common with the others.
    """

    subsets: tuple[tuple[Problem, ...], ...]
    final: tuple[Problem, ...]
    validation: tuple[Problem, ...]
    unseen: bool


def draw_problems(problems: Sequence[Problem], settings: RunSettings) -> ProblemDraw:
    """Draw the subsets and validate on what is left, or on the search's problems if too few are left.

    Subsets are disjoint as far as the suite reaches; after that they begin again with the first one's problems.
    Raises UserError if the suite has fewer problems than one subset.
    """
    size, count, total = settings.tasks.problems, settings.tasks.subsets, len(problems)
    if size > total:
        raise UserError(
            f"{settings.source}: [tasks] problems = {size} is more than the {total} problems of "
            f"{settings.tasks.benchmark}; set --problems {total} or fewer"
        )
    order = [problems[i] for i in stream(settings.run.seed, "problems").permutation(total)]
    subsets = tuple(tuple(order[(k * size + i) % total] for i in range(size)) for k in range(count))
    rest = order[size * count :]
    wanted, more = settings.evaluation.validation_problems, settings.evaluation.final_problems
    unseen = len(rest) >= min(wanted, _LEAST_UNSEEN)
    validation = (rest if unseen else order)[:wanted]
    final = (*order[: size * count], *(rest[wanted : wanted + more] if unseen else ()))
    return ProblemDraw(subsets, final, tuple(validation), unseen)
