"""When a result agrees with the reference's: exactly, floats closely, and by the meaning of the task where several
results are right.

The tasks where several are right are those of EvalPlus' own evaluator (``evalplus/eval/_special_oracle.py``). It lets
any result of Mbpp/164 and any 0 of Mbpp/295 pass, because their references contradict the published asserts; here the
asserts' reading is right beside the reference's.
"""

__all__ = ["oracle_source"]

_CLOSE = """
def _agree(given, right, arguments):
    if isinstance(given, list) and isinstance(right, list) or isinstance(given, tuple) and isinstance(right, tuple):
        return len(given) == len(right) and all(_agree(a, b, arguments) for a, b in zip(given, right))
    if isinstance(given, dict) and isinstance(right, dict):
        return given.keys() == right.keys() and all(_agree(given[k], right[k], arguments) for k in right)
    if isinstance(given, (float, complex)) or isinstance(right, (float, complex)):
        try:
            if given == right or given != given and right != right:
                return True
            return abs(given - right) <= _ATOL + 1e-7 * abs(right) < float("inf")
        except (TypeError, OverflowError):
            return False
    return given == right
"""

_AS_SETS = """
def _agree(given, right, arguments):
    return set(given) == set(right)
"""

_WHETHER_FOUND = """
def _agree(given, right, arguments):
    return (given if isinstance(given, bool) else given is not None) == (right is not None)
"""

_PROPER = """
import math

def _proper(n):
    small = [k for k in range(1, math.isqrt(n) + 1) if n % k == 0] if n > 0 else []
    return sum({*small, *(n // k for k in small)} - {n})
"""

_ALSO = {
    "HumanEval/32": "def _also(given, xs):\n    return abs(sum(c * given**i for i, c in enumerate(xs))) <= _ATOL\n",
    "Mbpp/164": _PROPER + "def _also(given, a, b):\n    return given == (_proper(a) == _proper(b))\n",
    "Mbpp/295": _PROPER + "def _also(given, n):\n    return given == _proper(n)\n",
    "Mbpp/558": """
def _also(given, a, b):
    width = max(len(str(a)), len(str(b)))
    return given == sum(abs(int(x) - int(y)) for x, y in zip(str(a).zfill(width), str(b).zfill(width)))
""",
    "Mbpp/581": """
def _also(given, base, height):
    return given == round(base**2 + 2 * base * ((base / 2) ** 2 + height**2) ** 0.5)
""",
}

_AGREE = {
    **dict.fromkeys((f"Mbpp/{n}" for n in (2, 7, 111, 140, 232, 249, 579, 769)), _AS_SETS),
    **dict.fromkeys((f"Mbpp/{n}" for n in (737, 787, 794)), _WHETHER_FOUND),
    **{
        name: f"{also}{_CLOSE.replace('_agree', '_close')}\n"
        "def _agree(given, right, arguments):\n"
        "    return _close(given, right, arguments) or bool(_also(given, *arguments))\n"
        for name, also in _ALSO.items()
    },
}

_EXPECTED = """
class _Right:
    def __init__(self, value, arguments):
        self._value, self._arguments = value, arguments

    def __eq__(self, given):
        try:
            return _agree(given, self._value, self._arguments)
        except Exception:
            return False

    def __repr__(self):
        return repr(self._value)


def _expected(*arguments):
    return _Right(_reference(*arguments), arguments)
"""


def oracle_source(task_id: str, reference: str, entry_point: str, atol: float) -> str:
    """A program that defines ``_expected(*arguments)``: what equals every result that is right for them.

    A test is then one comparison, which a report can show: ``candidate(1) == _expected(1)``. reference: a program that
    defines entry_point. atol: what floats may differ by, 0 for EvalPlus' default.
    """
    names = (
        f"_ATOL = {atol or 1e-06!r}\n_names = {{}}\nexec({reference!r}, _names)\n_reference = _names[{entry_point!r}]\n"
    )
    return names + _AGREE.get(task_id, _CLOSE) + _EXPECTED
