"""Genomes, problems and scripted replies for the tests of the pipeline."""

from collections.abc import Callable
from dataclasses import dataclass

from evo.genome.genes import OUTPUT_ID, TASK_ID, ConnectionGene, Feedback, Genome, NodeGene, Role
from evo.models.chat import Chat, Completion
from evo.pipeline import Effect, Execute, Plan, Reply, Trace, run
from evo.sandbox.verdict import Status, Verdict
from evo.tasks.problem import Problem

STUB = 'from typing import List\n\n\ndef add(a: List[int]) -> int:\n    """Sum of a. add([1, 2]) == 3"""\n'


@dataclass(frozen=True)
class Stage:
    """One refinement stage to build a genome from."""

    prompt: str = "fix"
    model: str = "big"
    iterations: int = 1
    analyzer: str = ""
    feedback: Feedback = Feedback.VALUES
    temperature: float = 0.2


def linear(*stages: Stage, model: str = "small", prompt: str = "plain", execute: bool = True) -> Genome:
    """task -> generator -> stages -> output, in the shape of the genome room."""
    nodes = [NodeGene(TASK_ID, Role.TASK), NodeGene(OUTPUT_ID, Role.OUTPUT)]
    pairs: list[tuple[int, int]] = []

    def add(role: Role, *sources: int, **fields: object) -> int:
        nodes.append(NodeGene(len(nodes), role, **fields))  # type: ignore[arg-type]
        pairs.extend((source, nodes[-1].id) for source in sources)
        return nodes[-1].id

    here = add(Role.GENERATOR, TASK_ID, model=model, prompt=prompt, temperature=0.4)
    last = here
    for s in stages:
        last = executor = add(Role.EXECUTOR, here, feedback=s.feedback)
        here = executor
        if s.analyzer:
            here = add(Role.ANALYZER, here, model=s.model, prompt=s.analyzer, temperature=s.temperature)
        here = add(
            Role.REFINER, here, model=s.model, prompt=s.prompt, temperature=s.temperature, iterations=s.iterations
        )
        pairs.append((here, executor))
    if not stages and execute:
        last = add(Role.EXECUTOR, here, feedback=Feedback.VALUES)
    pairs.append((last, OUTPUT_ID))
    return Genome(tuple(nodes), tuple(ConnectionGene(n, *pair) for n, pair in enumerate(pairs)))


def completion(text: str) -> Completion:
    return Completion(text, prompt_tokens=10, completion_tokens=5, seconds=0.1, finish="stop")


def fenced(body: str) -> str:
    return f"```python\ndef add(a):\n    {body}\n```"


def failed(passed: int = 0) -> Verdict:
    return Verdict(Status.ASSERTION, "AssertionError", passed_units=passed, units=3)


PASSED = Verdict(Status.PASSED, passed_units=3, units=3)


@dataclass
class Played:
    """A run that was played to its end: what it asked for, and its trace."""

    batches: list[tuple[Effect, ...]]
    trace: Trace

    @property
    def effects(self) -> list[Effect]:
        return [effect for batch in self.batches for effect in batch]

    @property
    def chats(self) -> list[Chat]:
        return [effect for effect in self.effects if isinstance(effect, Chat)]

    @property
    def executed(self) -> list[str]:
        return [effect.code for effect in self.effects if isinstance(effect, Execute) and effect.tests is None]


def play(
    plan: Plan,
    problem: Problem,
    answers: Callable[[Chat], str],
    verdicts: Callable[[str], Verdict],
    own: Callable[[Execute], Verdict] = lambda effect: failed(),
) -> Played:
    """Drive a run with functions in the place of models and sandbox. Seeds are 100 + the call's position.

    own: the verdict on a test of a tester's own.
    """
    pipeline = run(plan, problem, lambda position: 100 + position)
    batches: list[tuple[Effect, ...]] = []
    replies: tuple[Reply, ...] | None = None
    while True:
        try:
            batches.append(pipeline.send(replies) if replies is not None else next(pipeline))
        except StopIteration as stop:
            return Played(batches, stop.value)
        replies = tuple(
            completion(answers(effect))
            if isinstance(effect, Chat)
            else (verdicts(effect.code) if effect.tests is None else own(effect))
            for effect in batches[-1]
        )
