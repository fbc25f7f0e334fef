from __future__ import annotations

import hashlib
import http.server
import io
import threading
import zipfile

import pytest
import requests

from data_prep import datasets
from data_prep.datasets import DATASETS, DataFile, Dataset, locate, locate_files
from data_prep.errors import InputError

CONTENT = b"some words\n" * 1000
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


ARCHIVE = zipped(words=CONTENT, other=b"x")
SERVED = {"/words.txt": CONTENT, "/words.zip": ARCHIVE, "/broken.zip": ARCHIVE[:200]}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/words.txt")
            self.end_headers()
            return
        content = CONTENT if self.path == "/interrupted" else SERVED.get(self.path)
        self.send_response(200 if content else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write((content or b"")[: 5000 if self.path == "/interrupted" else None])

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.delenv(datasets.DATA_DIR_VARIABLE, raising=False)
    monkeypatch.setattr(datasets, "_cache_dir", lambda: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def allow_http(monkeypatch):
    # The local server has no certificate; that https is required has its own test.
    monkeypatch.setattr(datasets, "_require_https", lambda url: None)


@pytest.fixture
def register(monkeypatch):
    def register(*files: DataFile) -> str:
        dataset = Dataset("words", {str(at): file for at, file in enumerate(files)}, "", "", "", {}, "Ask us")
        monkeypatch.setattr(datasets, "DATASETS", {"words": dataset})
        return "words"

    return register


def leftovers(folder):
    return [path.name for path in folder.rglob("*") if path.is_file()]


def test_download_then_cache(server, cache, allow_http, register, monkeypatch):
    name = register(DataFile("words.txt", f"{server}/redirect", SHA256, len(CONTENT)))
    path = locate(name)
    assert path.read_bytes() == CONTENT and leftovers(cache) == ["words.txt"]
    monkeypatch.setitem(SERVED, "/words.txt", b"changed")
    assert locate(name).read_bytes() == CONTENT


def test_member_of_an_archive(server, cache, allow_http, register):
    checksum = f"sha256:{hashlib.sha256(ARCHIVE).hexdigest()}"
    file = DataFile(
        "words", f"{server}/words.zip", checksum, 10_000, member="words", member_bytes=len(CONTENT)
    )
    assert locate(register(file)).read_bytes() == CONTENT
    assert leftovers(cache) == ["words"]


@pytest.mark.parametrize(
    ("path", "checksum", "max_bytes", "message"),
    [
        ("/words.txt", "sha256:" + "0" * 64, 20_000, "failed.*hash"),
        ("/words.txt", SHA256, 10_000, "larger than it may be. Allowed: 10000 bytes"),
        ("/interrupted", None, 20_000, "failed"),
        ("/none", SHA256, 20_000, "failed.*404"),
    ],
)
def test_failed_download_leaves_nothing(
    server, cache, allow_http, register, path, checksum, max_bytes, message
):
    name = register(DataFile("words.txt", server + path, checksum, max_bytes))
    with pytest.raises(InputError, match=message):
        locate(name)
    assert leftovers(cache) == []


def test_killed_download_leaves_nothing(server, cache, allow_http, register, monkeypatch):
    def interrupt(self, *_):
        raise KeyboardInterrupt

    monkeypatch.setattr(requests.Response, "iter_content", interrupt)
    name = register(DataFile("words.txt", f"{server}/words.txt", SHA256, 20_000))
    with pytest.raises(KeyboardInterrupt):
        locate(name)
    assert leftovers(cache) == []


def test_slow_download_is_given_up(server, cache, allow_http, register, monkeypatch):
    monkeypatch.setattr(datasets, "DEADLINE_S", -1.0)
    name = register(DataFile("words.txt", f"{server}/words.txt", SHA256, 20_000))
    with pytest.raises(InputError, match="takes too long"):
        locate(name)
    assert leftovers(cache) == []


def test_only_https(server, cache, register, monkeypatch):
    monkeypatch.setattr(requests, "get", lambda *_, **__: pytest.fail("the server was asked"))
    name = register(DataFile("words.txt", f"{server}/words.txt", SHA256, 20_000))
    with pytest.raises(InputError, match="over https only"):
        locate(name)
    assert leftovers(cache) == []


@pytest.mark.parametrize(
    ("path", "member", "size", "message"),
    [
        ("/words.zip", "none", len(CONTENT), "does not hold none"),
        ("/words.zip", "words", 10, "does not hold words as expected. Allowed: 10 bytes. Received: 11000"),
        ("/broken.zip", "words", len(CONTENT), "failed.*zip"),
    ],
)
def test_wrong_archive(server, cache, allow_http, register, path, member, size, message):
    file = DataFile("words", server + path, None, 10_000, member=member, member_bytes=size)
    with pytest.raises(InputError, match=message):
        locate(register(file))
    assert leftovers(cache) == []


def test_data_dir_comes_first_and_a_compressed_copy_counts(tmp_path, cache, register, monkeypatch):
    (tmp_path / "data" / "words").mkdir(parents=True)
    for name in ("a.txt", "b.txt.gz"):
        (tmp_path / "data" / "words" / name).write_bytes(b"x")
    monkeypatch.setenv(datasets.DATA_DIR_VARIABLE, str(tmp_path / "data"))
    register(DataFile("a.txt", "https://none.invalid/a"), DataFile("b.txt", other_names=("b.txt.gz",)))
    assert [path.name for path in locate_files("words").values()] == ["a.txt", "b.txt.gz"]
    assert locate("words") == tmp_path / "data" / "words"


def test_errors_of_the_search(tmp_path, cache, register, monkeypatch):
    with pytest.raises(InputError, match=r"no such data set\. Allowed: mnist, ud_english_ewt"):
        locate("nothing")
    with pytest.raises(InputError, match=r"data set wiki is not on this machine.*text8"):
        locate("wiki")
    monkeypatch.setenv(datasets.DATA_DIR_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(InputError, match="LECTERN_DATA_DIR does not name a folder"):
        locate("mnist")


@pytest.mark.parametrize("name", list(DATASETS))
def test_registry_entries_are_complete(name):
    dataset = DATASETS[name]
    assert dataset.name == name and dataset.licence and dataset.citation and dataset.counts
    assert dataset.homepage.startswith("http")
    for file in dataset.files.values():
        if file.url is not None:
            assert file.url.startswith("https://") and file.max_bytes > 0
            if file.checksum is not None:
                kind, digest = file.checksum.split(":")
                assert len(digest) == {"sha256": 64, "md5": 32}[kind]


@pytest.mark.realdata
@pytest.mark.parametrize("name", [name for name in DATASETS if name not in ("text8", "enwik9")])
def test_real_sets_are_found_in_the_data_folder(data_dir, name):
    for path in locate_files(name).values():
        assert path.is_relative_to(data_dir) and path.stat().st_size > 0


@pytest.mark.realdata
def test_real_treebank_and_shakespeare_are_the_publishers_bytes(data_dir):
    import gzip

    for name in ("ud_english_ewt", "tinyshakespeare"):
        for part, path in locate_files(name).items():
            data = path.read_bytes()
            data = gzip.decompress(data) if path.suffix == ".gz" else data
            assert f"sha256:{hashlib.sha256(data).hexdigest()}" == DATASETS[name].files[part].checksum


def test_redirect_away_from_https_is_refused(server, cache, register, monkeypatch):
    # Only the first address counts as https here, as with a publisher that redirects to plain http.
    allowed = f"{server}/redirect"
    original = datasets._require_https
    monkeypatch.setattr(datasets, "_require_https", lambda url: None if url == allowed else original(url))
    with pytest.raises(InputError, match="over https only"):
        locate(register(DataFile("words.txt", allowed, SHA256, 20_000)))
    assert leftovers(cache) == []
