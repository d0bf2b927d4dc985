"""Studies on the SIMULATED pool by the thousand: the same plans, seeds and estimates, without server, sandbox or disk.

Everything that these benchmarks say is about evo's statistics, on models whose true solve rates are known. It says
nothing about real models.
"""

from collections.abc import Sequence
from functools import cache

from evo.evaluation import Cell, Measurement, seeds_for
from evo.evaluation.truth import Truth
from evo.genome import Genome, read_genome, with_models
from evo.models import Chat, Completion
from evo.models.simulated import Defect, PoolParameters, SimulatedBackend
from evo.pipeline import Effect, Execute, PipelineSettings, Plan, PromptBook, Reply, Trace, compile_genome, run
from evo.resources import genome_path
from evo.sandbox import Verdict
from evo.tasks import Check, Problem, load_problems

__all__ = ["Pool", "shipped"]


def shipped(name: str, model: str) -> Genome:
    """A genome that ships with evo, all of its nodes on one model."""
    genome = read_genome(genome_path(name))
    return with_models(genome, {node.model: model for node in genome.nodes if node.model})


class Pool:
    """Problems and simulated models; measures cells in process and knows the truth about every plan."""

    def __init__(
        self,
        models: Sequence[str],
        settings: PipelineSettings | None = None,
        parameters: PoolParameters | None = None,
    ) -> None:
        self.problems = load_problems("humaneval")
        self.backend = SimulatedBackend(self.problems, models=tuple(models), parameters=parameters)
        self.prompts = PromptBook.load()
        self.settings = settings or PipelineSettings()
        self.calls = 0  # distinct calls of the study so far
        self._answers: dict[Chat, Completion] = {}
        self._truth: dict[str, dict[str, float]] = {}
        self._judged = cache(self._judge)
        self._truly = Truth(self.problems, self.backend, self.backend.verdict)

    def compile(self, genome: Genome) -> Plan:
        """The genome's plan under this pool's settings."""
        return compile_genome(genome, self.settings, self.prompts)

    def new_study(self) -> None:
        """Forget the calls that were made: they belong to one study seed."""
        self._answers.clear()
        self.calls = 0

    async def cells(self, wanted: Sequence[Measurement], seed: int) -> tuple[Cell, ...]:
        """Measure, in the order wanted. A call that the study has made before is not counted again."""
        return tuple([await self._cell(one, seed) for one in wanted])

    def truth(self, plan: Plan) -> dict[str, float]:
        """By problem id, the probability that one run of the plan solves it: exact."""
        if plan.digest not in self._truth:
            self._truth[plan.digest] = self._truly.rates(plan)
        return self._truth[plan.digest]

    async def _cell(self, one: Measurement, seed: int) -> Cell:
        pipeline = run(one.plan, one.problem, seeds_for(seed, one.purpose, one.problem.id, one.replicate))
        effects = next(pipeline)
        while True:
            try:
                effects = pipeline.send(tuple([await self._reply(effect, one.problem) for effect in effects]))
            except StopIteration as end:
                trace: Trace = end.value
                return Cell(
                    one.plan.digest, one.problem.id, one.purpose, one.replicate,
                    self.backend.oracle(one.problem.id, trace.answer) is Defect.CORRECT,
                    calls=trace.calls, prompt_tokens=sum(step.prompt_tokens for step in trace.steps),
                    completion_tokens=sum(step.completion_tokens for step in trace.steps),
                )  # fmt: skip

    async def _reply(self, effect: Effect, problem: Problem) -> Reply:
        if isinstance(effect, Execute):
            return self._judged(problem.id, effect.code, effect.tests)
        if effect not in self._answers:
            self._answers[effect] = await self.backend.chat(effect)
            self.calls += 1
        return self._answers[effect]

    def _judge(self, problem: str, code: str, tests: Check | None) -> Verdict:
        found = self._by_id[problem]
        return self.backend.verdict(found, code, tests or found.visible)

    @property
    def _by_id(self) -> dict[str, Problem]:
        return {problem.id: problem for problem in self.problems}
