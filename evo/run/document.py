"""What ``--json`` says of a search: its result as one document whose names stay as they are."""

from pathlib import Path
from typing import Any

from evo.evaluation import Difference, Estimate
from evo.run.advice import advice
from evo.run.folder import RunFolder
from evo.run.front import FrontPoint
from evo.run.result import Rival, SearchResult

__all__ = ["search_document"]


def search_document(result: SearchResult) -> dict[str, Any]:
    """The result in dataclasses' and JSON's types. Solve rates are shares (0..1) with ``stderr`` and the 95 %
    ``interval``; what was not measured is None.
    """
    folder, counters = RunFolder(result.folder), result.counters
    return {
        "folder": result.folder,
        "champion": folder.champion,
        "report": folder.report,
        "simulated": result.simulated,
        "backend": result.backend,
        "models": {name: info.digest for name, info in result.models.items()},
        "ended": result.ended,
        "complete": result.complete,
        "seconds": result.seconds,
        "plan": result.plan,
        "search": _measured(result.search),
        "validated": _measured(result.validated),
        "unseen": result.unseen,
        "final": [
            {"plan": one.plan, "estimate": _measured(one.estimate), "lead": _measured(one.lead), "p": one.p}
            for one in result.final
        ],
        "baselines": [_rival(rival) for rival in result.baselines],
        "advice": advice(result.baselines, result.tokens_per_problem) or None,
        "parts": [_rival(rival) for rival in result.parts],
        "front": [_point(folder.path, number, point) for number, point in enumerate(result.front, start=1)],
        "generations": [
            {"number": one.number, "best": _measured(one.best), "mean": _measured(one.mean),
             "single_best": one.single_best, "species": one.species, "nodes": one.nodes}
            for one in result.generations
        ],
        "genomes": result.genomes,
        "phenotypes": result.phenotypes,
        "calls": {"made": counters.calls_made, "saved": counters.calls_saved},
        "executions": {"made": counters.executions_made, "saved": counters.executions_saved},
        "cells": {"done": counters.cells_done, "missing": counters.cells_missing},
        "tokens": {
            "prompt": counters.prompt_tokens,
            "completion": counters.completion_tokens,
            "champion_per_problem": result.tokens_per_problem,
        },
    }  # fmt: skip


def _measured(found: Estimate | Difference | None) -> dict[str, Any] | None:
    if found is None:
        return None
    sizes = ("replicates", "problems", "missing") if isinstance(found, Estimate) else ("problems", "cells")
    sized = {name: getattr(found, name) for name in sizes}
    return {"mean": found.mean, "stderr": found.stderr, "interval": found.interval(), **sized}


def _rival(rival: Rival) -> dict[str, Any]:
    return {
        "name": rival.name,
        "estimate": _measured(rival.estimate),
        "lead": _measured(rival.lead),
        "tokens_per_problem": None if rival.missing else rival.tokens,
        "calls_per_problem": None if rival.missing else rival.calls,
        "missing": rival.missing or None,
    }


def _point(folder: Path, number: int, point: FrontPoint) -> dict[str, Any]:
    return {
        "genome": folder / "front" / f"{number}.json",
        "plan": point.plan.digest,
        "search": _measured(point.search),
        "validated": _measured(point.validated),
        "tokens_per_problem": point.cost,
        "validated_tokens_per_problem": point.validated_cost,
    }
