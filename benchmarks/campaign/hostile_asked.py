"""Hostile questions: expressions, answers of a class, presets of strangers."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

from apps.course.assignments import Answers, Assignment
from apps.course.catalogue import EXERCISES
from benchmarks.campaign.cases import Case, command
from benchmarks.campaign.damage import Draw, damaged
from benchmarks.campaign.hostile_files import KEYS, text_bytes
from models.presets.manifest import MANIFEST, write_manifest
from models.presets.search import PRESETS_DIR

NUMBERS = (
    "1e999",
    "-1e-999",
    "nan",
    "inf",
    "0x10",
    "1_000",
    "9" * 400,
    "１２",
    "1/0",
    "1,5",
    "--1",
    "1e",
    "2^3",
    "½",
)
_SIGNS = (
    "+",
    "-",
    "*",
    "(",
    ")",
    " ",
    "\t",
    "−",
    "×",
    ",",
    ".",
    "\\",
    '"',
    "\u200b",
    "\u202e",
    "|",
    "%",
    "=",
    ";",
)
_PRESETS = {
    "digits_lecture": ("digits", "evaluate", "--folder"),
    "segmenter_en_ewt": ("tagger", "tag", "--json", "Dogs bark.", "--segmenter"),
    "tagger_en_ewt": ("tagger", "tag", "--json", "Dogs bark.", "--preset"),
    "reviews_imdb": ("reviews", "classify", "--json", "A good film.", "--preset"),
    "topics_bbc": ("reviews", "classify", "--json", "Shares fell.", "--preset"),
    "ocr_letters": ("ocr", "evaluate", "--letters"),
    "writer_shakespeare": ("writer", "score", "--json", "Dogs bark.", "--preset"),
    "vectors_en_wiki": ("vectors", "neighbours", "--json", "paris", "--preset"),
}
_SMALL = ("segmenter_en_ewt", "reviews_imdb", "topics_bbc", "tagger_en_ewt")


def expression(draw: Draw) -> str:
    """Draw an expression of words, numbers and signs, or any text."""
    from hypothesis import strategies as st

    words = st.sampled_from([*KEYS, "zzzz", "Paris", "’", "é", "a b", ""])
    pieces = st.one_of(words, st.sampled_from(NUMBERS), st.sampled_from(_SIGNS), st.floats().map(str))
    match draw.randrange(4):
        case 0:
            return draw.example(st.text(max_size=60))
        case 1:
            return draw.choice(
                (
                    " + ".join(["king"] * 3_000),
                    "(" * 50_000,
                    "king" * 20_000,
                    "1e308*king + 1e308*queen",
                    "0*king",
                )
            )
        case _:
            return draw.choice(("", " ")).join(draw.example(st.lists(pieces, min_size=1, max_size=12)))


def expressions(draw: Draw, folder: Path, good: bool) -> Case:
    """Make a case of an expression over words, or of an answer to an exercise."""
    verb = draw.choice(("analogy", "analogy", "neighbours", "odd-one-out", "check"))
    text = "king - man + woman" if good else expression(draw)
    text = text.replace("\0", "").encode("utf-8", "surrogatepass").decode("utf-8", "replace")[:100_000]
    if verb == "check":
        exercise = draw.choice([f"{lesson}/{name}" for lesson, names in EXERCISES.items() for name in names])
        answer = (
            text
            if draw.random() < 0.5
            else " ".join(draw.choices((*NUMBERS, "1", "2", text), k=draw.randrange(1, 9)))
        )
        answer = "1" if good else answer.replace("\0", "")
        return command(
            "an answer",
            "course",
            verb,
            exercise,
            f"--answer={answer}",
            "--seed",
            draw.randrange(99),
            "--json",
        )
    if verb == "odd-one-out":
        return command(
            "words",
            "vectors",
            verb,
            "--json",
            "--",
            *(["king", "queen", "dog"] if good else (text, "dog", "cat")),
        )
    if verb == "neighbours":
        return command("a word", "vectors", verb, "--json", "--", "king" if good else text)
    more = () if good or draw.random() < 0.5 else ("--topn", draw.choice((0, -1, 10**9, 10**30, "x")))
    ways = (
        "--method",
        draw.choice(("add", "multiply")),
        "--explain",
        *(("--ignore-unknown",) if draw.random() < 0.5 else ()),
    )
    return command("an expression", "vectors", verb, "--json", *ways, *more, "--", text)


def _handed_in(draw: Draw, good: bool) -> tuple[str, bytes]:
    names = tuple(EXERCISES["convolution"])[:2]
    assignment = Assignment("convolution", draw.randrange(1_000), (), names)
    odd = text_bytes(draw, good)[1][:5_000].decode("utf-8", "replace")
    typed = {f"convolution/{name}": "1" if good or draw.random() < 0.3 else odd for name in names}
    data = Answers(assignment, "Ann", typed).to_file()
    if good:
        return "good", data
    found = json.loads(data)
    match draw.randrange(7):
        case 0 | 1:
            return damaged(data, draw)
        case 2:
            found["name"] = draw.choice(
                (None, 7, [], odd, "=cmd|' /C calc'!A0", "../../x", "a" * 10_000, "\x1b[2J")
            )
        case 3:
            found["answers"] = draw.choice(
                (None, [], {"convolution/layer": 1}, {"x": "y"}, {"": ""}, "text", {"a": {"b": {}}})
            )
        case 4:
            found["assignment"] = draw.choice(
                ("", None, "1~~~~", "1~nowhere~1~~x", "~" * 10_000, found["assignment"] + "é")
            )
        case 5:
            found |= {"version": draw.choice((0, -1, 2, 1e308, "1", True, None, 10**400 // 10**20))}
        case 6:
            return "deep or large", draw.choice(
                (b"[" * 200_000, b'{"a":' * 50_000, b"9" * 6_000, b'"' + b"x" * 2_000_000 + b'"')
            )
    return "other values", json.dumps(found).encode()


def answers(draw: Draw, folder: Path, good: bool) -> Case:
    """Make a case of a class's answers: a hostile file beside a good one."""
    what, data = _handed_in(draw, good)
    own = folder / "class"
    own.mkdir()
    (own / "bob.json").write_bytes(data)
    if good or draw.random() < 0.7:
        (own / "ann.json").write_bytes(_handed_in(draw, True)[1])
    if not good and draw.random() < 0.1:
        (own / "link.json").symlink_to(draw.choice(("/dev/zero", "nowhere", "link.json", "/etc/passwd")))
    words = ("--out", "out") if draw.random() < 0.5 else ()
    return command(what, "course", "grade", *words, "--", own, several=True)


def _changed_preset(draw: Draw, preset: Path) -> tuple[str, bool]:
    """Change a copy of a preset: what was done, and whether an answer would be wrong."""
    files = sorted(path for path in preset.rglob("*") if path.is_file())
    path = draw.choice(files)
    before = path.read_bytes()
    match draw.randrange(9):
        case 0 | 1:
            what, data = damaged(before, draw)
            path.write_bytes(data)
            return f"{path.name}: {what}", data != before
        case 2:
            other = draw.choice(files)
            path.write_bytes(other.read_bytes())
            return f"{other.name} as {path.name}", path.read_bytes() != before
        case 3:
            path.unlink()
            path.symlink_to(
                draw.choice(("/dev/zero", "/etc/passwd", PRESETS_DIR / preset.name / path.name, path.name))
            )
            return f"{path.name}: a link", True
        case 4:
            path.unlink()
            if draw.random() < 0.5:
                path.mkdir()
            return f"{path.name}: gone, or a folder", True
        case 5:
            name = draw.choice(("more.npz", "evil.py", "__init__.py", ".hidden", "sub/deep.bin", "a" * 200))
            (preset / name).parent.mkdir(exist_ok=True)
            (preset / name).write_bytes(draw.randbytes(100))
            return f"a file more, {name}", True
        case 6:
            path.write_bytes(before + bytes(draw.choice((1, 5_000, 30_000_000))))
            return f"{path.name}: grown", True
        case 7:
            return _forged(draw, preset)
        case _:
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(
                    draw.choice(("../../escaped", "/tmp/escaped", "weights.npy", "a/b.npy")), bytes(50 << 20)
                )
                archive.writestr("inner.zip", before[:1_000])
            return f"{path.name}: an archive that holds archives", True


def _forged(draw: Draw, preset: Path) -> tuple[str, bool]:
    """Change a file and write a manifest that agrees with it, as somebody with bad intent would."""
    path = draw.choice(
        [path for path in sorted(preset.iterdir()) if path.is_file() and path.name != MANIFEST]
    )
    what, data = damaged(path.read_bytes(), draw)
    if path.suffix == ".json" and draw.random() < 0.7:
        found = json.loads(path.read_bytes())
        if isinstance(found, dict) and found:
            key = draw.choice(sorted(found))
            found[key] = draw.choice(
                (-1, 0, 10**12, 1e308, None, [], "x", "../..", {}, True, [10**9] * 4, "\x1b[2J")
            )
            what, data = f"another {key}", json.dumps(found).encode()
    path.write_bytes(data)
    metadata = json.loads((preset / MANIFEST).read_bytes())
    if draw.random() < 0.3:
        key = draw.choice(sorted(metadata))
        metadata[key] = draw.choice((None, -1, [], "x", {}, {"weights": 1}, 10**30))
        what += f", another {key} in the manifest"
    kept = {
        key: value for key, value in metadata.items() if key not in ("format", "files", "sha256", "parts")
    }
    write_manifest(preset, kept)
    return f"{path.name}: {what}, with a manifest that agrees", False


def presets(draw: Draw, folder: Path, good: bool) -> Case:
    """Make a case of a stranger's preset."""
    name = draw.choice(_SMALL if draw.random() < 0.8 else tuple(_PRESETS))
    preset = folder / name
    shutil.copytree(PRESETS_DIR / name, preset)
    words = list(_PRESETS[name])
    if words[1] == "evaluate":
        from benchmarks.campaign.hostile_pictures import picture

        own = folder / "own" / "3" if words[0] == "digits" else folder / "own" / "a"
        own.mkdir(parents=True)
        (own / "word1_1.png").write_bytes(picture(draw, "PNG", "L"))
        words += [folder / "own", "--json", "--preset" if words[0] == "digits" else "--letters-preset"]
    what, refused = ("good", False) if good else _changed_preset(draw, preset)
    return command(f"{name}, {what}", *words, preset, refused=refused)
