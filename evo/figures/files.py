"""The one edge of this room: a finished picture or table becomes a file, whole or not at all."""

import os
from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure

from evo.errors import UserError

__all__ = ["check_picture_path", "save_figure", "write_file"]

# None removes what differs between two runs or two versions of matplotlib.
_METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}


def check_picture_path(path: Path) -> str:
    """The format that a path's suffix asks for: "png" or "svg". Raises UserError for anything else."""
    kind = path.suffix.lower().removeprefix(".")
    if kind not in _METADATA:
        raise UserError(f"{path}: cannot draw a picture of type {path.suffix or '(none)'!r}; name it .png or .svg")
    return kind


def save_figure(figure: Figure, path: Path) -> None:
    """Render to PNG or SVG by suffix, without dates or versions inside. Call it inside ``figure_style()``.

    Raises UserError for another suffix and where the file cannot be written.
    """
    kind = check_picture_path(path)
    rendered = BytesIO()
    figure.savefig(rendered, format=kind, metadata=_METADATA[kind])
    write_file(path, rendered.getvalue())


def write_file(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` in one step, making its folder. Raises UserError where that is not allowed.

    A link is followed. What is there and no file, a device or a folder, stays as it is.
    """
    place = path.resolve()
    if place.exists() and not place.is_file():
        raise UserError(f"{path}: cannot write this file (it is there and no file); choose another place")
    temporary = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            temporary.replace(place)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path}: cannot write this file ({error.strerror}); choose another place") from error
