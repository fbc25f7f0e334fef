"""What a tagger and its segmenter show while they train: a text of one's own, and scores on some sentences of dev."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.tagger.application import Segmenter, Tagger
from apps.tagger.evaluation import score_segmentation
from data_prep.readers.conllu import UNTAGGED, Sentence
from data_prep.text.context_batches import ContextBatches
from data_prep.text.tag_inputs import word_key
from data_prep.text.vocab import Vocabulary
from models.pos_tagger.config import OUTPUTS, PosTaggerConfig
from models.pos_tagger.serving import PackedTagger, TagPredictor
from models.segmenter.config import SegmenterConfig
from models.serving.bilstm import pack
from models.serving.blas_threads import one_blas_thread
from models.storage.variables import variable_arrays
from models.training.watching import Seen

if TYPE_CHECKING:
    import keras

MOST_CHARACTERS = 500  # of one's own text
SENTENCES = 200  # of dev
_READ, _WORDS, _EXPECTED = (
    40,
    30,
    3,
)  # in pretraining: sentences of dev, words of one's own text, expected words of each
WATCHED = {"sentence": "Time flies like an arrow, but fruit flies like a banana."}

See = Callable[["keras.Model", Mapping[str, str]], Seen]


def tagger_seer(
    config: PosTaggerConfig,
    vocabulary: Vocabulary,
    dev: Sequence[Sentence],
    segmenter: Segmenter,
    xpos_weight: float,
) -> See:
    """Make what looks at a tagger that trains.

    Args:
        config: Of the network.
        vocabulary: Of its words.
        dev: What it does not learn from; :func:`some_of` it is looked at.
        segmenter: Cuts one's own text.
        xpos_weight: Of the XPOS loss beside that of UPOS.

    Returns:
        From a network to numbers and the picture that ``page_watch`` draws. ``held_out_loss`` is what training makes
        small, without dropout and smoothing; accuracies are percent of words with a gold tag.
    """
    ids = {name: {tag: at for at, tag in enumerate(getattr(config, name))} for name in OUTPUTS}
    known = [
        one for one in dev if all(getattr(word, name) in ids[name] for word in one.words for name in OUTPUTS)
    ]
    sample = some_of(known, SENTENCES)
    forms, words = [one.forms for one in sample], [word for one in sample for word in one.words]
    gold = {name: np.array([ids[name][getattr(word, name)] for word in words], int) for name in OUTPUTS}
    before: dict[str, list[str]] = {}  # text to the tags of the last look

    def numbers(predictor: TagPredictor) -> dict[str, float]:
        if not words:
            return {}
        with one_blas_thread():
            logits = predictor.logits(forms)
        found = {"held_out_loss": 0.0}
        for name, weight in zip(OUTPUTS, (1.0, xpos_weight), strict=True):
            found["held_out_loss"] += weight * predictor.loss(logits, name, gold[name])
            answers = predictor.answers(logits, name)
            tagged = gold[name] != ids[name].get(UNTAGGED, -1)
            if tagged.any():
                kind = "" if name == predictor.column else f"_{name}"
                found[f"held_out{kind}_accuracy"] = 100.0 * float((answers == gold[name])[tagged].mean())
        return found

    def see(model: keras.Model, watch: Mapping[str, str]) -> Seen:
        predictor = TagPredictor(config, vocabulary, variable_arrays(model.weights))
        text = own_text(watch)
        picture = _tagged(Tagger(predictor, segmenter), text, before.get(text))
        before.clear()
        before[text] = [tag for tag, *_ in picture["tags"]]
        return Seen(numbers(predictor), {**picture, "sample": [len(sample), len(words)]})

    return see


def _tagged(tagger: Tagger, text: str, last: Sequence[str] | None) -> dict[str, Any]:
    """Tag one's own text; ``last`` are the tags of the look before."""
    found, transitions = tagger.tag(text), tagger.predictor.transitions
    tokens = found.tokens
    answers = [[(token.tag, token.probability)] for token in tokens]
    for answer, token in zip(answers, tokens, strict=True):
        answer += [(other.tag, other.probability) for other in token.alternatives]
    tags = [[tag for tag, _ in answer] for answer in answers]
    picture: dict[str, Any] = {
        "text": text,
        "starts": [sentence.start for sentence in found.sentences],
        "words": [[token.text, token.start, token.end, token.unknown] for token in tokens],
        "tags": tags,
        "shares": np.array([[share for _, share in answer] for answer in answers]),
        "before": [
            was if was != now else ""
            for was, (now, *_) in zip(last or [row[0] for row in tags], tags, strict=True)
        ],
    }
    if transitions is not None and len(tagger.tags) > 1:
        picture |= {"labels": list(tagger.tags), "transitions": transitions}
    return picture


def pretraining_seer(
    config: PosTaggerConfig, batches: ContextBatches, dev: Sequence[Sentence], segmenter: Segmenter
) -> See:
    """Make what looks at a first layer that reads raw text: which word each direction expects.

    Args:
        config: Of the tagger.
        batches: Its raw text.
        dev: Sentences that it does not read; some are looked at.
        segmenter: Cuts one's own text.

    Returns:
        From a network to ``held_out_loss_over_all_words``, nats a word (training estimates it on drawn words, which is
        less), and the picture that ``page_watch`` draws.
    """
    first = replace(config, units=config.units[:1], output="softmax")
    ids, rarer = {key: number for number, key in enumerate(batches.keys)}, len(batches.log_expected) - 1
    sample = [one.forms for one in some_of([one for one in dev if len(one.words) > 1], _READ)]

    def expected(arrays: Mapping[str, np.ndarray], sentences: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Score what comes behind and what comes before each word: float32 (words, targets) each."""
        reader = PackedTagger(first, arrays)
        words = [word for one in sentences for word in batches.inputs.encode(one)]
        rows, characters = np.array([word.row for word in words]), [word.characters for word in words]
        states = reader.states(reader.vectors(rows, characters), pack(list(map(len, sentences))))[-1]
        vectors, biases = (arrays[f"neighbours/{name}"] for name in ("vectors", "biases"))
        sides = zip(("ahead", "back"), np.split(states, 2, axis=1), strict=True)
        return [side @ arrays[f"{name}_projection/kernel"] @ vectors.T + biases for name, side in sides]

    def loss(arrays: Mapping[str, np.ndarray]) -> float:
        targets = [ids.get(word_key(form), rarer) for forms in sample for form in forms]
        firsts = np.cumsum([0, *map(len, sample)])[:-1]
        later = np.setdiff1d(np.arange(len(targets)), firsts)  # words with one before them
        wanted, total = np.array(targets), 0.0
        for scores, of, to in zip(
            expected(arrays, sample), (later - 1, later), (later, later - 1), strict=True
        ):
            found = scores[of]
            largest = found.max(axis=1)
            sums = largest + np.log(np.exp(found - largest[:, None]).sum(axis=1))
            total += float((sums - found[np.arange(len(of)), wanted[to]]).mean()) / 2
        return total

    def see(model: keras.Model, watch: Mapping[str, str]) -> Seen:
        arrays, text = variable_arrays(model.weights), own_text(watch)
        forms = [word.text for sentence in segmenter.segment(text) for word in sentence][:_WORDS]
        best = [
            np.argsort(-scores, axis=1, kind="stable")[:, :_EXPECTED] for scores in expected(arrays, [forms])
        ]
        names = [*batches.keys, "a rarer word"]
        ahead, back = ([[names[at] for at in row] for row in side.tolist()] for side in best)
        picture = {"forms": forms, "ahead": [[], *ahead[:-1]], "back": [*back[1:], []], "sample": len(sample)}
        with one_blas_thread():
            numbers = {"held_out_loss_over_all_words": loss(arrays)} if sample else {}
        return Seen(numbers, picture)

    return see


def segmenter_seer(config: SegmenterConfig, dev: Sequence[Sentence]) -> See:
    """Make what looks at a segmenter that trains: F1 in percent on the raw text of the first sentences of ``dev``."""
    sample = dev[:SENTENCES]

    def see(model: keras.Model, watch: Mapping[str, str]) -> Seen:
        segment, text = Segmenter(config, variable_arrays(model.weights)).segment, own_text(watch)
        scores = score_segmentation(segment, sample)
        numbers = {"held_out_words_f1": scores.words.f1, "held_out_sentences_f1": scores.sentences.f1}
        cut = [[[word.start, word.end] for word in sentence] for sentence in segment(text)]
        return Seen(numbers, {"text": text, "cut": cut, "sample": [len(sample), scores.words.gold]})

    return see


def own_text(watch: Mapping[str, str]) -> str:
    """Return the text that is looked at; too long a one is cut."""
    text = watch.get("sentence", "").strip()[:MOST_CHARACTERS]
    return text or WATCHED["sentence"]


def some_of(items: Sequence[Any], most: int) -> list[Any]:
    """Return at most so many items, evenly spread."""
    places = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return [items[at] for at in places.tolist()]
