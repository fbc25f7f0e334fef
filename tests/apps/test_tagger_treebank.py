"""Taggers on treebanks of your own: other languages, other tags, a segmenter of their own, wrong files."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice, product
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from apps.__main__ import app
from apps.shared.page import PresetChoice
from apps.tagger.application import DEFAULT_PRESET, OWN_SEGMENTER, SEGMENTER_PRESET, Tagger
from apps.tagger.sources import treebank
from apps.tagger.task import TaggerTask
from data_prep.errors import InputError
from data_prep.readers.conllu import Sentence, Word, plain_sentence, read_conllu, read_ewt
from data_prep.text.segmentation import expanded, multiword_tokens
from data_prep.text.tokenizer import Token
from models.presets.search import find_presets
from models.presets.store import load_preset
from models.training.driver import fit_task
from tests.treebanks import write_conllu

TASK = TaggerTask()
TINY = (
    "units=16", "epochs=12", "batch_size=8", "learning_rate=0.02", "output=softmax", "trained_dimensions=16",
    "warmup=5", "averaging=0.8", "character_units=8", "segmenter.epochs=25", "segmenter.learning_rate=0.02",
    "segmenter.warmup=2", "segmenter.averaging=0.5", "segmenter.batch=512", "segmenter.network.embedding=8",
    "segmenter.network.channels=16",
    "segmenter.network.kernel=3", "segmenter.network.dilations=1,2", "segmenter.network.dropout=0",
)  # fmt: skip
MOVED = {"zum": ("zu", "dem"), "im": ("in", "dem"), "zur": ("zu", "der")}


def sentence(*tokens: tuple[str, str, str]) -> Sentence:
    """Make a sentence of (form, UPOS, XPOS); a form of ``MOVED`` is two words, a preposition and an article."""
    words, text = [], ""
    for form, upos, xpos in tokens:
        text += " " if text and form != "." else ""
        span = (len(text), len(text) + len(form))
        pieces = MOVED.get(form.lower())
        if pieces is None:
            words.append(Word(form, upos, xpos, *span))
        else:
            first = pieces[0].capitalize() if form[0].isupper() else pieces[0]
            words += [Word(first, "ADP", "APPR", *span), Word(pieces[1], "DET", "ART", *span)]
        text += form
    return plain_sentence(text, words)


def german(count: int) -> list[Sentence]:
    """Make sentences with contracted prepositions, by turns."""
    who = [(("Der", "DET", "ART"), (noun, "NOUN", "NN")) for noun in ("Hund", "Mann", "Vogel")]
    who += [((name, "PROPN", "NE"),) for name in ("Anna", "Jürgen")]
    where = [
        (form, noun) for form, noun in (("zum", "Fluß"), ("im", "Garten"), ("zur", "Brücke"), ("bei", "Köln"))
    ]
    made = [
        sentence(
            *subject,
            (verb, "VERB", "VVFIN"),
            (form, "ADP", "APPR"),
            (noun, "NOUN", "NN"),
            (".", "PUNCT", "$."),
        )
        for subject, verb, (form, noun) in product(who, ("geht", "läuft", "schläft"), where)
    ]
    made += [
        sentence(("Zum", "_", "_"), (noun, "NOUN", "NN"), ("!", "PUNCT", "$.")) for noun in ("Fluß", "Hund")
    ]
    order = np.random.default_rng(1).permutation(len(made))
    return list(islice(cycle([made[at] for at in order]), count))


def greek() -> list[Sentence]:
    nouns = ("σκύλος", "άνθρωπος", "γάτος")
    verbs = ("τρέχει", "κοιμάται", "τραγουδά")
    return [
        sentence(("Ο", "_", "άρθρο"), (noun, "_", "όνομα"), (verb, "_", "ρήμα"), (".", "_", "στίξη"))
        for noun, verb in product(nouns, verbs)
    ] * 3


def write(path: Path, sentences: Sequence[Sentence]) -> Path:
    write_conllu(sentences, path)
    return path


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a German treebank and the preset of a tagger that learned from it alone."""
    folder = tmp_path_factory.mktemp("own")
    write(folder / "de.conllu", german(72))
    fit_task(TASK, folder / "deutsch", options={"treebank": folder / "de.conllu"}, overrides=TINY)
    assert not (folder / "deutsch.run").exists()
    return folder


def test_another_language_with_multiword_tokens(own: Path) -> None:
    tagger = Tagger.from_preset(own / "deutsch")
    assert tagger.segmenter.multiword == {"im": ("in", "dem"), "Zum": ("Zu", "dem"), "zum": ("zu", "dem"),
                                          "zur": ("zu", "der")}  # fmt: skip
    text = "Jürgen läuft zum Fluß. Der Vogel schläft im Garten."
    tokens = tagger.tag(text).tokens
    assert [token.text for token in tokens] == [
        *("Jürgen", "läuft", "zu", "dem", "Fluß", "."),
        *("Der", "Vogel", "schläft", "in", "dem", "Garten", "."),
    ]
    assert [(t.upos, t.xpos) for t in tokens[:6]] == [
        *(
            ("PROPN", "NE"),
            ("VERB", "VVFIN"),
            ("ADP", "APPR"),
            ("DET", "ART"),
            ("NOUN", "NN"),
            ("PUNCT", "$."),
        )
    ]
    assert text[tokens[2].start : tokens[2].end] == text[tokens[3].start : tokens[3].end] == "zum"
    assert set(tagger.tags) == {"ADP", "DET", "NOUN", "PROPN", "VERB", "PUNCT"} and len(tagger.tags) == 6


def test_multiword_tokens_are_ranges_in_the_output(own: Path) -> None:
    arguments = [
        "tagger",
        "tag",
        "--preset",
        str(own / "deutsch"),
        "--format",
        "conllu",
        "Anna geht zum Fluß.",
    ]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    rows = [line.split("\t") for line in done.stdout.splitlines() if line and not line.startswith("#")]
    assert [row[:2] for row in rows] == [
        *(["1", "Anna"], ["2", "geht"], ["3-4", "zum"], ["3", "zu"], ["4", "dem"], ["5", "Fluß"], ["6", "."])
    ]
    assert rows[2][2:] == ["_"] * 8 and rows[5][9] == "SpaceAfter=No"


def test_a_preset_holds_its_segmenter_and_what_was_held_out(own: Path) -> None:
    preset = load_preset(own / "deutsch")
    inside = preset.parts[OWN_SEGMENTER]
    assert inside.path == own / "deutsch" / "segmenter" and inside.kind == "segmenter"
    assert set(inside.metrics) == {
        f"{part}_{unit}_f1" for part in ("dev", "test") for unit in ("words", "sentences")
    }
    assert inside.metrics["test_words_f1"]["score"] == 100.0
    assert preset.metadata["held_out"] == ["test", "dev"]
    stages = {line["stage"] for line in preset.metadata["history"]}
    assert stages == {"segmenter", "tagger"}
    tagger = Tagger.from_preset(own / "deutsch")
    again = tagger.evaluate(own / "de.conllu")
    assert again.upos.n == preset.metrics["upos"]["n"] < sum(len(one.words) for one in german(72)) / 5
    assert again.upos.percent == preset.metrics["upos"]["score"] > 90.0
    assert again.raw_text.words_f1 == 100.0
    with pytest.raises(InputError, match="not known where the treebank is"):
        tagger.evaluate()
    other = write(own / "other.conllu", german(8))
    assert tagger.evaluate(other).upos.n == sum(len(one.words) for one in german(8))
    assert Tagger.from_preset(own / "deutsch", own / "deutsch" / "segmenter").segmenter.multiword


def test_an_altered_segmenter_inside_is_refused(own: Path, tmp_path: Path) -> None:
    import shutil

    for name in ("weights.npz", "metadata.json", "vocab.json"):
        copy = tmp_path / name
        shutil.copytree(own / "deutsch", copy)
        path = copy / "segmenter" / name
        path.write_bytes(path.read_bytes()[:-2])
        with pytest.raises(InputError, match=name):
            load_preset(copy)
        path.unlink()
        with pytest.raises(InputError, match=f"{name} is missing"):
            load_preset(copy)
    (own / "deutsch" / "segmenter" / "mine.txt").write_text("x")
    with pytest.raises(InputError, match=r"mine\.txt does not belong"):
        load_preset(own / "deutsch")
    (own / "deutsch" / "segmenter" / "mine.txt").unlink()


def test_a_preset_in_the_folders_of_presets_is_found(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LECTERN_PRESETS", str(own))
    found = {preset.name: preset for preset in find_presets("pos_tagger")}
    assert "de.conllu" in found["deutsch"].learned_from
    assert PresetChoice("pos_tagger", DEFAULT_PRESET, Tagger.from_preset, "").fits(found["deutsch"])
    assert Tagger.from_preset("deutsch").tags
    assert OWN_SEGMENTER not in {preset.name for preset in find_presets("segmenter")}


@pytest.mark.slow
@pytest.mark.usefixtures("in_a_fresh_process")
def test_a_treebank_without_universal_tags_in_another_script(tmp_path: Path) -> None:
    files = {name: write(tmp_path / f"{name}.conllu", greek()) for name in ("treebank", "dev", "test")}
    fit_task(TASK, tmp_path / "out", options=files, overrides=TINY)
    tagger = Tagger.from_preset(tmp_path / "out")
    assert tagger.column == "xpos" and tagger.tags == ("άρθρο", "ρήμα", "στίξη", "όνομα")
    tokens = tagger.tag("Ο γάτος τρέχει. Ο άνθρωπος κοιμάται.").tokens
    assert [(t.text, t.upos, t.xpos, t.tag) for t in tokens[:2]] == [
        *(("Ο", "_", "άρθρο", "άρθρο"), ("γάτος", "_", "όνομα", "όνομα"))
    ]
    assert {other.tag for other in tokens[0].alternatives} == {"ρήμα", "στίξη", "όνομα"}
    assert tagger.metrics["upos"]["score"] is None and tagger.metrics["raw_upos_f1"]["score"] is None
    assert tagger.metrics["xpos"]["score"] > 95.0 and tagger.metrics["raw_xpos_f1"]["score"] > 95.0
    confusions = tagger.metrics["upos_dev"]["confusions"]
    assert tuple(confusions["labels"]) == tagger.tags and np.sum(confusions["counts"]) == 36 * 3
    # A column that it has not learned stays as it is in a file.
    tagged = [[("NOUN", "x") for _ in one.words] for one in greek()[:1]]
    write_conllu(greek()[:1], tmp_path / "in.conllu", tagged)
    arguments = [
        "tag",
        "--preset",
        str(tmp_path / "out"),
        "--file",
        str(tmp_path / "in.conllu"),
        "--format",
        "conllu",
    ]
    done = CliRunner().invoke(app, ["tagger", *arguments])
    (tmp_path / "after.conllu").write_text(done.stdout, encoding="utf-8")
    (after,) = read_conllu(tmp_path / "after.conllu", any_tags=True)
    assert [(word.upos, word.xpos) for word in after.words][:2] == [("NOUN", "άρθρο"), ("NOUN", "όνομα")]


def test_words_without_a_tag_have_a_tag_of_their_own(tmp_path: Path) -> None:
    bare = [sentence(("Wuff", "_", "_"), (".", "PUNCT", "_"))]
    upos_only = [
        plain_sentence(one.text, [Word(w.form, w.upos, "_", w.start, w.end) for w in one.words])
        for one in german(50)
    ]
    found = treebank({"treebank": write(tmp_path / "a.conllu", [*upos_only, *bare])}, seed=1)
    assert found.tags.upos == ("ADP", "DET", "NOUN", "PROPN", "PUNCT", "VERB", "_") and found.tags.xpos == (
        "_",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("# nothing\n\n", "comments are not followed by words"),
        ("1-2\tab\t_\t_\t_\t_\t_\t_\t_\t_\n1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n", "beyond the end"),
        ("2-1\tab\t_\t_\t_\t_\t_\t_\t_\t_\n1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n", "range|count up"),
        ("1\ta\t_\tX\t_\t_\t2\t_\t_\t_\n2\tb\t_\tY\t_\t_\t1\t_\t_\t_\n", "circle"),
        ("1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n1\tb\t_\tY\t_\t_\t_\t_\t_\t_\n", "twice"),
        ("1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n\n" * 20, "one tag only"),
        ("1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n\n" * 20, "no tags"),
        ("# sent_id = 7\n1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n\n" * 2, "one sent_id"),
        ("1\ta\t_\tX\n", "10 columns"),
        ("1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n2\tb\t_\tY\t_\t_\t_\t_\t_\t_\n", "part"),
    ],
    ids=lambda value: None if "\t" in value or "#" in value else value or "empty file",
)
def test_wrong_treebanks_leave_nothing_behind(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "own.conllu").write_text(content, encoding="utf-8")
    for command in ("fit", "fit-segmenter"):
        arguments = [
            "tagger",
            command,
            "--treebank",
            str(tmp_path / "own.conllu"),
            "--out",
            str(tmp_path / "out"),
        ]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 2 and done.stderr.startswith("Error: "), done.output
        assert any(part in done.stderr for part in message.split("|")), done.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["own.conllu"]


@pytest.mark.parametrize("part", ["dev", "test"])
def test_a_part_without_the_tags_of_training_is_refused(part: str, tmp_path: Path) -> None:
    files = {
        "treebank": write(tmp_path / "a.conllu", german(50)),
        part: write(tmp_path / "b.conllu", greek()),
    }
    with pytest.raises(InputError, match=f"The {part} part has no UPOS tags"):
        fit_task(TASK, tmp_path / "out", options=files)


def test_shared_sentences_are_said(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    file = write(tmp_path / "a.conllu", german(50))
    treebank({"treebank": file, "dev": file, "test": write(tmp_path / "b.conllu", german(3))}, seed=1)
    said = capsys.readouterr().err
    assert "50 sentences of the dev part stand in the training part too" in said
    assert "3 sentences of the test part stand in the training part too" in said


def test_multiword_tokens_by_hand() -> None:
    rare = plain_sentence("zum", [Word("zum", "X", "_", 0, 3)])
    pieces = plain_sentence("don't", [Word("do", "X", "_", 0, 2), Word("n't", "X", "_", 2, 5)])
    table = multiword_tokens([*german(12), rare, pieces])
    assert table["zum"] == ("zu", "dem") and "don't" not in table
    assert not multiword_tokens([rare, pieces])
    found = list(expanded([Token("ZUM", 0, 3), Token("zur", 4, 7), Token("x", 8, 9)], table))
    assert found == [
        Token("Zu", 0, 3),
        Token("dem", 0, 3),
        Token("zu", 4, 7),
        Token("der", 4, 7),
        Token("x", 8, 9),
    ]


@pytest.mark.slow
@pytest.mark.realdata
def test_english_by_its_files_reaches_what_the_built_in_source_reaches(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same sentences, recipe and seed: the same weights and scores."""
    some = {"train": 1500, "dev": 200, "test": 200}
    parts = {part: read_ewt(part)[:count] for part, count in some.items()}
    monkeypatch.setattr("apps.tagger.sources.read_ewt", parts.__getitem__)
    settings = ["epochs=1", "vectors=none", "raw_text=", "units=8", "character_units=4", "word_rows=2000"]
    settings += ["segmenter.epochs=1", "segmenter.network.channels=8", "segmenter.network.dilations=1"]
    fit_task(TASK, tmp_path / "built-in", overrides=settings)
    files = {
        name: write(tmp_path / f"{name}.conllu", parts[part])
        for name, part in (("treebank", "train"), ("dev", "dev"), ("test", "test"))
    }
    fit_task(TASK, tmp_path / "files", recipe="default", options=files, overrides=settings)
    one, two = (load_preset(tmp_path / name) for name in ("built-in", "files"))
    assert one.config == two.config and one.vocabulary.entries == two.vocabulary.entries
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, two.arrays[name], err_msg=name)
    for name, measure in one.metrics.items():
        if not name.startswith("raw_"):  # cut by a segmenter of its own
            assert measure["score"] == two.metrics[name]["score"], name
    same = [
        Tagger.from_preset(preset.path, SEGMENTER_PRESET).evaluate(files["test"]) for preset in (one, two)
    ]
    assert same[0] == same[1]
