"""What a model is told: the problem, then draft, verdict and diagnosis, and last the task, which is the prompt.

What calls share comes first. All roles and prompts share the problem, so a server's prefix cache holds most of what is
sent; that is why there is no system message.
"""

import re
from dataclasses import dataclass

from evo.models.chat import Message
from evo.pipeline.feedback import LIMIT, harmless
from evo.pipeline.source import parse, split_docstring
from evo.tasks.problem import Problem

__all__ = ["TASK", "Work", "messages"]

TASK = "Task:\n"
"""What stands before the prompt."""


@dataclass(frozen=True, slots=True)
class Work:
    """What travels along a plan's edges: the draft, the feedback on it, a diagnosis in words ("" where none)."""

    draft: str = ""
    feedback: str = ""
    diagnosis: str = ""


def messages(prompt: str, problem: Problem, work: Work) -> tuple[Message, ...]:
    """The message of a call. Parts that there is nothing to say about are left out."""
    parts = [f"Problem:\n{_statement(problem)}"]
    if work.draft:
        parts.append(f"Code:\n{_fenced(work.draft, 'python')}")
    if work.feedback:
        parts.append(f"Result:\n{_fenced(work.feedback)}")
    if work.diagnosis:
        parts.append(f"Diagnosis:\n{_fenced(harmless(work.diagnosis, LIMIT))}")
    parts.append(TASK + prompt)
    return (Message("user", "\n\n".join(parts)),)


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
