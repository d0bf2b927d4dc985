"""What ranks a genome, term by term."""

import pytest

from evo.evaluation import Estimate
from evo.evolution import parse_evolution_config
from evo.genome import Role, read_genome
from evo.pipeline import PromptBook
from evo.resources import genome_path
from evo.run import parse_settings, read_preset
from evo.run.settings import ini_sections
from evo.run.terms import terms_of

SELF_REFINE = read_genome(genome_path("self-refine"))  # three nodes
MEASURED = Estimate(mean=0.5, stderr=0.1, replicates=2, problems=10)


def terms(**changes):
    text = read_preset("laptop", {f"evaluation.{key}": value for key, value in changes.items()})
    prompts = PromptBook.load()
    names = {role.value: prompts.names(role) for role in Role if role.calls_model}
    evolution = parse_evolution_config(ini_sections(text), source="laptop", models=["m"], prompts=names)
    return terms_of(parse_settings(text, "laptop"), evolution)


def test_each_term_is_in_solve_rate_and_has_its_own_price():
    found = terms(caution="2", token_price="0.05", graded="0.01")
    assert found.size(SELF_REFINE) == pytest.approx(3 * 0.02)
    assert found.price(SELF_REFINE, tokens=500) == pytest.approx(0.06 + 0.025)
    assert found.fitness(MEASURED, shown=0.5, price=0.085) == pytest.approx(0.5 - 0.2 + 0.005 - 0.085)


def test_by_default_neither_tokens_nor_visible_tests_count():
    found = terms()
    assert found.price(SELF_REFINE, tokens=10_000) == found.size(SELF_REFINE)
    assert found.fitness(MEASURED, shown=1.0, price=0.0) == pytest.approx(0.4)


def test_nodes_have_no_price_where_tokens_are_an_objective():
    assert terms(objectives="accuracy,tokens").price(SELF_REFINE, tokens=500) == 0.0
