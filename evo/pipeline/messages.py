"""What a model is told. The system message is the prompt alone, the same for every problem, and the user's message puts
the problem first, then draft, verdict and diagnosis: what calls share comes first, so that a server's prefix cache
helps.
"""

import re
from dataclasses import dataclass

from evo.models.chat import Message
from evo.pipeline.feedback import LIMIT, harmless
from evo.pipeline.source import parse, split_docstring
from evo.tasks.problem import Problem

__all__ = ["Work", "messages"]


@dataclass(frozen=True, slots=True)
class Work:
    """What travels along a plan's edges: the draft, the feedback on it, a diagnosis in words ("" where none)."""

    draft: str = ""
    feedback: str = ""
    diagnosis: str = ""


def messages(system: str, closing: str, problem: Problem, work: Work) -> tuple[Message, ...]:
    """The two messages of a call. Parts that there is nothing to say about are left out."""
    parts = [f"Problem:\n{_statement(problem)}"]
    if work.draft:
        parts.append(f"Code:\n{_fenced(work.draft, 'python')}")
    if work.feedback:
        parts.append(f"Result:\n{_fenced(work.feedback)}")
    if work.diagnosis:
        parts.append(f"Diagnosis:\n{_fenced(harmless(work.diagnosis, LIMIT))}")
    if closing:
        parts.append(closing)
    return (Message("system", system), Message("user", "\n\n".join(parts)))


def _statement(problem: Problem) -> str:
    """The problem's prompt; of a code prompt the docstring as text, then the signature in a fence.

    Small models copy a docstring that stands in code into every answer, whatever they are told: as text it costs half
    the tokens (docs/prompts.md).
    """
    prompt, name = problem.prompt.strip("\n"), problem.entry_point
    if parse(prompt) is not None:
        text, code = split_docstring(prompt, name)
        return f"{text}\n\n{_fenced(code, 'python')}".strip()
    named = re.search(rf"\b{re.escape(name)}\b", prompt)
    return prompt.strip() if named else f"{prompt.strip()}\n\nName of the function: {name}"


def _fenced(text: str, language: str = "") -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.strip(chr(10))}\n{fence}"
