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

from evo.pipeline.prelude import supply
from evo.pipeline.source import bound_names, defines, free_names, parse, slice_for

__all__ = ["extract_code"]

_LONGEST = 40_000  # characters; more than any answer of a few thousand tokens that is not a loop
_PASSES = 6
_FOREIGN = {"bash", "sh", "shell", "console", "text", "txt", "output", "json", "plaintext", "markdown", "md", "diff"}


def extract_code(text: str, *, stub: str, entry_point: str, prelude: bool) -> str:
    """The program that an answer means, or "" if it holds no code. Pure, total and idempotent.

    text: a model's raw answer. stub: code that a bare body continues ("" if the suite has none). entry_point: the
    function that will be called. prelude: supply imports and the stub's helpers that the program uses and does not
    have.
    """
    # Idempotent by construction: what is returned is a fixed point of one reading. Readings only cut, so this ends at
    # once.
    for _ in range(_PASSES):
        code = _read(text, stub, entry_point)
        if prelude and parse(code) is not None:
            code = supply(code, stub)
        if code == text:
            return code
        text = code
    return ""


def _read(text: str, stub: str, entry_point: str) -> str:
    text = _clean(text)
    whole = _finish(text, entry_point)
    if whole:
        return whole
    blocks = list(_blocks(text))
    readings = [reading for block in reversed(blocks) for reading in _variants(block)]
    for candidate in readings:
        if code := _finish(candidate, entry_point):
            return _with_helpers(code, [block.text for block in blocks])
    for candidate in readings if stub else []:
        if code := _continued(candidate, stub, entry_point):
            return code
    return _fallback(blocks, entry_point)


def _clean(text: str) -> str:
    text = text[:_LONGEST].replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"[\u00a0\u2000-\u200a\u202f\u3000]", " ", text)
    text = re.sub(r"[\u200b-\u200f\u2060\ufeff\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", "", text)
    text = re.sub(r"<\|[a-z_]{1,20}\|>|</?s>$", "", text)
    text = re.sub(r"\A\s*<(think|thinking|reasoning)>.*?(</\1>|\Z)", "", text, flags=re.DOTALL)
    if re.search(r"</think(ing)?>", text) and "<think" not in text:  # the opening tag was part of the chat template
        text = re.split(r"</think(?:ing)?>", text)[-1]
    lines = (re.sub(r"^[ \t]*\t[ \t]*", lambda m: m[0].expandtabs(4), line).rstrip() for line in text.split("\n"))
    return "\n".join(lines).strip("\n")


@dataclass(frozen=True, slots=True)
class _Block:
    """A stretch of the answer that may be code. open: nothing closes it, so the answer may have been cut inside it."""

    text: str
    fenced: bool
    open: bool


def _blocks(text: str) -> Iterator[_Block]:
    """Fenced blocks in order of appearance, after them (so, last: least likely) none; the whole text if nothing is
    fenced.
    """
    lines, mark, tag, found = text.split("\n"), "", "", False
    inside: list[str] = []
    for line in lines:
        fence = re.search(
            r"(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^`\n]*$" if not mark else r"^[ \t]*(`{3,}|~{3,})()[ \t]*$", line
        )
        if not mark and fence:
            mark, tag, inside = fence[1], fence[2].lower(), []
        elif mark and fence and fence[1].startswith(mark):
            found = True
            if tag not in _FOREIGN:
                yield _Block("\n".join(inside), fenced=True, open=False)
            mark = ""
        elif mark:
            inside.append(line)
    if mark and any(line.strip() for line in inside):
        found = True
        yield _Block("\n".join(inside), fenced=True, open=True)
    if not found:
        yield _Block("\n".join(line for line in lines if not line.strip().startswith("```")), fenced=False, open=True)


def _variants(block: _Block) -> Iterator[str]:
    """The block, and what it is after the usual repairs."""
    yield block.text
    yield textwrap.dedent(block.text)
    yield block.text.lstrip()
    start = re.search(r"^[ \t]*(?:@|from\s+\w|import\s+\w|(?:async\s+)?def\s+\w|class\s+\w)", block.text, re.MULTILINE)
    code = textwrap.dedent(block.text[start.start() :]) if start else block.text
    yield code
    lines = code.split("\n")
    # Prose or a session behind the code: it begins at the margin.
    for end in range(len(lines) - 1, 0, -1):
        if lines[end] and not lines[end][0].isspace():
            yield "\n".join(lines[:end])
    # An answer cut off within its last statement.
    if block.open and (cut := _uncut(lines)):
        yield cut


def _uncut(lines: list[str]) -> str:
    """Without the last, incomplete statement: its first line and the lines that continue it."""
    for end in range(len(lines) - 1, 0, -1):
        indent = len(lines[end]) - len(lines[end].lstrip())
        if not lines[end].strip():
            continue
        if parse("\n".join(lines[:end])) is not None:
            return "\n".join(lines[:end])
        if indent == 0:
            break
    return ""


def _finish(code: str, entry_point: str) -> str:
    """The needed part of a program that defines the entry point, else ""."""
    module = parse(code)
    if module is None or not defines(module, entry_point):
        return ""
    return slice_for(code, module, entry_point)


def _with_helpers(code: str, blocks: list[str]) -> str:
    """With definitions from other blocks that the code uses and does not have."""
    for block in blocks:
        if (module := parse(block)) is None:
            continue
        offered = {name for statement in module.body for name in bound_names(statement)}
        for name in sorted(offered & free_names(code)):
            code = slice_for(block, module, name) + "\n\n" + code
    return code


def _continued(body: str, stub: str, entry_point: str) -> str:
    """The stub with a bare body behind it, where that is a function which returns something."""
    flush = textwrap.dedent(body)
    first, _, rest = body.lstrip().partition("\n")  # often only the first line has lost its indentation
    for attempt in (body, textwrap.indent(flush, "    "), f"    {first}\n{rest}"):
        if re.search(r"\b(return|yield)\b", attempt) and (code := _finish(f"{stub.rstrip()}\n{attempt}", entry_point)):
            return code
    return ""


def _fallback(blocks: list[_Block], entry_point: str) -> str:
    """Text that looks like code but is no program with the entry point: running it gives the feedback it deserves."""
    for wanted in (rf"\bdef\s+{re.escape(entry_point)}\b", r"^\s*(?:async\s+)?def\s+\w+\s*\("):
        for block in blocks:
            if hit := re.search(wanted, block.text, re.MULTILINE):
                code = block.text if block.fenced else block.text[block.text.rfind("\n", 0, hit.start()) + 1 :]
                module = parse(code)
                return code.strip("\n") if module is None else slice_for(code, module, entry_point)
    return ""
