"""Programming problems, with the tests that may be shown apart from the tests that score."""

from evo.tasks.mode import Mode
from evo.tasks.problem import Check, Problem
from evo.tasks.suites import Suite, load_problems, suites

__all__ = ["Check", "Mode", "Problem", "Suite", "load_problems", "suites"]
