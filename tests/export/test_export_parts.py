"""The parts of an exported program: seeds without numpy, a test file read, modules put together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.errors import EvoError, UserError
from evo.evaluation import Purpose
from evo.evaluation.seeds import call_seed
from evo.export.bundle import bundle
from evo.export.seeds import seed_of
from evo.tasks import read_test_file


@given(st.integers(0, 2**63 - 1), st.text(), st.integers(0, 10**6), st.integers(0, 500))
def test_seeds_are_those_of_evo(seed: int, problem: str, attempt: int, position: int) -> None:
    assert seed_of(seed, problem, attempt, position) == call_seed(seed, Purpose.VALIDATION, problem, attempt, position)


def test_asserts_with_what_they_need() -> None:
    found = read_test_file(
        "import math\nfrom mine import area\nONE = 1\nassert area(ONE) == math.pi\n", "Write area(r).", "t.py"
    )
    assert (found.entry_point, found.setup) == ("area", "import math\nONE = 1")
    assert found.tests == ["assert area(ONE) == math.pi"]


def test_functions_of_pytest_are_tests_of_their_own() -> None:
    tests = "def test_a():\n    x = 1\n    assert f(x) == 1\n\ndef test_b():\n    assert f(2) == 2\n"
    text = f"{tests}\nif __name__ == '__main__':\n    test_a()\n"
    found = read_test_file(text, "Write f(x).", "t.py")
    assert found.tests == ["if True:\n    x = 1\n    assert f(x) == 1", "assert f(2) == 2"]
    assert found.setup == ""


def test_a_check_function_is_all_the_tests() -> None:
    found = read_test_file("def check(candidate):\n    assert candidate(1) == 2\n", "Write next_one(n): n + 1.", "t.py")
    assert found.entry_point == "next_one"
    assert isinstance(found.tests, str)


@pytest.mark.parametrize(
    ("text", "words"), [("assert g(1)\n", "no test calls"), ("assert (", "is not Python"), ("x = 1\n", "no test calls")]
)
def test_files_that_test_nothing(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        read_test_file(text, "Write f(x).", "t.py")


def test_only_what_is_needed_is_taken() -> None:
    made = bundle([("evo.pipeline.source", "fault_line")])
    assert list(made.sections) == ["evo.pipeline.source"]
    text = made.sections["evo.pipeline.source"]
    assert "def fault_line" in text
    assert "def slice_for" not in text
    assert made.imports == ("import ast", "import warnings")


def test_two_modules_may_have_the_same_private_name() -> None:
    made = bundle([("evo.pipeline.source", "free_names"), ("evo.pipeline.extraction", "extract_code")])
    text = "\n\n".join([*made.imports, *made.sections.values()])
    assert text.count("def _read(") == 1
    assert "def _extraction_read(" in text
    names: dict[str, object] = {"__name__": "together"}
    exec(compile(text, "<bundle>", "exec"), names)
    extract = names["extract_code"]
    assert callable(extract)
    assert extract("```python\ndef f():\n    return 1\n```", stub="", entry_point="f", prelude=True).startswith("def f")


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(EvoError, match="defines no nothing"):
        bundle([("evo.pipeline.source", "nothing")])
