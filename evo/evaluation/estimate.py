"""A fitness is an estimate: a mean with its error."""

from dataclasses import dataclass

__all__ = ["Estimate"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Mean solve rate (0..1) with its standard error.

    replicates: mean number of measured replicates per problem. problems: how many problems have evidence.
    missing: cells that the infrastructure lost.
    """

    mean: float
    stderr: float
    replicates: float
    problems: int
    missing: int = 0

    def __str__(self) -> str:
        return f"{100 * self.mean:.1f} % ± {100 * self.stderr:.1f}"
