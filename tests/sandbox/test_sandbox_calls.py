# ruff: noqa: E501 - programs read best on one line
"""What may pass between a check and a candidate."""

from collections.abc import Callable

import pytest

from evo.sandbox import Job, SandboxPool, Status, Verdict

Run = Callable[..., Verdict]


@pytest.mark.parametrize(
    ("code", "body"),
    [
        ("import re\ndef f(s): return re.match('a+', s)", "assert candidate('aa')\nassert not candidate('b')"),
        ("def f(n): return map(str, range(n))", "assert list(candidate(3)) == ['0', '1', '2']"),
        ("def f():\n    n = 0\n    while True:\n        yield n\n        n += 1", "g = candidate()\nassert [next(g), next(g)] == [0, 1]"),
        ("def f(n): return lambda x: x + n", "assert candidate(3)(4) == 7"),
        ("def f(g, xs): return [g(x) for x in xs]", "assert candidate(lambda x: x * 2, [1, 2]) == [2, 4]"),
        ("def f(g): return g()", "def bad():\n    raise KeyError('k')\ntry:\n    candidate(bad)\nexcept KeyError:\n    pass\nelse:\n    assert False"),
        ("def f(xs, kind): return [x for x in xs if isinstance(x, kind)]", "assert candidate([1, 'a'], int) == [1]"),
        ("def f(g, n): return g(f, n - 1) if n else 'end'", "def again(h, n): return h(again, n)\nassert candidate(again, 9) == 'end'"),
        ("import os\ndef f():\n    with open(os.devnull, 'w') as h: print('x', file=h)\n    return 1", "assert candidate() == 1"),
        ("def f(g): return g([3, 1])", "assert candidate(sorted) == [1, 3]"),
        ("def f(d): return d.keys()", "assert candidate({'a': 1}) == {'a'}"),
        ("from collections import Counter\ndef f(s): return Counter(s)", "assert candidate('aab') == {'a': 2, 'b': 1}"),
        ("from collections import deque\ndef f(): return deque([1])", "assert candidate() != [1]\nassert list(candidate()) == [1]"),
        ("def f(x): return float('nan')", "r = candidate(0)\nassert r != r"),
        ("def f(x): return x", "assert candidate(10 ** 5000) == 10 ** 5000"),
        ("def f(x): return [x, (x, {x}), {x: b'y'}, frozenset([x]), 1j, None, ...]", "assert candidate(1)[:6] == [1, (1, {1}), {1: b'y'}, frozenset([1]), 1j, None]"),
        ("from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\ndef f(): return P(1).x", "assert candidate() == 1"),
        ("import asyncio\nasync def g(): return 3\ndef f(): return asyncio.run(g())", "assert candidate() == 3"),
        ("import threading\ndef f():\n    out = []\n    t = threading.Thread(target=out.append, args=(1,)); t.start(); t.join()\n    return out", "assert candidate() == [1]"),
        ("import tempfile\ndef f():\n    with open('x', 'w+') as h:\n        h.write('a'); h.seek(0)\n        return h.read()", "assert candidate() == 'a'"),
        ("n = 0\ndef f():\n    global n\n    n += 1\n    return n", "assert [candidate(), candidate()] == [1, 2]"),
        ("import sqlite3, json, xml.etree.ElementTree, decimal, zlib, ssl\ndef f(): return 1", "assert candidate() == 1"),
        ("def f(): print('x'); return 1", "assert candidate() == 1"),
        ("def f(*a, **k): return [list(a), k]", "assert candidate(1, *[2], b=3) == [[1, 2], {'b': 3}]"),
        ("sum = lambda xs: 0\ndef f(): return sum([1])", "assert candidate() == 0"),
        ("def check(x): return x\ndef f(): return check(1)", "assert candidate() == 1"),
    ],
)  # fmt: skip
def test_supported(run: Run, code: str, body: str) -> None:
    verdict = run(code, body)
    assert verdict.passed, verdict


def test_changed_arguments_are_seen_only_if_nothing_is_returned(run: Run) -> None:
    body = "x = [3, [1], {'a': [2]}]\ny = x[1]\ncandidate(x)\nassert x[0] == 0\nassert y == [1, 5]\nassert x[1] is y"
    assert run("def f(x):\n    x[0] = 0\n    x[1].append(5)", body).passed
    assert run("def f(x):\n    x[0] = 0\n    x[1].append(5)\n    return x", body).status is Status.ASSERTION
    for put in (
        "range(2)",
        "bytearray(b'ab')",
        "(1, 2)",
        "{1: {2}}",
    ):  # what came as plain data goes back as something else
        assert run(f"def f(x): x[0] = {put}", f"x = [None]\ncandidate(x)\nassert x == [{put}]").passed
    assert run("def f(x): x.append(x)", "x = [1]\ncandidate(x)\nassert x[1] is x").passed
    same = "x = [2, 1]\nassert candidate(x) == sorted(x)"
    assert run("def f(x):\n    x.clear()\n    return []", same).status is Status.ASSERTION


SORTED = "rows = [[3, 'c'], [1, 'a'], [2, 'b']]\nexpected = sorted(rows)\ncandidate(rows)\nassert rows == expected"
SWAPPED = "d = {'a': [1], 'b': [2]}\nwant = {'a': d['b'], 'b': d['a']}\ncandidate(d)\nassert d == want"


@pytest.mark.parametrize(
    ("code", "body", "passes"),
    [
        ("def f(rows): rows.sort()", SORTED, True),
        ("def f(rows): rows[:] = [[] for _ in rows]", SORTED, False),
        ("def f(rows): rows[0] = rows[2] = rows[1]", SORTED, False),
        ("def f(d): d['a'], d['b'] = d['b'], d['a']", SWAPPED, True),
        ("def f(d): d['a'][:], d['b'][:] = d['b'][:], d['a'][:]", SWAPPED, False),
        ("def f(x): x.reverse()", "x = [len, lambda: 1, lambda: 2]\ny = x[::-1]\ncandidate(x)\nassert x[:2] == y[:2]", True),
        ("def f(x, *, y): x.append(y)", "x, y = [1], {2}\ncandidate(x, y=y)\nassert x[1] is y", True),
        ("def f(a):\n    for i, n in enumerate(a): a[i] = 0 if n < 0 else object()", "a = [1, -2, 3]\ncandidate(a)\nassert a == [1, 0, 3]", False),
        ("def f(a):\n    for i in range(len(a)): a[i] = a[i].strip", "a = ['x', 'y']\ncandidate(a)\nassert a == ['x', 'y']", False),
        ("def f(a): a.append(object())", "a = [1]\ncandidate(a)\nassert a == [1, None]", False),
        ("class ValueError(Exception): pass\ndef f(n): raise ValueError('x')", "try: candidate(1)\nexcept ValueError: pass\nelse: assert False", False),
        ("class Own(ValueError): pass\ndef f(n): raise Own('x')", "try: candidate(1)\nexcept ValueError: pass\nelse: assert False", True),
    ],
)  # fmt: skip
def test_a_call_changes_what_it_would_change_here(run: Run, code: str, body: str, passes: bool) -> None:
    names: dict[str, object] = {}
    exec(f"{code}\n", names)
    try:
        exec(body, {"candidate": names["f"]})
        here = True
    except Exception:
        here = False
    assert here is passes
    verdict = run(code, body)
    assert verdict.passed is passes, verdict


@pytest.mark.parametrize("name", ["VmHWM: x", "VmHWM: 0", "VmHWM:\t1 kB"])
def test_a_name_of_the_program_s_choice_is_no_measurement(run: Run, name: str) -> None:
    verdict = run(
        f"import ctypes\nctypes.CDLL(None).prctl(15, {name.encode()!r}, 0, 0, 0)\ndef f(): return 1",
        "assert candidate() == 1",
    )
    assert verdict.passed, verdict
    assert verdict.peak_bytes > 1 << 20


def test_many_threads_fit() -> None:
    code = "from concurrent.futures import ThreadPoolExecutor\nimport threading\ndef f(n):\n    gate = threading.Barrier(n)\n    with ThreadPoolExecutor(n) as pool: return sum(pool.map(lambda i: gate.wait() >= 0, range(n)))"
    with SandboxPool() as pool:
        verdict = pool.run(Job(code, "def check(candidate):\n    assert candidate(40) == 40", "f"))
    assert verdict.passed, verdict


def test_a_program_without_end_is_refused(run: Run) -> None:
    verdict = run("#" + "\u00e9" * (1 << 20) + "\ndef f(): return 1", "assert candidate() == 1")
    assert (verdict.status, verdict.error_type) == (Status.LOAD_ERROR, "ProgramTooLong")


@pytest.mark.parametrize(
    ("body", "before"),
    [("candidate(Node())", "class Node: pass"), ("assert not candidate(open)", ""), ("candidate(object())", "")],
)
def test_arguments_that_are_no_plain_data(run: Run, body: str, before: str) -> None:
    verdict = run(
        "def f(x):\n    try: x('/etc/passwd')\n    except OSError: pass", body + "\nassert True", before=before
    )
    assert verdict.passed == ("open" in body)
    if not verdict.passed:
        assert verdict.status is Status.UNSUPPORTED_RESULT
        assert "no plain data" in verdict.message


@pytest.mark.parametrize("catch", ["except Exception:", "except:"])
def test_a_check_that_catches_everything_passes_nothing_dead(run: Run, catch: str) -> None:
    body = f"try:\n    candidate()\n{catch}\n    pass\nassert True"
    assert run("import os\ndef f(): os._exit(0)", body).status is Status.CRASH
    assert run("def f():\n    while True: pass", body).status is Status.TIMEOUT


def test_values_that_hang_the_check_in_c_are_a_timeout(run: Run) -> None:
    verdict = run("def f(): return 10 ** 9", "assert 3 ** candidate() == 1")
    assert verdict.status is Status.TIMEOUT
    assert run("def f(): return 1", "assert candidate() == 1").passed


def test_values_that_end_the_checks_process_are_a_crash(run: Run) -> None:
    verdict = run("def f(): return 11", "import os\nif candidate() == 11:\n    os.abort()\nassert True")
    assert verdict.status is Status.CRASH
    assert run("def f(): return 1", "assert candidate() == 1").passed


def test_values_that_exhaust_the_checks_memory_are_named(run: Run) -> None:
    assert run("def f(): return 1 << 40", "assert [0] * candidate() == 1").status is Status.MEMORY
