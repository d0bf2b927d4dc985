"""What a run is: its settings, and everything else that its results depend on. A change is named and refused."""

import importlib.metadata
import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from evo import evolution, pipeline
from evo.errors import UserError
from evo.evaluation import Store, read_meta
from evo.models import ModelInfo
from evo.pipeline import PromptBook
from evo.run.damage import reading
from evo.run.folder import RunFolder
from evo.run.settings import changed_text, ini_sections, read_preset
from evo.tasks import Problem

__all__ = ["DEFAULT_PRESET", "differences", "hold_to", "hold_to_search", "identity", "recorded_text", "settle"]

DEFAULT_PRESET = "laptop"

# What may differ between a run and its continuation: none of it changes what has been measured already.
_FREE_KEYS = frozenset(
    {
        "run.generations",
        "run.limit_calls",
        "run.limit_minutes",
        "baselines.enabled",
        "baselines.limit_minutes",
        "models.slots",
        "models.pull",
        "models.call_store",
        "sandbox.workers",
    }
)
_SEARCH = "evo's search"
_FORK = "or start a new run from what this one has paid for with --fork NAME"


def settle(folder: RunFolder, config: str | None, changes: Mapping[str, str]) -> str:
    """The INI text of a new run, or of an existing one if what is asked for agrees with it. Raises UserError."""
    before = recorded_text(folder)
    if before is None:
        return read_preset(config or DEFAULT_PRESET, changes)
    after = read_preset(config, changes) if config else changed_text(before, str(folder.config), changes)
    for key, old, new in differences(before, after):
        if key not in _FREE_KEYS:
            raise UserError(
                f"{folder.path}: was started with {key} = {old or '(default)'}, not {new or '(default)'}; "
                f"leave it as it was to continue, name another --run, {_FORK}"
            )
    return after


def recorded_text(folder: RunFolder) -> str | None:
    """The INI text that a run goes by; None if there is no run yet.

    That is config.ini, where limits may have been edited, checked against the copy in the database; the copy alone
    where config.ini is gone. Raises UserError for a config.ini that is damaged or says something else.
    """
    copy = read_meta(folder.database, "config")
    if not folder.config.exists():
        return copy
    mend = "move it away, the database has a copy of it" if copy else "restore it from another copy"
    try:
        text = changed_text(folder.config.read_text("utf-8"), str(folder.config), {})
        changed = [found for found in differences(copy or text, text) if found[0] not in _FREE_KEYS]
    except (UserError, UnicodeDecodeError) as error:
        raise UserError(f"{error}; {mend}") from error
    if changed:
        key, old, new = changed[0]
        raise UserError(
            f"{folder.config}: says {key} = {new or '(nothing)'}, but the run has {old or '(nothing)'}; {mend}"
        )
    return text


def identity(
    problems: Sequence[Problem], prompts: PromptBook, models: Mapping[str, ModelInfo], tasks: str
) -> dict[str, str]:
    """Everything but the settings that a run's results depend on, as versions and digests by what people call it."""
    return {
        **{f"model {name}": f"digest {info.digest[:12]}" for name, info in models.items()},
        f"problems of {tasks}": f"digest {_digest([repr(problem) for problem in problems])}",
        "prompts": f"digest {_digest([[role.value, dict(named)] for role, named in prompts.texts.items()])}",
        "evo's pipelines": f"version {pipeline.BEHAVIOUR}",
        "neat-python": f"version {importlib.metadata.version('neat-python')}",
    }


def hold_to(store: Store, folder: RunFolder, now: Mapping[str, str]) -> None:
    """Remember what a run depends on; of one that has begun, raise UserError naming the first thing that differs."""
    with reading(folder.database, "what it says of its models"):
        weights = json.loads(store.meta("models") or "{}")  # all that schema 1 knew
        before = {f"model {name}": f"digest {info['digest'][:12]}" for name, info in weights.items()}
    before |= _recorded(store, folder)
    for name, value in now.items():
        if before.get(name, value) != value:
            raise UserError(
                f"{folder.path}: was started with {name} of {before[name]}, but it is {value} now, which would change "
                f"its results; go back to what it was, name another --run, {_FORK}"
            )
    store.put_meta("identity", json.dumps(before | dict(now)))


def hold_to_search(store: Store, folder: RunFolder) -> None:
    """The same for the code of a search, which nothing that only measures depends on."""
    if store.meta("job") == "search":  # the first version was not written down
        before = {_SEARCH: "version 1"} | _recorded(store, folder)
        store.put_meta("identity", json.dumps(before))
    hold_to(store, folder, {_SEARCH: f"version {evolution.BEHAVIOUR}"})


def _recorded(store: Store, folder: RunFolder) -> dict[str, str]:
    with reading(folder.database, "what it says of its identity"):
        return dict(json.loads(store.meta("identity") or "{}"))


def differences(before: str, after: str) -> Iterator[tuple[str, str, str]]:
    """(section.key, old, new) of all that two INI texts say differently."""
    old, new = (
        {f"{section}.{key}": value for section, values in ini_sections(text).items() for key, value in values.items()}
        for text in (before, after)
    )
    for key in sorted(old.keys() | new.keys()):
        if old.get(key, "") != new.get(key, ""):
            yield key, old.get(key, ""), new.get(key, "")


def _digest(value: object) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
