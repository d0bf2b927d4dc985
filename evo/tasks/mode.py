"""Which tests may give feedback: from a suite's task, with its tests in one body, to a Problem."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from evo.tasks.body import Body
from evo.tasks.problem import Check, Problem

__all__ = ["Mode", "Task"]


class Mode(StrEnum):
    """How tests are divided. all: every test is visible and hidden (the study's). split: by a seeded draw per problem.

    examples: the prompt's own examples are visible, everything else is hidden.
    """

    ALL = "all"
    SPLIT = "split"
    EXAMPLES = "examples"


@dataclass(frozen=True, slots=True)
class Task:
    """A task as its suite has it.

    prompt: from the asserts that may be shown to what a model is asked. tests: all of them. examples: the prompt's own.
    always_hidden: tests (indices into ``tests``) that no mode but ``all`` shows, however many there are.
    """

    id: str
    suite: str
    prompt: Callable[[str], str]
    entry_point: str
    stub: str
    reference: str
    tests: Body
    examples: Body
    always_hidden: frozenset[int] = frozenset()

    def problem(self, mode: Mode, seed: int) -> Problem:
        """Divide the tests. There is always a hidden test; there may be no visible one."""
        visible, hidden = _DIVIDE[mode](self, seed)
        return Problem(
            id=self.id,
            suite=self.suite,
            prompt=self.prompt(visible.shown),
            entry_point=self.entry_point,
            stub=self.stub,
            visible=visible,
            hidden=hidden,
            reference=self.reference,
        )


def _all(task: Task, seed: int) -> tuple[Check, Check]:
    check = task.tests.check()
    return check, check


def _split(task: Task, seed: int) -> tuple[Check, Check]:
    """Half of the tests; where there is only one, it is hidden and the prompt's other examples are visible."""
    visible = task.tests.half(seed, task.id, but=task.always_hidden)
    if not visible:
        return task.examples.check(task.examples.but(task.tests)), task.tests.check()
    return task.tests.check(visible), task.tests.check(i for i in task.tests.tests if i not in visible)


def _examples(task: Task, seed: int) -> tuple[Check, Check]:
    """The prompt's examples; where they are all the tests there are, these stay hidden."""
    hidden = task.tests.but(task.examples)
    if not hidden:
        return task.examples.check(task.examples.but(task.tests)), task.tests.check()
    return task.examples.check(), task.tests.check(hidden)


_DIVIDE: dict[Mode, Callable[[Task, int], tuple[Check, Check]]] = {
    Mode.ALL: _all,
    Mode.SPLIT: _split,
    Mode.EXAMPLES: _examples,
}
