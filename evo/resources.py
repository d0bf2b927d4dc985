"""Where the files that ship beside the code are: presets (``configs/``) and named genomes (``genomes/``)."""

from pathlib import Path

from evo.errors import UserError

__all__ = ["genome_path", "resource_folder"]

_PACKAGE = Path(__file__).resolve().parent


def resource_folder(name: str) -> Path:
    """The folder ``configs`` or ``genomes``: in the package when installed from a wheel, beside it in a checkout."""
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def genome_path(genome: str) -> Path:
    """A genome file's path as given, else that of the genome of this name that ships with evo.

    Raises UserError for what can be no path.
    """
    path = Path(genome)
    shipped = resource_folder("genomes") / f"{genome}.json"
    try:
        return shipped if not path.exists() and path.name == genome and shipped.is_file() else path
    except OSError as error:
        raise UserError(f"{genome}: cannot read the genome: {error.strerror}") from error
