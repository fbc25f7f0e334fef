from __future__ import annotations

import io
import json
from itertools import count

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.shared.reports import preset_installed
from apps.tagger.application import DEFAULT_PRESET, SEGMENTER_PRESET, Tagger
from apps.tagger.explain import MOST_WORDS, crf_transitions, followers, network_view
from apps.tagger.files import conllu_file, conllu_pieces, csv_file, is_conllu, json_pieces
from apps.tagger.results import TaggedText
from apps.tagger.tagset import TAGS
from data_prep.errors import InputError
from data_prep.readers.conllu import UPOS_TAGS, parse_conllu

TEXT = "Dogs bark. The old man, 7 boats!\n\nShe hasn't seen Madrid :-)"
ODD_TEXTS = (
    "e\u0301te\u0301 cafe\u0301",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f!",
    "שלום עולם. مرحبا",
    "a\0b \x1b[31m",
    "\ufeffDogs",
    "\u3000全角\u3000",
    "x" * 5000,
    "\ud800 half",
)


def check(tagged: TaggedText, text: str) -> None:
    """Everything that has to hold for every text."""
    tokens = tagged.tokens
    at = 0
    for token in tokens:
        assert text[token.start : token.end] == token.text != ""
        assert text[at : token.start].strip() == ""  # nothing lost between two words
        at = token.end
        assert token.upos in TAGS and len(token.alternatives) == 3
        others = [other.tag for other in token.alternatives]
        assert token.upos not in others and len(set(others)) == 3
        probabilities = [other.probability for other in token.alternatives]
        assert probabilities == sorted(probabilities, reverse=True)
        assert 0.0 <= token.probability <= 1.0
        assert sum(probabilities) + token.probability <= 1.0 + 1e-5
    assert text[at:].strip() == ""
    for sentence in tagged.sentences:
        assert text[sentence.start : sentence.start + len(sentence.text)] == sentence.text
        assert sentence.tokens


def same(one: TaggedText, other: TaggedText) -> None:
    """The same answers, up to the rounding of sums in another order."""
    assert [t.text for t in one.tokens] == [t.text for t in other.tokens]
    assert [t.upos for t in one.tokens] == [t.upos for t in other.tokens]
    np.testing.assert_allclose(
        [t.probability for t in one.tokens], [t.probability for t in other.tokens], atol=1e-5
    )


def test_a_text_gives_sentences_tokens_spans_and_tags(random_tagger: Tagger) -> None:
    tagged = random_tagger.tag(TEXT)
    check(tagged, TEXT)
    assert [token.text for token in tagged.sentences[0].tokens] == ["Dogs", "bark", "."]
    assert [token.unknown for token in tagged.sentences[0].tokens] == [False, False, False]
    assert next(token for token in tagged.tokens if token.text == "boats").unknown
    assert list(tagged.to_dict()) == ["sentences"]
    first = tagged.to_dict()["sentences"][0]
    assert list(first) == ["text", "tokens"] and first["text"] == "Dogs bark."
    assert list(first["tokens"][0]) == [
        *("text", "start", "end", "upos", "xpos", "probability", "alternatives", "unknown")
    ]
    assert list(first["tokens"][0]["alternatives"][0]) == ["tag", "probability"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80).filter(lambda text: text.strip() != ""))
def test_spans_rebuild_any_text(random_tagger: Tagger, text: str) -> None:
    check(random_tagger.tag(text), text)


@pytest.mark.parametrize("text", ODD_TEXTS, ids=ascii)
def test_odd_texts_are_tagged(random_tagger: Tagger, text: str) -> None:
    check(random_tagger.tag(text), text)


def test_batches_of_any_size_give_the_same_as_one_by_one(
    random_tagger: Tagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [TEXT, "Dogs bark.", "7", *ODD_TEXTS[:4], TEXT * 3]
    monkeypatch.setattr("apps.tagger.application._WORDS_AT_ONCE", 5)
    together = random_tagger.tag_batch(texts)
    assert random_tagger.tag_batch([]) == []
    assert list(map(str, random_tagger.tag_batch(iter(texts)))) == list(map(str, together))
    assert random_tagger.conllu_batch(iter(texts)) == random_tagger.conllu_batch(texts)
    for text, one in zip(texts, together, strict=True):
        check(one, text)
        same(one, random_tagger.tag(text))


def test_given_tokens_stay_as_they_are(random_tagger: Tagger) -> None:
    words = ["do", "n't", "New York", "."]
    (sentence,) = random_tagger.tag_tokens([words])
    assert [token.text for token in sentence.tokens] == words
    assert sentence.text == "do n't New York ."
    check(TaggedText(sentence.text, (sentence,)), sentence.text)
    for same_words in (iter(words), np.array(words)):
        assert random_tagger.tag_tokens([same_words])[0].text == sentence.text
    assert network_view(random_tagger, iter(words)).words == tuple(words)


@pytest.mark.parametrize("text", ["", " ", "\n\t \u3000"])
@pytest.mark.parametrize("method", ["tag", "stream", "tag_batch"])
def test_a_text_without_words_is_refused(random_tagger: Tagger, text: str, method: str) -> None:
    with pytest.raises(InputError, match="The text is empty"):
        getattr(random_tagger, method)([text] if method == "tag_batch" else text)


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        ([[]], "one word or more"),
        ([["Dogs", ""]], "no word is empty"),
        ([["Dogs", 7]], "no word is empty"),
        (["Dogs bark"], "list of words"),
    ],
)
def test_wrong_tokens_are_refused(random_tagger: Tagger, sentences: list, message: str) -> None:
    with pytest.raises(InputError, match=message):
        random_tagger.tag_tokens(sentences)


def test_what_is_no_text_is_refused(random_tagger: Tagger) -> None:
    with pytest.raises(InputError, match=r"A text is needed.*Received: 'bytes'"):
        random_tagger.tag(b"Dogs")


def test_conllu_comes_back_through_the_reader(random_tagger: Tagger) -> None:
    tagged = random_tagger.tag(TEXT)
    sentences = list(parse_conllu(conllu_file(tagged).split("\n"), require_tags=True))
    assert [s.text for s in sentences] == [s.text for s in tagged.sentences]
    assert [w.form for s in sentences for w in s.words] == [t.text for t in tagged.tokens]
    assert [w.upos for s in sentences for w in s.words] == [t.upos for t in tagged.tokens]
    rows = [row for s in sentences for row in s.rows]
    assert rows[1][1] == "bark" and rows[1][9] == "SpaceAfter=No"
    assert rows[2][1] == "." and rows[2][9] == "_"


def test_csv_and_json_hold_every_token(random_tagger: Tagger) -> None:
    import csv
    import json

    tagged = random_tagger.tag('Say "7, 8".')
    rows = list(csv.DictReader(io.StringIO(csv_file(tagged))))
    assert [row["text"] for row in rows] == [token.text for token in tagged.tokens]
    assert [int(row["end"]) for row in rows] == [token.end for token in tagged.tokens]
    assert rows[0]["alternative_1"] == tagged.tokens[0].alternatives[0].tag
    assert json.loads("".join(json_pieces(tagged.sentences))) == tagged.to_dict()


@pytest.mark.parametrize(
    ("text", "name", "answer"),
    [
        ("1\tDogs\t_\t_\t_\t_\t_\t_\t_\t_\n", "", True),
        ("# sent_id = 1\n# text = x\n1-2\tx\t_\t_\t_\t_\t_\t_\t_\t_\n", "", True),
        ("Dogs bark.", "x.conllu", True),
        ("Dogs bark.", "x.txt", False),
        ("# a heading\nDogs bark.", "", False),
        ("1 dog", "", False),
    ],
)
def test_conllu_is_told_from_text(text: str, name: str, answer: bool) -> None:
    assert is_conllu(text, name) is answer


def test_the_tagset_is_that_of_universal_dependencies() -> None:
    assert set(TAGS) == set(UPOS_TAGS)


def test_the_view_has_a_row_a_word_in_every_layer(random_tagger: Tagger) -> None:
    view = network_view(random_tagger, ["The", "old", "zebra", "."])
    keys = [layer.key for layer in view.layers]
    assert keys == ["characters", "vectors", "trained", "forward1", "backward1", "forward2", "backward2"]
    assert all(len(layer.values) == 4 for layer in view.layers)
    assert view.unknown == (False, False, True, False)
    np.testing.assert_allclose(np.sum(view.probabilities, axis=1), 1.0, atol=1e-5)


def test_directions_of_the_view_see_one_side_only(random_tagger: Tagger) -> None:
    one, other = (network_view(random_tagger, ["The", "old", last]) for last in ("man", "boat"))
    layers = {layer.key: layer.values for layer in one.layers}
    changed = {layer.key: layer.values for layer in other.layers}
    np.testing.assert_array_equal(layers["forward1"][:2], changed["forward1"][:2])
    assert not np.array_equal(layers["backward1"][0], changed["backward1"][0])


def test_a_long_sentence_is_not_drawn(random_tagger: Tagger) -> None:
    with pytest.raises(InputError, match="too long to draw"):
        network_view(random_tagger, ["a"] * (MOST_WORDS + 1))
    for words in ([], ["Dogs", ""]):
        with pytest.raises(InputError, match="one word or more"):
            network_view(random_tagger, words)


def test_transitions_are_those_of_the_crf_or_none(random_tagger: Tagger) -> None:
    found = crf_transitions(random_tagger)
    if random_tagger.predictor.transitions is None:
        assert found is None
    else:
        assert found.rows == found.columns == random_tagger.predictor.upos
        np.testing.assert_allclose(found.scores, random_tagger.predictor.transitions)


def test_followers_tell_what_meets_more_often_than_by_chance() -> None:
    found = followers([[8, 0, 0], [0, 8, 2], [0, 2, 8]], ["A", "B"])
    assert found.rows == ("sentence start", "A", "B") and found.columns == ("A", "B", "sentence end")
    assert found.scores[0][0] > 0 > found.scores[1][0]
    assert np.argwhere(np.isnan(found.scores)).tolist() == [[0, 2]]
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["scores"][0][2] is None


@pytest.fixture(scope="module")
def shipped() -> Tagger:
    missing = [name for name in (DEFAULT_PRESET, SEGMENTER_PRESET) if not preset_installed(name)]
    if missing:
        pytest.skip(f"not shipped: {', '.join(missing)}")
    return Tagger.from_preset()


def test_the_shipped_tagger_knows_its_trade(shipped: Tagger) -> None:
    (sentence,) = shipped.tag("She can't fish because the fish sleeps in Madrid.").sentences
    assert [(token.text, token.upos) for token in sentence.tokens] == [
        *(("She", "PRON"), ("ca", "AUX"), ("n't", "PART"), ("fish", "VERB"), ("because", "SCONJ")),
        *(("the", "DET"), ("fish", "NOUN"), ("sleeps", "VERB"), ("in", "ADP"), ("Madrid", "PROPN")),
        (".", "PUNCT"),
    ]


@pytest.mark.parametrize("text", ODD_TEXTS, ids=ascii)
def test_the_shipped_tagger_takes_odd_texts(shipped: Tagger, text: str) -> None:
    check(shipped.tag(text), text)


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["x", "Dogs bark. ", "dogs bark ", "\U0001f600", ". "], ids=ascii)
def test_a_megabyte_is_tagged(shipped: Tagger, unit: str) -> None:
    text = unit * (1_000_000 // len(unit.encode()))
    at = 0
    for sentence in shipped.stream(text):
        for token in sentence.tokens:
            assert text[at : token.start].strip() == ""
            at = token.end
    assert text[at:].strip() == ""


def test_conllu_comes_without_results_in_between(random_tagger) -> None:
    text = "Dogs bark. Cats don't!\n\nThe dog (a small one) sleeps."
    expected = list(conllu_pieces(text, random_tagger.stream(text), count(4)))
    assert list(random_tagger.stream_conllu(text, count(4))) == expected
    assert list(random_tagger.stream_conllu(text, np.arange(4, 9))) == expected
    assert list(conllu_pieces(text, random_tagger.stream(text), np.arange(4, 9))) == expected
    for pieces in (random_tagger.stream_conllu(text, [4]), conllu_pieces(text, random_tagger.stream(text), [4])):
        with pytest.raises(InputError, match="fewer numbers than sentences"):
            list(pieces)
    assert next(random_tagger.stream_conllu(text)).startswith("# sent_id = 1\n# text = Dogs")
    with pytest.raises(InputError, match="empty"):
        random_tagger.stream_conllu(" ")
