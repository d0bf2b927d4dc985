"""What a model is told. The system message is the prompt alone, the same for every problem, and the user's message puts
the problem first, then draft, verdict and diagnosis: what calls share comes first, so that a server's prefix cache
helps.
"""

import re
from dataclasses import dataclass

from evo.models.chat import Message
from evo.pipeline.feedback import LIMIT, harmless
from evo.tasks.problem import Problem

__all__ = ["Work", "messages"]


@dataclass(frozen=True, slots=True)
class Work:
    """What travels along a plan's edges: the draft, the feedback on it, a diagnosis in words ("" where none)."""

    draft: str = ""
    feedback: str = ""
    diagnosis: str = ""


def messages(system: str, problem: Problem, work: Work) -> tuple[Message, ...]:
    """The two messages of a call. Parts that there is nothing to say about are left out."""
    task = _fenced(problem.prompt, "python") if problem.stub else problem.prompt.strip()
    if not re.search(rf"\b{re.escape(problem.entry_point)}\b", problem.prompt):
        task += f"\n\nName of the function: {problem.entry_point}"
    parts = [f"Problem:\n{task}"]
    if work.draft:
        parts.append(f"Code:\n{_fenced(work.draft, 'python')}")
    if work.feedback:
        parts.append(f"Result:\n{_fenced(work.feedback)}")
    if work.diagnosis:
        parts.append(f"Diagnosis:\n{_fenced(harmless(work.diagnosis, LIMIT))}")
    return (Message("system", system), Message("user", "\n\n".join(parts)))


def _fenced(text: str, language: str = "") -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.strip(chr(10))}\n{fence}"
