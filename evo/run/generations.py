"""Generations as they are kept: who was there, from whom, measured as what; and read again."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict

from evo.evaluation import Estimate, Store
from evo.evolution import Individual
from evo.genome import to_document
from evo.pipeline import Plan
from evo.run.result import GenerationReport

__all__ = ["finished", "generation_record"]


def generation_record(
    report: GenerationReport,
    individuals: Iterable[Individual],
    plans: Mapping[int, Plan],
    estimates: Mapping[str, Estimate],
    fitness: Mapping[int, float | None],
) -> dict[str, object]:
    """What is kept, JSON-serialisable. plans, fitness: by key; estimates: by plan."""
    return {
        "report": asdict(report),
        "individuals": [
            {
                "key": one.key,
                "parents": list(one.parents),
                "species": one.species,
                "plan": plans[one.key].digest,
                "genome": to_document(one.genome),
                "estimate": None if (found := estimates.get(plans[one.key].digest)) is None else asdict(found),
                "fitness": fitness[one.key],
            }
            for one in individuals
        ],
    }


def finished(store: Store, number: int) -> Iterator[tuple[GenerationReport, bytes]]:
    """Report and evidence of each generation before this one. Raises KeyError, ValueError or TypeError where one is
    not there or damaged.
    """
    for earlier in range(number):
        report = json.loads(store.record(earlier))["report"]
        best, mean = Estimate(**report.pop("best")), Estimate(**report.pop("mean"))
        evidence = store.evidence(earlier)
        if evidence is None:
            raise KeyError(earlier)
        yield GenerationReport(best=best, mean=mean, **report), evidence
