"""Hostile visitors: requests to the service, and values in the address and on the canvas of pages."""

from __future__ import annotations

import base64
import importlib
import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from apps.lecture.topics import PAGES
from benchmarks.campaign.cases import Case
from benchmarks.campaign.damage import Draw, damaged
from benchmarks.campaign.hostile_asked import NUMBERS, expression
from benchmarks.campaign.hostile_files import text_bytes
from benchmarks.campaign.hostile_pictures import PICTURES, picture
from benchmarks.harness import ROOT
from data_prep.files import toml_beside

REQUESTS = {
    "tag": {"texts": ["Dogs bark."]}, "classify": {"texts": ["A good film."]}, "digit": {"pictures": [""]},
    "analogy": {"expressions": ["king - man + woman"]}, "neighbours": {"words": ["king"]}, "read": {"pictures": [""]},
    "generate": {"prompt": "A", "length": 5, "stream": False},
}  # fmt: skip


def request(draw: Draw, good: bool) -> tuple[str, str, bytes]:
    """Draw a request to the service: the address, what is hostile, and all its bytes."""
    name = draw.choice(tuple(REQUESTS))
    body: dict[str, Any] = json.loads(json.dumps(REQUESTS[name]))
    field = next(iter(body))
    if field == "pictures":
        body[field] = [base64.b64encode(picture(draw, "PNG", "L")).decode()]
    written = json.dumps(body).encode()
    if good:
        return name, "good", _http(name, written)
    what = draw.choice(
        ("value", "value", "value", "damage", "damage", "large", "type", "head", "form", "bytes")
    )
    match what:
        case "value":
            return name, what, _http(name, json.dumps(_other_values(draw, body, field)).encode())
        case "damage":
            done, data = damaged(written, draw)
            return name, done, _http(name, data)
        case "large":
            return name, what, _http(name, draw.choice(_LARGE))
        case "type":
            return name, what, _http(name, written, {"Content-Type": draw.choice(_TYPES)})
        case "head":
            return name, what, _http(name, written, dict([draw.choice(_HEADS)]))
        case "form":
            name = draw.choice(("digit", "read"))
            return name, what, _http(name, *_form(draw))
    data = draw.choice(_LINES) + b"\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    return name, what, data


_LARGE = (
    b'{"texts": ["' + b"a" * 10_000_000 + b'"]}', b"[" * 500_000, b'{"texts":' * 100_000, b"9" * 100_000,
    b'{"texts": [' + b"1e999," * 9_999 + b"1]}",
)  # fmt: skip
_TYPES = ("text/plain", "", "application/json; charset=utf-16", "multipart/form-data", "x" * 5_000)
_HEADS = (
    ("Host", "example.org"), ("Host", ""), ("Origin", "http://example.org"), ("Content-Length", "-1"),
    ("Transfer-Encoding", "chunked"), ("Content-Length", "9" * 30), ("Content-Encoding", "gzip"),
    ("Cookie", "\xff" * 99), ("Authorization", "Bearer"), ("Expect", "100-continue"), ("Upgrade", "websocket"),
    ("X", "a" * 200_000),
)  # fmt: skip
_LINES = (
    b"GET / HTTP/9.9", b"POST /v1/tag", b"\x16\x03\x01" * 50, b"\0" * 500, b"POST /%00%ff/../.. HTTP/1.1",
    b"GET /docs/../../etc/passwd HTTP/1.1", b"DELETE /v1/tag HTTP/1.1", b"GET /" + b"a" * 100_000 + b" HTTP/1.1",
)  # fmt: skip
_FIELDS = (
    "preset",
    "topn",
    "method",
    "length",
    "temperature",
    "seed",
    "samples",
    "letters",
    "x",
    "__class__",
)
_VALUES = (None, -1, 10**30, 1e308, "nan", "../../etc", "tagger_en_ewt", [], {}, "x" * 5_000, True)


def _other_values(draw: Draw, body: dict[str, Any], field: str) -> dict[str, Any]:
    match draw.randrange(4):
        case 0:
            return body | {draw.choice(_FIELDS): draw.choice(_VALUES)}
        case 1:
            return body | {field: ["Dogs bark."] * draw.choice((0, 65, 10_000))}
    text = text_bytes(draw, False)[1][:60_000].decode("utf-8", "replace")
    made = base64.b64encode(draw.choice(PICTURES)(draw)).decode()
    odd = draw.choice(
        (None, 7, {}, [], True, "", "\x00", 1e308, text, text, expression(draw), made, "A" * 99_999, "====")
    )
    return body | {field: draw.choice(([odd], [odd], odd))}


def _form(draw: Draw) -> tuple[bytes, dict[str, str]]:
    """Draw a form of files that is no good one: its body, and its header."""
    edge = draw.choice(("x", "", "x" * 300, 'a"b'))
    part = f'--{edge}\r\nContent-Disposition: form-data; name="pictures"; filename="a"\r\n\r\n'.encode()
    data = part + picture(draw) + f"\r\n--{edge}--\r\n".encode()
    data = damaged(data, draw)[1] if draw.random() < 0.7 else part * 3_000
    return data, {"Content-Type": f"multipart/form-data; boundary={edge}"}


def _http(name: str, body: bytes, head: dict[str, str] | None = None) -> bytes:
    fields = {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    lines = [
        f"POST /v1/{name} HTTP/1.1",
        *(f"{key}: {value}" for key, value in (fields | (head or {})).items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


@cache
def page_addresses() -> dict[tuple[str, str], tuple[str, ...]]:
    """Find the sections of all pages, with the names of the values that stand in their addresses."""
    found = {}
    for key in PAGES:
        folder = ROOT / "apps" / key
        sections = (
            toml_beside(str(folder / "page.toml"), "page.toml").get("sections", {}) if folder.is_dir() else {}
        )
        for name, said in sections.items():
            tried = {one for values in said.get("try", {}).values() for one in values}
            found[key, name] = tuple(sorted(tried))
    return found


_ALWAYS = (
    "section",
    "preset",
    "drawing",
    "seed",
    "lesson",
    "exercise",
    "assignment",
    "run",
    "position",
    "embed",
    "languages",
    "text",
)


def pages(draw: Draw, folder: Path, good: bool) -> Case:
    """Make a case of a page: hostile values in its address, and from its canvas."""
    (page, section), names = draw.choice(sorted(page_addresses().items()))
    query = {"section": section}
    sent: Any = None
    if not good:
        for name in draw.sample([*names, *names, *_ALWAYS], k=min(3, len(names) + 3)):
            query[name] = _page_value(draw)
        sent = draw.choice(
            (
                7,
                [],
                {},
                "x" * 100,
                "=" * 9_408,
                "A" * 9_408,
                "\0",
                1e308,
                None,
                True,
                base64.b64encode(draw.randbytes(7_056)).decode(),
            )
        )
    return Case(
        f"page {page}",
        f"{section}: {', '.join(query)}",
        lambda: _visit(page, query, None if good else [sent]),
        (*query.values(), repr(sent)),
        guarded=False,
    )


def _page_value(draw: Draw) -> str:
    from hypothesis import strategies as st

    odd: tuple[Callable[[], str], ...] = (
        lambda: draw.choice(NUMBERS),
        lambda: draw.example(st.text(max_size=40)),
        lambda: expression(draw)[:3_000],
        lambda: text_bytes(draw, False)[1][:3_000].decode("utf-8", "replace"),
        lambda: draw.choice(
            (
                "",
                "../../etc/passwd",
                "<script>alert(1)</script>",
                "[x](javascript:1)",
                "-1",
                "99999999999",
                "true",
                "A" * 9_000,
            )
        ),
    )
    return draw.choice(odd)().encode("utf-8", "replace").decode()


def _visit(page: str, query: dict[str, str], sent: list[Any] | None) -> None:
    """Open a page as a visitor does, without a browser; print what it calls wrong, and end as a command does."""
    import streamlit as st
    from streamlit.testing.v1 import AppTest
    from streamlit.util import calc_hash

    from apps.laboratory import worker

    def hostile(*, key: str, on_drawing_change: Callable[[], None], **rest: object) -> None:
        if sent:
            st.session_state[key] = {"drawing": sent.pop()}
            on_drawing_change()

    canvas = importlib.import_module("apps.shared.canvas")
    worker.launch = lambda *words: 0  # no process that trains
    if sent is not None:
        canvas._canvas = hostile
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=300)
    app._page_hash = calc_hash(page)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    for exception in app.exception:
        print("Traceback", exception.message, *exception.stack_trace, file=sys.stderr)
    for error in app.error:
        print(f"Error: {error.value}", file=sys.stderr)
    print(json.dumps({"elements": len(app.main)}))
    sys.exit(2 if app.error else 0)
