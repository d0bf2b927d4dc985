"""extract_code: the shapes that answers of small models come in, and its properties."""

import ast
import textwrap

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evo.pipeline import extract_code

STUB = 'from typing import List\n\n\ndef total(a: List[int]) -> int:\n    """Sum. total([1, 2]) == 3"""\n'
GOOD = "def total(a):\n    return sum(a)"


def extract(text: str, *, stub: str = STUB, entry_point: str = "total", prelude: bool = True) -> str:
    code = extract_code(text, stub=stub, entry_point=entry_point, prelude=prelude)
    assert extract_code(code, stub=stub, entry_point=entry_point, prelude=prelude) == code
    return code


def call(code: str, *arguments: object, name: str = "total") -> object:
    scope: dict[str, object] = {"__name__": "candidate"}
    exec(code, scope)  # the tests' own code
    return scope[name](*arguments)  # type: ignore[operator]


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```python\n{GOOD}\n```",
        f"```\n{GOOD}\n```",
        f"```py3\n{GOOD}\n```",
        f"~~~python\n{GOOD}\n~~~",
        f"````python\n{GOOD}\n````",
        f"Sure! Here is it:\n\n```python\n{GOOD}\n```\n\nThis sums the list.",
        f"Here it is: ```python\n{GOOD}\n```",
        f"```python\n{GOOD}```",
        f"```python\n{GOOD}",
        f"{GOOD}\n```",
        f"{GOOD}\n```\nIt adds all items.",
        f"Sure!\n{GOOD}\nThis function's result is the sum.",
        f"{GOOD}\n\nExplanation:\n- It isn't hard.\n- `sum` adds.",
        f"<think>\nI could loop.\n```python\nprint(1)\n```\n</think>\n```python\n{GOOD}\n```",
        f"Let me think.</think>\n{GOOD}",
        f"```python\n{GOOD}\n```<|im_end|>",
        f"{GOOD}</s>",
        "```python\n" + textwrap.indent(GOOD, "    ") + "\n```",
        "1. Code:\n   ```python\n" + textwrap.indent(GOOD, "   ") + "\n   ```",
        f"```python\n{GOOD}\n```".replace("\n", "\r\n"),
        "```python\ndef total(a):\n\treturn sum(a)\n```",
        "```python\ndef total(a):\n\u00a0\u00a0\u00a0\u00a0return\u00a0sum(a)\n```",
        f"\ufeff{GOOD}",
    ],
)
def test_wrappings_of_a_plain_answer(text: str) -> None:
    assert extract(text) == GOOD


@pytest.mark.parametrize(
    "tail",
    [
        "print(total([1, 2]))",
        "assert total([1, 2]) == 3",
        'if __name__ == "__main__":\n    print(total([1]))',
        "n = int(input())\nprint(total(range(n)))",
        "for case in [[1], [2]]:\n    print(total(case))",
        "def test_total():\n    assert total([1]) == 1\n\ntest_total()",
        ">>> total([1, 2])\n3",
        "a = [1, 2]\nresult = total(a)",
        "# Example\nprint(total([1, 2])",
        "import doctest\ndoctest.testmod()",
    ],
)
def test_usage_behind_the_function_is_dropped(tail: str) -> None:
    assert extract(f"```python\n{GOOD}\n\n{tail}\n```") == GOOD
    assert extract(f"{GOOD}\n\n{tail}") == GOOD


def test_what_the_function_needs_stays() -> None:
    source = textwrap.dedent(
        """
        import math
        import re
        LIMIT = 3
        TABLE = [0] * 9
        for k in range(9):
            TABLE[k] = k
        SEEN = []
        SEEN.append(1)
        try:
            import numpy as n
        except ImportError:
            n = None

        @staticmethod
        def helper(x):
            return math.sqrt(x) + LIMIT

        class Box:
            pass

        def sum(a):
            return 7

        def total(a):
            return sum(a), helper(1), TABLE[2], SEEN, n is None, Box
        """
    )
    code = extract(f"```python\n{source}```")
    assert "import re" not in code
    assert call(code, [1])[:4] == (7, 4.0, 2, [1])  # type: ignore[index]


def test_statements_on_one_line() -> None:
    assert call(extract("import math; x = 2; print(x)\ndef total(a): return math.floor(x)"), []) == 2


@pytest.mark.parametrize(
    "body",
    [
        "    return sum(a)",
        "return sum(a)",
        "```python\n    return sum(a)\n```",
        "result = 0\n    for x in a:\n        result += x\n    return result",
        "    return sum(a)\n\nThis returns the sum.",
        "Here is the body:\n```\nreturn sum(a)\n```",
    ],
)
def test_a_bare_body_continues_the_stub(body: str) -> None:
    code = extract(body)
    assert call(code, [1, 2]) == 3
    assert code.startswith("from typing import List")
    assert extract(body, stub="") == ""


def test_the_last_block_that_defines_the_function_is_the_answer() -> None:
    text = (
        "The code was:\n```python\ndef total(a):\n    return 0\n```\n"
        f"Fixed:\n```python\n{GOOD}\n```\nUse:\n```python\nprint(total([1]))\n```"
    )
    assert extract(text) == GOOD


def test_helpers_in_other_blocks_are_joined() -> None:
    text = (
        "```python\nimport math\n\ndef helper(x):\n    return math.floor(x)\n```\nand\n"
        "```python\ndef total(a):\n    return helper(sum(a))\n```\nRun it:\n```bash\npython total.py\n```"
    )
    assert call(extract(text), [1.5]) == 1
    assert "math.floor" in extract(text, prelude=False)


def test_a_reopened_fence() -> None:
    assert extract(f"```python\n# solution\n```python\n{GOOD}\n```") == GOOD


def test_prelude_supplies_what_is_missing_and_nothing_else() -> None:
    text = "```python\ndef total(a: List[int]) -> int:\n    return math.floor(Counter(a)[1]) + sqrt(4)\n```"
    code = extract(text)
    assert code.startswith(
        "from typing import List\nfrom collections import Counter\nfrom math import sqrt\nimport math\n\n"
    )
    assert call(code, [1, 1]) == 4
    assert extract(text, prelude=False).startswith("def total")
    assert "import" not in extract("def total(a):\n    math = 1\n    return math + len(a)")


def test_prelude_supplies_helpers_of_the_stub() -> None:
    stub = 'import math\n\ndef poly(x):\n    return math.floor(x)\n\ndef total(x):\n    """Twice poly."""\n'
    assert call(extract("def total(x):\n    return 2 * poly(x)", stub=stub), 1.5) == 2
    own = extract("def poly(x):\n    return 0\n\ndef total(x):\n    return 2 * poly(x)", stub=stub)
    assert "math" not in own


def test_prelude_stands_behind_future_imports() -> None:
    code = extract("from __future__ import annotations\ndef total(a):\n    return math.pi")
    assert call(code, 0) > 3  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("```python\ndef total(a):\n    b = sum(a)\n    return b\n    x = foo(1,", "return b"),
        ("def total(a):\n    b = sum(a)\n    if b > 3:\n        for i in", "b = sum(a)"),
        ("def total(a):\n    b = sum(a)\n    return {\n        1: 2,\n        3:", "b = sum(a)"),
    ],
)
def test_a_cut_off_answer_loses_its_incomplete_statement(text: str, kept: str) -> None:
    code = extract(text)
    ast.parse(code)
    assert code.endswith(kept)


@pytest.mark.parametrize(
    "code",
    [
        "def total(a):\n    return sum(a",
        "def total(a)\n    return sum(a)",
        "def total(a):\n    b = (1 +\n    c = 2\n    return sum(a)",
        "def total(a):\nreturn sum(a)",
        "def total(a):\n    return sum(a) +\n\nmore = 1",
    ],
)
def test_a_syntax_error_is_left_for_the_sandbox_to_report(code: str) -> None:
    assert extract(f"```python\n{code}\n```") == code


def test_a_function_of_another_name_is_kept_for_the_sandbox_to_report() -> None:
    assert (
        extract("```python\ndef summe(a):\n    return sum(a)\nprint(summe([1]))\n```")
        == "def summe(a):\n    return sum(a)"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "Sorry.",
        "The sum is correct.",
        "```\n```",
        "```bash\npip install x\n```",
        "```json\n{}\n```",
        "return the sum",
    ],
)
def test_no_code(text: str) -> None:
    assert extract(text) == ""


fragments = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *(
                    "```",
                    "```python",
                    "~~~",
                    "\n",
                    "    ",
                    "\t",
                    "\r\n",
                    "def total(a):",
                    "def total(a):\n    return 1",
                ),
                *(
                    "return sum(a)",
                    "import math",
                    "from __future__ import x",
                    "print(1)",
                    "<think>",
                    "</think>",
                    "(",
                    '"""',
                ),
                *(
                    "if __name__ == '__main__':",
                    "x = 1;",
                    "@d",
                    "class A:",
                    "List",
                    "global total",
                    "\x00",
                    "\ud800",
                    "\\",
                ),
                *(
                    "async def f():",
                    "lambda: 0",
                    "for i in a:",
                    ">>> total(1)",
                    "# ä",
                    "total = 3",
                    "del total",
                    "\u2028",
                ),
            ]
        ),
        st.text(max_size=12),
    ),
    max_size=24,
).map("".join)
lines = st.lists(fragments, max_size=12).map("\n".join)


@given(st.one_of(fragments, lines, st.text()), st.sampled_from(["", STUB]), st.booleans())
@example("-" * 5000 + "1", STUB, True)
@example("(" * 5000, STUB, True)
@example("a\n" * 20000, STUB, True)
@example("def total(a):\n" + " if a:\n" * 500, STUB, True)
@example("```python\n" * 3000, STUB, True)
@example("def total(a):\n    return " + "-" * 900 + "1; x = 1", STUB, True)
@settings(max_examples=600, deadline=None)
def test_total_pure_and_idempotent(text: str, stub: str, prelude: bool) -> None:
    code = extract(text, stub=stub, prelude=prelude)
    assert code == extract(text, stub=stub, prelude=prelude)


programs = st.lists(
    st.sampled_from(
        [
            "import math",
            "LIMIT = 3",
            "def helper(x):\n    return x + LIMIT",
            "def total(a):\n    return helper(len(a))",
            "class Box:\n    size = 3",
            "def total(a):\n    s = '''\n```\ntext\n'''\n    return s",
        ]
    ),
    max_size=6,
).map("\n\n".join)


@given(programs, st.sampled_from(["{}", "```python\n{}\n```", "Here:\n\n```\n{}\n```\nDone, isn't it?"]))
def test_a_program_behaves_the_same_after_extraction(program: str, wrapping: str) -> None:
    def result(code: str) -> object:
        try:
            return call(code, [1, 2])
        except (NameError, KeyError):
            return "a name is missing"

    if "```\ntext" in program and wrapping != "{}":
        return  # a fence within a fence is ambiguous
    assert result(extract(wrapping.replace("{}", program), stub="")) == result(program)
