"""Evolve pipelines of small language models, and tell a good one from a lucky one.

>>> import evo
>>> result = evo.search("tiny", changes={"models.backend": "simulated"})  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evo.run import SearchResult, search

__all__ = ["SearchResult", "search"]


def __getattr__(name: str) -> Any:
    # Late, so that `python -m evo.render` does not load what it does not need. evo.search is callable as a module.
    if name == "search":
        return import_module("evo.search")
    if name == "SearchResult":
        return import_module("evo.run").SearchResult
    raise AttributeError(f"module 'evo' has no attribute {name!r}")
