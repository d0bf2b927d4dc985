"""One file describes a run: neat-python's sections and ours in the same INI. This module reads ours.

Every key has a default, a type and a range here and nowhere else. What is wrong with a file, or with a ``--set``, is
said in one line that names file, section and key.
"""

import configparser
import difflib
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from evo.errors import UserError
from evo.evaluation import Policy, PolicyName, Racing, Repeated, Single
from evo.models import Sampling
from evo.pipeline import TAILS, PipelineSettings
from evo.resources import resource_folder
from evo.sandbox import Limits
from evo.tasks import Mode, Problem

__all__ = [
    "NEAT_SECTIONS",
    "RunSettings",
    "changed_text",
    "changes_from",
    "ini_sections",
    "parse_settings",
    "preset_names",
    "read_preset",
]

NEAT_SECTIONS = ("NEAT", "PipelineGenome", "PipelineSpeciesSet", "PipelineStagnation", "PipelineReproduction")
Objectives = Literal["accuracy", "accuracy,tokens"]
BackendName = Literal["auto", "ollama", "embedded", "simulated"]


def _key(default: Any, help: str, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"help": help, "low": low, "high": high})


@dataclass(frozen=True, slots=True)
class RunSection:
    """[run]"""

    seed: int = _key(1, "study seed: problems, calls and evolution all derive from it", 0, 2**63 - 1)
    generations: int = _key(30, "generations to evolve", 1, 100_000)
    founders: tuple[str, ...] = _key(
        (), "pipelines that the first generation begins with: names or files of genomes; empty = none"
    )
    limit_calls: int = _key(0, "new model calls at most; 0 = no limit", 0)
    limit_minutes: float = _key(0.0, "minutes at most, before the champion is validated; 0 = no limit", 0)


@dataclass(frozen=True, slots=True)
class TasksSection:
    """[tasks]"""

    benchmark: str = _key("humaneval", "humaneval, mbpp, mbpp-plus, or a path to a JSON or JSONL file")
    mode: Mode = _key(Mode.SPLIT, "which tests may give feedback: split, examples, all")
    problems: int = _key(8, "problems that a generation is measured on", 1)
    subsets: int = _key(1, "sets of problems that generations take in turn", 1)


@dataclass(frozen=True, slots=True)
class ModelsSection:
    """[models]"""

    backend: BackendName = _key("auto", "who serves the models: auto, ollama, embedded, simulated")
    models: tuple[str, ...] = _key((), "the pool, separated by blanks or commas; empty = what the backend offers")
    strict: bool = _key(False, "embedded only: one slot and no prompt cache, so that equal calls get equal answers")
    slots: int = _key(0, "calls in flight at once; 0 = the backend's own choice", 0, 256)
    call_store: str = _key("", "a file of calls that runs share, or another run to take calls from; empty = none")
    pull: bool = _key(False, "let an Ollama server download what it lacks")


@dataclass(frozen=True, slots=True)
class PipelineSection:
    """[pipeline]"""

    early_stopping: bool = _key(True, "the first pass of the visible tests ends a pipeline")
    prelude: bool = _key(True, "supply the usual imports to answers that forgot them")
    cut_tails: bool = _key(True, "end an answer where the model goes on with tests or prose after its function")
    evolve_prompts: float = _key(0.0, "chance that a model rewrites a prompt of a newborn genome; 0 = off", 0, 1)
    prompts: str = _key("", "a folder of prompts of your own, ROLE/NAME.md, that adds to ours")
    max_tokens: int = _key(512, "tokens of one answer at most", 16, 32_768)
    nodes: int = _key(64, "nodes of a pipeline at most", 1, 1000)
    calls_per_problem: int = _key(64, "model calls of one run of a pipeline at most", 1, 10_000)
    tokens_per_problem: int = _key(1 << 17, "tokens read and written in one run of a pipeline at most", 256)
    enough_tests: int = _key(3, "visible tests from which on a tester's own are not asked for", 0)
    context: int = _key(4096, "context length that a model is loaded with", 512, 1 << 20)
    top_k: int = _key(40, "sampling: most likely tokens considered; 0 = all", 0)
    top_p: float = _key(0.9, "sampling: share of probability considered", 0, 1)
    min_p: float = _key(0.0, "sampling: least probability relative to the best token", 0, 1)
    repeat_penalty: float = _key(1.0, "sampling: penalty on repeated tokens; 1 = none", 0.1, 10)


@dataclass(frozen=True, slots=True)
class EvaluationSection:
    """[evaluation]"""

    policy: PolicyName = _key("racing", "who gets how many replicates: single, repeated, racing")
    first_look: int = _key(1, "racing: seeds that every genome is measured on", 1, 10_000)
    first_problems: int = _key(0, "racing: on so many of the problems at first, one seed each; 0 = on all", 0, 10_000)
    replicates: int = _key(3, "repeated: seeds that every genome is measured on; racing: at most", 1, 10_000)
    fresh_replicates: int = _key(1, "fresh seeds for every survivor in every generation", 0, 1000)
    most_fresh: int = _key(6, "fresh seeds for one pipeline in the whole run, per set of problems", 0, 10_000)
    objectives: Objectives = _key("accuracy", "accuracy, or accuracy,tokens: keep a front of both")
    caution: float = _key(1.0, "standard errors taken off a mean before genomes are ranked", 0, 10)
    token_price: float = _key(0.0, "solve rate (0..1) that 1,000 tokens a problem must be worth", 0, 1)
    graded: float = _key(0.0, "solve rate (0..1) that passing all visible tests is worth: breaks ties; 0 = off", 0, 1)
    finalists: int = _key(4, "the best of the whole search that race for champion on fresh seeds; 0 = no race", 0, 100)
    final_problems: int = _key(24, "problems of that race besides the search's own; none that validates", 0)
    final_replicates: int = _key(1, "seeds, never used before, for each of them", 1, 1000)
    validation_problems: int = _key(40, "problems, never seen by selection, that the champion is reported on", 1)
    validation_replicates: int = _key(3, "seeds, never seen by selection, for each of them", 1, 10_000)

    @property
    def weighs_tokens(self) -> bool:
        """Whether tokens are an objective besides accuracy."""
        return self.objectives == "accuracy,tokens"

    def chosen_policy(self) -> Policy:
        """The policy by its name, with its numbers."""
        match self.policy:
            case "single":
                return Single()
            case "repeated":
                return Repeated(self.replicates, self.fresh_replicates, self.most_fresh)
            case "racing":
                racing = self.first_look, self.replicates, self.fresh_replicates, self.most_fresh
                return Racing(*racing, self.first_problems)

    def looked_at(self, problems: Sequence[Problem]) -> Sequence[Problem]:
        """Those of a generation's problems that every genome is measured on."""
        return problems[: self.first_problems or None] if self.policy == "racing" else problems


@dataclass(frozen=True, slots=True)
class BaselinesSection:
    """[baselines]"""

    enabled: bool = _key(True, "after a search, compare its champion with plainer pipelines and take it apart")
    problems: int = _key(30, "of the validation's problems, on its first seed", 2)
    random_genomes: int = _key(0, "genomes of random search; 0 = as many as the search evaluated", 0, 100_000)
    limit_minutes: float = _key(15.0, "minutes for all of it; what is not measured then is named; 0 = no limit", 0)


@dataclass(frozen=True, slots=True)
class SandboxSection:
    """[sandbox]"""

    workers: int = _key(2, "programs that run at once", 1, 256)
    wall_seconds: float = _key(5.0, "wall time of one run", 0.1, 600)
    memory_mb: int = _key(512, "memory of one run", 64, 1 << 16)
    unsafe: bool = _key(False, "run generated code in a plain subprocess where no isolation is to be had")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Everything of ours that a run is made of. ``source`` is the file, for messages."""

    source: str = "settings"
    run: RunSection = RunSection()
    tasks: TasksSection = TasksSection()
    models: ModelsSection = ModelsSection()
    pipeline: PipelineSection = PipelineSection()
    evaluation: EvaluationSection = EvaluationSection()
    baselines: BaselinesSection = BaselinesSection()
    sandbox: SandboxSection = SandboxSection()

    @property
    def pipeline_settings(self) -> PipelineSettings:
        """What every plan of the run has in common."""
        p = self.pipeline
        sampling = Sampling(p.top_k, p.top_p, p.min_p, p.repeat_penalty, p.context, TAILS if p.cut_tails else ())
        bounds = (p.nodes, p.calls_per_problem, p.tokens_per_problem)
        return PipelineSettings(p.early_stopping, p.prelude, p.max_tokens, sampling, *bounds, p.enough_tests)

    @property
    def limits(self) -> Limits:
        """What one run of generated code may use."""
        return Limits(wall_seconds=self.sandbox.wall_seconds, memory_bytes=self.sandbox.memory_mb << 20)


_SECTIONS = {f.name: type(f.default) for f in fields(RunSettings) if f.name != "source"}


def preset_names() -> tuple[str, ...]:
    """Names of the presets that ship with evo."""
    return tuple(sorted(path.stem for path in resource_folder("configs").glob("*.ini")))


def read_preset(config: str, changes: Mapping[str, str]) -> str:
    """The text of a run's INI: a preset's name or a file's path, with ``changes`` ("section.key" -> value) applied.

    Raises UserError for a file that cannot be read and for a section that does not exist; keys are checked by who
    reads them.
    """
    path = resource_folder("configs") / f"{config}.ini" if config in preset_names() else Path(config)
    if not path.is_file():
        raise UserError(f"--config {config}: no such preset or file; presets are {', '.join(preset_names())}")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UserError(f"--config {config}: cannot be read ({reason})") from error
    return changed_text(text, str(path), changes)


def changed_text(text: str, source: str, changes: Mapping[str, str]) -> str:
    """An INI text with ``changes`` applied. Raises UserError as ``read_preset`` does; ``source`` is for messages."""
    parser = _parser(text, source)
    for dotted, value in changes.items():
        section, dot, key = dotted.partition(".")
        if not dot or not key:
            raise UserError(f"--set {dotted}={value}: must be SECTION.KEY=VALUE, for example evaluation.replicates=5")
        known = [*_SECTIONS, *NEAT_SECTIONS]
        if section not in known:
            raise UserError(f"--set {dotted}={value}: no section {section!r}{_nearest(section, known)}")
        if section not in parser:
            parser.add_section(section)
        parser[section][key] = value
    changed = io.StringIO()
    parser.write(changed)
    return changed.getvalue()


def changes_from(flags: Mapping[str, object], settings: Iterable[str]) -> dict[str, str]:
    """What a command line changes of its preset: flags by "section.key", None if not given, and --set arguments.

    Raises UserError for one that is no SECTION.KEY=VALUE and for a key that is given twice.
    """
    changes = {key: str(value) for key, value in flags.items() if value is not None}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UserError(f"--set {setting}: must be SECTION.KEY=VALUE, for example evaluation.replicates=5")
        if (key := key.strip()) in changes:
            raise UserError(f"--set {setting}: {key} is given twice ({changes[key]} before); give it once")
        changes[key] = value.strip()
    return changes


def parse_settings(text: str, source: str) -> RunSettings:
    """Our sections of an INI. Raises UserError for what is unknown, misspelt, of the wrong type or out of range."""
    parser = _parser(text, source)
    known = [*_SECTIONS, *NEAT_SECTIONS]
    for section in parser.sections():
        if section not in known:
            raise UserError(f"{source}: unknown section [{section}]{_nearest(section, known)}")
    values = {name: _section(kind, parser, name, source) for name, kind in _SECTIONS.items()}
    settings = RunSettings(source=source, **values)
    looks = settings.evaluation
    if looks.policy == "racing" and looks.first_look > looks.replicates:
        raise UserError(
            f"{source}: [evaluation] first_look = {looks.first_look}: must be at most replicates, {looks.replicates}"
        )
    if looks.first_problems and looks.first_look > 1:
        raise UserError(f"{source}: [evaluation] first_problems: goes with first_look = 1, not {looks.first_look}")
    if looks.first_problems > settings.tasks.problems:
        raise UserError(
            f"{source}: [evaluation] first_problems = {looks.first_problems}: must be at most [tasks] problems, "
            f"{settings.tasks.problems}"
        )
    return settings


def ini_sections(text: str) -> dict[str, dict[str, str]]:
    """The raw values of an INI text by section and key."""
    parser = _parser(text, "configuration")
    return {section: dict(parser[section]) for section in parser.sections()}


def _parser(text: str, source: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=None)
    try:
        parser.read_string(text, source)
    except configparser.Error as error:
        raise UserError(f"{source}: not a valid INI file: {' '.join(str(error).split())}") from error
    return parser


def _section(kind: type, parser: configparser.ConfigParser, name: str, source: str) -> Any:
    if name not in parser:
        return kind()
    specification = {f.name: f for f in fields(kind)}
    values: dict[str, Any] = {}
    for key, raw in parser[name].items():
        if key not in specification:
            raise UserError(f"{source}: [{name}] {key}: unknown key{_nearest(key, specification)}")
        spec = specification[key]
        where = f"{source}: [{name}] {key} = {raw}"
        values[key] = _in_range(_convert(raw.strip(), spec.type, where), spec.metadata, where)
    return kind(**values)


_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def _convert(raw: str, kind: Any, where: str) -> Any:
    if get_origin(kind) is Literal:
        if raw not in get_args(kind):
            raise UserError(f"{where}: must be one of {', '.join(get_args(kind))}")
        return raw
    if kind is bool:
        if raw.lower() not in _BOOLEANS:
            raise UserError(f"{where}: must be true or false")
        return _BOOLEANS[raw.lower()]
    if kind is Mode:
        if raw not in list(Mode):
            raise UserError(f"{where}: must be one of {', '.join(Mode)}")
        return Mode(raw)
    if get_origin(kind) is tuple:
        return _names(raw, where)
    try:
        return kind(raw)
    except ValueError as error:
        noun = "a whole number" if kind is int else "a number"
        raise UserError(f"{where}: must be {noun}") from error


def _names(raw: str, where: str) -> tuple[str, ...]:
    names = tuple(raw.replace(",", " ").split())
    if raw and not names:
        raise UserError(f"{where}: names nothing; leave it empty, or give names separated by commas")
    if (most := Counter(names).most_common(1)) and most[0][1] > 1:
        raise UserError(f"{where}: has {most[0][0]} more than once")
    return names


def _in_range(value: Any, limits: Mapping[str, Any], where: str) -> Any:
    low, high = limits["low"], limits["high"]
    if isinstance(value, float) and value != value:  # noqa: PLR0124  NaN alone differs from itself
        raise UserError(f"{where}: must be a number")
    if low is not None and value < low:
        raise UserError(f"{where}: must be at least {low}")
    if high is not None and value > high:
        raise UserError(f"{where}: must be at most {high}")
    return value


def _nearest(word: str, known: Any) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
