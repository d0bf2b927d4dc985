"""One search from settings to a folder of results."""

from evo.run.display import display_for
from evo.run.outputs import percent
from evo.run.result import GenerationReport, Observer, Progress, SearchResult
from evo.run.session import Interrupted, search
from evo.run.settings import RunSettings, parse_settings, preset_names, read_preset

__all__ = [
    "GenerationReport",
    "Interrupted",
    "Observer",
    "Progress",
    "RunSettings",
    "SearchResult",
    "display_for",
    "parse_settings",
    "percent",
    "preset_names",
    "read_preset",
    "search",
]
