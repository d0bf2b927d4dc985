"""Programming problems, with the tests that may be shown apart from the tests that score."""

from evo.tasks.mode import Mode
from evo.tasks.problem import Check, Problem
from evo.tasks.suites import Suite, load_problems, suites
from evo.tasks.testfile import TestFile, read_test_file

__all__ = ["Check", "Mode", "Problem", "Suite", "TestFile", "load_problems", "read_test_file", "suites"]
