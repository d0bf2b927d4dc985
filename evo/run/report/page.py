"""One run as one page: everything that it says is put together here, and rendered without a network."""

import base64
import hashlib
import importlib.metadata
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evo.errors import EvoError
from evo.evaluation import Estimate, Purpose
from evo.figures import chart_figure, explain, figure_style, topology_figure
from evo.genome import dumps
from evo.run.report.ancestry import PANELS, Reign, ancestors, most_lasting, reigns
from evo.run.report.browser import browse
from evo.run.report.charts import charts_of
from evo.run.report.pictures import Pictures, data_link
from evo.run.report.record import Record
from evo.run.report.replay import Replay, replay, traffic
from evo.run.report.rivals import marked, race_of, rivals_of, sketch
from evo.tasks import Problem, load_problems

__all__ = ["champion_replays", "one_run", "rendered"]

_PIPELINES = 400  # rows of the table of pipelines
_PACKAGES = ("evo-pipelines", "neat-python", "numpy", "scipy", "xllamacpp", "ollama")


@dataclass(frozen=True, slots=True)
class _Pipeline:
    """A line of the table of pipelines."""

    plan: str
    roles: str
    models: str
    nodes: int
    first: int | None
    estimate: Estimate
    tokens: float
    champion: bool


def one_run(record: Record) -> str:
    """The page of a run, from its record alone."""
    pictures = Pictures()
    genome = record.genomes.get(record.champion or "")
    replays, gap = champion_replays(record)
    family = ancestors(record)
    rivals = rivals_of(record)
    with figure_style():
        charts = {
            name: {
                "title": chart.title,
                "caption": chart.caption,
                "csv": data_link(chart.csv),
                "file": f"{chart.name}.csv",
                "svg": pictures.inline(chart_figure(chart, simulated=record.simulated, bare=True), chart.title),
            }
            for name, chart in charts_of(record, marked(record), family).items()
        }
        topology = None
        if genome is not None:
            drawn = topology_figure(genome, simulated=record.simulated, traffic=traffic(replays, genome))
            topology = pictures.inline(drawn, "Topology of the champion")
        gallery = _gallery(record, pictures)
    problems, left = browse(replays)
    return rendered(
        "report.html.j2",
        pictures,
        title=record.folder.name,
        simulated=record.simulated,
        record=record,
        settings=record.settings,
        status=_status(record),
        answer=_answer(record),
        rivals=rivals,
        race=race_of(record),
        genome=genome,
        genome_link=data_link(dumps(genome), "application/json") if genome else "",
        explanation=explain(genome).splitlines() if genome else [],
        topology=topology,
        charts=charts,
        family=[one for one in family if one.main],
        gallery=gallery,
        pipelines=_pipelines(record),
        spent=record.spent,
        problems=problems,
        problems_left=left,
        problems_gap=gap,
        environment=_environment(record),
    )


def rendered(template: str, pictures: Pictures, **context: object) -> str:
    """A page from a template; whatever comes from a model or a file is escaped."""
    environment = Environment(
        loader=PackageLoader("evo.run.report"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
    environment.filters["percent"] = lambda share: f"{100 * share:.1f}"
    folder = files("evo.run.report") / "templates"
    script = (folder / "report.js").read_text("utf-8").strip()
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template(template).render(
        style=Markup((folder / "report.css").read_text("utf-8")),
        palette=pictures.css(),
        script=Markup(script),
        allowed=allowed,
        **context,
    )


def champion_replays(record: Record) -> tuple[tuple[Replay, ...], str]:
    """The champion's runs step by step, and why some or all cannot be shown."""
    genome = record.genomes.get(record.champion or "")
    if genome is None or record.champion is None:
        return (), "there is no champion yet"
    try:
        problems: Sequence[Problem] = load_problems(
            record.settings.tasks.benchmark, mode=record.settings.tasks.mode, seed=record.settings.run.seed
        )
    except EvoError as error:
        return (), f"the problems cannot be loaded here ({error})"
    return replay(record, genome, record.ledger.cells(record.champion, Purpose), problems)


def _status(record: Record) -> str:
    done, planned = len(record.generations), record.settings.run.generations
    if not record.generations:
        return "no generation is finished yet" if any(record.cells) or not record.finished else "finished"
    if record.finished:
        return f"finished after {done} of {planned} generations"
    return f"as of generation {done} of {planned}: the search has not ended"


def _answer(record: Record) -> dict[str, Any]:
    """The champion's scores: what selection believed, what is true of it."""
    head = dict(record.head.get("provenance", {}))
    told = head.get("search_estimate") if record.finished else None
    search = Estimate(**told) if told else record.ledger.estimate(record.champion) if record.champion else None
    validated = record.validated
    single = record.reports[-1]["single_best"] if record.reports else None
    return {
        "search": search,
        "validated": validated,
        "unseen": head.get("validated_on_unseen_problems"),
        "inflation": None if search is None or validated is None else search.mean - validated.mean,
        "single": single,
        "tokens": record.champion_tokens,
    }


def _pipelines(record: Record) -> list[_Pipeline]:
    """Every pipeline with its pooled evidence, best first."""
    first: dict[str, int] = {}
    for one in record.individuals:
        first.setdefault(one.plan, one.generation)
    estimates = {plan: record.ledger.estimate(plan) or record.ledger.estimate(plan, Purpose) for plan in record.ledger}
    measured = [(plan, estimate) for plan, estimate in estimates.items() if estimate is not None]
    measured.sort(key=lambda one: (one[0] != record.champion, -one[1].mean, one[0]))
    found = []
    for plan, estimate in measured[:_PIPELINES]:
        genome = record.genomes.get(plan)
        nodes = genome.inner if genome else ()
        found.append(
            _Pipeline(
                plan=plan,
                roles=sketch(genome) or "measured outside the search",
                models=", ".join(sorted({node.model for node in nodes if node.model})),
                nodes=len(nodes),
                first=first.get(plan),
                estimate=estimate,
                tokens=record.ledger.tokens(plan),
                champion=plan == record.champion,
            )
        )
    return found


def _gallery(record: Record, pictures: Pictures) -> list[dict[str, object]]:
    """The species' champions with their pictures; equal pipelines share one. Call it inside ``figure_style()``."""
    shown = most_lasting(reigns(record), PANELS)
    species: dict[int, list[tuple[Reign, Markup]]] = {}
    for reign in shown:
        figure = topology_figure(reign.genome, bare=True)
        title = f"Species {reign.species}, generations {reign.first} to {reign.last}"
        species.setdefault(reign.species, []).append((reign, pictures.inline(figure, title)))
    return [{"species": number, "panels": panels} for number, panels in species.items()]


def _environment(record: Record) -> list[tuple[str, str]]:
    """What the report itself was made with; the run's own is in its meta data."""
    found = [("Python", platform.python_version()), ("system", platform.platform())]
    for package in _PACKAGES:
        try:
            found.append((package, importlib.metadata.version(package)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
