"""Reading a section of an INI file against a table of settings: no typo and no impossible value gets through."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TextIO

from evo.errors import UserError

__all__ = [
    "Setting",
    "choice",
    "choices",
    "flag",
    "integer",
    "integers",
    "interval",
    "number",
    "read_section",
    "write_section",
]


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of a section. ``read`` turns the raw text into a value or raises ValueError with what is needed."""

    key: str
    read: Callable[[str], Any]


def read_section(section: str, raw: Mapping[str, str], settings: Sequence[Setting]) -> dict[str, Any]:
    """Values by key. Every setting is required. Raises UserError naming ``section.key`` and what is needed."""
    known = [setting.key for setting in settings]
    for key in raw:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {section}.{near[0]}?" if near else f"known: {', '.join(known)}"
            raise UserError(f"{section}.{key}: unknown key; {hint}")
    values = {}
    for setting in settings:
        if setting.key not in raw:
            raise UserError(f"{section}.{setting.key}: missing")
        text = raw[setting.key].strip()
        try:
            values[setting.key] = setting.read(text)
        except ValueError as error:
            note = "; a comment needs a line of its own" if "#" in text or ";" in text else ""
            raise UserError(f"{section}.{setting.key} = {text}: needs {error}{note}") from None
    return values


def write_section(file: TextIO, settings: Sequence[Setting], holder: object, prefix: str = "") -> None:
    """Lines that ``read_section`` reads back; a setting is ``holder``'s attribute of the same name without prefix."""
    for setting in settings:
        value = getattr(holder, setting.key.removeprefix(prefix))
        file.write(f"{setting.key} = {' '.join(map(str, value)) if isinstance(value, tuple) else value}\n")


def number(low: float, high: float = math.inf) -> Callable[[str], float]:
    """A finite number in low..high."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and low <= value <= high):
            raise ValueError(f"a number {_span(low, high)}")
        return value

    return read


def integer(low: int, high: float = math.inf) -> Callable[[str], int]:
    """A whole number in low..high."""

    def read(text: str) -> int:
        try:
            if low <= (value := int(text)) <= high:
                return value
        except ValueError:
            pass
        raise ValueError(f"a whole number {_span(low, high)}")

    return read


def interval(low: float, high: float, *, whole: bool = False) -> Callable[[str], tuple[Any, Any]]:
    """Two numbers, least and most, in low..high, apart by blanks."""
    one: Callable[[str], Any] = integer(math.ceil(low), high) if whole else number(low, high)

    def read(text: str) -> tuple[Any, Any]:
        try:
            least, most = (one(word) for word in text.split())
        except ValueError:
            least, most = 1, 0
        if least > most:
            raise ValueError(f"two {'whole ' if whole else ''}numbers, least then most, {_span(low, high)}")
        return least, most

    return read


def integers(low: int, high: int, *, empty: bool = False) -> Callable[[str], tuple[int, ...]]:
    """One or more whole numbers in low..high, apart by blanks; none, where that may be."""
    one = integer(low, high)

    def read(text: str) -> tuple[int, ...]:
        try:
            values = tuple(one(word) for word in text.split())
        except ValueError:
            values, text = (), "?"
        if not values and (text or not empty):
            raise ValueError(f"one or more whole numbers {_span(low, high)}")
        return values

    return read


def choice(*options: str) -> Callable[[str], str]:
    """One of these words."""

    def read(text: str) -> str:
        if text not in options:
            raise ValueError(f"one of {', '.join(options)}")
        return text

    return read


def choices(*options: str) -> Callable[[str], tuple[str, ...]]:
    """One or more of these words, apart by blanks, none twice."""

    def read(text: str) -> tuple[str, ...]:
        words = tuple(text.split())
        if not words or len(set(words)) < len(words) or not set(words) <= set(options):
            raise ValueError(f"one or more of {', '.join(options)}, none twice")
        return words

    return read


def flag(*allowed: bool) -> Callable[[str], bool]:
    """True or False, if among ``allowed``."""

    def read(text: str) -> bool:
        value = {"true": True, "false": False}.get(text.lower())
        if value is None or value not in allowed:
            raise ValueError(" or ".join(str(option) for option in allowed))
        return value

    return read


def _span(low: float, high: float) -> str:
    return f"of at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
