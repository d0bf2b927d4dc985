"""The evolution's part of an INI file: neat-python's sections, checked."""

import configparser
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evo.errors import UserError
from evo.evolution.reproduction import PipelineReproduction, ReproductionSettings
from evo.evolution.species import PipelineSpeciesSet, SpeciesSettings
from evo.evolution.stagnation import PipelineStagnation, StagnationSettings
from evo.genome import PipelineGenome, Role, Space
from evo.genome.settings import Setting, choice, flag, integer, number, read_section

__all__ = ["EvolutionConfig", "load_evolution_config", "parse_evolution_config"]

# What neat-python's own Config requires of [NEAT], so that the file stays one of its files. Two values are fixed: its
# minimising is broken in 2.0.0, and its threshold would end a run on one lucky score.
_NEAT = (
    Setting("pop_size", integer(2)),
    Setting("fitness_criterion", choice("max")),
    Setting("fitness_threshold", number(float("-inf"))),
    Setting("no_fitness_termination", flag(True)),
    Setting("reset_on_extinction", flag(True, False)),
)


@dataclass(frozen=True, slots=True)
class EvolutionConfig:
    """All that decides an evolution's course besides its seed and the fitness it is told."""

    space: Space
    population: int
    reset_on_extinction: bool
    species: SpeciesSettings
    stagnation: StagnationSettings
    reproduction: ReproductionSettings


def load_evolution_config(
    path: Path, *, models: Sequence[str], prompts: Mapping[str, Sequence[str]]
) -> EvolutionConfig:
    """Read [NEAT], [PipelineGenome], [PipelineSpeciesSet], [PipelineStagnation], [PipelineReproduction]; ignore others.

    models: the pool. prompts: names of prompts per role. Raises UserError: one line naming file, section.key and fault.
    """
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"), source=str(path))
    except OSError as error:
        raise UserError(f"{path}: cannot read the configuration: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: cannot read the configuration: not UTF-8 text") from None
    except configparser.Error as error:
        raise UserError(f"{path}: {_syntax(error)}") from None
    sections = {name: dict(parser.items(name)) for name in parser.sections()}
    return parse_evolution_config(sections, source=str(path), models=models, prompts=prompts)


def parse_evolution_config(
    sections: Mapping[str, Mapping[str, str]],
    *,
    source: str,
    models: Sequence[str],
    prompts: Mapping[str, Sequence[str]],
) -> EvolutionConfig:
    """The same from sections already read (raw text by section and key). ``source`` names them in errors."""
    try:
        neat = read_section("NEAT", _section(sections, "NEAT"), _NEAT)
        space = PipelineGenome.parse_config(_section(sections, "PipelineGenome")).space
        species = PipelineSpeciesSet.parse_config(_section(sections, "PipelineSpeciesSet"))
        stagnation = PipelineStagnation.parse_config(_section(sections, "PipelineStagnation"))
        reproduction = PipelineReproduction.parse_config(_section(sections, "PipelineReproduction"))
        _check_elitism(reproduction.elitism, neat["pop_size"])
        _check_pool(space, models, prompts)
    except UserError as error:
        raise UserError(f"{source}: {error}") from None
    return EvolutionConfig(
        space=space.with_pool(models, prompts),
        population=neat["pop_size"],
        reset_on_extinction=neat["reset_on_extinction"],
        species=species,
        stagnation=stagnation,
        reproduction=reproduction,
    )


def _syntax(error: configparser.Error) -> str:
    match error:
        case configparser.DuplicateOptionError():
            return f"line {error.lineno}: {error.section}.{error.option} is there twice"
        case configparser.DuplicateSectionError():
            return f"line {error.lineno}: the section [{error.section}] is there twice"
        case configparser.MissingSectionHeaderError():
            return f"line {error.lineno}: comes before any [section]"
        case configparser.ParsingError():
            line, text = error.errors[0]
            shown = text if sys.version_info < (3, 13) else repr(text)  # which had been done before
            return f"line {line}: needs the form key = value, found {shown}"
    return error.message


def _check_elitism(elitism: int, population: int) -> None:
    if elitism > population:
        needed = f"needs a whole number from 0 to NEAT.pop_size ({population})"
        raise UserError(f"PipelineReproduction.elitism = {elitism}: {needed}")


def _check_pool(space: Space, models: Sequence[str], prompts: Mapping[str, Sequence[str]]) -> None:
    if not models:
        raise UserError("the pool has no models; name at least one")
    wired = {port.role for port in space.wiring.outputs}
    for role in Role:
        if role in wired and role.calls_model and not prompts.get(role.value):
            raise UserError(f"there is no prompt for the role {role}; add a file for it")


def _section(sections: Mapping[str, Mapping[str, str]], name: str) -> Mapping[str, str]:
    if name not in sections:
        raise UserError(f"the section [{name}] is missing")
    return sections[name]
