"""Whole jobs from settings to a folder of results: a search, a comparison."""

from evo.run.advice import advice
from evo.run.checks import Check, check_machine, check_run
from evo.run.comparing import compare_genomes, compare_run, self_test_genome
from evo.run.determinism import check_determinism
from evo.run.display import display_for
from evo.run.document import search_document
from evo.run.exporting import config_beside, export
from evo.run.folder import RunFolder
from evo.run.live import Interrupted
from evo.run.outputs import percent
from evo.run.planning import Pace, SearchCost, measure_pace, plan_search
from evo.run.report import write_beside, write_pictures, write_report
from evo.run.result import GenerationReport, GenomeComparison, Observer, Progress, RunComparison, SearchResult
from evo.run.session import free_name, search
from evo.run.settings import RunSettings, changes_from, parse_settings, preset_names, read_preset
from evo.run.solving import Solution, one_task, solve

__all__ = [
    "Check",
    "GenerationReport",
    "GenomeComparison",
    "Interrupted",
    "Observer",
    "Pace",
    "Progress",
    "RunComparison",
    "RunFolder",
    "RunSettings",
    "SearchCost",
    "SearchResult",
    "Solution",
    "advice",
    "changes_from",
    "check_determinism",
    "check_machine",
    "check_run",
    "compare_genomes",
    "compare_run",
    "config_beside",
    "display_for",
    "export",
    "free_name",
    "measure_pace",
    "one_task",
    "parse_settings",
    "percent",
    "plan_search",
    "preset_names",
    "read_preset",
    "search",
    "search_document",
    "self_test_genome",
    "solve",
    "write_beside",
    "write_pictures",
    "write_report",
]
