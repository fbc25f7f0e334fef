"""The service: the answers of the applications, one message for each wrong request, and a good end."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from typer.testing import CliRunner

from apps.__main__ import app
from apps.digits.application import Digits
from apps.ocr.application import Reader
from apps.reviews.application import Reviews
from apps.service.guard import HEADERS
from apps.tagger.application import Tagger
from apps.vectors.application import Vectors
from apps.writer.application import Writer
from benchmarks.load import closed_loop, same

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "docs" / "service_client.py"
START_SECONDS = 120
TEXTS = ["She can't fish because the fish sleeps.", "Dogs bark. Cats do not.", "Zum Beispiel 7 %."]
JSON = {"content-type": "application/json"}


class Service:
    """The process of a service, and a client of it."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "apps", "serve", "--port", "0"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LECTERN")}
        self.log = folder / "log.txt"
        with self.log.open("w") as errors:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        line = self.process.stdout.readline()
        assert line.startswith("Lectern service: http"), self.log.read_text()
        self.address = line.split()[2].removesuffix("/docs")
        self.http = httpx.Client(base_url=self.address, timeout=60)

    def wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        while self.http.get("/readyz").status_code != 200:
            assert time.monotonic() < end and self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)

    def ask(self, name: str, **body):
        answer = self.http.post(f"/v1/{name}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["results"]

    def end(self) -> None:
        self.http.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The one service of all tests."""
    started = Service(tmp_path_factory.mktemp("service"))
    try:
        started.wait()
        yield started
    finally:
        started.end()


def png(strokes: int = 1) -> bytes:
    """Vertical strokes, dark on light."""
    picture = np.full((60, 40 + 20 * strokes), 255, np.uint8)
    for at in range(strokes):
        picture[10:50, 20 + 20 * at : 26 + 20 * at] = 0
    written = io.BytesIO()
    Image.fromarray(picture).save(written, "PNG")
    return written.getvalue()


LETTER, BLANK = (base64.b64encode(png(strokes)).decode() for strokes in (1, 0))


def in_a_loop(coroutine):
    """Run it in a thread of its own: Playwright's loop may run in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def as_json(value):
    return json.loads(json.dumps(value))


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    """A tagger that has been asked so much that machine code answers, as in the service."""
    opened = Tagger.from_preset()
    opened.tag("Dogs bark. " * 50)
    return opened


def test_texts_are_tagged_as_by_the_application(service: Service, tagger: Tagger) -> None:
    assert same(service.ask("tag", texts=TEXTS), [tagger.tag(text).to_dict() for text in TEXTS])


def test_sixteen_clients_get_their_own_answers(service: Service, tagger: Tagger) -> None:
    texts = [f"{text} {number} of them came." for number in range(8) for text in TEXTS]
    bodies = [json.dumps({"texts": [text]}).encode() for text in texts]
    port = int(service.address.rpartition(":")[2])
    found = in_a_loop(closed_loop(port, "/v1/tag", bodies, 16))["answers"]
    assert {status for status, _ in found} == {200}
    results = [json.loads(body)["results"][0] for _, body in found]
    assert same(results, [tagger.tag(text).to_dict() for text in texts])
    joined = service.http.get("/metrics").text
    assert 'lectern_joined_count{model="tagger_en_ewt"}' in joined


def test_documents_are_classified_as_by_the_application(service: Service) -> None:
    texts = ["A wonderful film.", "A dull and boring film with a poor plot."]
    reviews = Reviews.from_preset()
    for found, text in zip(service.ask("classify", texts=texts), texts, strict=True):
        # Documents that are read together are summed in another order.
        assert same(found, reviews.classify(text).to_dict())
    (topic,) = service.ask("classify", texts=["Shares fell as the bank cut rates."], preset="topics_bbc")
    assert topic["label"] == "business"


def test_words_are_answered_as_by_the_application(service: Service) -> None:
    vectors = Vectors.from_preset()
    expression = "paris - france + spain"
    assert service.ask("analogy", expressions=[expression], topn=3, method="multiply") == [
        as_json(vectors.analogy(expression, topn=3, method="multiply").to_dict())
    ]
    (near,) = service.ask("neighbours", words=["paris"], topn=4)
    assert near == [one.to_dict() for one in vectors.neighbours("paris", 4)]


def test_pictures_are_read_as_by_the_applications(service: Service) -> None:
    digits, reader, pictures = Digits.from_preset(), Reader.from_preset(), [png(1), png(2)]
    known = [as_json(digits.classify(picture).to_dict()) for picture in pictures]
    files = [("pictures", picture) for picture in pictures]
    assert service.http.post("/v1/digit", files=files).json()["results"] == known
    assert service.ask("digit", pictures=[base64.b64encode(one).decode() for one in pictures]) == known
    read = service.http.post("/v1/read", files=files).json()["results"]
    assert [one["text"] for one in read] == [reader.read_word(picture).text for picture in pictures]
    (word,) = service.http.post("/v1/read", files=files, data={"letters": "true"}).json()["results"]
    assert word["text"] == reader.read_letters(pictures).text


def events(text: str) -> list[tuple[str, dict]]:
    parts = [part.split("\n") for part in text.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in parts]


def test_a_text_is_streamed_as_it_is_written(service: Service) -> None:
    settings = {"length": 200, "temperature": 0.7, "seed": 5}
    known = "".join(Writer.from_preset().stream("ROMEO:\n", **settings))
    answer = service.http.post("/v1/generate", json={"prompt": "ROMEO:\n", **settings})
    assert answer.headers["content-type"].startswith("text/event-stream")
    *pieces, (last, done) = events(answer.text)
    assert len(pieces) > 1 and {name for name, _ in pieces} == {"piece"}
    assert "".join(data["text"] for _, data in pieces) == known
    assert (last, done["prompt"], done["text"]) == ("done", "ROMEO:\n", known)


def test_several_samples_are_one_answer(service: Service) -> None:
    first, second = service.ask("generate", prompt="A", samples=2, length=20, stream=False)
    assert len(first["text"]) == len(second["text"]) == 20 and first["text"] != second["text"]


@pytest.mark.parametrize(
    ("name", "body", "what", "allowed"),
    [
        ("tag", {"texts": []}, "texts has no entry", "1 to 64"),
        ("tag", {"texts": ["a"] * 10_000}, "texts has too many entries", "1 to 64"),
        ("tag", {"texts": ["a" * 200_001]}, "texts has too many characters", "200,000"),
        ("tag", {"texts": ["a", " \n"]}, "texts[1]: The text is empty", "one word"),
        ("tag", {"texts": ["a", 3]}, "texts[1] does not fit", "a string"),
        ("tag", {}, "texts is missing", "/openapi.json"),
        ("tag", {"texts": ["a"], "text": "b"}, "There is no field text", "/openapi.json"),
        (
            "tag",
            {"texts": ["a"], "preset": "digits_mnist"},
            "There is no preset of this name here",
            "tagger_en_ewt",
        ),
        (
            "tag",
            {"texts": ["a"], "preset": str(ROOT / "models/presets/tagger_en_ewt")},
            "no preset",
            "tagger_en_ewt",
        ),
        ("classify", {"texts": ["A good film", "qzqz"]}, "texts[1]: None of the 1 words", None),
        ("analogy", {"expressions": ["paris - "]}, "expressions[0]: ", None),
        ("analogy", {"expressions": ["paris"], "topn": 1001}, "topn does not fit", "1000"),
        ("neighbours", {"words": ["paris", "qzqzq"]}, "words[1]: Unknown word 'qzqzq'", "50000 words"),
        ("generate", {"prompt": ""}, "prompt", None),
        ("generate", {"prompt": "A" * 20_001}, "too long", "20,000"),
        ("generate", {"prompt": "Ж"}, "never saw", "65 characters"),
        ("generate", {"prompt": "A", "length": 20_001}, "length and samples", "20,000"),
        ("generate", {"prompt": "A", "samples": 2}, "A stream is one text", "stream false"),
        ("generate", {"prompt": "A", "samples": 65, "stream": False}, "samples does not fit", "64"),
        ("generate", {"prompt": "A", "temperature": -1}, "temperature does not fit", "0"),
        ("digit", {"pictures": ["data:image/png"]}, "pictures[0] is no base64", "PNG or JPEG"),
        ("digit", {"pictures": ["R0lGODlh"]}, "pictures[0]: The picture is no PNG or JPEG", "PNG or JPEG"),
        ("read", {"pictures": [LETTER, BLANK], "letters": True}, "Letter 2", None),
        ("read", {"pictures": [LETTER, BLANK]}, "pictures[1]: The picture shows nothing", None),
        ("read", {"pictures": ["aaaa"], "letters": 1}, "letters does not fit", "true or false"),
        ("read", {"pictures": "aaaa"}, "pictures", "a list"),
    ],
)
def test_a_wrong_field_is_told(
    service: Service, name: str, body: dict, what: str, allowed: str | None
) -> None:
    answer = service.http.post(f"/v1/{name}", json=body)
    problem = answer.json()["error"]
    assert answer.status_code == 422 and what in problem["what"]
    assert set(problem) == {"what", "allowed", "received", "remedy"}
    assert allowed is None or allowed in problem["allowed"]


@pytest.mark.parametrize(
    ("method", "path", "settings", "status", "what"),
    [
        ("POST", "/v1/tag", {"content": b"{", "headers": JSON}, 400, "no JSON"),
        ("POST", "/v1/tag", {"content": b"[" * 100_000, "headers": JSON}, 400, "cannot be read"),
        ("POST", "/v1/tag", {"content": b"\xff\xfe", "headers": JSON}, 400, "no JSON"),
        ("POST", "/v1/digit", {"content": b'{"pictures', "headers": JSON}, 400, "no JSON"),
        ("POST", "/v1/tag", {"content": b"a", "headers": {"content-type": "text/plain"}}, 415, "content type"),
        ("POST", "/v1/tag", {"files": [("texts", b"a")]}, 415, "content type"),
        ("POST", "/v1/tag", {"content": bytes(10_000_000), "headers": JSON}, 413, "too large"),
        ("POST", "/v1/digit", {"files": [("file", b"a")]}, 422, "no such field"),
        ("POST", "/v1/digit", {"files": [("pictures", b"a")] * 65}, 422, "too many entries"),
        ("GET", "/v1/tag", {}, 405, "method"),
        ("GET", "/v1/nothing", {}, 404, "nothing at this address"),
        ("GET", "/healthz", {"headers": {"host": "example.org"}}, 403, "not this machine"),
        ("POST", "/v1/tag", {"json": {"texts": ["a"]}, "headers": {"origin": "http://example.org"}}, 403, "site"),
        ("GET", "/healthz", {"headers": {"origin": "http://["}}, 403, "site"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_told(
    service: Service, method: str, path: str, settings: dict, status: int, what: str
) -> None:
    answer = service.http.request(method, path, **settings)
    assert answer.status_code == status and what in answer.json()["error"]["what"]
    assert HEADERS.items() <= dict(answer.headers).items()


@pytest.mark.parametrize("name", ["docs", "docs.js", "docs.css"])
def test_the_documentation_is_the_only_file(service: Service, name: str) -> None:
    asked = service.http.get(f"/{name}", params={"path": "/etc/hostname", "kind": "text/plain"})
    plain = service.http.get(f"/{name}")
    assert asked.content == plain.content and asked.headers["content-type"] == plain.headers["content-type"]


def test_nothing_is_shown_to_other_sites(service: Service) -> None:
    answer = service.http.options("/v1/tag", headers={"origin": "http://example.org"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert "server" not in answer.headers


def test_what_can_be_asked_is_described(service: Service) -> None:
    described = service.http.get("/openapi.json").json()["paths"]
    asked = {"tag", "generate", "analogy", "neighbours", "classify", "read", "digit"}
    assert {f"/v1/{name}" for name in asked} | {"/healthz", "/readyz", "/metrics"} <= set(described)
    names = {one["name"] for one in service.http.get("/v1/presets").json()["presets"]}
    assert {"tagger_en_ewt", "topics_bbc"} <= names
    assert 'lectern_requests_total{address="/v1/tag",status="200"}' in service.http.get("/metrics").text


def test_a_visitor_who_leaves_is_counted_and_others_are_answered(service: Service) -> None:
    host, _, port = service.address.removeprefix("http://").rpartition(":")
    body = json.dumps({"prompt": "A", "length": 20_000, "stream": False}).encode()
    head = f"POST /v1/generate HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    for _ in range(3):
        with socket.create_connection((host, int(port))) as line:
            line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            time.sleep(0.05)
    end = time.monotonic() + 20
    counter = 'lectern_requests_total{address="/v1/generate",status="499"} 3.0'
    while counter not in service.http.get("/metrics").text:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert service.ask("generate", prompt="A", length=1, stream=False)


def test_the_example_in_python_runs(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(CLIENT), service.address])
        runpy.run_path(str(CLIENT), run_name="__main__")
    tagged, analogy, verdicts, *written = capsys.readouterr().out.splitlines()
    assert "fish/VERB" in tagged and "fish/NOUN" in tagged
    assert (analogy, verdicts) == ("paris - france + spain = madrid", "pos neg")
    assert "".join(written)
    lectern = runpy.run_path(str(CLIENT))["Lectern"](service.address)
    assert len(lectern.pictures("digit", [png()])) == 1
    with pytest.raises(ValueError, match=r"texts\[0\]: The text is empty"):
        lectern.ask("tag", texts=[""])


@pytest.mark.browser
def test_the_page_asks_by_fetch(service: Service, page) -> None:
    page.goto(f"{service.address}/docs")
    tag = page.get_by_role("region", name="/v1/tag", exact=True)
    tag.get_by_role("button", name="Send").click()
    expect(tag.get_by_label("Answer")).to_contain_text('"upos": "NOUN"')
    tag.get_by_role("textbox").fill('{"texts": [""]}')
    tag.get_by_role("button", name="Send").click()
    expect(tag.get_by_label("Answer")).to_contain_text(
        "422: texts[0]: The text is empty. Allowed: a text with"
    )
    generate = page.get_by_role("region", name="/v1/generate", exact=True)
    generate.get_by_role("button", name="Send").click()
    expect(generate.get_by_label("Answer")).to_contain_text('done {\n  "prompt": "ROMEO:\\n"')
    digit = page.get_by_role("region", name="/v1/digit", exact=True)
    digit.locator("input[type=file]").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": png()}
    )
    digit.get_by_role("button", name="Send").click()
    expect(digit.get_by_label("Answer")).to_contain_text('"digit": ')


def test_other_machines_need_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LECTERN_TOKEN", raising=False)
    done = CliRunner().invoke(app, ["serve", "--host", "0.0.0.0"])
    assert done.exit_code == 2
    assert "token is needed" in done.stderr and "LECTERN_TOKEN" in done.stderr
    monkeypatch.setenv("LECTERN_TOKEN", "short")
    done = CliRunner().invoke(app, ["serve", "--host", "0.0.0.0"])
    assert done.exit_code == 2 and "no good token" in done.stderr


def test_an_address_in_use_is_told(service: Service) -> None:
    # In a process of its own: uvicorn sets up the logging of the whole process.
    command = [sys.executable, "-m", "apps", "serve", "--port", service.address.rpartition(":")[2]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "cannot be listened on" in done.stderr


def test_the_end_is_graceful(service: Service) -> None:
    # The last test of this file: it ends the service. What was begun before is answered whole.
    begun = threading.Barrier(4, timeout=60)

    def written(seed: int) -> str:
        body = {"prompt": "A", "length": 4000, "seed": seed}
        text = ""
        with httpx.stream("POST", f"{service.address}/v1/generate", json=body, timeout=60) as answer:
            for part in answer.iter_text():
                if not text:
                    begun.wait()
                text += part
        return text

    with ThreadPoolExecutor(3) as clients:
        asked = [clients.submit(written, seed) for seed in range(3)]
        begun.wait()
        service.process.send_signal(signal.SIGTERM)
        assert [events(one.result())[-1][0] for one in asked] == ["done"] * 3
    assert service.process.wait(30) == 0
    assert service.log.read_text() == ""
