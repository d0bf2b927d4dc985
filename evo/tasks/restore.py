"""Arguments as they were before JSON: MBPP+'s tuples, sets and complex numbers (EvalPlus,
``mbpp_deserialize_inputs``).
"""

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["restore_arguments"]

Arguments = list[Any]


def _tuples(arguments: Arguments) -> Arguments:
    return [tuple(a) for a in arguments]


def _lists_of_tuples(arguments: Arguments) -> Arguments:
    return [[tuple(a) for a in argument] for argument in arguments]


def _first_of_tuples(arguments: Arguments) -> Arguments:
    return [[tuple(a) for a in arguments[0]], *arguments[1:]]


def _second_tuple(arguments: Arguments) -> Arguments:
    return [arguments[0], tuple(arguments[1]), *arguments[2:]]


def _first_tuple(arguments: Arguments) -> Arguments:
    return [tuple(arguments[0]), *arguments[1:]]


def _nested_tuples(arguments: Arguments) -> Arguments:
    return [tuple(tuple(inner) for inner in a) for a in arguments]


def _loose_tuples(arguments: Arguments) -> Arguments:
    return [tuple(tuple(inner) if isinstance(inner, list) else inner for inner in a) for a in arguments]


def _sets(arguments: Arguments) -> Arguments:
    return [[set(a) if isinstance(a, list) and a else {} for a in arguments[0]]]


def _real_and_complex(arguments: Arguments) -> Arguments:
    return [float(arguments[0]), complex(arguments[1])]


def _complex(arguments: Arguments) -> Arguments:
    return [complex(arguments[0])]


def _tuple_values(arguments: Arguments) -> Arguments:
    return [{key: tuple(value) for key, value in arguments[0].items()}, *arguments[1:]]


def _deep_tuples(value: Any) -> Any:
    return tuple(_deep_tuples(v) for v in value) if isinstance(value, list) else value


def _all_deep(arguments: Arguments) -> Arguments:
    return [_deep_tuples(a) for a in arguments]


_BY_TASK: dict[Callable[[Arguments], Arguments], str] = {
    _tuples: "2 116 132 143 222 261 273 394 399 421 424 429 470 560 579 596 616 630 726 740 744 809",
    _lists_of_tuples: "63 64 70 94 120 237 272 299 400 409 417 438 473 614 780",
    _first_of_tuples: "75 413 444 753",
    _second_tuple: "106 750",
    _first_tuple: "250 307 405 446 617 720 763 808",
    _nested_tuples: "259 401 445",
    _loose_tuples: "278",
    _sets: "115",
    _real_and_complex: "124",
    _complex: "252",
    _tuple_values: "722",
    _all_deep: "580 615 791",
}
_RESTORE = {f"Mbpp/{number}": how for how, numbers in _BY_TASK.items() for number in numbers.split()}


def restore_arguments(task_id: str, inputs: Sequence[Arguments]) -> list[Arguments]:
    """The inputs of a task with the types that its reference expects; other suites' inputs as they are."""
    how = _RESTORE.get(task_id)
    return [how(arguments) for arguments in inputs] if how else list(inputs)
