from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from apps.__main__ import app
from apps.vectors.application import Vectors
from data_prep.text.embeddings import WordVectors
from tests.keyed_vectors import keyed_vectors

ROOT = Path(__file__).resolve().parents[2]
KEYS = ["france", "paris", "spain", "madrid", "italy", "rome", "new_york", "x-ray"]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    rng = np.random.default_rng(1)
    countries, capital = rng.normal(size=(3, 8)), rng.normal(size=8)
    rows = [row + shift for row in countries for shift in (0, capital)]
    path = tmp_path_factory.mktemp("vectors") / "vectors.npz"
    WordVectors(KEYS, np.concatenate([rows, rng.normal(size=(2, 8)) - capital]), range(8, 0, -1)).save(path)
    return str(path)


def call(*arguments: str):
    return CliRunner().invoke(app, ["vectors", *arguments], prog_name="python -m apps")


def answered(*arguments: str) -> dict:
    done = call(*arguments)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def refused(*arguments: str) -> str:
    done = call(*arguments)
    assert done.exit_code == 2, (done.exit_code, done.output)
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    return done.stderr


def test_analogy_as_json_has_exactly_this_form(file: str) -> None:
    values = answered("analogy", "paris - france + spain", "--topn", "5", "--json", "--vectors", file)
    assert list(values) == ["query", "results", "unknown"]
    assert values["query"] == "paris - france + spain" and values["unknown"] == []
    assert [list(result) for result in values["results"]] == [["word", "score"]] * 5
    assert values["results"][0]["word"] == "madrid"


def test_analogy_as_a_table_in_a_pipe_is_tab_separated(file: str) -> None:
    done = call("analogy", "paris - france + spain", "--topn", "2", "--vectors", file)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert lines[0] == ["word", "score"] and lines[1][0] == "madrid" and len(lines) == 3


def test_analogy_options(file: str) -> None:
    base = ("analogy", "paris - france + spain", "--json", "--vectors", file)
    assert answered(*base, "--allow-query-words")["results"] != answered(*base)["results"]
    multiplied = answered(*base, "--method", "multiply")["results"]
    assert multiplied[0]["word"] == "madrid" and multiplied != answered(*base)["results"]
    explained = answered(*base, "--explain", "--expect", "Rome")
    assert explained["terms"][1] == {"word": "france", "weight": -1.0}
    assert sum(explained["contributions"][0]) == pytest.approx(explained["results"][0]["score"], abs=1e-5)
    assert explained["expected"] == "rome"
    assert explained["results"][explained["expected_rank"] - 1]["word"] == "rome"
    done = call("analogy", "paris - france", "--explain", "--expect", "paris", "--vectors", file)
    assert done.stdout.splitlines()[0] == "word\tscore\t+1 paris\t-1 france"
    assert done.stderr == "rank of paris: none, it is a word of the expression\n"


@pytest.mark.parametrize("expression", ["-france + paris", "- france + paris", "-h + paris"])
def test_an_expression_may_start_with_a_minus(file: str, expression: str) -> None:
    values = answered("analogy", expression, "--json", "--ignore-unknown", "--vectors", file)
    assert values["query"] == expression and values["results"]


def test_words_with_signs_are_quoted(file: str) -> None:
    values = answered("analogy", '"x-ray" + paris', "--json", "--explain", "--vectors", file)
    assert [term["word"] for term in values["terms"]] == ["x-ray", "paris"]


def test_unknown_words(file: str) -> None:
    message = refused("analogy", "pariss - france", "--json", "--vectors", file)
    assert "Unknown word 'pariss'" in message and "paris" in message
    values = answered("analogy", "pariss - france", "--ignore-unknown", "--json", "--vectors", file)
    assert values["unknown"] == ["pariss"] and values["results"]
    assert "Unknown words 'aaa', 'bbb'" in refused(
        "analogy", "aaa - bbb", "--ignore-unknown", "--vectors", file
    )
    done = call("analogy", "pariss - france", "--ignore-unknown", "--vectors", file)
    assert done.stderr == "left out, unknown: pariss\n"


def test_neighbours_and_odd_one_out(file: str) -> None:
    values = answered("neighbours", "Paris", "--topn", "3", "--json", "--vectors", file)
    assert values["query"] == "Paris" and len(values["results"]) == 3 and values["unknown"] == []
    expected = Vectors.from_file(file).neighbours("paris", 3)
    assert values["results"] == [found.to_dict() for found in expected]
    assert (
        call("neighbours", "Paris", "--topn", "3", "--vectors", file).stdout.splitlines()[0] == "word\tcosine"
    )
    values = answered("odd-one-out", "paris", "rome", "new_york", "--json", "--vectors", file)
    assert values["word"] == values["scores"][-1]["word"]


def test_evaluate_as_json(file: str) -> None:
    done = call("evaluate", "--json", "--vectors", file)
    values = json.loads(done.stdout)
    assert list(values) == ["analogies", "wordsim353", "simlex999"]
    analogies = values["analogies"]
    assert analogies["of"] == 19544 and analogies["answered"] == 9 and len(analogies["sections"]) == 14
    assert analogies["accuracy"] == 100 * analogies["correct"] / 9
    common = analogies["sections"]["capital-common-countries"]
    assert {"accuracy", "answered"} <= set(common) and common["of"] == 506
    assert set(values["wordsim353"]) >= {"spearman", "n"} and set(values["simlex999"]) >= {"spearman", "n"}
    assert "analogies:" in done.stderr  # the progress


def test_evaluate_as_a_table_states_what_was_answerable(file: str) -> None:
    done = call("evaluate", "--vectors", file)
    assert done.stdout.splitlines()[0] == "set or section\tscore\tcorrect\tanswered\tof"
    total = next(line for line in done.stdout.splitlines() if line.startswith("all analogies"))
    assert total.split("\t")[3:] == ["9", "19544"]


def test_unknown_questions_can_count_as_wrong(file: str) -> None:
    values = answered("evaluate", "--unknown-is-wrong", "--json", "--vectors", file)
    assert values["analogies"]["answered"] == 19544


@pytest.mark.parametrize("file_format", ["text", "binary", "npz"])
def test_export_and_import_of_every_format(file: str, tmp_path: Path, file_format: str) -> None:
    out, preset = str(tmp_path / "out"), str(tmp_path / "preset")
    values = answered("export", "--format", file_format, "--out", out, "--json", "--vectors", file)
    assert values == {"out": out, "format": file_format, "words": 8, "dimensions": 8}
    assert answered("import", out, "--out", preset, "--json")["words"] == 8
    ours, theirs = Vectors.from_preset(preset).word_vectors, WordVectors.load(file)
    assert ours.keys == theirs.keys
    np.testing.assert_array_equal(ours.vectors, theirs.vectors)
    if file_format == "npz":
        np.testing.assert_array_equal(ours.counts, theirs.counts)
    query = ("analogy", "paris - france + spain", "--json")
    assert answered(*query, "--preset", preset) == answered(*query, "--vectors", file)


def test_import_with_half_precision(file: str, tmp_path: Path) -> None:
    preset = tmp_path / "preset"
    assert (
        call("import", file, "--out", str(preset), "--storage", "float16", "--licence", "CC0").exit_code == 0
    )
    difference = Vectors.from_preset(preset).word_vectors.vectors - WordVectors.load(file).vectors
    assert 0 < np.abs(difference).max() < 2e-3
    assert "CC0" in (preset / "README.md").read_text(encoding="utf-8")


def test_existing_files_are_replaced_only_by_force(file: str, tmp_path: Path) -> None:
    out, preset = tmp_path / "out", tmp_path / "preset"
    out.write_text("mine")
    assert "exists already" in refused("export", "--out", str(out), "--vectors", file)
    assert out.read_text() == "mine"
    assert call("export", "--out", str(out), "--force", "--vectors", file).exit_code == 0
    assert call("import", file, "--out", str(preset)).exit_code == 0
    assert "exists already" in call("import", file, "--out", str(preset)).stderr
    assert call("import", file, "--out", str(preset), "--force").exit_code == 0
    (preset / "mine.txt").write_text("mine")
    wrong = (("--out", str(preset), "--force"), ("--out", str(tmp_path / "other"), "--storage", "int4"))
    for options, message in zip(wrong, ("more than a preset", "int4"), strict=True):
        done = call("import", file, *options)
        assert done.exit_code == 2 and message in done.stderr
        assert "scoring" not in done.stderr, "before the work"


def test_unwritable_outputs_leave_nothing(file: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    below = str(tmp_path / "file" / "below")
    assert "Cannot write" in refused("export", "--out", below, "--vectors", file)
    done = call("import", file, "--out", below)
    assert done.exit_code == 2 and "Cannot write" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_damaged_preset_is_refused(file: str, tmp_path: Path) -> None:
    preset = tmp_path / "preset"
    assert call("import", file, "--out", str(preset)).exit_code == 0
    weights = preset / "weights.npz"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    assert "weights.npz" in refused("analogy", "paris", "--preset", str(preset))
    weights.write_bytes(content[:-10])
    assert "weights.npz" in refused("analogy", "paris", "--preset", str(preset))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("analogy", ""), "The expression is empty"),
        (("analogy", "paris -"), "cannot be read at character 7"),
        (("analogy", "(paris)"), "parentheses"),
        (("analogy", "paris - paris"), "cancel out"),
        (("analogy", "paris", "--method", "divide"), "Unknown method"),
        (("analogy", "paris", "--topn", "0"), "out of range"),
        (("analogy", "paris", "--expect", "qqqq"), "Unknown word 'qqqq'"),
        (("neighbours", "qqqq"), "Unknown word 'qqqq'"),
        (("odd-one-out", "paris", "rome"), "Three different words"),
        (("evaluate", "--restrict-vocab", "0"), "positive number"),
        (("export", "--out", "anywhere", "--format", "csv"), "Unknown format"),
        (("export", "--out", "anywhere", "--storage", "int4"), "Unknown storage"),
        (("neighbours", "paris", "--preset", "vectors_en_wiki"), "exclude each other"),
    ],
)
def test_wrong_questions_end_with_2_and_a_message(
    file: str, arguments: tuple[str, ...], message: str
) -> None:
    done = call(*arguments, "--vectors", file)
    assert done.exit_code == 2 and done.stdout == ""
    assert message in done.stderr


def test_wrong_vectors_files_end_with_2_and_a_message(tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    for content, message in (
        (b"", "is empty"),
        (b"king 1 2\n", "no word2vec header"),
        (b"2 2\nking 1 2\nqueen 3\n", "Line 3"),
        (b"9999999 9999999\nking 1 2\n", "promises"),
        (pickle.dumps({"king": 1}), "Python pickle"),
    ):
        bad.write_bytes(content)
        assert message in refused("neighbours", "king", "--vectors", str(bad))
        assert message in refused("import", str(bad), "--out", str(tmp_path / "preset"))
    assert not (tmp_path / "preset").exists()
    assert "There is no vectors file" in refused("neighbours", "king", "--vectors", str(tmp_path / "missing"))
    assert "no preset" in refused("neighbours", "king", "--preset", "missing")


def test_gensims_pickle_is_refused_with_the_way_out(file: str, tmp_path: Path) -> None:
    path = tmp_path / "vectors.kv"
    keyed_vectors(WordVectors.load(file)).save(str(path))
    message = refused("import", str(path), "--out", str(tmp_path / "preset"))
    assert "Python pickle" in message and "save_word2vec_format" in message


def test_text_and_sample_exclude_each_other(tmp_path: Path) -> None:
    assert "exclude each other" in refused(
        "fit", "--text", "x", "--sample", "--out", str(tmp_path / "preset")
    )


def test_fit_passes_its_options_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fit_task(task, out, *, options, **more) -> dict:
        calls.append((task.name, out, task.given("fit", options), more))
        return {"words": 3}

    monkeypatch.setattr("models.training.driver.fit_task", fit_task)
    out = tmp_path / "preset"
    settings = ("--set", "epochs=1", "--set", "dimensions=8", "--resume", "--recipe", "cbow", "--from", "x")
    assert answered("fit", "--text", "corpus.txt", "--out", str(out), *settings, "--json") == {"words": 3}
    assert call("fit", "--sample", "--out", str(out)).stdout == "setting or result\tvalue\nwords\t3\n"
    changed = {"overrides": ["epochs=1", "dimensions=8"], "recipe": "cbow", "resume": True, "start": "x"}
    plain = {"overrides": (), "recipe": None, "resume": False, "start": None}
    given, unset = (
        {"text": (Path("corpus.txt"),), "words": None, "sample": False},
        dict.fromkeys(("teacher", "tensorboard", "place")),
    )
    assert calls == [
        ("vectors", out, given, {**changed, **unset}),
        ("vectors", out, {**given, "text": (), "sample": True}, {**plain, **unset}),
    ]


def test_an_analogy_needs_numpy_only(file: str) -> None:
    program = (
        "import sys\n"
        f"sys.argv = ['', 'vectors', 'analogy', 'paris - france + spain', '--json', '--vectors', {file!r}]\n"
        "from apps.__main__ import run\n"
        "try:\n    run()\nexcept SystemExit:\n    pass\n"
        "heavy = ('tensorflow', 'keras', 'numba', 'gensim', 'pandas', 'scipy', 'sklearn')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    answer, heavy = done.stdout.splitlines()
    assert json.loads(answer)["results"][0]["word"] == "madrid"
    assert heavy == "[]"


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    path = tmp_path / "many.npz"
    rng = np.random.default_rng(0)
    WordVectors([f"word{row}" for row in range(9000)], rng.normal(size=(9000, 4))).save(path)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "apps",
            "vectors",
            "neighbours",
            "word1",
            "--topn",
            "8000",
            "--vectors",
            str(path),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == "word\tcosine\n"
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 141
