"""The course of a search is what its version says: whoever changes it raises the version, and old runs are refused."""

import asyncio
import json
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from zlib import crc32

import pytest

from evo.evaluation import Cell, Store
from evo.evolution import BEHAVIOUR, parse_evolution_config
from evo.genome import Role
from evo.pipeline import PromptBook
from evo.run import Observer, Progress, parse_settings, read_preset
from evo.run.draw import ProblemDraw
from evo.run.loop import Course
from evo.run.settings import ini_sections
from evo.tasks import Check, Problem

COURSES = {"linear": "085c56360f94", "graph": "124c276ac1ee"}
CHECK = Check("def check(candidate):\n    assert candidate(1) == 1\n", 1)
PROBLEMS = tuple(Problem(f"P{k}", "a problem", "", "f", "", CHECK, CHECK, "") for k in range(6))


class Judged:
    """Outcomes that follow from what a plan's nodes do, and from nothing that is versioned elsewhere."""

    async def measure(self, wanted):
        return tuple(self._cell(one) for one in wanted)

    def _cell(self, one):
        acts = [(node.role.value, node.model, node.temperature) for node in one.plan.nodes]
        drawn = crc32(repr((acts, one.problem.id, one.purpose.value, one.replicate)).encode())
        key = (one.plan.digest, one.problem.id, one.purpose, one.replicate)
        return Cell(*key, solved=drawn % 3 == 0, calls=1, prompt_tokens=100 * len(acts), completion_tokens=50)


def course(space: str, folder: Path) -> str:
    """A digest of all genomes, parents and species of a search."""
    names = {role: {name: f"{role} {name}" for name in ("one", "two")} for role in Role if role.calls_model}
    prompts = PromptBook(MappingProxyType({role: MappingProxyType(texts) for role, texts in names.items()}))
    changes = {"PipelineGenome.space": space, "run.generations": "8", "NEAT.pop_size": "16"}
    text = read_preset(str(Path(__file__).with_name("behaviour.ini")), changes)
    settings = parse_settings(text, "behaviour.ini")
    config = parse_evolution_config(
        ini_sections(text),
        source="behaviour.ini",
        models=("a", "b"),
        prompts={role.value: tuple(texts) for role, texts in names.items()},
    )
    store = Store(folder / "run.sqlite")
    draw, progress = ProblemDraw((PROBLEMS,), PROBLEMS, PROBLEMS, False), Progress("", settings, generations=8)
    policy = settings.evaluation.chosen_policy()
    search = Course(settings, config, prompts, draw, policy, Judged(), store, progress, Observer())
    asyncio.run(search.evolve())
    generations = [json.loads(record)["individuals"] for _, record in store.generations()]
    store.close()
    assert len(generations) == 8
    told = [[one[key] for key in ("key", "parents", "species", "genome")] for each in generations for one in each]
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


@pytest.mark.parametrize("space", COURSES)
def test_a_seed_leads_where_this_version_of_the_search_says(space, tmp_path):
    assert BEHAVIOUR == 2
    assert course(space, tmp_path) == COURSES[space], (
        "operators, speciation, selection or a policy changed what a seed leads to: raise BEHAVIOUR in "
        "evo/evolution/loop.py, so that runs begun before are refused and not continued, and note its course"
    )
