"""The job of evo.export: a genome as one Python file, with the settings of the run that it comes from."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from evo.errors import UserError
from evo.export import program_text
from evo.figures import explain
from evo.genome import Genome
from evo.pipeline import PromptBook, compile_genome
from evo.run.folder import write_text
from evo.run.settings import parse_settings, read_preset

__all__ = ["config_beside", "export"]


def config_beside(genome: Path) -> str | None:
    """The settings of the run that a genome file lies in; None where it lies elsewhere."""
    config = genome.parent / "config.ini"
    return str(config) if config.is_file() else None


def export(
    genome: Genome,
    output: Path,
    *,
    config: str | None = None,
    title: str = "",
    provenance: str = "",
    changes: Mapping[str, str] | None = None,
) -> Path:
    """Write the program that does at home what evo.solve does with this genome and these settings.

    output: a .py file that is not there yet. title, provenance: for people, in its head. Raises UserError.
    """
    if output.exists():
        raise UserError(f"{output}: is there already and may have been changed; name another --output")
    if not output.resolve().parent.is_dir():
        raise UserError(f"{output}: its folder is not there; make it, or name another --output")
    settings = parse_settings(read_preset(config or "laptop", changes or {}), config or "laptop")
    prompts = PromptBook.load(Path(settings.pipeline.prompts) if settings.pipeline.prompts else None)
    text = program_text(
        compile_genome(genome, settings.pipeline_settings, prompts),
        title=title or output.stem,
        words=explain(genome),
        provenance=provenance,
        file=output.name,
        version=version("evo-pipelines"),
        seed=settings.run.seed,
        limits=settings.limits,
    )
    write_text(output, text)
    return output
