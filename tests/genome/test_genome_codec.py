"""Files: exact both ways, and one clear line for what is wrong."""

import json
import re
from dataclasses import replace
from pathlib import Path
from random import Random

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.errors import UserError
from evo.genome import InnovationTracker, Role, dumps, loads, minimal, mutate, read_genome, with_models, write_genome
from evo.genome.structure import generator, stages
from evo.resources import resource_folder

GENOMES = sorted(p for p in resource_folder("genomes").glob("*.json") if p.name != "schema.json")
SCHEMA = json.loads((resource_folder("genomes") / "schema.json").read_text())


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(0, 20))
def test_a_genome_survives_the_round_trip_exactly(busy, seed, steps):
    rng, tracker = Random(seed), InnovationTracker()
    genome = minimal(busy, rng, tracker)
    for _ in range(steps):
        genome = mutate(genome, busy, rng, tracker)
    text = dumps(genome)
    assert loads(text) == genome
    assert dumps(loads(text)) == text
    jsonschema.validate(json.loads(text), SCHEMA)


def test_name_description_and_provenance_are_carried(busy):
    genome = minimal(busy, Random(0), InnovationTracker())
    text = dumps(genome, name="näme", description="what it is", provenance={"run": "r1", "rates": [0.5, 0.25]})
    data = json.loads(text)
    assert (data["name"], data["description"]) == ("näme", "what it is")
    assert data["provenance"] == {"run": "r1", "rates": [0.5, 0.25]}
    assert loads(text) == genome
    assert text.count("\n") == len(genome.nodes) + len(genome.connections) + 10, "one gene per line"


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", GENOMES, ids=lambda p: p.stem)
def test_shipped_genomes_are_valid_and_in_canonical_form(path: Path):
    data = json.loads(path.read_text())
    jsonschema.validate(data, SCHEMA)
    assert data["name"] == path.stem
    genome = read_genome(path)
    provenance = data.get("provenance")
    again = dumps(genome, name=data["name"], description=data["description"], provenance=provenance)
    assert again == path.read_text()


def shape(name: str) -> tuple:
    genome = read_genome(resource_folder("genomes") / f"{name}.json")
    rounds = [
        (s.analyzer and s.analyzer.model.split(":")[0], s.refiner.model.split(":")[0], s.refiner.iterations)
        for s in stages(genome)
    ]
    return generator(genome).model.split(":")[0], *rounds


def test_the_studys_configurations_are_as_published():
    assert shape("solo") == ("llama3.2",)
    assert shape("self-refine") == ("llama3.2", (None, "llama3.2", 3))
    assert shape("cross-model") == ("qwen2.5", (None, "llama3.2", 3))
    assert shape("study-v2") == ("llama3.2", (None, "llama3.2", 2))
    assert shape("study-v3") == ("qwen2.5", ("llama3.2", "llama3.2", 3))
    assert shape("study-temp0") == ("qwen2.5", (None, "llama3.2", 1))


def test_shipped_genomes_name_prompts_that_exist():
    folder = Path(__file__).parents[2] / "evo" / "pipeline" / "prompts"
    for path in GENOMES:
        for node in read_genome(path).nodes:
            assert node.prompt is None or (folder / node.role / f"{node.prompt}.md").is_file(), (path.name, node)


def test_models_are_renamed():
    genome = read_genome(resource_folder("genomes") / "cross-model.json")
    renamed = with_models(genome, {"llama3.2:3b": "big"})
    assert {n.model for n in renamed.nodes if n.model} == {"qwen2.5:1.5b", "big"}
    assert with_models(genome, {}) == genome


def broken(**changes) -> str:
    """self-refine.json with node fields changed: ``n4={"iterations": 0}``; a field set to ... is removed."""
    data = json.loads((resource_folder("genomes") / "self-refine.json").read_text())
    for key, fields in changes.items():
        target = data if key == "top" else next(n for n in data["nodes"] if f"n{n['id']}" == key)
        for field, value in fields.items():
            if value is ...:
                del target[field]
            else:
                target[field] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "g.json: line 1: not JSON: Expecting value"),
        ("[" * 100_000, "g.json: nested too deeply for a genome"),
        ("[1]", "g.json: a genome is a JSON object with nodes and connections"),
        ("{}", 'g.json: not a genome file: "evo_genome": 1 is missing'),
        ('{"evo_genome": 2}', "g.json: evo_genome is 2; this version of evo reads 1"),
        ('{"evo_genome": true}', "g.json: evo_genome is True; this version of evo reads 1"),
        ('{"evo_genome": 1, "nodes": []}', "g.json: connections is missing"),
        ('{"evo_genome": 1, "nodes": {}, "connections": []}', "g.json: nodes must be a list"),
        (broken(top={"nmae": "x"}), "g.json: unknown key 'nmae', did you mean 'name'?"),
        (broken(top={"name": 3}), "g.json: name must be a string"),
        (broken(top={"nodes": [7]}), "g.json: node number 1: must be an object"),
        (broken(n4={"iteration": 2}), "g.json: node 4 (refiner): unknown key 'iteration', did you mean 'iterations'?"),
        (broken(n4={"iterations": "3"}), "g.json: node 4 (refiner): iterations '3' is not a whole number"),
        (broken(n4={"iterations": 0}), "g.json: node 4 (refiner): iterations 0 is outside 1..99"),
        (broken(n4={"iterations": None}), "g.json: node 4 (refiner): iterations None is not a whole number"),
        (broken(n4={"temperature": "hot"}), "g.json: node 4 (refiner): temperature 'hot' is not a number"),
        (broken(n4={"temperature": True}), "g.json: node 4 (refiner): temperature True is not a number"),
        (broken(n4={"temperature": 10**400}), "g.json: node 4 (refiner): temperature is out of all bounds"),
        (broken(top={"name": 0}).replace("0", "9" * 5000, 1), "g.json: not JSON: Exceeds the limit"),
        (broken(n4={"temperature": 7}), "g.json: node 4 (refiner): temperature 7 is outside 0..2"),
        (broken(n2={"temperature": float("nan")}), "g.json: NaN is not a number that JSON has"),
        (broken(n2={"temperature": 1e999}), "g.json: Infinity is not a number that JSON has"),
        (broken(n4={"model": ...}), "g.json: node 4 (refiner): has no model"),
        (broken(n4={"model": 3}), "g.json: node 4 (refiner): model 3 is not a string"),
        (broken(n3={"feedback": "full"}), "g.json: node 3 (executor): unknown feedback 'full', needs one of type, "),
        (broken(n4={"role": "fixer"}), "g.json: node 4 (fixer): unknown role 'fixer', needs one of task, planner, "),
        (broken(n4={"role": ["refiner"]}), "g.json: node 4: unknown role ['refiner'], needs one of task, "),
        (broken(n4={"id": 3}), "g.json: node 3: the id occurs 2 times"),
        (broken(n4={"id": "x"}), "g.json: node number 5: id 'x' is not a whole number"),
        (broken(n4={"text": " "}), "g.json: node 4 (refiner): text has 1 characters, needs 1 to 2000, not all blank"),
        (broken(n4={"text": "x" * 2001}), "g.json: node 4 (refiner): text has 2001 characters, needs 1 to 2000"),
        (broken(n4={"text": 3}), "g.json: node 4 (refiner): text 3 is not a string"),
        (broken(n3={"text": "x"}), "g.json: node 3 (executor): has text, which its role does not use"),
        (broken(n4={"max_tokens": 1.5}), "g.json: node 4 (refiner): max_tokens 1.5 is not a whole number"),
        (broken(n4={"max_tokens": 0}), "g.json: node 4 (refiner): max_tokens 0 is not one of 16 to 32768"),
        (broken(n3={"max_tokens": 64}), "g.json: node 3 (executor): has max_tokens, which its role does not use"),
        (broken(n4={"role": ...}), "g.json: node 4: role is missing"),
    ],
)
def test_a_malformed_file_gets_one_line(text, line):
    with pytest.raises(UserError) as caught:
        loads(text, source="g.json")
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("item", "line"),
    [
        ({"innovation": 9, "source": 3}, "g.json: connection 9: target is missing"),
        ({"innovation": 9, "source": 3, "target": "1"}, "g.json: connection 9: target '1' is not a whole number"),
        ({"innovation": 9, "source": 3, "target": 1, "enabled": 1}, "g.json: connection 9: enabled 1 is not true or"),
        ({"innovation": 9, "source": 3, "target": 8}, "g.json: connection 9: there is no node 8"),
        ({"innovation": 9, "source": 3, "target": 1, "on": True}, "g.json: connection 9: unknown key 'on'"),
        ("3 -> 1", "g.json: connection number 1: must be an object"),
    ],
)
def test_a_malformed_connection_gets_one_line(item, line):
    with pytest.raises(UserError) as caught:
        loads(broken(top={"connections": [item]}), source="g.json")
    assert str(caught.value).startswith(line)


@settings(max_examples=150, deadline=None)
@given(
    junk=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    key=st.sampled_from(["nodes", "connections", "name", "evo_genome", "n0", "n2", "n3", "n4"]),
    field=st.sampled_from(["id", "role", "model", "prompt", "temperature", "iterations", "feedback"]),
)
def test_no_junk_gets_past_the_reader_as_anything_but_a_user_error(junk, key, field):
    text = broken(**{key: {field: junk}}) if key[0] == "n" and key[1:].isdigit() else broken(top={key: junk})
    try:
        genome = loads(text)
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert loads(dumps(genome)) == genome


def test_reading_a_file_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(UserError, match=r"none\.json: cannot read the genome: No such file"):
        read_genome(tmp_path / "none.json")
    with pytest.raises(UserError, match="cannot read the genome: Is a directory"):
        read_genome(tmp_path)
    (tmp_path / "b.json").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="not UTF-8"):
        read_genome(tmp_path / "b.json")


def test_writing_replaces_a_file_whole_and_leaves_nothing_else(tmp_path, busy):
    genome = minimal(busy, Random(0), InnovationTracker())
    path = tmp_path / "g.json"
    path.write_text("old")
    write_genome(path, genome, name="g")
    assert read_genome(path) == genome
    assert [p.name for p in tmp_path.iterdir()] == ["g.json"]
    with pytest.raises(UserError, match="cannot write the genome"):
        write_genome(tmp_path / "no" / "g.json", genome)
    with pytest.raises(TypeError):
        write_genome(path, genome, provenance={"what": object()})
    assert read_genome(path) == genome, "a failed write leaves the old file"


def test_roles_of_prompts_match():
    assert {path.name for path in (Path(__file__).parents[2] / "evo/pipeline/prompts").iterdir()} >= {
        role.value for role in Role if role.calls_model
    }


def test_replacing_a_field_does_not_change_the_text_of_others(busy):
    genome = minimal(busy, Random(0), InnovationTracker())
    first = genome.inner[0]
    changed = replace(genome, nodes=tuple(replace(n, model="zzz") if n == first else n for n in genome.nodes))
    differing = [a for a, b in zip(dumps(genome).splitlines(), dumps(changed).splitlines(), strict=True) if a != b]
    assert len(differing) == 1


def test_the_documents_example_is_a_genome():
    text = (Path(__file__).parents[2] / "docs" / "genomes.md").read_text()
    (example,) = re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL)
    jsonschema.validate(json.loads(example), SCHEMA)
    assert [s.refiner.iterations for s in stages(loads(example))] == [2]
    assert all(f"`{path.name}`" in text for path in GENOMES)
