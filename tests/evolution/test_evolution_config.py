"""The presets hold what they claim; anything odd in an INI file gets one line."""

from pathlib import Path

import pytest

from evo.errors import UserError
from evo.evolution import load_evolution_config
from evo.genome import Feedback, Rates
from evo.resources import resource_folder

PROMPTS = {"generator": ["plain"], "analyzer": ["cause"], "refiner": ["fix"]}


def load(path: Path):
    return load_evolution_config(path, models=["m"], prompts=PROMPTS)


def test_the_study_preset_is_as_published():
    config = load(resource_folder("configs") / "study.ini")
    assert config.population == 20
    assert (config.reproduction.elitism, config.reproduction.tournament_size) == (2, 3)
    assert config.reproduction.parsimony_per_node == 0.02
    assert config.species.target_species == (3, 5)
    space = config.space
    assert space.rates == Rates()
    assert (space.rates.add_stage, space.rates.add_analyzer, space.rates.remove_node) == (0.04, 0.05, 0.18)
    assert (space.rates.swap_model, space.rates.change_prompt, space.rates.iterations) == (0.25, 0.30, 0.10)
    assert (space.rates.temperature, space.rates.temperature_sigma) == (0.20, 0.08)
    assert (space.max_nodes, space.stages, space.iterations, space.temperature) == (8, (1, 3), (1, 3), (0.05, 1.2))
    assert (space.temperature_step, space.feedback) == (0, (Feedback.TRACEBACK,))
    assert space.initial.generator_temperature == (0.2, 0.6)
    assert (space.initial.refiner_temperature, space.initial.iterations) == ((0.1, 0.4), (1, 2, 2))


def test_the_laptop_preset_is_small_and_on_a_grid():
    config = load(resource_folder("configs") / "laptop.ini")
    assert (config.population, config.reproduction.elitism) == (6, 2)
    assert (config.space.temperature, config.space.temperature_step) == ((0.2, 1.0), 0.4)
    assert config.space.feedback == tuple(Feedback)
    assert config.space.rates == Rates(feedback=0.20)


def test_the_pool_comes_from_the_caller():
    config = load(resource_folder("configs") / "tiny.ini")
    assert config.space.models == ("m",)
    assert dict(config.space.prompts) == {"generator": ("plain",), "analyzer": ("cause",), "refiner": ("fix",)}


def test_other_sections_are_ignored(tmp_path):
    text = (resource_folder("configs") / "tiny.ini").read_text()
    path = tmp_path / "a.ini"
    path.write_text(text + "\n[somebody]\nrate = 100%\nelse = 1\n")
    assert load(path) == load(resource_folder("configs") / "tiny.ini")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("pop_size = 4", "pop_size = 1", "NEAT.pop_size = 1: needs a whole number of at least 2"),
        ("pop_size = 4", "pop_size = four", "NEAT.pop_size = four: needs a whole number of at least 2"),
        ("pop_size = 4", "pop_size = 4.5", "NEAT.pop_size = 4.5: needs a whole number of at least 2"),
        ("pop_size = 4", "pop_size =", "NEAT.pop_size = : needs a whole number of at least 2"),
        (
            "pop_size = 4",
            "pop_size = 4  # small",
            "NEAT.pop_size = 4  # small: needs a whole number of at least 2; a comment needs a line of its own",
        ),
        ("pop_size = 4", "popsize = 4", "NEAT.popsize: unknown key; did you mean NEAT.pop_size?"),
        ("pop_size = 4", "", "NEAT.pop_size: missing"),
        ("pop_size = 4", "pop_size = 4\nseed = 3", "NEAT.seed: unknown key; known: pop_size, "),
        ("fitness_criterion = max", "fitness_criterion = min", "NEAT.fitness_criterion = min: needs one of max"),
        (
            "no_fitness_termination = True",
            "no_fitness_termination = no",
            "NEAT.no_fitness_termination = no: needs True",
        ),
        (
            "elitism = 1\ntour",
            "elitism = 9\ntour",
            "PipelineReproduction.elitism = 9: needs a whole number from 0 to NEAT",
        ),
        ("elitism = 1\ntour", "elitism = -1\ntour", "PipelineReproduction.elitism = -1: needs a whole number of at"),
        (
            "rate_swap_model = 0.25",
            "rate_swap_model = -1",
            "PipelineGenome.rate_swap_model = -1: needs a number from 0",
        ),
        (
            "rate_swap_model = 0.25",
            "rate_swap_model = nan",
            "PipelineGenome.rate_swap_model = nan: needs a number from",
        ),
        (
            "rate_swap_model = 0.25",
            "rate_swap_model = 25%",
            "PipelineGenome.rate_swap_model = 25%: needs a number from",
        ),
        (
            "rate_swap_model",
            "rate_swapmodel",
            "PipelineGenome.rate_swapmodel: unknown key; did you mean PipelineGenome.",
        ),
        ("\nstages = 1 3", "\nstages = 3 1", "PipelineGenome.stages = 3 1: needs two whole numbers, least then most"),
        ("\nstages = 1 3", "\nstages = 1", "PipelineGenome.stages = 1: needs two whole numbers, least then most"),
        (
            "\nstages = 1 3",
            "\nstages = 4 5",
            "PipelineGenome.max_nodes = 8: needs at least 9, the nodes of the smallest",
        ),
        (
            "\ntemperature = 0.2 1.0",
            "\ntemperature = 0.2 9",
            "PipelineGenome.temperature = 0.2 9: needs two numbers, least",
        ),
        ("feedback = type traceback values", "feedback = type all", "PipelineGenome.feedback = type all: needs one or"),
        (
            "initial_iterations = 1 2 2",
            "initial_iterations = 1 5",
            "PipelineGenome.initial_iterations: needs values within",
        ),
        (
            "initial_iterations = 1 2 2",
            "initial_iterations =",
            "PipelineGenome.initial_iterations = : needs one or more",
        ),
        ("target_species = 2 3", "target_species = 0 3", "PipelineSpeciesSet.target_species = 0 3: needs two whole"),
        ("threshold_step = 0.1", "threshold_step = 0", "PipelineSpeciesSet.threshold_step = 0: needs a number of at"),
        ("max_stagnation = 3", "max_stagnation = 0", "PipelineStagnation.max_stagnation = 0: needs a whole number of"),
        ("[PipelineStagnation]", "[Stagnation]", "the section [PipelineStagnation] is missing"),
    ],
)
def test_bad_input_gets_one_line_with_file_section_and_key(tmp_path, old, new, line):
    text = (resource_folder("configs") / "tiny.ini").read_text()
    assert old in text
    path = tmp_path / "bad.ini"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UserError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: {line}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[NEAT]\npop_size = 4\npop_size = 5", "line 3: NEAT.pop_size is there twice"),
        ("[NEAT]\n[NEAT]", "line 2: the section [NEAT] is there twice"),
        ("\npop_size = 4", "line 2: comes before any [section]"),
        ("[NEAT]\npop_size", "line 2: needs the form key = value, found 'pop_size'"),
        ("", "the section [NEAT] is missing"),
    ],
)
def test_a_file_that_is_no_ini_gets_one_line_with_its_line_number(tmp_path, text, line):
    path = tmp_path / "bad.ini"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: {line}"


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match=r"none\.ini: cannot read the configuration: No such file"):
        load(tmp_path / "none.ini")
    (tmp_path / "b.ini").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="not UTF-8"):
        load(tmp_path / "b.ini")


def test_an_empty_pool_is_refused():
    path = resource_folder("configs") / "tiny.ini"
    with pytest.raises(UserError, match="the pool has no models"):
        load_evolution_config(path, models=[], prompts=PROMPTS)
    with pytest.raises(UserError, match="there is no prompt for the role analyzer"):
        load_evolution_config(path, models=["m"], prompts=PROMPTS | {"analyzer": []})
