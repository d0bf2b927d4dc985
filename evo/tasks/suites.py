"""The suites by name, and where their files come from."""

import gzip
import json
import warnings
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from evo.download import Progress, cache_folder, fetch
from evo.errors import UserError
from evo.tasks.humaneval import humaneval_tasks
from evo.tasks.mbpp import mbpp_tasks
from evo.tasks.mode import Mode, Task
from evo.tasks.problem import Problem
from evo.tasks.user import jsonl_tasks

__all__ = ["Suite", "load_problems", "suites"]


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite that ships with evo's knowledge of it.

    url: its public home ("" where a package holds it), compressed if it ends in ".gz". sha256: of the file, unpacked.
    """

    name: str
    description: str
    licence: str
    problems: int
    url: str = ""
    sha256: str = ""


_SUITES = (
    Suite("humaneval", "HumanEval, functions from signature and docstring", "MIT", 164),
    Suite(
        "mbpp",
        "sanitized MBPP, functions from a sentence and asserts",
        "CC BY 4.0",
        427,
        "https://raw.githubusercontent.com/google-research/google-research/master/mbpp/sanitized-mbpp.json",
        "ca95deaa9a01ef0a6f439f88bcf0dd3db3563d22f22aad6cae04ebb9a8d8c8e9",
    ),
    Suite(
        "mbpp-plus",
        "MBPP+ 0.1.0 by EvalPlus, MBPP with many more inputs",
        "Apache-2.0",
        399,
        "https://github.com/ganler/release/releases/download/humanevalplus/MbppPlus-v0.1.0.jsonl.gz",
        "08405a4e8764a4941cfe0945d25a956355a0454f364ea902c4020a44e7057973",
    ),
)


def suites() -> tuple[Suite, ...]:
    """The suites that can be asked for by name."""
    return _SUITES


def load_problems(
    source: str,
    *,
    mode: Mode = Mode.SPLIT,
    seed: int = 0,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> tuple[Problem, ...]:
    """The problems of a suite by name, or of a file, in the published order.

    source: a name of ``suites()``, or a path to MBPP's JSON, to JSONL in EvalPlus' format or in the user's
    (docs/tasks.md); ".gz" is read too. mode, seed: how tests are divided into visible and hidden. A suite that is not
    in the folder ``cache`` (None: evo's own) is downloaded once (progress: bytes so far, in all). Raises UserError.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # published solutions with "\\d" in plain strings: Python's remarks on them
        return tuple(task.problem(mode, seed) for task in _tasks(source, cache, progress))


def _tasks(source: str, cache: Path | None, progress: Progress | None) -> Iterable[Task]:
    suite = next((suite for suite in _SUITES if suite.name == source), None)
    if suite is None:
        return _file_tasks(Path(source))
    if not suite.url:
        return humaneval_tasks()
    file = (cache or cache_folder("suites")) / suite.url.rpartition("/")[2].removesuffix(".gz")
    gzipped = suite.url.endswith(".gz")
    return _file_tasks(fetch(suite.url, file, sha256=suite.sha256, progress=progress, gzipped=gzipped))


def _file_tasks(path: Path) -> Iterator[Task]:
    text = _read(path)
    if text.lstrip("\ufeff \t\r\n").startswith("["):
        try:
            items = json.loads(text.removeprefix("\ufeff"))
        except json.JSONDecodeError as error:
            raise UserError(f"{path}: line {error.lineno}: is not JSON ({error.msg})") from None
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}: is not JSON ({error})") from None
        return mbpp_tasks(items, str(path))
    return jsonl_tasks(text, str(path))


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8")
    except FileNotFoundError:
        names = ", ".join(suite.name for suite in _SUITES)
        raise UserError(f"{path}: no such benchmark or file; benchmarks are {names}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (EOFError, zlib.error) as error:
        raise UserError(f"{path}: is not whole ({error}); get it again") from None
