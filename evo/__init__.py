"""Evolve pipelines of small language models, and tell a good one from a lucky one.

>>> import evo
>>> result = evo.search("tiny", changes={"models.backend": "simulated"})  # doctest: +SKIP

docs/api.md has examples.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evo.errors import EvoError, UserError
    from evo.figures import Shown
    from evo.genome import read_genome
    from evo.run import Observer, SearchResult, search

    show = Shown

__all__ = ["EvoError", "Observer", "SearchResult", "UserError", "read_genome", "search", "show"]

_HOMES = {
    "EvoError": ("evo.errors", "EvoError"),
    "Observer": ("evo.run", "Observer"),
    "SearchResult": ("evo.run", "SearchResult"),
    "UserError": ("evo.errors", "UserError"),
    "read_genome": ("evo.genome", "read_genome"),
    "show": ("evo.figures", "Shown"),
}


def __getattr__(name: str) -> Any:
    # Late, so that `python -m evo.render` does not load what it does not need. evo.search is callable as a module.
    if name == "search":
        return import_module("evo.search")
    if name in _HOMES:
        module, found = _HOMES[name]
        return getattr(import_module(module), found)
    raise AttributeError(f"module 'evo' has no attribute {name!r}")
