"""The program in a model's answer.

Small models wrap code in fences of any kind or none, in prose, in tests of their own; they forget the imports, answer
with a bare body, or are cut off. ``extract_code`` tries the readings of an answer in the order of how likely they are
meant and takes the first that is Python and defines the entry point; if there is none, the best text that looks like
code, so that running it tells what is wrong with it.
"""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from evo.pipeline.prelude import supply
from evo.pipeline.source import defined_names, fault_line, free_names, parse, returns, slice_for

__all__ = ["extract_code"]

_LONGEST = 40_000  # characters; more than any answer of a few thousand tokens that is not a loop
_PASSES = 8
_CUTS = 40
_FOREIGN = {"bash", "sh", "shell", "console", "text", "txt", "output", "json", "plaintext", "markdown", "md", "diff"}


@lru_cache(maxsize=1 << 14)  # the same answer comes back from the store for every genome that shares the call
def extract_code(text: str, *, stub: str, entry_point: str, prelude: bool) -> str:
    """The program that an answer means, or "" if it holds no code. Pure, total and idempotent.

    text: a model's raw answer. stub: code that a bare body continues ("" if the suite has none). entry_point: the
    function that will be called. prelude: supply imports and the stub's helpers that the program uses and does not
    have.
    """
    # Idempotent by construction: what is returned is a fixed point of one reading.
    for _ in range(_PASSES):
        code = _read(text, stub, entry_point)
        if prelude and parse(code) is not None:
            code = supply(code, stub)
        if code == text:
            return code
        text = code
    return ""


def _read(text: str, stub: str, entry_point: str) -> str:
    """One reading of an answer."""
    text = _clean(text)
    if whole := _program(text, entry_point):
        return whole
    blocks = list(_blocks(text))
    # In a fence rather than not; a later block rather than an earlier one, which may be what it corrects.
    likely = [block for fenced in (True, False) for block in reversed(blocks) if block.fenced is fenced]
    candidates = [candidate for block in likely for candidate in _repairs(block, entry_point)]
    for candidate in candidates:
        if code := _program(candidate, entry_point):
            return _with_helpers(code, blocks)
    for candidate in candidates if stub else ():
        if code := _continued(candidate, stub, entry_point):
            return code
    return _remains(likely, entry_point)


def _clean(text: str) -> str:
    """Without what is no text of the answer: thinking, control tokens and characters, foreign spaces, tabs."""
    text = text[:_LONGEST].replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"[\u00a0\u2000-\u200a\u202f\u3000]", " ", text)
    text = re.sub(r"[\u200b-\u200f\u2060\ufeff\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", "", text)
    text = re.sub(r"<\|[a-z_]{1,20}\|>|</s>\s*\Z", "", text)
    text = re.sub(r"\A\s*<(think|thinking)>.*?(</\1>|\Z)", "", text, flags=re.DOTALL)
    if "<think" not in text:  # a lone closing tag: the opening one was part of the chat template
        text = re.split(r"</think(?:ing)?>", text)[-1]
    text = re.sub(r"^[ \t]+", lambda indent: indent[0].expandtabs(4), text, flags=re.MULTILINE)
    return re.sub(r"^ +$", "", text, flags=re.MULTILINE).strip("\n")


@dataclass(frozen=True, slots=True)
class _Block:
    """A stretch of the answer that may be code: what a fence encloses, or what stands outside of fences.

    open: nothing closes it, so the answer may have been cut inside it.
    """

    text: str
    fenced: bool
    open: bool


_OPENING = re.compile(r"(?P<before>[^`]*?)(?P<mark>`{3,}|~{3,})[ \t]*(?P<tag>[\w+#.-]*)[^`]*")
_CLOSING = re.compile(r"(?P<before>.*?)(?P<mark>`{3,}|~{3,})[ \t]*")


def _blocks(text: str) -> Iterator[_Block]:
    """The answer cut at its fences, in order."""
    mark, tag, inside = "", "", list[str]()

    def block(still_open: bool = False) -> Iterator[_Block]:
        if any(map(str.strip, inside)) and not (mark and tag in _FOREIGN):
            yield _Block("\n".join(inside).strip("\n"), fenced=bool(mark), open=still_open)
        inside.clear()

    for line in text.split("\n"):
        closing = _CLOSING.fullmatch(line) if mark else None
        opening = _OPENING.fullmatch(line) if not closing else None
        if closing and closing["mark"].startswith(mark):
            inside.append(closing["before"])
            yield from block()
            mark = ""
        elif opening and (not mark or (opening["tag"] and not opening["before"].strip())):
            inside.append(opening["before"])
            yield from block()
            mark, tag = opening["mark"], opening["tag"].lower()
        else:
            inside.append(line)
    yield from block(still_open=True)


def _repairs(block: _Block, entry_point: str) -> Iterator[str]:
    """The block, and what it may have been meant to be: without indentation, prose around it, a cut-off end."""
    yield block.text
    yield textwrap.dedent(block.text)
    starts = (
        rf"(?:async\s+)?def\s+{re.escape(entry_point)}\b",
        r"(?:@\w|from\s+\w|import\s+\w|(?:async\s+)?def\s+\w|class\s+\w)",
    )
    for start in reversed(starts):
        if hit := re.search(rf"^[ \t]*{start}", block.text, re.MULTILINE):
            code = block.text[hit.start() :]
            yield from (code, textwrap.dedent(code), code.lstrip())
            yield _before_prose(textwrap.dedent(code))
            if block.open:
                yield _before_cut(textwrap.dedent(code))


def _before_prose(code: str) -> str:
    """Up to the line at the margin from where on it is no Python: prose or a console session behind the code."""
    for _ in range(_CUTS):
        fault, lines = fault_line(code), code.split("\n")
        end = next((n for n in range(min(fault, len(lines)) - 1, 0, -1) if lines[n] and not lines[n][0].isspace()), 0)
        if not end:
            break
        code = "\n".join(lines[:end])
    return code


def _before_cut(code: str) -> str:
    """Without the last statement, if that is incomplete: a line and the deeper ones that continue it."""
    lines = code.split("\n")
    for end in range(len(lines) - 1, max(0, len(lines) - _CUTS), -1):
        indent = len(lines[end]) - len(lines[end].lstrip())
        deeper = all(line.startswith(" " * (indent + 1)) for line in lines[end + 1 :] if line.strip(")]} "))
        if lines[end].strip() and deeper and parse("\n".join(lines[:end])) is not None:
            return "\n".join(lines[:end])
    return code


def _program(code: str, entry_point: str) -> str:
    """The needed part of a program that defines the entry point, else ""."""
    module = parse(code)
    return slice_for(code, module, entry_point) if module and entry_point in defined_names(module) else ""


def _with_helpers(code: str, blocks: list[_Block]) -> str:
    """With definitions from other blocks that the code uses and does not have."""
    for block in blocks:
        if block.fenced and (module := parse(block.text)):
            for name in sorted(defined_names(module) & free_names(code)):
                code = slice_for(block.text, module, name) + "\n\n" + code
    return code


def _continued(body: str, stub: str, entry_point: str) -> str:
    """The stub with a bare body behind it, where that makes a function which returns something."""
    if re.search(r"^(async\s+)?def\s", body, re.MULTILINE):
        return ""
    stub = stub.rstrip()
    first, _, rest = body.lstrip().partition("\n")  # often only the first line has lost its indentation
    for attempt in (body, f"    {first}\n{rest}", textwrap.indent(textwrap.dedent(body), "    ")):
        for whole in (f"{stub}\n{attempt}", _before_prose(f"{stub}\n{attempt}")):
            if whole.startswith(stub) and returns(whole, entry_point):
                return _program(whole, entry_point)
    return ""


def _remains(blocks: list[_Block], entry_point: str) -> str:
    """Text that looks like code but is no program with the entry point: running it gives the feedback it deserves."""
    name = re.escape(entry_point)
    for wanted in (rf"\bdef\s+{name}\b|^{name}\s*=[^=]", r"^\s*(?:async\s+)?def\s+\w+\s*\("):
        for block in blocks:
            if hit := re.search(wanted, block.text, re.MULTILINE):
                code = block.text if block.fenced else block.text[block.text.rfind("\n", 0, hit.start()) + 1 :]
                module = parse(code)
                return code.strip("\n") if module is None else slice_for(code, module, entry_point)
    return ""
