"""The pipelines that a search begins with: named by the settings, kept in the run's record."""

import json
from collections.abc import Sequence

from evo.errors import UserError
from evo.evaluation import Store
from evo.genome import Genome, InnovationTracker, Space, adopt, dumps, faults, loads, read_genome, with_models
from evo.resources import genome_path
from evo.run.damage import reading
from evo.run.folder import RunFolder

__all__ = ["read_founders"]


def read_founders(names: Sequence[str], space: Space, store: Store, folder: RunFolder) -> tuple[Genome, ...]:
    """The founders, as the run was begun with them: their files are not needed to continue it.

    names: genomes that ship with evo, and files. One that has a single model stands for as many founders as the space
    has models, each with one of them throughout. Raises UserError for what cannot be read or is not in the space.
    """
    if (kept := store.meta("founders")) is not None:
        with reading(folder.database, "what it says of its founders"):
            return tuple(loads(text, source="founders") for text in json.loads(kept))
    founders = [founder for name in names for founder in _variants(name, space)]
    store.put_meta("founders", json.dumps([dumps(founder) for founder in founders]))
    return tuple(founders)


def _variants(name: str, space: Space) -> Sequence[Genome]:
    genome = read_genome(genome_path(name))
    models = {node.model for node in genome.nodes if node.model}
    variants = [with_models(genome, dict.fromkeys(models, model)) for model in space.models]
    found = [genome] if len(models) > 1 else variants
    for one in found:
        if wrong := faults(adopt(one, space, InnovationTracker()), space):
            raise UserError(f"[run] founders: {name}: {wrong[0]}")
    return found
