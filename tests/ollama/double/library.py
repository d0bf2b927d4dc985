"""Models by name, and the blobs that they are made of."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from wire import ApiError

from evo.errors import EvoError
from evo.models.gguf import read_gguf_facts


@dataclass(frozen=True)
class Model:
    """``source``: a GGUF file, or the kind of a stand-in. thinks: it can think and says so."""

    name: str
    source: Path | str
    digest: str
    size: int
    quantization: str = "Q4_0"
    parameters: str = "1M"
    context: int = 8192

    @property
    def capabilities(self) -> list[str]:
        kinds = {"embed": ["embedding"], "think": ["completion", "thinking"]}
        return kinds.get(str(self.source), ["completion"])

    def listed(self) -> dict:
        return {
            "name": self.name,
            "model": self.name,
            "modified_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "size": self.size,
            "digest": self.digest,
            "details": self.details(),
        }

    def details(self) -> dict:
        return {
            "parent_model": "",
            "format": "gguf",
            "family": "llama",
            "families": ["llama"],
            "parameter_size": self.parameters,
            "quantization_level": self.quantization,
        }

    def shown(self) -> dict:
        return {
            "modelfile": f"FROM {self.name}\n",
            "template": "{{ .Prompt }}",
            "details": self.details(),
            "model_info": {"general.architecture": "llama", "llama.context_length": self.context},
            "capabilities": self.capabilities,
            "modified_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }


class Library:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.models: dict[str, Model] = {}

    def add_fake(self, name: str, kind: str) -> None:
        digest = hashlib.sha256(f"stand-in {kind} {name}".encode()).hexdigest()
        self.models[full(name)] = Model(full(name), kind, digest, 1_000_000)

    def add_file(self, name: str, path: Path, digest: str) -> None:
        try:
            facts = read_gguf_facts(path)
        except EvoError as error:
            raise ApiError(400, f"invalid file: {error}") from error
        manifest = hashlib.sha256(f"manifest of {digest}".encode()).hexdigest()
        size = path.stat().st_size
        self.models[full(name)] = Model(
            full(name), path, manifest, size, facts.quantization, facts.parameters, facts.context
        )

    def get(self, name: object) -> Model:
        if not isinstance(name, str) or not name:
            raise ApiError(400, "model is required")
        if full(name) not in self.models:
            raise ApiError(404, f"model '{name}' not found")
        return self.models[full(name)]

    def blob(self, digest: str) -> Path:
        return self.folder / digest.replace(":", "-")


def full(name: str) -> str:
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"
