"""The facts that a GGUF file states about itself. Format: ggml's GGUF specification, versions 2 and 3."""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from evo.models.backend import ModelMissing

__all__ = ["GgufFacts", "read_gguf_facts"]

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9

# The names that users know for general.file_type, as in llama.cpp's llama_ftype.
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 25: "IQ4_NL", 30: "IQ4_XS",
    32: "BF16",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GgufFacts:
    """What a file says of itself; "" or 0 where it says nothing. context: trained length in tokens.
    template: SHA-256 (hex) of the chat template.
    """

    quantization: str
    parameters: str
    context: int
    template: str


def read_gguf_facts(path: Path) -> GgufFacts:
    """Read the header of ``path``. Raises ModelMissing if it is not there or is no GGUF file."""
    try:
        with path.open("rb") as file:
            facts = _metadata(file)
    except OSError as error:
        raise ModelMissing(f"{path}: cannot be read ({error.strerror}); give the path of a .gguf file") from error
    except (struct.error, ValueError, KeyError, MemoryError, OverflowError) as error:
        raise ModelMissing(f"{path}: is not a GGUF file; give the path of one") from error
    context = facts.get(f"{facts.get('general.architecture')}.context_length")
    template = str(facts.get("tokenizer.chat_template", ""))
    return GgufFacts(
        quantization=_FILE_TYPES.get(int(facts.get("general.file_type", -1)), ""),
        parameters=str(facts.get("general.size_label", "")),
        context=int(context or 0),
        template=hashlib.sha256(template.encode()).hexdigest() if template else "",
    )


def _metadata(file: BinaryIO) -> dict[str, str | int | float]:
    """Every scalar and text of the header; arrays (the vocabulary) are passed over."""
    magic, version, _tensors, count = struct.unpack("<4sIQQ", file.read(24))
    if magic != b"GGUF" or version not in (2, 3):
        raise ValueError
    values: dict[str, str | int | float] = {}
    for _ in range(count):
        key = _text(file)
        kind = _number(file, "<I")
        if kind == _ARRAY:
            _skip_array(file)
        else:
            values[key] = _text(file) if kind == _STRING else _number(file, _SCALARS[kind])
    return values


def _skip_array(file: BinaryIO) -> None:
    kind, length = struct.unpack("<IQ", file.read(12))
    if kind in _SCALARS:
        file.seek(struct.calcsize(_SCALARS[kind]) * length, 1)
        return
    skip: Callable[[BinaryIO], object] = {_STRING: _text, _ARRAY: _skip_array}[kind]
    for _ in range(length):
        skip(file)


def _number(file: BinaryIO, kind: str) -> int:
    return struct.unpack(kind, file.read(struct.calcsize(kind)))[0]  # type: ignore[no-any-return]


def _text(file: BinaryIO) -> str:
    length = _number(file, "<Q")
    raw = file.read(length)
    if len(raw) != length:
        raise ValueError
    return raw.decode("utf-8", "replace")
