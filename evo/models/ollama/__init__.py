"""Ollama through its official client: the native chat API with every option sent, because a server's defaults change.

``backend`` tries again where that helps; ``lanes`` gives calls to hosts; ``host`` speaks to one server; ``answer`` puts
a streamed answer together; ``faults`` sorts what went wrong; ``pace``, ``gauge`` and ``breaker`` learn from it all.
"""

from evo.models.ollama.backend import OllamaBackend, Patience, full_name

__all__ = ["OllamaBackend", "Patience", "full_name"]
