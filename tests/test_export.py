"""Exported networks: each format in its own runtime, by the lines of its README in a fresh process without Lectern."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from apps.digits.application import Digits
from apps.ocr.application import Reader
from apps.reviews.application import Reviews
from apps.shared.application import Application
from apps.tagger.application import Segmenter, Tagger
from apps.vectors.application import Vectors
from apps.writer.application import Writer
from data_prep.errors import InputError
from data_prep.text.segmentation import character_ids
from data_prep.text.text_inputs import encode, keys_of
from lectern.export import export
from lectern.export import reviews as of_reviews
from lectern.export import tagger as of_tagger
from lectern.export.checks import SAME_ANSWERS
from lectern.export.written import Exportable, Exported
from models.export import formats
from tests.apps.test_cli import run as cli

SAID = {  # what the lines of each README print
    "digits_mnist": "5 9",
    "digits_lecture": "5 9",
    "tagger_en_ewt": "The DET DT\nold",
    "segmenter_en_ewt": "['Mr.', 'Smith', 'did', \"n't\", 'stay', '.']\n['He', 'went', 'home', '.']\n",
    "writer_shakespeare": "ROMEO:",
    "ocr_letters": "lecture",
    "ocr_words": "lecture",
    "reviews_imdb": "pos 9",
    "topics_bbc": "entertainment",
}
APPLICATIONS = {
    "digits": Digits, "tagger": Tagger, "segmenter": Segmenter, "writer": Writer, "ocr": Reader,
    "reviews": Reviews, "topics": Reviews,
}  # fmt: skip
QUICK = {
    ("digits_lecture", "keras"), ("digits_lecture", "saved_model"), ("ocr_letters", "onnx"),
    ("digits_lecture", "litert"), ("segmenter_en_ewt", "onnx"),
}  # fmt: skip
EVERY = [
    pytest.param(
        name, form, quantize, marks=() if (name, form) in QUICK and not quantize else pytest.mark.slow
    )
    for name in SAID
    for form in formats.FORMATS
    for quantize in (None, *(["int8"] if form in formats.QUANTIZED else []))
]


def lines_of(folder: Path) -> str:
    (code,) = re.findall(
        r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    return code


ODD = (
    "Caf\u0301 10² R&D &copy2 x&lty AT&amp;T<br />It's «fine»… &#233;t\u00e9",
    "Ｆｕｌｌ 日本語、テキスト 한국어 😀👍🏽 𝐀𝐁 ﬁ ½ _a_ don’t",
    "İstanbul ΣΑΣ ǅ \u1e9e e\u0301e\u0300 \u0301x",
)


def test_lines_read_any_text_as_lectern_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Application, "keras_model", lambda self: None)  # not asked for, and takes seconds
    reviews, segmenter = Reviews.from_preset("topics_bbc"), Segmenter.from_preset()

    def read_by(content: Exportable, until: str, text: str) -> dict[str, Any]:
        for name, held in content.files.items():
            Path(name).write_text(json.dumps(held), encoding="utf-8")
        before, there, _ = content.code.partition(until)
        assert there
        named = {"json": json, "np": np}
        exec(re.sub("^text = .*$", lambda _: f"text = {text!r}", before, flags=re.MULTILINE), named)
        return named

    documents, characters = of_reviews.exportable(reviews), of_tagger.exportable(segmenter)
    for text in ODD:
        found = read_by(documents, "def read(", text)
        assert found["words"] == keys_of(text)
        assert found["ids"] == encode(text, reviews.vocabulary).tolist()
        assert read_by(characters, "labels = run(", text)["ids"] == character_ids(text).tolist()


def answers(*folders: Path) -> list[str]:
    """What the lines of READMEs print, run as printed in one fresh process that cannot import Lectern."""
    program = [
        f"import os; os.chdir({str(folder)!r})\n{lines_of(folder)}\nprint(chr(0), end='')"
        for folder in folders
    ]
    done = subprocess.run(
        [sys.executable, "-I", "-c", "\n".join([*program, "import sys; assert 'apps' not in sys.modules"])],
        cwd=folders[0], capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.split("\0")[:-1]


def exported(folder: Path, name: str, form: str, quantize: str | None = None) -> Exported:
    return export(APPLICATIONS[name.split("_")[0]].from_preset(name), folder, form, quantize=quantize)


def test_each_format_answers_in_its_own_runtime(tmp_path: Path) -> None:
    folders = [tmp_path / f"{name}-{form}" for name, form in QUICK]
    for folder, (name, form) in zip(folders, QUICK, strict=True):
        report = exported(folder, name, form)
        assert report.inputs >= 200
        checked = json.loads((folder / "checked.json").read_text(encoding="utf-8"))
        assert checked["largest_difference"] == report.largest_difference <= 1e-4 * report.largest_logit
    for found, (name, _) in zip(answers(*folders), QUICK, strict=True):
        assert found.startswith(SAID[name])
    kinds = [node.op_type for node in onnx.load(tmp_path / "ocr_letters-onnx" / "model.onnx").graph.node]
    assert kinds.count("LSTM") == 2, "recurrent layers are operators"
    assert not {"Loop", "Scan", "If"} & set(kinds)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "form", "quantize"), EVERY)
def test_every_preset_answers_in_every_format(
    tmp_path: Path, name: str, form: str, quantize: str | None
) -> None:
    report = exported(tmp_path / "out", name, form, quantize)
    (found,) = answers(tmp_path / "out")
    if quantize is None:
        assert report.largest_difference <= 1e-4 * max(report.largest_logit, 1.0)
        assert found.startswith(SAID[name])
    else:
        assert report.same_answers >= SAME_ANSWERS
        assert found


def test_the_command_prints_what_was_compared(tmp_path: Path) -> None:
    done = cli("digits", "export", "--preset", "digits_lecture", "--out", str(tmp_path / "out"), "--json")
    assert done.exit_code == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["format"], report["inputs"], report["same_answers"]) == ("onnx", 200, 1.0)


@pytest.fixture(scope="module")
def digits() -> Digits:
    return Digits.from_preset("digits_lecture")


def refused(digits: Digits, out: Path, form: str = "onnx", quantize: str | None = None) -> str:
    with pytest.raises(InputError) as caught:
        export(digits, out, form, quantize=quantize)
    assert not list(out.parent.glob(f".{out.name}*")), "nothing is left"
    return str(caught.value)


def test_a_folder_that_is_not_empty_is_refused(digits: Digits, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    assert refused(digits, tmp_path) == f"{tmp_path} is not an empty folder. Name a new one."
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_an_unknown_format_is_refused(digits: Digits, tmp_path: Path) -> None:
    found = refused(digits, tmp_path / "out", "coreml")
    assert found == "There is no such format. Allowed: keras, saved_model, onnx, litert. Received: 'coreml'."


def test_eight_bits_are_refused_where_there_are_none(digits: Digits, tmp_path: Path) -> None:
    found = refused(digits, tmp_path / "out", "keras", "int8")
    assert found == "keras keeps float32. Allowed: --quantize with onnx or litert."
    assert refused(digits, tmp_path / "out", "onnx", "int4").endswith("Received: 'int4'.")


def test_a_missing_extra_is_named(digits: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else real(name)
    )
    assert refused(digits, tmp_path / "out") == (
        "The format onnx needs onnxruntime, which is not installed. "
        "Install the extra, in the checkout: pip install '.[export]'."
    )


def test_another_backend_is_refused(digits: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    assert refused(digits, tmp_path / "out").endswith("Received: 'jax'. Unset KERAS_BACKEND.")


def test_a_layer_without_a_counterpart_is_named(tmp_path: Path) -> None:
    import keras

    from models.export.plain import plain
    from models.layers.recurrent import recurrent_layer

    read = keras.Input((None, 3), name="values")
    network = keras.Model(read, recurrent_layer("mgu", 4, name="recurrent1")(read))
    with pytest.raises(InputError, match=r"The layer recurrent1 \(MGUCell\) cannot be exported"):
        plain(network)


def test_what_answers_otherwise_is_not_kept(
    digits: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(folder: Path, form: str):
        return lambda inputs: {"logits": np.zeros((len(inputs["image"]), 10), np.float32)}

    monkeypatch.setattr("lectern.export.written.runner", wrong)
    assert "so it is not kept: 200 inputs, largest difference" in refused(digits, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_wrong_counterpart_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(layer, weights, *args):
        found = layer(*args)
        layer.set_weights([1.1 * weight for weight in weights])
        return found

    monkeypatch.setattr("models.export.plain._weighted", wrong)
    with pytest.raises(InputError, match="so it is not kept: 201 inputs"):
        export(Reader.from_preset("ocr_letters"), tmp_path / "out")


def test_word_vectors_are_written_as_a_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Word vectors are a table and no network\..*npz, text or binary"):
        export(Vectors.from_preset("vectors_en_wiki_output"), tmp_path / "out")


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_recurrent_cells_step_as_in_keras(cell: str) -> None:
    import keras
    import onnxruntime

    from models.export.onnx_graph import onnx_model
    from models.export.plain import plain
    from models.layers.recurrent import recurrent_layer

    read = keras.Input((None, 3), name="values")
    network = plain(keras.Model(read, recurrent_layer(cell, 4, name="recurrent1")(read)))
    random = np.random.default_rng(0)
    for weight in network.weights:
        weight.assign(random.normal(size=weight.shape))
    values = random.normal(size=(2, 5, 3)).astype(np.float32)
    session = onnxruntime.InferenceSession(onnx_model(network).SerializeToString())
    (found,) = session.run(None, {"values": values})
    (wanted,) = network({"values": values}).values()
    np.testing.assert_allclose(found, wanted, atol=1e-5)
