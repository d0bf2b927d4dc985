"""All that a run's folder holds, read without changing it: while the run goes on, after it, on a read-only disk."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from evo.errors import UserError
from evo.evaluation import Cell, Estimate, Ledger, Purpose, Spent, Store
from evo.genome import Genome, from_document, loads
from evo.run.damage import DAMAGES, reading
from evo.run.folder import RunFolder
from evo.run.identity import recorded_text
from evo.run.settings import RunSettings, parse_settings

__all__ = ["Individual", "Record", "read_record"]

_DOCUMENTS = ("models", "ending", "baselines")


@dataclass(frozen=True, slots=True)
class Individual:
    """One genome in one generation. estimate, fitness: None without evidence. parents: keys, () for the first ones."""

    generation: int
    key: int
    parents: tuple[int, ...]
    species: int
    plan: str
    genome: Genome
    estimate: Estimate | None
    fitness: float | None


@dataclass(frozen=True)
class Record:
    """A run as it stands. reports: of each generation, as recorded. genomes: the first of each plan, by digest. used:
    calls of all cells, made or saved.

    meta: facts about the run. documents: those that have parts, by key, {} where there is none yet. head: champion.json
    beside its genes, {} before it is written.
    """

    folder: RunFolder
    config: str
    settings: RunSettings
    meta: Mapping[str, str]
    reports: tuple[Mapping[str, Any], ...]
    generations: tuple[tuple[Individual, ...], ...]
    ledger: Ledger
    genomes: Mapping[str, Genome]
    used: Mapping[Purpose, int]
    spent: tuple[Spent, ...]
    documents: Mapping[str, Mapping[str, Any]]
    head: Mapping[str, Any]

    @property
    def simulated(self) -> bool:
        """Whether its models are the simulated pool."""
        return self.meta.get("backend") == "simulated"

    @property
    def models(self) -> Mapping[str, Mapping[str, Any]]:
        """Facts about each model, by name."""
        return self.documents["models"]

    @property
    def ending(self) -> Mapping[str, Any]:
        """What the end of a search recorded of race, champion and validation."""
        return self.documents["ending"]

    @property
    def finished(self) -> bool:
        """Whether the search has come to a champion."""
        return bool(self.ending or self.head)

    @cached_property
    def champion(self) -> str | None:
        """The champion's plan digest; before there is one, the plan that ranked first in the last generation."""
        named = self.ending.get("champion") or dict(self.head.get("provenance", {})).get("plan")
        if named in self.genomes:
            return str(named)
        ranked = [one for one in self.generations[-1] if one.fitness is not None] if self.generations else []
        return max(ranked, key=lambda one: (one.fitness or 0.0, -one.key)).plan if ranked else None

    @property
    def validated(self) -> Estimate | None:
        """The champion on seeds that selection never saw."""
        recorded = self.ending.get("validated") or dict(self.head.get("provenance", {})).get("validated_estimate")
        return _estimate(recorded) if self.finished and recorded else None

    @property
    def champion_tokens(self) -> float:
        """What the champion takes on a problem: as it is told what it solves, on the problems of its validation."""
        if not self.champion:
            return 0.0
        return self.ledger.tokens(self.champion, (Purpose.VALIDATION,)) or self.ledger.tokens(self.champion)

    @property
    def cells(self) -> Iterator[Cell]:
        """All of them, plan by plan; a large run's are too many to be held at once."""
        for plan in self.ledger:
            yield from self.ledger.cells(plan, Purpose)

    @property
    def individuals(self) -> Iterator[Individual]:
        """All of them, generation by generation."""
        for generation in self.generations:
            yield from generation


def read_record(folder: RunFolder) -> Record:
    """Read a run's folder. Raises UserError for files that are not what they should be."""
    if (config := recorded_text(folder)) is None or not folder.database.is_file():
        raise UserError(f"{folder.path}: has nothing on record yet; let the run begin")
    with closing(Store(folder.database, readonly=True)) as store:
        meta = store.facts()
        genomes = {digest: loads(text, source=str(folder.database)) for digest, text in store.genomes().items()}
        ledger = Ledger(store.cells())
        used, spent = store.used(), store.spent()
        reports, generations = [], []
        for number, (_, text) in enumerate(store.generations()):
            with reading(folder.database, f"generation {number}"):
                record = json.loads(text)
                reports.append(record["report"])
                generations.append(_generation(number, record, genomes, folder))
    documents = {}
    for key in _DOCUMENTS:
        with reading(folder.database, f"what it says of {key}"):
            documents[key] = dict(json.loads(meta.get(key, "{}")))
    return Record(
        folder=folder,
        config=config,
        settings=parse_settings(config, str(folder.config)),
        meta=meta,
        reports=tuple(reports),
        generations=tuple(generations),
        ledger=ledger,
        genomes=genomes,
        used=used,
        spent=spent,
        documents=documents,
        head=_head(folder),
    )


def _head(folder: RunFolder) -> Mapping[str, Any]:
    try:
        return dict(json.loads(folder.champion.read_text("utf-8"))) if folder.champion.is_file() else {}
    except (*DAMAGES, OSError) as error:
        mend = f"python -m evo.search --run {folder.path} writes it again"
        raise UserError(f"{folder.champion}: cannot be read ({error}); {mend}") from error


def _generation(
    number: int, record: Mapping[str, Any], genomes: Mapping[str, Genome], folder: RunFolder
) -> tuple[Individual, ...]:
    """Individuals that are their plan's first genome share it."""
    found = []
    for one in record["individuals"]:
        genome = from_document(one["genome"], source=str(folder.database))
        first = genomes.get(one["plan"])
        found.append(
            Individual(
                generation=number,
                key=one["key"],
                parents=tuple(one["parents"]),
                species=one["species"],
                plan=one["plan"],
                genome=first if first is not None and first == genome else genome,
                estimate=None if one["estimate"] is None else _estimate(one["estimate"]),
                fitness=one["fitness"],
            )
        )
    return tuple(found)


def _estimate(fields: Mapping[str, Any]) -> Estimate:
    return Estimate(**fields)
