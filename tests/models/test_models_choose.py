"""Which backend answers when nobody, or somebody, said which; the command line of the weights."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from evo.errors import UserError
from evo.models import BackendUnavailable, ModelMissing, open_backend


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int) -> None:
    """A machine without Ollama and without weights, whose index is empty."""
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{unused_tcp_port}")
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    monkeypatch.setenv("EVO_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EVO_WEIGHTS", raising=False)


def _header_only(folder: Path) -> str:
    path = folder / "own.gguf"
    path.write_bytes(b"GGUF" + (3).to_bytes(4, "little") + bytes(16))
    return str(path)


async def test_auto_without_a_server_is_embedded_and_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = Path(_header_only(tmp_path))
    monkeypatch.setattr("evo.models.choose.pull", lambda weights, progress: path)
    monkeypatch.setattr("evo.models.embedded.locate", lambda weights: path)
    chosen = await open_backend("auto", context=4096)
    assert (chosen.backend.name, chosen.models) == ("embedded", ("qwen2.5-coder:0.5b",))
    assert "Ollama does not answer" in chosen.reason
    assert "ollama serve" in chosen.reason
    assert "\n" not in chosen.reason
    await chosen.backend.aclose()


async def test_auto_with_a_file_is_embedded(tmp_path: Path) -> None:
    model = _header_only(tmp_path)
    chosen = await open_backend("auto", [model])
    assert (chosen.backend.name, chosen.models) == ("embedded", (model,))
    assert "files of weights" in chosen.reason
    await chosen.backend.aclose()


async def test_strict_is_embedded_with_one_slot(tmp_path: Path) -> None:
    model = _header_only(tmp_path)
    chosen = await open_backend("auto", [model], strict=True, slots=8)
    assert chosen.backend.slots(model) == 1
    with pytest.raises(UserError, match="use --backend embedded"):
        await open_backend("ollama", [], strict=True)


@pytest.mark.parametrize(
    ("name", "models", "kind", "words"),
    [
        ("nonsense", [], UserError, "known are auto, ollama, embedded, simulated"),
        ("ollama", [], BackendUnavailable, "set OLLAMA_HOST"),
        ("ollama", ["x.gguf"], ModelMissing, "does not serve files"),
        ("auto", ["gemma3:1b"], ModelMissing, "the embedded engine does not have gemma3:1b"),
        ("embedded", ["gemma3:1b"], ModelMissing, "not in the registry"),
        ("embedded", ["none.gguf"], ModelMissing, "no such file"),
    ],
)
async def test_what_cannot_be_opened_is_one_line(
    name: str, models: list[str], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind) as caught:
        await open_backend(name, models)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_auto_without_the_engine_says_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evo.models.engine._PACKAGE", "no-such-package")
    with pytest.raises(BackendUnavailable, match=r"no backend: Ollama .*pip install 'evo-pipelines\[embedded\]'"):
        await open_backend("auto")


def _models(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "evo.models", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_line() -> None:
    listed = _models("list", "--json")
    entries = {entry["name"]: entry for entry in json.loads(listed.stdout)}
    assert entries["qwen2.5-coder:0.5b"]["path"] is None
    assert entries["qwen2.5-coder:0.5b"]["bytes"] == 491_400_064
    missing = _models("path", "smollm2:135m")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr == (
        "error: model smollm2:135m: not on this machine; run: python -m evo.models pull smollm2:135m\n"
    )
    assert "Example" in _models("pull", "--help").stdout
