"""The pipelines that a search has met, by plan digest, each with the first genome that compiled to it."""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from evo.genome import Genome, from_document

__all__ = ["Phenotypes"]


class Phenotypes:
    """Those of generations that a resumed search does not go through again are read from their records when asked for.

    record_of: a generation's record, as JSON.
    """

    def __init__(self, record_of: Callable[[int], str]) -> None:
        self._found: dict[str, Genome | int] = {}  # or the generation that it was first measured in
        self._individuals = lru_cache(maxsize=1)(lambda number: _by_plan(record_of(number)))

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, digest: str) -> bool:
        return digest in self._found

    def add(self, digest: str, genome: Genome) -> None:
        """A pipeline that was not known."""
        self._found[digest] = genome

    def recall(self, digest: str, generation: int) -> None:
        """A pipeline that was measured in a generation, in the first one if it is recalled for several."""
        self._found.setdefault(digest, generation)

    def __getitem__(self, digest: str) -> Genome:
        found = self._found[digest]
        if isinstance(found, int):
            found = self._found[digest] = from_document(self._individuals(found)[digest], source=f"generation {found}")
        return found


def _by_plan(record: str) -> dict[str, Any]:
    """The first genome of each plan, as a document."""
    return {one["plan"]: one["genome"] for one in reversed(json.loads(record)["individuals"])}
