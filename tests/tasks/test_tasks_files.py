import gzip
import json
import re
from pathlib import Path

import pytest

from evo.errors import UserError
from evo.sandbox import Job, SandboxPool
from evo.tasks import Mode, load_problems, suites

GOOD = {"prompt": "Add two numbers.", "entry_point": "add", "tests": ["assert add(1, 2) == 3", "assert add(0, 0) == 0"]}
MBPP = {"task_id": 1, "prompt": "", "code": "def f(): pass", "test_imports": [], "test_list": ["assert f() is None"]}
DOCS = Path(__file__).parents[2] / "docs"


def write(path, *items, head=""):
    path.write_text(head + "\n".join(i if isinstance(i, str) else json.dumps(i) for i in items), "utf-8")
    return str(path)


def test_a_minimal_problem(tmp_path):
    (problem,) = load_problems(write(tmp_path / "mine.jsonl", GOOD), mode=Mode.ALL)
    assert (problem.id, problem.suite, problem.entry_point, problem.stub) == ("line-1", "mine", "add", "")
    assert problem.hidden.shown == "assert add(1, 2) == 3\nassert add(0, 0) == 0"
    assert problem.prompt == "Add two numbers."


def test_the_problems_of_the_documentation_pass_their_own_tests():
    problems = load_problems(str(DOCS / "my-problems.jsonl"), mode=Mode.EXAMPLES)
    assert len(problems) >= 3
    with SandboxPool(1) as pool:
        for problem in problems:
            for check in filter(None, (problem.visible, problem.hidden)):
                assert pool.run(Job(problem.reference, check.source, problem.entry_point)).passed, problem.id


def test_a_prompt_that_is_code_is_a_stub(tmp_path):
    prompt = 'def add(a, b):\n    """Add.\n\n    >>> add(1, 1)\n    2\n    """\n'
    (problem,) = load_problems(write(tmp_path / "x.jsonl", GOOD | {"prompt": prompt}), mode=Mode.EXAMPLES)
    assert problem.stub == prompt
    assert problem.visible.shown == "assert add(1, 1) == 2"
    assert problem.hidden.units == 2


def test_tests_may_be_a_program_with_helpers(tmp_path):
    helper = "def twice(x):\n    return 2 * x\n\n"
    tests = helper + "def check(f):\n    two = twice(1)\n    assert f(1, 1) == two\n    assert f(2, 2) == 4\n"
    (problem,) = load_problems(write(tmp_path / "x.jsonl", GOOD | {"tests": tests}), mode=Mode.SPLIT)
    assert (problem.visible.units, problem.hidden.units) == (1, 1)
    with SandboxPool(1) as pool:
        for check in (problem.visible, problem.hidden):
            assert pool.run(Job("def add(a, b):\n    return a + b\n", check.source, "add")).passed


def test_blank_lines_a_byte_order_mark_and_gzip_are_fine(tmp_path):
    path = write(tmp_path / "x.jsonl", "", GOOD, "", GOOD | {"id": "b"}, head="\ufeff")
    assert [p.id for p in load_problems(path)] == ["line-2", "b"]
    zipped = tmp_path / "x.jsonl.gz"
    zipped.write_bytes(gzip.compress(Path(path).read_bytes()))
    assert len(load_problems(str(zipped))) == 2


def test_a_line_ends_at_its_line_feed_alone(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(
        json.dumps(GOOD | {"prompt": "one\u2028two\x85three"}, ensure_ascii=False) + "\r\n", "utf-8", newline=""
    )
    assert load_problems(str(path))[0].prompt == "one\u2028two\x85three"


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("{", "is not JSON"),
        ("[1]", "must be a JSON object"),
        ({k: v for k, v in GOOD.items() if k != "tests"}, "field tests: is missing"),
        (GOOD | {"entrypoint": "add"}, "field entrypoint: unknown; did you mean entry_point?"),
        (GOOD | {"prompt": 3}, "field prompt: must be text, not int"),
        (GOOD | {"prompt": " "}, "field prompt: is empty"),
        (GOOD | {"entry_point": "add two"}, "field entry_point: 'add two' is no name"),
        (GOOD | {"tests": []}, "field tests: must be a list of asserts"),
        (GOOD | {"tests": ["add(1, 2)"]}, "field tests: holds no assert"),
        (GOOD | {"tests": ["assert 1 == 1 or x"]}, "field tests: never calls add"),
        (GOOD | {"tests": ["assert add(1, 2) = 3"]}, "field tests[0]: is not Python"),
        (GOOD | {"tests": ["assert add(1, 2) == 3", "assert True\nassert add(1"]}, "field tests[1]: is not Python"),
        (GOOD | {"tests": "def check(f):\n    assert f(1, 2) = 3"}, "field tests: is not Python"),
        (GOOD | {"entry_point": "class"}, "field entry_point: 'class' is no name"),
        (GOOD | {"reference": "def plus(a, b): return a + b"}, "field reference: defines no function add"),
        ('{"prompt": ' + "9" * 5000 + "}", "is not JSON"),
        (GOOD | {"reference": "def add(:"}, "field reference: is not Python"),
        (GOOD | {"visible_tests": "x"}, "field visible_tests: holds no assert"),
        (GOOD | {"prompt": "x", "id": "line-1"}, "field id"),
    ],
)
def test_what_is_wrong_names_file_line_and_field(tmp_path, item, words):
    path = write(tmp_path / "bad.jsonl", GOOD, item)
    with pytest.raises(UserError) as caught:
        load_problems(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: line 2: ")
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no problem"),
        (b"[]", "holds no problem"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[1", "not JSON"),
        (b"[" + b"9" * 5000 + b"]", "not JSON"),
        (b'[{"task_id": 1}]', "item 0"),
        (b"[null]", "item 0"),
        (json.dumps([MBPP | {"code": 3}]).encode(), "item 0"),
        (json.dumps([MBPP | {"code": "x = 1"}]).encode(), "item 0"),
        (gzip.compress(b"{}" * 1000, mtime=0)[:-12], "not whole"),
        (b"\x1f\x8b\x08nonsense", "not whole"),
    ],
)
def test_a_file_that_is_no_suite_is_one_line(tmp_path, content, words):
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=words) as caught:
        load_problems(str(path))
    assert "\n" not in str(caught.value)


def test_an_unknown_name_lists_the_suites():
    with pytest.raises(UserError, match="humaneval, mbpp, mbpp-plus"):
        load_problems("human-eval")


def test_suites_say_what_they_are():
    for suite in suites():
        assert suite.licence
        assert suite.problems > 100
        assert not suite.url or re.fullmatch(r"[0-9a-f]{64}", suite.sha256)
