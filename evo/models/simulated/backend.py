"""The simulated backend: answers drawn from a known distribution."""

from bisect import bisect_right
from collections.abc import Sequence
from hashlib import sha256
from itertools import accumulate

from evo.errors import UserError
from evo.models.backend import ModelInfo, ModelMissing
from evo.models.chat import Chat, Completion
from evo.models.simulated.asserts import answers_of, is_wrong
from evo.models.simulated.drafts import Defect, Draft, drafts_of
from evo.models.simulated.parameters import PoolParameters
from evo.models.simulated.response import Request, draft_chances, uniform
from evo.sandbox.verdict import FailedAssert, Status, Verdict
from evo.tasks.problem import Check, Problem

__all__ = ["SimulatedBackend"]

_POOL = ("gemma3:1b", "qwen2.5:1.5b", "llama3.2:3b")  # the study's search
_SLOTS = 64
_CHARACTERS_PER_TOKEN = 4
_ANALYZER, _PLANNER, _TESTER = "analyzer", "planner", "tester"
_REWRITER = "rewriter"  # of prompts; asks about no problem
_TASK = "\nTask:\n"  # what stands before the prompt in a pipeline's messages
_DIAGNOSES = {
    Defect.CORRECT: "No fault is to be seen: the code does what the problem asks for.",
    Defect.SYNTAX: "SyntaxError: a bracket in the function's last line is never closed.",
    Defect.NAME: "NameError: the function's last line misspells a name.",
    Defect.TYPE: "TypeError: the function's last line mixes types that do not go together.",
    Defect.VALUE: "AssertionError: the code runs, but the value that it returns is off at the last step.",
}
_PLAN = "1. Read the input.\n2. Work out the result, edge cases first.\n3. Return it."
_NOTHING = "There is no code to look at."

# Cumulative chances and texts of one request.
_Table = tuple[tuple[float, ...], tuple[str, ...]]


class SimulatedBackend:
    """A pool of simulated models that knows the given problems. SIMULATED: nothing it says is about real models."""

    name = "simulated"
    simulated = True

    def __init__(
        self,
        problems: Sequence[Problem],
        *,
        models: Sequence[str] | None = None,
        parameters: PoolParameters | None = None,
    ) -> None:
        """models: the pool's names; None for the study's three. Raises ModelMissing for an unknown model.

        A problem's reference is read when it is first asked about; UserError if that is no program.
        """
        self.parameters = parameters or PoolParameters.fitted()
        self.models = tuple(models) if models is not None else _POOL
        for model in self.models:
            self._check(model)
        self._problems = {problem.id: problem for problem in problems}
        self._drafts: dict[str, tuple[Draft, ...]] = {}
        self._tables: dict[Request, _Table] = {}

    # -- the protocol of backends ----------------------------------------------------------------------------------

    async def describe(self, model: str) -> ModelInfo:
        """Facts about a model; its digest is that of the parameters and its name. Raises ModelMissing."""
        self._check(model)
        return ModelInfo(
            name=model,
            digest=sha256(f"{self.parameters.digest} {model}".encode()).hexdigest(),
            backend=self.name,
            quantization="",
            parameters="",
            context=4096,
            server_version="SIMULATED",
        )

    async def prepare(self, model: str, context: int) -> frozenset[str]:
        """There is nothing to load. Raises ModelMissing."""
        self._check(model)
        return frozenset(self.models)

    async def chat(self, chat: Chat) -> Completion:
        """The answer that the seed draws, at once: inverse-CDF sampling, best draft first.

        The uniform number is a hash of (seed, problem, role), not of model, prompt or temperature: with common seeds,
        a better pipeline solves almost everything that a worse one solves. Raises ModelMissing, and UserError for a
        problem that it was not given.
        """
        if chat.role == _REWRITER:
            self._check(chat.model)
            return _completion(chat, _instructions(chat))
        cumulative, texts = self._table(chat)
        draw = bisect_right(cumulative, uniform(chat.seed, chat.problem, chat.role))
        return _completion(chat, texts[min(draw, len(texts) - 1)])

    def slots(self, model: str) -> int:
        """Any number would do; enough to keep a scheduler's queues busy."""
        return _SLOTS

    async def aclose(self) -> None:
        """Nothing is open."""

    # -- what only a simulated pool can tell -----------------------------------------------------------------------

    def distribution(self, chat: Chat) -> tuple[tuple[float, str], ...]:
        """(probability, text) of every possible answer, whatever the seed; the probabilities are > 0 and sum to 1."""
        cumulative, texts = self._table(chat)
        steps = zip((0.0, *cumulative), cumulative, texts, strict=False)
        return tuple((high - low, text) for low, high, text in steps if high > low)

    def oracle(self, problem: str, code: str) -> Defect | None:
        """The defect of the draft of this problem that a text quotes; None if it quotes none."""
        index = self._held(problem, code)
        return None if index is None else self._known(problem)[index].defect

    def verdict(self, problem: Problem, code: str, check: Check) -> Verdict:
        """What running one of our own drafts would say, without running it: against the problem's tests, or against
        an assert of a simulated tester.

        Raises ValueError for code that is none of this problem's drafts.
        """
        index = self._held(problem.id, code)
        if index is None:
            raise ValueError(f"{problem.id}: this code is no draft of the simulated pool")
        return _verdict(self._known(problem.id)[index], check)

    # -- the distribution of one request ---------------------------------------------------------------------------

    def _table(self, chat: Chat) -> _Table:
        request = self._request(chat)
        table = self._tables.get(request)
        if table is None:
            self._tables[request] = table = self._build(request)
        return table

    def _build(self, request: Request) -> _Table:
        drafts = self._known(request.problem)
        if request.role == _ANALYZER:
            return (1.0,), (_NOTHING if request.held is None else _DIAGNOSES[drafts[request.held].defect],)
        if request.role == _PLANNER:
            return (1.0,), (_PLAN,)
        if request.role == _TESTER:
            chances, texts = zip(*answers_of(self._problems[request.problem], self.parameters.testing), strict=True)
            return _cumulative(chances), texts
        chances = draft_chances(self.parameters, request, drafts)
        # Best first: correct, what there was, the others; models' numbers move the borders and nothing else.
        order = sorted(range(len(drafts)), key=lambda index: (index != 0, index != request.held, index))
        likely = [index for index in order if chances[index] > 0]
        return _cumulative([chances[index] for index in likely]), tuple(drafts[index].answer for index in likely)

    def _request(self, chat: Chat) -> Request:
        self._check(chat.model)
        problem = self._problems.get(chat.problem)
        if problem is None:
            raise UserError(f"the simulated pool was not told of problem {chat.problem!r}; give it all problems")
        text = "\n".join(message.content for message in chat.messages)
        prompt = text.rpartition(_TASK)[2]
        held = self._held(problem.id, text)
        analysed = held is not None and _DIAGNOSES[self._known(problem.id)[held].defect] in text
        of_chat = (problem.id, problem.suite, chat.model, chat.role, prompt, chat.temperature)
        return Request(*of_chat, held, analysed, planned=_PLAN in text)

    def _held(self, problem: str, text: str) -> int | None:
        return next((index for index, draft in enumerate(self._known(problem)) if draft.mark in text), None)

    def _known(self, problem: str) -> tuple[Draft, ...]:
        drafts = self._drafts.get(problem)
        if drafts is None:
            self._drafts[problem] = drafts = drafts_of(self._problems[problem])
        return drafts

    def _check(self, model: str) -> None:
        if model not in self.parameters.breaking:
            known = ", ".join(self.parameters.models)
            raise ModelMissing(f"the simulated pool has no model {model!r}; choose from {known}")


def _completion(chat: Chat, text: str) -> Completion:
    """The text as a completion: token counts from lengths alone, no time spent. Answers are never cut."""
    prompt = sum(len(message.content) for message in chat.messages)
    return Completion(text, prompt // _CHARACTERS_PER_TOKEN + 1, len(text) // _CHARACTERS_PER_TOKEN + 1, 0.0, "stop")


def _instructions(chat: Chat) -> str:
    """A prompt that no file has, one of a hundred. Like any prompt it moves a model in a role by chance."""
    number = int(100 * uniform(chat.seed, _REWRITER, *(message.content for message in chat.messages)))
    return f"SIMULATED instructions {number}. Answer with one ```python block and nothing else."


def _cumulative(chances: Sequence[float]) -> tuple[float, ...]:
    return (*list(accumulate(chances))[:-1], 1.0)


def _verdict(draft: Draft, check: Check) -> Verdict:
    """Without tests nothing is called, and only a SYNTAX draft shows its defect."""
    defect, units = draft.defect, check.units
    if defect is Defect.SYNTAX:
        return Verdict(Status.LOAD_ERROR, defect.value, units=units)
    if not units:
        return Verdict(Status.NO_CALL, "NoCall")
    if defect is Defect.CORRECT and is_wrong(check):
        return Verdict(Status.ASSERTION, Defect.VALUE.value, units=units)
    if defect is Defect.CORRECT:
        return Verdict(Status.PASSED, passed_units=units, units=units)
    if defect is Defect.VALUE:
        return Verdict(
            Status.ASSERTION, defect.value, failed=FailedAssert("", "", f"wrong value {draft.variant}", ""), units=units
        )
    return Verdict(Status.EXCEPTION, defect.value, units=units)
