"""Imports that an answer forgot: the problem's own, its helper functions, and the standard library's usual ones."""

import ast

from evo.pipeline.source import defined_names, free_names, parse

__all__ = ["supply"]

_MODULES = """
    bisect cmath collections copy datetime decimal fractions functools hashlib heapq itertools json math operator random
    re statistics string sys time typing
"""
_MEMBERS = {
    "typing": "Any Callable Dict FrozenSet Generator Iterable Iterator List Mapping NamedTuple Optional Sequence Set "
    "Tuple Type TypeVar Union",
    "collections": "Counter OrderedDict defaultdict deque namedtuple",
    "math": "ceil comb factorial floor gcd inf isqrt lcm log log10 log2 pi prod sqrt",
    "itertools": "accumulate chain combinations combinations_with_replacement count cycle groupby permutations product "
    "takewhile zip_longest",
    "functools": "cache cmp_to_key lru_cache partial reduce",
    "heapq": "heapify heappop heappush nlargest nsmallest",
    "bisect": "bisect_left bisect_right insort",
    "hashlib": "md5",
    "fractions": "Fraction",
    "decimal": "Decimal",
    "dataclasses": "dataclass",
    "statistics": "mean median mode stdev",
    "string": "ascii_letters ascii_lowercase ascii_uppercase digits punctuation",
    "copy": "deepcopy",
}
_LINES = {name: f"import {name}" for name in _MODULES.split()} | {
    name: f"from {module} import {name}" for module, names in _MEMBERS.items() for name in names.split()
}


def supply(code: str, stub: str) -> str:
    """The program with what it reads but nowhere binds put in front: from the stub where that has it, else the usual
    import.

    Nothing else is added, so drafts stay short, and a second application adds nothing.
    """
    own = parse(stub)
    statements = own.body if own is not None else []
    for _ in range(3):  # a helper of the stub may itself need an import
        missing = free_names(code)
        found: list[str] = []
        for statement in statements:
            if hits := defined_names(ast.Module([statement], [])) & missing:
                found.append(ast.get_source_segment(stub, statement) or "")
                missing -= hits
        found += sorted(_LINES[name] for name in missing if name in _LINES)
        if not found:
            break
        code = _in_front(code, "\n".join(found))
    return code


def _in_front(code: str, added: str) -> str:
    """Behind ``from __future__`` imports, which must come first."""
    module = parse(code)
    body = module.body if module is not None else []
    ends = [s.end_lineno or 0 for s in body if isinstance(s, ast.ImportFrom) and s.module == "__future__"]
    lines = code.split("\n")
    at = max(ends, default=0)
    gap = [""] if at < len(lines) and lines[at].startswith(("def ", "class ", "@", "async ")) else []
    return "\n".join([*lines[:at], added, *gap, *lines[at:]])
