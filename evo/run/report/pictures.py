"""Pictures inside a page: SVG whose colours follow the page from light to dark and whose names are its own."""

import base64
import colorsys
import re
from io import StringIO

from markupsafe import Markup, escape
from matplotlib.figure import Figure

__all__ = ["Pictures", "data_link"]

_COLOUR = re.compile(r"#([0-9a-f]{6})\b")


class Pictures:
    """All pictures of one page; it remembers their colours."""

    def __init__(self) -> None:
        self._colours: set[str] = set()
        self._count = 0

    def inline(self, figure: Figure, name: str) -> Markup:
        """The figure as an element. name: what a screen reader says."""
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
        self._count += 1
        body = re.sub(
            r"<metadata>.*?</metadata>", "", text.getvalue()[text.getvalue().index("<svg") :], flags=re.DOTALL
        )
        mine = f"p{self._count}-"
        body = re.sub(r'\bid="', f'id="{mine}', body)
        body = re.sub(r"url\(#", f"url(#{mine}", body)
        body = re.sub(r'href="#', f'href="#{mine}', body)
        self._colours |= set(_COLOUR.findall(body))
        # Only in style attributes: text that happens to look like a colour stays what it is.
        body = re.sub(r'style="[^"]*"', lambda style: _COLOUR.sub(r"var(--c\1)", style.group()), body)
        width, height = figure.get_size_inches()
        attributes = f'role="img" aria-label="{escape(name)}" style="--w:{width:.2f}"'
        size = f'viewBox="0 0 {72 * width:g} {72 * height:g}"'
        names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        body = re.sub(r"<svg[^>]*>", lambda _: f"<svg {attributes} {size} {names}>", body, count=1)
        return Markup(re.sub(r"\n\s*", "\n", body))

    def css(self) -> Markup:
        """What the colours are in the light, and in the dark."""
        light = ";".join(f"--c{colour}:#{colour}" for colour in sorted(self._colours))
        dark = ";".join(f"--c{colour}:{_in_the_dark(colour)}" for colour in sorted(self._colours))
        return Markup(
            f":root{{{light}}}\n"
            f"@media (prefers-color-scheme: dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
            f":root[data-theme=dark]{{{dark}}}"
        )


def _in_the_dark(colour: str) -> str:
    """The same hue with its lightness turned around, between the page's dark paper and its light ink."""
    if colour == "ffffff":
        return "var(--card)"
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    if max(red, green, blue) - min(red, green, blue) < (0.03 if light > 0.8 else 0.12):
        hue, saturation = 0.6, 0.14  # greys take the page's own tone
    turned = colorsys.hls_to_rgb(hue, 0.105 + 0.80 * (1 - light), saturation * 0.85)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in turned)


def data_link(text: str, kind: str = "text/csv") -> str:
    """A link that holds what it leads to."""
    return f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"
