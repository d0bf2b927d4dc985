"""Many modules as one: the statements that some names need, out of the modules that define them, in one text.

What is exported is evo's own source and no second version of it, so that it cannot come to behave otherwise. A module
takes part as it is written; what it imports from evo is followed, what it imports from elsewhere stays an import.
"""

import ast
import importlib.util
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evo.errors import EvoError

__all__ = ["Bundle", "bundle"]

_PACKAGE = "evo"
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

_Place = tuple[str, str]  # module and name


@dataclass(frozen=True, slots=True)
class Bundle:
    """imports: lines, sorted. sections: by module, in an order in which they can be run, their statements."""

    imports: tuple[str, ...]
    sections: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Statement:
    """text: with the comment above it and the string below that describes it. apart: blank lines it wants before it."""

    text: str
    binds: frozenset[str]
    reads: frozenset[str]
    is_definition: bool
    apart: bool


@dataclass(frozen=True, slots=True)
class _Module:
    """ours: what a local name means elsewhere in the package. theirs: the import line behind a local name."""

    name: str
    title: str
    statements: tuple[_Statement, ...]
    ours: Mapping[str, _Place]
    theirs: Mapping[str, str]


@dataclass(slots=True)
class _Collection:
    modules: dict[str, _Module] = field(default_factory=dict)
    kept: dict[str, set[int]] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def module(self, name: str) -> _Module:
        if name not in self.modules:
            self.modules[name] = _read(name)
            for target, _ in self.modules[name].ours.values():
                self.module(target)
            self.order.append(name)  # behind all that it imports
        return self.modules[name]

    def home(self, module: str, name: str) -> _Place:
        """Where a name is defined that a module offers, perhaps from another one."""
        found = self.module(module)
        if any(name in statement.binds for statement in found.statements):
            return module, name
        if name in found.ours:
            return self.home(*found.ours[name])
        raise EvoError(f"{module} defines no {name}")

    def need(self, module: str, name: str) -> None:
        """Keep the statements that define a name, and all that they need."""
        queue = [(module, name)]
        while queue:
            place, wanted = queue.pop()
            found = self.module(place)
            for index, statement in enumerate(found.statements):
                if wanted in statement.binds and index not in self.kept.setdefault(place, set()):
                    self.kept[place].add(index)
                    queue += [(place, read) for read in statement.reads]
            if wanted in found.ours:
                queue.append(self.home(*found.ours[wanted]))
            elif wanted in found.theirs:
                self.imports[wanted] = self._same(wanted, found.theirs[wanted])

    def _same(self, name: str, line: str) -> str:
        if self.imports.get(name, line) != line:
            raise EvoError(f"{name} is imported in two ways: {line!r} and {self.imports[name]!r}")
        return line


def bundle(roots: Iterable[_Place]) -> Bundle:
    """All that the roots (module, name) need, what the first ones need first. Raises EvoError for what cannot be put
    into one namespace.
    """
    collection = _Collection()
    for module, name in roots:
        collection.need(*collection.home(module, name))
    renamed = _renamed(collection)
    sections = {
        name: _section(collection.modules[name], sorted(collection.kept[name]), renamed[name])
        for name in collection.order
        if collection.kept.get(name)
    }
    return Bundle(_merged(collection.imports.values()), sections)


def _read(name: str) -> _Module:
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None
    source = Path(spec.origin).read_text("utf-8")
    tree, lines = ast.parse(source), source.split("\n")
    ours: dict[str, _Place] = {}
    theirs: dict[str, str] = {}
    statements: list[_Statement] = []
    for position, node in enumerate(tree.body):
        match node:
            case ast.Import(names=names):
                theirs |= {(a.asname or a.name).split(".")[0]: _import(a) for a in names}
            case ast.ImportFrom(module=str(source_module), names=names) if source_module.split(".")[0] == _PACKAGE:
                ours |= {a.asname or a.name: (source_module, a.name) for a in names}
            case ast.ImportFrom(module=str(source_module), names=names):
                theirs |= {a.asname or a.name: f"from {source_module} {_import(a)}" for a in names}
            case _ if not _is_note(node) and not _is_about_the_module(node):
                last = next((n for n in tree.body[position + 1 : position + 2] if _is_note(n)), node)
                statements.append(_statement(node, lines, last.end_lineno or 0))
    title = (ast.get_docstring(tree) or "").partition("\n")[0]
    return _Module(name, title, tuple(statements), ours, theirs)


def _import(alias: ast.alias) -> str:
    return "import " + alias.name + (f" as {alias.asname}" if alias.asname else "")


def _is_note(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_about_the_module(node: ast.stmt) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
    return any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets)


def _statement(node: ast.stmt, lines: list[str], end: int) -> _Statement:
    start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) - 1
    while start and lines[start - 1].startswith("#") and not lines[start - 1].startswith("# ---"):
        start -= 1
    return _Statement(
        text="\n".join(lines[start:end]),
        binds=frozenset(_bound(node)),
        reads=frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)),
        is_definition=isinstance(node, _DEFINITIONS),
        apart=start == 0 or not lines[start - 1].strip(),
    )


def _bound(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            yield from (n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.AugAssign(target=ast.Name(id=name)):
            yield name


def _renamed(collection: _Collection) -> dict[str, dict[str, str]]:
    """By module, the local names that mean something of another name now.

    The first module keeps a name that two define; in the second one it is headed by the module's own.
    """
    owners: dict[str, str] = {}
    final: dict[_Place, str] = {}
    for module in collection.order:
        for index in sorted(collection.kept.get(module, ())):
            for name in sorted(collection.modules[module].statements[index].binds):
                taken = owners.setdefault(name, module) != module or name in collection.imports
                final[module, name] = f"_{module.rpartition('.')[2]}_{name.lstrip('_')}" if taken else name
    clashes = [name for name in final.values() if list(final.values()).count(name) > 1]
    if clashes:
        raise EvoError(f"{clashes[0]} is defined twice")
    renamed: dict[str, dict[str, str]] = {}
    for module in collection.order:
        own = {name: new for (place, name), new in final.items() if place == module and new != name}
        for local, place in collection.modules[module].ours.items():
            new = final.get(collection.home(*place))
            if new is not None and new != local:
                own[local] = new
        renamed[module] = own
    return renamed


def _section(module: _Module, kept: list[int], renamed: Mapping[str, str]) -> str:
    head = f"# --- {module.name.replace('.', '/')}.py "
    text = head + "-" * max(0, 120 - len(head)) + (f"\n# {module.title}" if module.title else "")
    before: _Statement | None = None
    for index in kept:
        statement = module.statements[index]
        if before is None or statement.is_definition or before.is_definition:
            text += "\n\n\n"
        else:
            text += "\n\n" if statement.apart else "\n"
        text += statement.text
        before = statement
    for local, new in renamed.items():
        text = re.sub(rf"(?<![\w.]){re.escape(local)}\b", new, text)
    return text


def _merged(lines: Iterable[str]) -> tuple[str, ...]:
    """Import lines sorted, those from one module in one line."""
    plain, by_module = set[str](), dict[str, set[str]]()
    for line in lines:
        if line.startswith("from "):
            module, _, name = line.removeprefix("from ").partition(" import ")
            by_module.setdefault(module, set()).add(name)
        else:
            plain.add(line)
    merged = (f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(by_module.items()))
    return (*sorted(plain), *merged)
