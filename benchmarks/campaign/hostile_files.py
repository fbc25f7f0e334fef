"""Hostile files: texts, treebanks, tables and vector files, by damage to good ones and made by hand."""

from __future__ import annotations

import gzip
import io
import json
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from apps.reviews.sources import sample_source
from apps.tagger.sources import treebank as treebank_of
from benchmarks.campaign.cases import Case, command, given
from benchmarks.campaign.damage import Draw, damaged
from benchmarks.campaign.hostile_pictures import picture
from data_prep.readers.conllu import format_conllu
from data_prep.text.embeddings import WordVectors

_WORD = 1_000_000  # letters
_READ = 20_000  # bytes
GOOD_TEXT = (
    "She can't fish because the fish sleeps. Dogs bark at 7 % of all boats!\n\n"
    "“Nobody”, said Ann, “has seen the film; it was wonderful.”\n"
)
TEXTS: tuple[Callable[[Draw], bytes], ...] = (
    lambda draw: bytes(range(1, 32)) * 30,
    lambda draw: b"a lone half: \xed\xa0\x80 and \xed\xbf\xbf .",
    lambda draw: (
        draw.choice((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xff\xfe\0\0")) + GOOD_TEXT.encode()
    ),
    lambda draw: GOOD_TEXT.encode(draw.choice(("utf-16", "utf-32", "utf-7", "cp1252"))),
    lambda draw: b"Dogs\0bark.",
    lambda draw: "\u202eDogs bark\u202c \u200f\u05d0\u05d1 \u2066cats\u2069 \ufeff".encode(),
    lambda draw: "".join(c + "\u0300\u0316\u0334\u0359" * 40 for c in "Zalgo comes.").encode(),
    lambda draw: (
        draw.choice(("x", "é", "漢", "\u0301", "ﷺ", "🏴\u200d")).encode() * (_WORD // draw.choice((1, 10)))
    ),
    lambda draw: b"a" * _WORD,
    lambda draw: (
        draw.choice((b" ", b"\n", b"\t", b"\r", b"\x0b", "\u2028".encode(), "\u3000".encode())) * _WORD
    ),
    lambda draw: b"." * draw.choice((1, 10_000, 300_000)),
    lambda draw: b"Dogs bark. " * 20_000,
    lambda draw: "👩\u200d👩\u200d👧\u200d👦 🇩🇪 1\ufe0f\u20e3 ".encode() * 500,
    lambda draw: b"\x1b]0;title\x07\x1b[2J\x1b[31mred\x9b31m",
    lambda draw: "𝕯𝖔𝖌𝖘 ｂａｒｋ ﬁsh ½ Ⅷ ".encode() * 50,
    lambda draw: b"'" * 2_000 + b'"((((' * 2_000,
    lambda draw: b"http://" + b"a." * 50_000,
    lambda draw: b"1" * 5_000 + b"e" + b"9" * 5_000,
    lambda draw: b"\r\n".join([b"Dogs bark."] * 300),
    lambda draw: b"%n%s%x {0} {x!r} [b]bold[/b] $(id) `id` ; rm -r .",
)


def text_bytes(draw: Draw, good: bool) -> tuple[str, bytes]:
    """Draw a text, UTF-8 or not."""
    if good:
        return "good", GOOD_TEXT.encode()
    match draw.randrange(4):
        case 0:
            return damaged(GOOD_TEXT.encode() * draw.choice((1, 20)), draw)
        case 1:
            from hypothesis import strategies as st

            return "drawn characters", draw.example(st.text(min_size=1, max_size=300)).encode(
                "utf-8", "surrogatepass"
            )
        case _:
            number = draw.randrange(len(TEXTS))
            return f"made by hand, {number}", TEXTS[number](draw)


def texts(draw: Draw, folder: Path, good: bool) -> Case:
    """Make a case of a text: in a file, from standard input, or on the command line."""
    words = draw.choice(
        (
            "tagger tag --json", "tagger tag --format csv", "tagger tag --format conllu", "tagger tag",
            "reviews classify --json", "reviews classify --json --lines", "writer score --json",
            "writer score --json --unknown map", "writer generate --json --length 3 --unknown map",
        )
    ).split()  # fmt: skip
    what, data = text_bytes(draw, good)
    if words[:2] == ["writer", "score"]:
        data = data[:_READ]  # what is long is read, a letter after the other, as long as that takes
    way = draw.choice(("file", "file", "stdin", "argument"))
    if words[1] == "generate" or (way == "argument" and "--lines" not in words):
        argument = data.replace(b"\0", b"")[:100_000].decode("utf-8", "surrogateescape")
        if words[1] == "generate":
            return command(what, *words, f"--prompt={argument}")
        return command(what, *words, "--", argument)
    several = "--lines" in words
    if way == "file":
        suffix = draw.choice((".txt", "", ".conllu", ".gz")) if not good else ".txt"
        return command(what, *words, "--file", given(folder, draw, suffix, data, good), several=several)
    return command(what, *words, stdin=data, several=several)


@cache
def good_treebank() -> str:
    """Return some well-formed sentences."""
    sentences = treebank_of({"sample": True}, 1).train[:60]
    ranges = (
        "# text = don't\n1-2\tdon't"
        + "\t_" * 8
        + "\n1\tdo\tdo\tAUX\tVB\t_\t0\troot\t_\t_\n2\tn't\tnot\tPART\tRB\t_\t1\tadvmod\t_\t_\n\n"
    )
    return ranges + "".join(map(format_conllu, sentences))


def _bad_lines(draw: Draw) -> tuple[str, bytes]:
    """Change a line of a treebank, or many."""
    lines = good_treebank().split("\n")
    words = [at for at, line in enumerate(lines) if line[:1].isdigit()]
    at = draw.choice(words)
    columns = lines[at].split("\t")
    number = draw.randrange(14)
    column = draw.randrange(10)
    match number:
        case 0:
            del columns[column]
        case 1:
            columns.insert(column, draw.choice(("", "x", "_", "\0")))
        case 2:
            columns[column] = draw.choice(
                ("", " ", "\u00a0", "é" * 50_000, "\x1b[31m", "-1", "99999999999999999999", "1.5")
            )
        case 3:
            columns[0] = draw.choice(
                ("0", "3", "1-1", "2-1", "1-99", "1.1", "0.1", "1-2-3", "１", "+1", "1e3", "_")
            )
        case 4:
            columns[6] = draw.choice(("99", "-1", columns[0], "x", "1.1"))
        case 5:
            columns[3] = draw.choice(("NOPE", "noun", "NOUN ", "X|Y", "𝐍𝐎𝐔𝐍"))
        case 6:
            columns = [" ".join(columns)]
        case 7:
            lines = [line for line in lines if line]
        case 8:
            lines.insert(
                at,
                draw.choice(("# text = another", "#", "# newdoc id =", "\t" * 9, "# sent_id = 1\r", "\x0c")),
            )
        case 9:
            lines = [line + "\r" for line in lines]
        case 10:
            lines[at] = "\t".join(columns)
            lines = [line for line in lines for _ in range(draw.choice((2, 40)))]
        case 11:
            columns[1] = draw.choice(("a b", "\u3000", "\ufeff", "\u0301", "x" * 100_000))
        case 12:
            columns[9] = draw.choice(("SpaceAfter=No|SpaceAfter=Yes", "SpacesAfter=\\s\\q", "=" * 10_000))
        case 13:
            lines = ["1\tword" + "\t_" * 8] * 3_000
            at, columns = 0, lines[0].split("\t")
    if at < len(lines):
        lines[at] = "\t".join(columns)
    return f"lines, {number}", "\n".join(lines).encode("utf-8", "surrogatepass")


def treebanks(draw: Draw, folder: Path, good: bool) -> Case:
    """Make a case of a treebank."""
    words = draw.choice(
        (
            "tagger tag --input conllu --format conllu", "tagger tag --json --input conllu", "tagger tag --json",
            "tagger evaluate --json", "tagger evaluate-segmenter --json", "tagger fit --json",
        )
    ).split()  # fmt: skip
    data = good_treebank().encode()
    what, data = ("good", data) if good else _bad_lines(draw) if draw.random() < 0.6 else damaged(data, draw)
    path = given(
        folder, draw, draw.choice((".conllu", ".conllu", ".txt")) if not good else ".conllu", data, good
    )
    if words[1] == "fit":
        tiny = ("--set", "epochs=1", "--set", "units=4,4", "--recipe", "lab", "--out", "out")
        return command(what, *words, "--treebank", path, *tiny, guarded=False)
    return command(what, *words, "--file", path)


@cache
def good_documents() -> list[tuple[str, str]]:
    """Return some labelled texts."""
    texts = sample_source().train
    return [(text, texts.classes[label]) for text, label in zip(texts.texts, texts.labels, strict=True)][:60]


def _table(draw: Draw, good: bool) -> tuple[str, str, bytes]:
    """Write a table as CSV, TSV, or lines of JSON: what was done, its suffix, its bytes."""
    suffix = ".csv" if good else draw.choice((".csv", ".csv", ".tsv", ".jsonl"))
    rows = [("text", "label"), *good_documents()]
    separator = "\t" if suffix == ".tsv" else ","
    if suffix == ".jsonl":
        deep = draw.choice(
            ("[" * 100_000, '{"text": NaN, "label": Infinity}', '{"text": "a", "text": "b"}', "")
        )
        lines = [json.dumps({"text": text, "label": label}) for text, label in rows[1:]]
        return "lines of JSON", suffix, "\n".join([*lines, deep]).encode()
    lines = [separator.join(f'"{cell}"' for cell in row) for row in rows]
    number = -1 if good or draw.random() < 0.4 else draw.randrange(12)
    at = draw.randrange(1, len(lines))
    match number:
        case 0:
            lines[at] = lines[at].replace('"', "", 1)
        case 1:
            lines[at] += separator + "more"
        case 2:
            lines[0] = draw.choice(
                ("text", "label,label", '"text","text","label"', "", "Text,Label", "\ufefftext,label")
            )
        case 3:
            lines = lines[:1]
        case 4:
            lines[at] = '"' + "word " * 900_000 + '","pos"'
        case 5:
            lines[at] = lines[at].replace("pos", "").replace("neg", "")
        case 6:
            lines = [draw.choice(("\r", "\x0b", "\u2028")).join(lines)]
        case 7:
            lines[at] = lines[at] + "\0"
        case 8:
            lines = [lines[0], *(f'"same text","{number}"' for number in range(3_000))]
        case 9:
            lines[at] = '"","pos"'
        case 10:
            lines = [lines[0], *([","] * 200_000)]
        case 11:
            lines[0] = ",".join(["text", "label", *map(str, range(5_000))])
    data = "\n".join(lines).encode()
    if number == -1 and not good:
        what, data = damaged(data, draw)
        return what, suffix, data
    return f"rows, {number}", suffix, data


def tables(draw: Draw, folder: Path, good: bool) -> Case:
    """Make a case of a table of labelled texts, or of named pictures."""
    verb = draw.choice(
        ("reviews evaluate", "reviews evaluate", "reviews fit", "ocr evaluate", "reviews classify")
    )
    what, suffix, data = _table(draw, good)
    if draw.random() < 0.1 and not good:
        what, suffix, data = (
            f"{what}, zipped",
            f"{suffix}.gz",
            gzip.compress(data)[: draw.choice((-1, 10**9))],
        )
    if verb == "ocr evaluate":
        (folder / "one.png").write_bytes(picture(draw, "PNG", "L"))
        data = (
            data.replace(b"text", b"picture", 1).replace(b"label", b"text", 1)
            if not good
            else b"picture,text\none.png,a\n"
        )
        return command(what, *verb.split(), "--words", given(folder, draw, ".csv", data, good), "--json")
    path = given(folder, draw, suffix, data, good)
    if verb == "reviews classify":
        return command(what, *verb.split(), "--lines", "--json", "--file", path, several=True)
    columns = ("--text", "text", "--label", "label") if good or draw.random() < 0.8 else ()
    words = (*verb.split(), "--csv", path, *columns, "--json")
    if verb == "reviews fit":
        tiny = ("--network", "mean", "--set", "epochs=1", "--out", "out")
        return command(what, *words, *tiny, guarded=False)
    return command(what, *words)


KEYS = ["king", "queen", "man", "woman", "paris", "france", "madrid", "spain", "dog", "cat", "walk", "walked"]


def _vectors_file(folder: Path, draw: Draw) -> tuple[str, bytes]:
    kind = draw.choice(("text", "binary", "npz"))
    keys = [*KEYS, *(f"word{number}" for number in range(200))]
    matrix = np.random.default_rng(1).normal(size=(len(keys), 12)).astype(np.float32)
    path = folder / "good"
    WordVectors(keys, matrix).save(path, kind)
    data = path.read_bytes()
    path.unlink()
    return kind, data


def _lying(kind: str, data: bytes, draw: Draw) -> bytes:
    """Change what a vectors file says about itself, or numbers in it."""
    if kind == "npz":
        keys = draw.choice((KEYS, ["a", "a"], [], [""], "king", {}, [1, 2], ["\ud800"], KEYS[:2] * 6))
        arrays = {
            "keys": np.frombuffer(json.dumps(keys).encode(), np.uint8),
            "vectors": draw.choice(
                (
                    np.full((12, 3), np.nan, np.float32), np.zeros((12, 0), np.float32), np.zeros((2, 3), np.float16),
                    np.zeros((12, 3), complex), np.zeros((3,), np.float32), np.array([[1, "x"]]),
                    np.full((12, 3), 1e308), np.zeros((12, 3), np.float32), np.full((12, 3), 3e38, np.float32),
                )
            ),
            "counts": draw.choice((np.zeros(12, np.int64), np.full(12, -1), np.array(5), np.array(["x"] * 12))),
        }  # fmt: skip
        if draw.random() < 0.3:
            arrays["objects"] = np.array([{}], dtype=object)
        written = io.BytesIO()
        np.savez_compressed(written, **arrays)
        return written.getvalue()
    _, _, rest = data.partition(b"\n")
    headers = (
        b"0 0", b"-1 12", b"212 0", b"212 13", b"212 11", b"4 12", b"99999999999 12", b"212 99999999999", b"", b"212",
        b"212 12 1", b"1e3 12", b"2147483648 2147483648", b"\xff 12", b"0212 12", b"+212 12", b"212\t12",
        b"1000000 300",
    )  # fmt: skip
    if draw.random() < 0.6:
        return draw.choice(headers) + b"\n" + rest
    if kind == "binary":
        first = struct.pack("<f", draw.choice((np.nan, np.inf, 3e38, -0.0, 1e-45)))
        return data[: data.index(b"king ") + 5] + first + data[data.index(b"king ") + 9 :]
    old = rest.split(b" ")[draw.randrange(1, 10)]
    new = draw.choice(
        (b"nan", b"inf", b"-inf", b"1e400", b"1_0", b"0x10", b"", b"1,5", b"\xc2\xa01", b"1" * 5_000)
    )
    return data.replace(old, new, 1)


def vector_files(draw: Draw, folder: Path, good: bool) -> Case:
    """Make a case of a file of word vectors."""
    verb = draw.choice(("neighbours", "neighbours", "analogy", "export", "import"))
    kind, data = _vectors_file(folder, draw)
    what = "good"
    if not good:
        if draw.random() < 0.5:
            what, data = damaged(data, draw)
        else:
            what, data = "a header or numbers that lie", _lying(kind, data, draw)
    suffix = (
        draw.choice((".vec", ".txt", ".bin", "", ".npz", ".gz"))
        if not good
        else ".npz"
        if kind == "npz"
        else ".vec"
    )
    path = given(folder, draw, suffix, data, good)
    what = f"{kind}: {what}"
    match verb:
        case "neighbours":
            return command(what, "vectors", verb, "king", "--vectors", path, "--json")
        case "analogy":
            return command(
                what, "vectors", verb, "king - man + woman", "--explain", "--vectors", path, "--json"
            )
        case "export":
            out = ("--out", "out", "--format", draw.choice(("npz", "text", "binary")), "--storage", "float32")
            return command(what, "vectors", verb, "--vectors", path, *out, "--json")
        case _:
            return command(what, "vectors", verb, "--out", "out", "--json", "--", path)
