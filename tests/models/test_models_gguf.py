"""What a GGUF file says of itself, and files that are none."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.models import ModelMissing
from evo.models.gguf import read_gguf_facts


def _text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def _header(version: int = 3, count: int | None = None) -> bytes:
    pairs = [
        _text("general.architecture") + struct.pack("<I", 8) + _text("qwen2"),
        _text("tokenizer.tokens") + struct.pack("<IIQ", 9, 8, 2) + _text("a") + _text("b"),
        _text("tokenizer.types") + struct.pack("<IIQ", 9, 5, 3) + struct.pack("<3i", 1, 2, 3),
        _text("nested") + struct.pack("<IIQ", 9, 9, 1) + struct.pack("<IQ", 0, 2) + b"xy",
        _text("qwen2.context_length") + struct.pack("<II", 4, 32768),
        _text("general.file_type") + struct.pack("<II", 4, 15),
        _text("general.size_label") + struct.pack("<I", 8) + _text("0.5B"),
    ]
    return struct.pack("<4sIQQ", b"GGUF", version, 0, len(pairs) if count is None else count) + b"".join(pairs)


def test_facts(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(_header())
    facts = read_gguf_facts(path)
    assert (facts.quantization, facts.parameters, facts.context) == ("Q4_K_M", "0.5B", 32768)


def test_what_a_file_does_not_say_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(_header(count=0))
    facts = read_gguf_facts(path)
    assert (facts.quantization, facts.parameters, facts.context) == ("", "", 0)


@pytest.mark.parametrize(
    "data", [b"", b"GGUF", b"PK\x03\x04" * 20, _header(version=9), _header()[:90], _header(count=99)]
)
def test_no_gguf(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(data)
    with pytest.raises(ModelMissing, match="is not a GGUF file"):
        read_gguf_facts(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="cannot be read"):
        read_gguf_facts(tmp_path / "x.gguf")


@given(at=st.integers(0, 400), noise=st.binary(min_size=1, max_size=8))
def test_a_damaged_header_never_ends_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, at: int, noise: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.gguf"
    data = _header()
    path.write_bytes(data[:at] + noise + data[at + len(noise) :])
    try:
        read_gguf_facts(path)
    except ModelMissing as error:
        assert "\n" not in str(error)
