"""What a model is told: the problem, then plan, draft, verdict and diagnosis, and last the task, which is the prompt.

What calls share comes first. All roles and prompts share the problem, so a server's prefix cache holds most of what is
sent; that is why there is no system message.
"""

import re
from functools import lru_cache

from evo.models.chat import Message
from evo.pipeline.drafts import Draft
from evo.pipeline.feedback import LIMIT, harmless
from evo.pipeline.source import parse, split_docstring
from evo.tasks.problem import Problem

__all__ = ["TASK", "messages"]

TASK = "Task:\n"
"""What stands before the prompt."""

_LONGEST_PLAN = 1200  # characters


@lru_cache(maxsize=1 << 10)
def messages(prompt: str, problem: Problem, draft: Draft, plan: str = "") -> tuple[Message, ...]:
    """The message of a call. Parts that there is nothing to say about are left out."""
    parts = [f"Problem:\n{_statement(problem)}"]
    if plan:
        parts.append(f"Plan:\n{_fenced(harmless(plan, _LONGEST_PLAN))}")
    if draft.code:
        parts.append(f"Code:\n{_fenced(draft.code, 'python')}")
    if draft.feedback:
        parts.append(f"Result:\n{_fenced(draft.feedback)}")
    if draft.diagnosis:
        parts.append(f"Diagnosis:\n{_fenced(harmless(draft.diagnosis, LIMIT))}")
    parts.append(TASK + prompt)
    return (Message("user", "\n\n".join(parts)),)


@lru_cache(maxsize=1 << 10)
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
