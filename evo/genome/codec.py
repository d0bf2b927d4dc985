"""Genomes as JSON text: versioned, readable, exact both ways. See docs/genomes.md and genomes/schema.json."""

import json
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import replace
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from evo.errors import UserError
from evo.genome.edit import assemble
from evo.genome.genes import ConnectionGene, Feedback, Genome, NodeGene, Role
from evo.genome.space import OPEN
from evo.genome.validate import faults

__all__ = ["VERSION", "dumps", "from_document", "loads", "read_genome", "to_document", "with_models", "write_genome"]

VERSION = 1
_Word = TypeVar("_Word", bound=StrEnum)
_TOP = ("evo_genome", "name", "description", "provenance", "nodes", "connections")
_NODE = ("id", "role", "model", "prompt", "temperature", "iterations", "feedback", "text", "max_tokens")
_CONNECTION = ("innovation", "source", "target", "enabled")
# Genomes of a run are made of the same genes: equal ones are one object, for a large run has a hundred thousand.
_node_gene = lru_cache(maxsize=1 << 14)(NodeGene)
_connection_gene = lru_cache(maxsize=1 << 14)(ConnectionGene)


def dumps(genome: Genome, *, name: str = "", description: str = "", provenance: Mapping[str, Any] | None = None) -> str:
    """The genome as JSON, one gene per line, ending in a newline. ``provenance``: anything JSON-serialisable."""
    head: dict[str, Any] = {"evo_genome": VERSION}
    head |= {key: value for key, value in (("name", name), ("description", description)) if value}
    if provenance:
        head["provenance"] = dict(provenance)
    genes = to_document(genome)
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    lines += [_block(key, genes[key]) for key in ("nodes", "connections")]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def to_document(genome: Genome) -> dict[str, Any]:
    """What ``dumps`` writes, before it is text."""
    return {
        "evo_genome": VERSION,
        "nodes": [{key: value for key in _NODE if (value := getattr(node, key)) is not None} for node in genome.nodes],
        "connections": [{key: getattr(gene, key) for key in _CONNECTION} for gene in genome.connections],
    }


def loads(text: str, *, source: str = "genome") -> Genome:
    """The genome in ``text``. Raises UserError: one line with ``source``, the place and the fault."""
    try:
        data = json.loads(text, parse_constant=lambda word: _fail(source, f"{word} is not a number that JSON has"))
    except json.JSONDecodeError as error:
        raise UserError(f"{source}: line {error.lineno}: not JSON: {error.msg}") from None
    except ValueError as error:  # a whole number of thousands of digits
        raise UserError(f"{source}: not JSON: {error}") from None
    except RecursionError:
        raise UserError(f"{source}: nested too deeply for a genome") from None
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise UserError(f"{source}: holds half a character (a lone surrogate), which is no text") from None
    return from_document(data, source=source)


def from_document(data: Any, *, source: str = "genome") -> Genome:
    """The genome in parsed JSON, exact as ``to_document`` made it. Raises UserError as ``loads`` does."""
    if not isinstance(data, dict):
        _fail(source, "a genome is a JSON object with nodes and connections")
    if "evo_genome" not in data:
        _fail(source, f'not a genome file: "evo_genome": {VERSION} is missing')
    if not _is_int(data["evo_genome"]) or data["evo_genome"] != VERSION:
        _fail(source, f"evo_genome is {data['evo_genome']!r}; this version of evo reads {VERSION}")
    _check_keys(data, _TOP, ("nodes", "connections"), source)
    for key, kind in (("name", str), ("description", str), ("provenance", dict)):
        if not isinstance(data.get(key, kind()), kind):
            _fail(source, f"{key} must be {'a string' if kind is str else 'an object'}")
    nodes = [_node(item, f"{source}: {_place('node', item, 'id', i)}") for i, item in _items(data, "nodes", source)]
    connections = [
        _connection(item, f"{source}: {_place('connection', item, 'innovation', i)}")
        for i, item in _items(data, "connections", source)
    ]
    genome = assemble(nodes, connections)
    for fault in faults(genome, OPEN):
        _fail(source, fault)
    return genome


def read_genome(path: Path | str) -> Genome:
    """Read a genome file. Raises UserError."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot read the genome: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: cannot read the genome: not UTF-8 text") from None
    return loads(text, source=str(path))


def write_genome(
    path: Path, genome: Genome, *, name: str = "", description: str = "", provenance: Mapping[str, Any] | None = None
) -> None:
    """Write a genome file whole or not at all. Raises UserError."""
    text = dumps(genome, name=name, description=description, provenance=provenance).encode()
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".genome-") as folder:
            draft = Path(folder, path.name)
            draft.write_bytes(text)
            draft.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot write the genome: {error.strerror}") from None


def with_models(genome: Genome, models: Mapping[str, str]) -> Genome:
    """The genome with models renamed (old name -> new name); a model that is not in ``models`` keeps its name."""
    nodes = (n if n.model is None else replace(n, model=models.get(n.model, n.model)) for n in genome.nodes)
    return assemble(nodes, genome.connections)


def _block(key: str, genes: list[dict[str, Any]]) -> str:
    lines = ",\n".join("    " + json.dumps(gene, ensure_ascii=False) for gene in genes)
    return f'  "{key}": [\n{lines}\n  ]' if genes else f'  "{key}": []'


def _fail(place: str, fault: str) -> NoReturn:
    raise UserError(f"{place}: {fault}")


def _items(data: Mapping[str, Any], key: str, source: str) -> enumerate[Any]:
    if not isinstance(data[key], list):
        _fail(source, f"{key} must be a list")
    return enumerate(data[key], start=1)


def _place(kind: str, item: object, key: str, position: int) -> str:
    """``node 4 (refiner)`` where the file says so, else ``node number 3`` by its place in the list."""
    number = item.get(key) if isinstance(item, dict) else None
    if not _is_int(number):
        return f"{kind} number {position}"
    role = item.get("role") if isinstance(item, dict) else None
    return f"{kind} {number} ({role})" if isinstance(role, str) else f"{kind} {number}"


def _check_keys(item: object, allowed: Collection[str], required: Collection[str], place: str) -> None:
    if not isinstance(item, dict):
        _fail(place, "must be an object")
    for key in item:
        if key not in allowed:
            near = get_close_matches(key, allowed, n=1)
            _fail(place, f"unknown key {key!r}" + (f", did you mean {near[0]!r}?" if near else ""))
    for key in required:
        if key not in item:
            _fail(place, f"{key} is missing")


def _node(item: Any, place: str) -> NodeGene:
    _check_keys(item, _NODE, ("id", "role"), place)
    if not _is_int(item["id"]):
        _fail(place, f"id {item['id']!r} is not a whole number")
    for key in ("model", "prompt", "text"):
        if key in item and not isinstance(item[key], str):
            _fail(place, f"{key} {item[key]!r} is not a string")
    temperature = item.get("temperature")
    if "temperature" in item and not (isinstance(temperature, float) or _is_int(temperature)):
        _fail(place, f"temperature {temperature!r} is not a number")
    if _is_int(temperature) and temperature.bit_length() > 64:
        _fail(place, "temperature is out of all bounds")
    for key in ("iterations", "max_tokens"):
        if key in item and not _is_int(item[key]):
            _fail(place, f"{key} {item[key]!r} is not a whole number")
    return _node_gene(
        id=item["id"],
        role=_member(Role, item["role"], "role", place),
        model=item.get("model"),
        prompt=item.get("prompt"),
        temperature=None if temperature is None else float(temperature) + 0.0,  # -0.0 is 0.0
        iterations=item.get("iterations"),
        feedback=_member(Feedback, item["feedback"], "feedback", place) if "feedback" in item else None,
        text=item.get("text"),
        max_tokens=item.get("max_tokens"),
    )


def _connection(item: Any, place: str) -> ConnectionGene:
    _check_keys(item, _CONNECTION, ("innovation", "source", "target"), place)
    for key in ("innovation", "source", "target"):
        if not _is_int(item[key]):
            _fail(place, f"{key} {item[key]!r} is not a whole number")
    enabled = item.get("enabled", True)
    if not isinstance(enabled, bool):
        _fail(place, f"enabled {enabled!r} is not true or false")
    return _connection_gene(item["innovation"], item["source"], item["target"], enabled)


def _member(kind: type[_Word], value: Any, name: str, place: str) -> _Word:
    try:
        return kind(value)
    except ValueError:
        _fail(place, f"unknown {name} {value!r}, needs one of {', '.join(kind)}")


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
