"""evo.download against a real HTTP server on the loopback address."""

import gzip
import hashlib
import multiprocessing
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from evo.download import cache_folder, fetch
from evo.errors import UserError

CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests, self.cut, self.ranges, self.content = [], None, True, CONTENT
        self.encodings = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/file.bin"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.requests.append(self.headers.get("Range"))
        server.encodings.append(self.headers.get("Accept-Encoding"))
        if self.path != "/file.bin":
            self.send_error(404)
            return
        begin = 0
        if server.ranges and self.headers.get("Range"):
            begin = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            if begin >= len(server.content):
                self.send_error(416)
                return
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(server.content) - begin))
        self.end_headers()
        body = server.content[begin:]
        if server.cut is not None:
            body, server.cut = body[: server.cut], None
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as running:
        yield running
        running.shutdown()


def test_a_file_arrives_once_with_progress(server, tmp_path):
    seen = []
    for _ in range(2):
        path = fetch(server.url, tmp_path / "f", sha256=SHA256, progress=lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert server.requests == [None]
    assert not (tmp_path / "f.part").exists()


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on(server, tmp_path, ranges):
    server.cut, server.ranges = 300_000, ranges
    with pytest.raises(UserError, match="goes on from there"):
        fetch(server.url, tmp_path / "f", sha256=SHA256)
    assert not (tmp_path / "f").exists()
    assert fetch(server.url, tmp_path / "f", sha256=SHA256).read_bytes() == CONTENT
    assert server.requests[1] is not None


def test_another_file_than_expected_is_not_kept(server, tmp_path):
    with pytest.raises(UserError, match="not the file that was expected"):
        fetch(server.url, tmp_path / "f", sha256="0" * 64)
    assert {path.name for path in tmp_path.iterdir()} == {".f.lock"}


@pytest.mark.parametrize("stale", [b"an older version", CONTENT + b"longer"])
def test_a_part_of_another_version_is_begun_anew(server, tmp_path, stale):
    (tmp_path / "f.part").write_bytes(stale)
    assert fetch(server.url, tmp_path / "f", sha256=SHA256).read_bytes() == CONTENT
    assert server.requests == [f"bytes={len(stale)}-", None]


def test_a_server_is_asked_not_to_compress(server, tmp_path):
    """Ranges of a compressed answer are not ranges of the file."""
    fetch(server.url, tmp_path / "f", sha256=SHA256)
    assert server.encodings == ["identity"]


def test_a_compressed_file_is_placed_unpacked(server, tmp_path):
    server.content, server.cut = gzip.compress(CONTENT, mtime=0), 2_000
    with pytest.raises(UserError, match="goes on from there"):
        fetch(server.url, tmp_path / "f", sha256=SHA256, gzipped=True)
    assert fetch(server.url, tmp_path / "f", sha256=SHA256, gzipped=True).read_bytes() == CONTENT
    assert {path.name for path in tmp_path.iterdir()} == {"f", ".f.lock"}


@pytest.mark.parametrize(
    "content", [b"<html>moved</html>", gzip.compress(CONTENT, mtime=0)[:-100], gzip.compress(b"other", mtime=0)]
)
def test_what_unpacks_to_another_file_is_not_kept(server, tmp_path, content):
    server.content = content
    with pytest.raises(UserError, match="give a path instead"):
        fetch(server.url, tmp_path / "f", sha256=SHA256, gzipped=True)
    assert {path.name for path in tmp_path.iterdir()} == {".f.lock"}


def test_a_folder_that_cannot_be_made_is_one_line(server, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        fetch(server.url, tmp_path / "file" / "f", sha256=SHA256)


def test_what_is_not_there_is_one_line(server, tmp_path):
    with pytest.raises(UserError, match="404") as caught:
        fetch(server.url + "x", tmp_path / "f", sha256=SHA256)
    assert "\n" not in str(caught.value)


def test_nobody_answers(tmp_path):
    with pytest.raises(UserError, match="download failed"):
        fetch("http://127.0.0.1:9/f", tmp_path / "f", sha256=SHA256)


def fetch_in_process(url, path):
    fetch(url, path, sha256=SHA256)


def test_two_processes_fetch_it_once(server, tmp_path):
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=fetch_in_process, args=(server.url, tmp_path / "f")) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert len(server.requests) == 1


def test_the_cache_can_be_moved(tmp_path, monkeypatch):
    monkeypatch.setenv("EVO_CACHE", str(tmp_path / "cache"))
    assert cache_folder("suites") == tmp_path / "cache" / "suites"
    assert (tmp_path / "cache" / "suites").is_dir()
    (tmp_path / "file").touch()
    monkeypatch.setenv("EVO_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match="EVO_CACHE"):
        cache_folder("suites")
