"""Reports as files: a run's page, and its pictures one by one."""

from collections.abc import Sequence
from pathlib import Path

from evo.figures import Panel, Traffic, draw_chart, draw_gallery, draw_topology, write_file
from evo.run.folder import RunFolder
from evo.run.report.ancestry import PANELS, ancestors, most_lasting, reigns
from evo.run.report.beside import side_by_side
from evo.run.report.charts import charts_of
from evo.run.report.page import champion_replays, one_run
from evo.run.report.record import Record, read_record
from evo.run.report.replay import traffic
from evo.run.report.rivals import marked

__all__ = ["write_beside", "write_pictures", "write_report"]


def write_report(folder: RunFolder, output: Path | None = None) -> Record:
    """Write a run's page, by default as report.html in its folder; returns what was read.

    The run may be going on, and its folder may be read-only if ``output`` is elsewhere. Raises UserError.
    """
    record = read_record(folder)
    write_file(output or folder.report, one_run(record).encode())
    return record


def write_pictures(record: Record, folder: Path) -> None:
    """Every chart as PNG and SVG with its CSV, the gallery of the species' champions, and the champion's topology with
    the traffic of its recorded runs.
    """
    charts = charts_of(record, marked(record), ancestors(record))
    for kind in ("png", "svg"):
        for chart in charts.values():
            draw_chart(chart, folder / f"{chart.name}.{kind}", simulated=record.simulated)
        if panels := _panels(record):
            title = f"Champions of the species, {record.folder.name}"
            draw_gallery(panels, folder / f"gallery.{kind}", title=title, simulated=record.simulated)
    if (genome := record.genomes.get(record.champion or "")) is not None:
        replays, _ = champion_replays(record)
        shown: Traffic | None = traffic(replays, genome)
        for kind in ("png", "svg"):
            title = f"Champion of {record.folder.name}"
            draw_topology(genome, folder / f"topology.{kind}", title=title, simulated=record.simulated, traffic=shown)


def _panels(record: Record) -> list[Panel]:
    return [
        Panel(
            group=f"Species {reign.species}",
            caption=f"generation {reign.first}"
            + (f" to {reign.last}" if reign.last > reign.first else "")
            + (f": {reign.estimate}" if reign.estimate else ""),
            genome=reign.genome,
        )
        for reign in most_lasting(reigns(record), PANELS)
    ]


def write_beside(folders: Sequence[RunFolder], output: Path | None = None) -> Path:
    """Write the page of several runs side by side, by default beside the first one's folder; returns where it is."""
    records = [read_record(folder) for folder in folders]
    name = "-".join(dict.fromkeys(folder.name for folder in folders))
    path = output or folders[0].path.parent / f"{name}.html"
    write_file(path, side_by_side(records).encode())
    return path
