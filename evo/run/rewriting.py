"""Prompts that evolve: a model of the pool rewrites a node's prompt, given failures that the prompt caused.

The rewriting is a mutation of a newborn genome, drawn like any other; the text that the model writes is a call on
record like any other, so a run that is resumed breeds the same texts without asking again. What the model is shown
are drafts and what the visible tests said of them. Hidden tests play no part, not even in choosing what is shown.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from evo.evaluation import Ledger, Measurement, Purpose, call_seed, stream
from evo.evolution import Individual
from evo.genome import Feedback, Genome, NodeGene
from evo.models import CallFailed, Chat, Completion, Message
from evo.pipeline import Plan, PromptBook, Trace, describe
from evo.run.settings import RunSettings
from evo.sandbox import SandboxFault, Verdict
from evo.tasks import Problem

__all__ = ["LONGEST", "ROLE", "Asks", "Failure", "Rewriter", "failures_in", "rewritten"]

ROLE = "rewriter"
LONGEST = 600
"""Characters of a rewritten prompt: a few sentences. Longer answers are not taken."""

_SHOWN = 2  # failures
_CODE = 700  # characters of a draft that is shown
_TEMPERATURE = 0.8
_ASK = (
    "Task:\nThese are instructions that a language model followed as {role}, with what went wrong.\n\n"
    "Instructions:\n{fence}\n{prompt}\n{fence}\n\n{failures}\n\n"
    "Rewrite the instructions so that such failures become rare on any problem. Keep what they say about the form of "
    "the answer. Do not mention these problems. At most 80 words. Answer with the new instructions and nothing else:"
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A draft that failed visible tests: the problem in words, the code, and the feedback on it."""

    problem: str
    code: str
    feedback: str


class Asks(Protocol):
    """Who traces measurements and answers single calls; the scheduler does."""

    async def trace(self, one: Measurement) -> tuple[Trace, Verdict]:
        """One run, step by step, from the record if it has been measured."""

    async def ask(self, chat: Chat) -> Completion:
        """The answer to a call that belongs to no pipeline."""


class Rewriter:
    """Rewrites prompts of newborn genomes at the rate of the settings."""

    def __init__(self, settings: RunSettings, prompts: PromptBook, asks: Asks, ledger: Ledger) -> None:
        self._chance, self._seed = settings.pipeline.evolve_prompts, settings.run.seed
        self._settings = settings.pipeline_settings
        self._prompts, self._asks, self._ledger = prompts, asks, ledger

    async def revised(
        self, born: Individual, parents: Sequence[tuple[Genome, Plan]], problems: Sequence[Problem], generation: int
    ) -> Genome | None:
        """The newborn with a prompt rewritten; None where the draw says no, no failure is known or the call fails.

        problems: that the parents were measured on. Raises BudgetSpent.
        """
        draws = stream(self._seed, "rewriting", str(generation), str(born.key))
        if draws.random() >= self._chance:
            return None
        callers = [node for node in born.genome.nodes if node.role.calls_model]
        node = callers[int(draws.integers(len(callers)))]
        try:
            failures = await self._failures(node, parents, problems)
            if not failures:
                return None
            answer = await self._asks.ask(self._chat(node, failures, generation, born.key))
        except (CallFailed, SandboxFault):  # nothing is lost but a mutation
            return None
        new = rewritten(node, answer.text, self._prompts)
        return replace(born.genome, nodes=tuple(new if old.id == node.id else old for old in born.genome.nodes))

    async def _failures(
        self, node: NodeGene, parents: Sequence[tuple[Genome, Plan]], problems: Sequence[Problem]
    ) -> list[Failure]:
        """The first few of the first parent that has this very node."""
        by_id, found = {problem.id: problem for problem in problems}, list[Failure]()
        for _, plan in (parent for parent in parents if node in parent[0].nodes):
            for cell in self._ledger.cells(plan.digest, (Purpose.SEARCH,)):
                if cell.problem in by_id and cell.solved is not None and cell.error_types and all(cell.error_types):
                    one = Measurement(plan, by_id[cell.problem], cell.purpose, cell.replicate)
                    trace, _ = await self._asks.trace(one)
                    found += failures_in(trace, plan, node, one.problem)
                    if len(found) == _SHOWN:
                        return found
        return found

    def _chat(self, node: NodeGene, failures: Sequence[Failure], generation: int, key: int) -> Chat:
        """What the node's own model is asked."""
        assert node.model is not None  # only nodes that call a model are rewritten
        shown = "\n\n".join(
            f"Failure {number}:\n{_fenced(one.problem)}\n{_fenced(one.code)}\n{_fenced(one.feedback)}"
            for number, one in enumerate(failures, start=1)
        )
        prompt = _text(node, self._prompts)
        text = _ASK.format(role=f"a {node.role}", fence="````", prompt=prompt, failures=shown)
        return Chat(
            model=node.model,
            messages=(Message("user", text),),
            seed=call_seed(self._seed, Purpose.SEARCH, f"{ROLE} {generation}", 0, key),
            temperature=_TEMPERATURE,
            max_tokens=self._settings.max_tokens,
            sampling=replace(self._settings.sampling, stop=()),
            role=ROLE,
        )


def failures_in(trace: Trace, plan: Plan, node: NodeGene, problem: Problem) -> list[Failure]:
    """Drafts of a run that stand behind a step of the node and failed visible tests; none once it has passed them."""
    behind, found = False, []
    for step in trace.steps:
        behind = behind or plan.nodes[step.node].gene == node.id
        if step.verdict is None or not behind:
            continue
        if step.verdict.passed:
            return []
        told = describe(step.verdict, Feedback.VALUES, problem.entry_point)
        found.append(Failure(problem.prompt, step.code, told))
    return found[-1:]


def rewritten(node: NodeGene, answer: str, prompts: PromptBook) -> NodeGene:
    """The node with the prompt that the answer holds; unchanged if that is empty, too long or what it had.

    Texts that differ in blanks alone are one text, under one name; a text that a prompt file has is that prompt.
    """
    text = _plain(answer)
    if not text.strip("` ") or len(text) > LONGEST or text == _plain(_text(node, prompts)):
        return node
    named = next((name for name in prompts.names(node.role) if _plain(prompts.text(node.role, name)) == text), None)
    if named is not None:
        return replace(node, prompt=named, text=None)
    return replace(node, prompt=f"own-{hashlib.sha256(text.encode()).hexdigest()[:8]}", text=text)


def _text(node: NodeGene, prompts: PromptBook) -> str:
    assert node.prompt is not None  # only nodes that call a model are rewritten
    return node.text or prompts.text(node.role, node.prompt)


def _plain(answer: str) -> str:
    """An answer without the fence, the heading or the quotes that models put around it, blanks made single."""
    answer = re.sub(r"<\|.*?\|>", " ", answer)  # marks of chat templates
    text = re.sub(r"^\s*(\*\*)?(new )?instructions:?(\*\*)?:?\s*", "", answer.strip(), flags=re.IGNORECASE)
    fenced = re.fullmatch(r"`{3,}\w*\n(.*?)\n?`{3,}", text.strip(), flags=re.DOTALL)
    text = fenced.group(1) if fenced else text
    lines = (" ".join(line.split()) for line in text.strip().strip('"').splitlines())
    return "\n".join(line for line in lines if line)


def _fenced(text: str) -> str:
    return f"```\n{re.sub('`{3,}', ' ', text[:_CODE]).strip()}\n```"
