"""What a notebook shows: a pipeline as a picture, and in words."""

import html
import tempfile
from dataclasses import dataclass
from pathlib import Path

from evo.errors import UserError
from evo.figures.topology import draw_topology
from evo.figures.words import explain
from evo.genome import Genome

__all__ = ["Shown"]

_LINE = "padding-left: 1.4em; text-indent: -1.4em; max-width: 46em"  # steps hang by their numbers


@dataclass(frozen=True, slots=True)
class Shown:
    """A genome for a notebook: the last line of a cell is drawn."""

    genome: Genome
    title: str = ""
    simulated: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.genome, Genome):
            raise UserError(f"evo.show: {self.genome!r} is not a genome; read it first: evo.read_genome(path)")

    def _repr_png_(self) -> bytes:
        return self._drawn(".png")

    def _repr_html_(self) -> str:
        lines = "".join(f'<div style="{_LINE}">{html.escape(line)}</div>' for line in explain(self.genome).splitlines())
        picture = self._drawn(".svg").decode()
        picture = picture[picture.index("<svg") :].replace("<svg", '<svg style="max-width: 100%; height: auto"', 1)
        return f'<figure style="margin: 0">{picture}<figcaption>{lines}</figcaption></figure>'

    def _drawn(self, suffix: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"topology{suffix}"
            draw_topology(self.genome, path, title=self.title, simulated=self.simulated)
            return path.read_bytes()
