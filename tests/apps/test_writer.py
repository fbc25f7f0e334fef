"""The writer: every rule about its answers, with random weights."""

from __future__ import annotations

import json
import math
import pickle
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from apps.shared.reports import preset_installed, preset_scores
from apps.writer.application import DEFAULT_PRESET, Writer
from apps.writer.explain import following_units, gate_view, gradient_lengths, unrolled_steps
from apps.writer.quiz import KINDS, question
from apps.writer.reports import SCORES, shape_of
from apps.writer.sampling import sampling_probabilities
from data_prep.errors import InputError
from tests.apps.writer_preset import made_play, save_writer


@pytest.fixture(scope="module")
def text_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "play.txt"
    path.write_text(made_play(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def preset(tmp_path_factory: pytest.TempPathFactory, text_file: Path) -> Path:
    return save_writer(tmp_path_factory.mktemp("writer") / "tiny", text_file)


@pytest.fixture(scope="module")
def writer(preset: Path, text_file: Path) -> Writer:
    return Writer.from_preset(preset, text=text_file)


@pytest.mark.parametrize(
    "settings",
    [{}, {"temperature": 0.0}, {"temperature": 0.7, "top_k": 5}, {"top_p": 0.6, "stop": "e"}],
    ids=str,
)
def test_a_stream_is_one_text_whatever_its_pieces(writer: Writer, settings: dict) -> None:
    whole = writer.generate("ANNA:\n", length=90, seed=4, **settings).text
    for chunk in (1, 7, 64):
        pieces = list(writer.stream("ANNA:\n", length=90, seed=4, chunk=chunk, **settings))
        assert "".join(pieces) == whole
    assert len(whole) == 90 or (settings.get("stop") and whole.endswith("e") and whole.count("e") == 1)


def test_seeds_differ_and_a_batch_holds_several(writer: Writer) -> None:
    assert writer.generate("A", length=50, seed=1).text != writer.generate("A", length=50, seed=2).text
    texts = [written.text for written in writer.generate_batch("A", 3, length=50, seed=1)]
    assert len(set(texts)) == 3
    assert {len(text) for text in texts} == {50}


@pytest.mark.parametrize(
    ("prompt", "settings", "message"),
    [
        ("", {}, "The prompt is empty"),
        ("A" * 20_001, {}, "too long.*at most 20,000"),
        ("Anna €", {}, "'€' at 5"),
        ("A", {"length": 0}, "length"),
        ("A", {"length": 1_000_000}, "length"),
        ("A", {"temperature": -0.1}, "temperature"),
        ("A", {"temperature": math.nan}, "temperature"),
        ("A", {"temperature": math.inf}, "temperature"),
        ("A", {"top_k": 10_000}, "top_k"),
        ("A", {"top_k": 0}, "top_k"),
        ("A", {"top_p": 0.0}, "top_p"),
        ("A", {"top_p": math.nan}, "top_p"),
        ("A", {"stop": ""}, "stop"),
        ("A", {"seed": -1}, "seed"),
        ("A", {"unknown": "guess"}, "refuse, map"),
    ],
)
def test_wrong_wishes_are_one_message_before_anything_is_written(
    writer: Writer, prompt: str, settings: dict, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        writer.stream(prompt, **settings)


def test_a_prompt_is_a_text(writer: Writer) -> None:
    with pytest.raises(InputError, match="A text is needed"):
        writer.stream(7)


def test_unknown_characters_can_be_mapped(writer: Writer) -> None:
    assert len(writer.generate("Anna €", length=5, unknown="map").text) == 5


def test_next_tokens_are_those_that_score_sees(writer: Writer) -> None:
    context = "BEN:\nThe old"
    following = writer.next_tokens(context)
    by_name = {token.token: token.probability for token in following.tokens}
    scored = writer.score(context + "k").tokens[-1]
    assert by_name["k"] == pytest.approx(scored.probability, rel=1e-5)
    probabilities = [token.probability for token in following.tokens]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(token.sampling_probability for token in following.tokens) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "settings",
    [{}, {"temperature": 0.5}, {"temperature": 2.0, "top_k": 4}, {"top_p": 0.5}, {"temperature": 0.0},
     {"temperature": 1.5, "top_k": 6, "top_p": 0.7}],
    ids=str,
)  # fmt: skip
def test_the_probabilities_shown_are_those_of_the_draws(writer: Writer, settings: dict) -> None:
    shown = {
        token.token: token.sampling_probability
        for token in writer.next_tokens("OMAR:\nSo", **settings).tokens
    }
    draws = [
        written.text
        for seed in range(12)
        for written in writer.generate_batch("OMAR:\nSo", 64, length=1, seed=seed, **settings)
    ]
    for token, probability in shown.items():
        found = draws.count(token) / len(draws)
        assert (
            abs(found - probability) <= 4.5 * math.sqrt(probability * (1 - probability) / len(draws)) + 1e-9
        ), token


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"temperature": 0.0}, [1, 0, 0, 0]),
        ({"top_k": 2}, [0.5 / 0.8, 0.3 / 0.8, 0, 0]),
        ({"top_p": 0.5}, [1, 0, 0, 0]),
        ({"top_p": 0.51}, [0.5 / 0.8, 0.3 / 0.8, 0, 0]),
        ({"temperature": 0.5}, [0.25 / 0.365, 0.09 / 0.365, 0.0225 / 0.365, 0.0025 / 0.365]),
        ({"temperature": 1e-300}, [1, 0, 0, 0]),
    ],
    ids=str,
)
def test_sampling_probabilities_by_hand(settings: dict, expected: list[float]) -> None:
    logits = np.log([0.5, 0.3, 0.15, 0.05])
    np.testing.assert_allclose(sampling_probabilities(logits, **settings), expected, atol=1e-12)


def test_a_score_covers_the_text(writer: Writer) -> None:
    text = "ANNA:\nThe king falls.\n"
    result = writer.score(text)
    assert "".join(token.text for token in result.tokens) == text
    assert [token.start for token in result.tokens] == list(range(len(text)))
    assert result.nats == pytest.approx(float(writer.language_model.score(text).nats.sum()))
    totals = result.totals()
    assert totals["n"] == len(text)
    assert totals["bits"] == pytest.approx(result.nats / math.log(2))
    assert totals["perplexity"] == pytest.approx(math.exp(result.nats / len(result.tokens)))
    for token in result.tokens:
        shares = [other.probability for other in token.alternatives]
        assert len(shares) == 5 and shares == sorted(shares, reverse=True)
        named = {other.token: other.probability for other in token.alternatives}
        assert named.get(token.text, token.probability) == pytest.approx(token.probability, rel=1e-4)
    assert list(result.to_dict()) == [*result.totals(), "tokens"]


@pytest.mark.parametrize(("text", "message"), [("", "nothing to score"), ("naïve", "'ï' at 2")])
def test_texts_that_cannot_be_scored(writer: Writer, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        writer.score(text)


def test_copies_are_admitted(writer: Writer) -> None:
    passage = writer.learned.train[300:900]
    assert writer.copied(passage).fraction == 1.0
    assert writer.copied(passage).longest == 600
    shuffled = "".join(np.random.default_rng(0).permutation(list(passage)))
    assert writer.copied(shuffled).fraction < 0.05
    assert writer.copied("") is None
    report = writer.copies(passage)
    assert report.held_out is not None
    assert report.spans[0].source.speaker in ("ANNA", "BEN", "Second Miller", "OMAR")
    held_out = writer.learned.held_out
    assert writer.copies(held_out).fraction < 0.5
    assert writer.copies(writer.learned.train[: len(held_out) + 1]).held_out is None, "it is longer"


def test_the_text_is_told_by_its_checksum(
    writer: Writer, preset: Path, text_file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "play.txt"
    other.write_text(text_file.read_text(encoding="utf-8") + "x", encoding="utf-8")
    with pytest.raises(InputError, match="not the text that the writer learned from"):
        _ = Writer.from_preset(preset, text=other).learned
    with pytest.raises(InputError, match="Name it with --text"):
        _ = Writer.from_preset(preset).learned
    assert Writer.from_preset(preset).generate("A", length=3).copied is None
    with pytest.raises(InputError, match="not known which text"):
        _ = Writer(writer.config, writer.arrays, vocabulary=writer.vocabulary).learned


def test_evaluation_scores_the_held_out_part(writer: Writer) -> None:
    found = writer.evaluate()
    direct = writer.score(writer.learned.held_out, unknown="map")
    assert found.nats_per_character == pytest.approx(direct.nats_per_character)
    assert found.to_dict() == {
        "nats_per_character": found.nats_per_character,
        "bits_per_character": pytest.approx(found.nats_per_character / math.log(2)),
        "n": len(writer.learned.held_out),
        "split": "last_tenth",
    }


def test_any_text_can_be_scored(writer: Writer, preset: Path, text_file: Path, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("BEN:\nThe king falls €.\n", encoding="utf-8")
    (tmp_path / "two.txt").write_text("ANNA:\nNot so.\n", encoding="utf-8")
    plain = Writer.from_preset(preset)
    found = plain.evaluate(files=[tmp_path / "one.txt", tmp_path / "two.txt"])
    alone = [plain.score("BEN:\nThe king falls €.\n", "map"), plain.score("ANNA:\nNot so.\n")]
    assert found.nats_per_character == pytest.approx(sum(text.nats for text in alone) / found.n)
    assert (found.n, found.split, found.text) == (23 + 14, "all", "one.txt, two.txt")
    assert found.notes() == ["Read as unknown: 1 tokens"]
    assert plain.evaluate(files=str(tmp_path / "two.txt")).n == 14, "one file is one file"
    for other in ({"split": "last_tenth"}, {"split": None}):
        with pytest.raises(InputError, match="--file excludes"):
            writer.evaluate(files=[text_file], **other)


@pytest.mark.parametrize(
    ("split", "message"), [("char_rnn", "would flatter it"), ("half", "There is no such split")]
)
def test_a_split_that_was_learned_is_not_scored(writer: Writer, split: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        writer.evaluate(split)


def test_gates_make_the_models_own_logits(writer: Writer) -> None:
    text = "BEN:\nThe heart rises."
    view = gate_view(writer, text)
    model = writer.language_model
    logits, _ = model.logits(np.concatenate([[model.config.start], model.encode(text)]))
    hidden = view.layers[-1]["hidden"]
    assert hidden.shape == (len(text), 12)
    by_hand = hidden @ model.arrays["logits/kernel"] + model.arrays["logits/bias"]
    np.testing.assert_allclose(by_hand, logits[1:], atol=1e-4)
    assert view.names == ("input", "forget", "candidate", "output", "cell", "hidden")
    with pytest.raises(ValueError, match="read-only"):
        hidden[0, 0] = 1.0


def test_units_that_follow_a_property(writer: Writer) -> None:
    view = gate_view(writer, "BEN:\nThe heart rises.\n\nANNA:\nNot so.\n")
    fits = following_units(view, "speaker's name", "cell")
    assert len(fits) == 2 * 12
    strengths = [abs(fit.correlation) for fit in fits]
    assert strengths == sorted(strengths, reverse=True)
    best = fits[0]
    values = view.layers[best.layer]["cell"][:, best.unit]
    inside = [at < 4 or 23 <= at < 28 for at in range(len(view.text))]
    assert np.corrcoef(values, inside)[0, 1] == pytest.approx(best.correlation, abs=1e-5)


@pytest.mark.parametrize(
    ("followed", "name", "message"),
    [
        ("rhyme", "cell", "There is no such property"),
        ("quote", "cell", "the same at every step"),
        ("speaker's name", "door", "no such gate"),
    ],
)
def test_properties_that_cannot_be_followed(writer: Writer, followed: str, name: str, message: str) -> None:
    view = gate_view(writer, "BEN:\nThe heart rises.")
    with pytest.raises(InputError, match=message):
        following_units(view, followed, name)


@pytest.mark.parametrize(("text", "message"), [("", "length of the text"), ("a" * 601, "length of the text")])
def test_texts_whose_gates_are_not_shown(writer: Writer, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        gate_view(writer, text)


def test_gradients_have_one_length_a_step(writer: Writer) -> None:
    found = gradient_lengths(writer, "BEN:\nThe heart")
    assert [len(lengths) for lengths in found] == [13, 13]
    with pytest.raises(InputError, match="2 to 600"):
        gradient_lengths(writer, "B")


def test_the_unrolled_network_copies_its_outputs_back(writer: Writer) -> None:
    prompt = "ANNA:\nT"
    steps = unrolled_steps(writer, prompt, 6)
    text = prompt + writer.generate(prompt, length=6, temperature=0.0).text
    assert "".join(step.given for step in steps) == text[:-1]
    assert "".join(step.target for step in steps) == text[1:]
    assert [step.prompted for step in steps] == [True] * len(prompt) + [False] * 5
    for step, after in pairwise(steps):
        assert after.prompted or (after.given == step.output == step.target)
    scored = writer.score(text).tokens
    for step, token in zip(steps, scored[1:], strict=True):
        assert step.target_probability == pytest.approx(token.probability, rel=1e-4)


@pytest.mark.parametrize("length", [0, 40])
def test_a_drawing_has_an_end(writer: Writer, length: int) -> None:
    with pytest.raises(InputError, match="number of steps"):
        unrolled_steps(writer, "AN", length)


def test_the_quiz_asks_for_all_three(writer: Writer) -> None:
    asked = [question(writer, seed) for seed in range(12)]
    assert {one.kind for one in asked} == set(KINDS)
    learned = writer.learned
    for seed, one in enumerate(asked):
        assert question(writer, seed) == one
        assert 0 < len(one.text) <= 320
        if one.kind == "training":
            assert one.text in learned.train and one.longest == len(one.text)
        elif one.kind == "held-out":
            assert one.text in learned.held_out
        assert (one.origin is None) == (one.kind == "sample")


@pytest.mark.parametrize(
    ("kind", "cell"), [("word", "gru"), ("piece", "mgu"), ("char", "rnn")], ids=lambda value: value
)
def test_words_and_pieces_and_other_cells_go_the_same_way(
    tmp_path: Path, text_file: Path, kind: str, cell: str
) -> None:
    preset = save_writer(tmp_path / "tiny", text_file, kind, cell=cell, layers=1)
    writer = Writer.from_preset(preset, text=text_file)
    text = "BEN:\nThe king falls.\n\nANNA:\nNot so.\n"
    result = writer.score(text)
    for token in result.tokens:
        assert text[token.start :].startswith(token.text)
    assert result.nats == pytest.approx(float(writer.language_model.score(text).nats.sum()))
    written = writer.generate("The king", length=12, seed=1)
    assert written.text and written.copied is not None
    view = gate_view(writer, text)
    assert len(view.tokens) == len(result.tokens) == len(view.layers[0]["hidden"])
    assert len(following_units(view, "speaker's name", "hidden")) == 12
    assert sum(token.sampling_probability for token in writer.next_tokens(text).tokens) == pytest.approx(1.0)
    assert len(unrolled_steps(writer, "The king", 3)) == len(writer.score("The king").tokens) + 2
    asked = [question(writer, seed) for seed in range(12)]
    assert {one.kind for one in asked} == set(KINDS) and max(len(one.text) for one in asked) <= 320
    if kind != "char":
        with pytest.raises(InputError, match="one word or more") as caught:
            writer.generate("")
        assert caught.value.remedy is None


def test_a_used_writer_is_pickled_and_takes_numbers_of_numpy(writer: Writer) -> None:
    report = writer.copies(writer.learned.train[:99], k=np.int64(5))
    assert json.loads(json.dumps(report.to_dict()))["k"] == 5
    text = writer.generate("A", length=np.int32(9), seed=np.int64(3), temperature=np.float32(0.5)).text
    again = pickle.loads(pickle.dumps(writer))
    assert again.generate("A", length=9, seed=3, temperature=0.5).text == text
    assert again.copies("The king") == writer.copies("The king")


def test_a_batch_looks_once_for_the_training_text(preset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []

    def nowhere(data: object) -> None:
        looked.append(data)
        raise InputError("The text is nowhere")

    monkeypatch.setattr("apps.writer.sources._known_source", nowhere)
    texts = Writer.from_preset(preset).generate_batch("A", 5, length=3)
    assert [text.copied for text in texts] == [None] * 5 and len(looked) == 1


def test_stored_scores(preset: Path, tmp_path: Path) -> None:
    found = SCORES.of(str(preset)).found
    loss = found["metrics.nats_per_character"]
    assert (loss["score"], loss["n"], loss["published"]) == (3.0, 100, {"another": 1.5})
    assert shape_of(found) == "2 layers of 12 LSTM units, reads characters"
    with pytest.raises(InputError, match="no preset"):
        SCORES.of(str(tmp_path / "none"))


@pytest.mark.slow
@pytest.mark.realdata
def test_the_shipped_writer_reaches_its_stored_score(data_dir: Path) -> None:
    if not preset_installed(DEFAULT_PRESET):
        pytest.skip(f"not shipped: {DEFAULT_PRESET}")
    found = Writer.from_preset().evaluate()
    stored = preset_scores(DEFAULT_PRESET, SCORES.name)["metrics.nats_per_character"]
    assert found.n == stored["n"] == 111_540
    assert found.nats_per_character == pytest.approx(stored["score"], abs=1e-4)
