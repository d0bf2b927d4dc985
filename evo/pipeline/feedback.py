"""A verdict in words for a model, at one of three levels of detail.

Most of a verdict's text comes from untrusted code: it is capped, stripped of control characters and of anything that
could end a fence, and stands quoted in a fence of ours (``evo.pipeline.messages``).
"""

import re

from evo.genome.genes import Feedback
from evo.sandbox.verdict import Status, Verdict

__all__ = ["LIMIT", "describe", "harmless"]

LIMIT = 600  # characters of one feedback or diagnosis
_VALUE = 150  # of one value, so that none crowds out the others
_FRAMES = 3  # innermost ones
_CANDIDATE = re.compile(r"\bcandidate\b")

_OWN_WORDS = {
    Status.PASSED: "All shown tests pass.",
    Status.NO_CALL: "The function was never called.",
    Status.TIMEOUT: "Time limit exceeded: an endless loop, or too slow.",
    Status.MEMORY: "Memory limit exceeded.",
    Status.CRASH: "The Python process died.",
    Status.PROTOCOL: "The code disturbed the test run.",
    Status.UNSUPPORTED_RESULT: "The function returned something that cannot be compared.",
}


def describe(verdict: Verdict, level: Feedback, entry_point: str) -> str:
    """The feedback on a draft, at most ``LIMIT`` characters.

    type: the error's type. traceback: with its message and the draft's own frames. values: with the call that failed,
    what it returned and what was expected.
    """
    if verdict.status is Status.NO_CALL and verdict.units == 0:
        return "There was no test to run."
    error = harmless(verdict.error_type, 60)
    headline = _OWN_WORDS.get(verdict.status) or (
        "AssertionError: a test failed." if verdict.status is Status.ASSERTION else ""
    )
    lines = [headline or error]
    if not verdict.passed and level is not Feedback.TYPE:
        if not headline and verdict.message:
            lines = [f"{error}: {harmless(verdict.message, _VALUE)}"]
        lines += [
            f"line {frame.line}, in {harmless(frame.function, 60)}: {harmless(frame.source.strip(), _VALUE)}"
            for frame in verdict.frames[-_FRAMES:]
        ]
    if level is Feedback.VALUES and verdict.failed is not None:
        failed = verdict.failed
        named = (("call", failed.call or failed.source), ("returned", failed.returned), ("expected", failed.expected))
        # Suites call the function under test "candidate"; the model knows it by its own name.
        lines += [f"{name}: {_CANDIDATE.sub(entry_point, harmless(text, _VALUE))}" for name, text in named if text]
    return "\n".join(lines)[:LIMIT]


def harmless(text: str, limit: int) -> str:
    """Foreign text made fit to be quoted: no control or format characters, no fences, at most ``limit`` characters."""
    printable = "".join(c if c == "\n" or c.isprintable() else " " for c in text[: 4 * limit])
    safe = re.sub(r"`{3,}|~{3,}|<\|.*?\|>", " ", printable).strip()
    return safe if len(safe) <= limit else safe[: limit - 2] + " …"
