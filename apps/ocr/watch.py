"""What a network that reads shows while it trains: its errors by now, and one word with and without context.

All of it is computed in NumPy from the weights of now, on a sample of words that stays the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.ocr.application import words_by_way
from apps.ocr.evaluation import error_rate
from apps.ocr.recipes import Recipe
from data_prep.errors import InputError
from data_prep.images.letter_batches import letter_pictures
from data_prep.images.letter_words import compose_words
from data_prep.readers.handwriting import WordPictures
from data_prep.readers.letters import LetterWords, decode_word, encode_word
from models.ocr.config import OcrConfig
from models.ocr.letter_lm import LetterLM
from models.ocr.serving import LettersReader, WordsReader, reader_of
from models.serving.ctc import greedy, log_likelihoods
from models.storage.variables import variable_arrays
from models.training.watching import Seen

if TYPE_CHECKING:
    import keras

WATCHED = {"word": "#0"}  # a word of the sample, or its number there
_WORDS = {"letters": 40, "words": 20}  # of the sample, by what is read
_SEED = 6  # of words that are composed
_UNREADABLE = (
    -100.0
)  # the logarithm of a likelihood of a word that has more letters than its image has frames

Shown = tuple[dict[str, float], dict[str, Any]]  # numbers and a picture


def seer(
    recipe: Recipe,
    config: OcrConfig,
    language: LetterLM | None,
    words: LetterWords | WordPictures,
    *,
    held_out: bool,
) -> Callable[[keras.Model, Mapping[str, str]], Seen]:
    """Make what looks at a network while it trains.

    Args:
        recipe: All settings.
        config: Of the network.
        language: The language model that goes with it, or None.
        words: Some of them, evenly spread, are the sample.
        held_out: Whether the network does not learn from these.

    Returns:
        A network and what is asked, by the names of ``WATCHED``, to what it shows; an ``InputError`` where there is no
        such word.
    """
    count = len(words.texts)
    places = np.linspace(0, count - 1, min(_WORDS[config.reads], count))
    sample = words.part(np.rint(places).astype(np.int64))  # a set has the same word many times in a row
    show = _letters_shown(sample) if config.reads == "letters" else _words_shown(sample, recipe)
    prefix = "held_out" if held_out else "training_sample"

    def see(model: keras.Model, watch: Mapping[str, str]) -> Seen:
        at = _asked({**WATCHED, **watch}["word"].strip(), sample.texts)
        reader = reader_of(config, variable_arrays(model.weights))
        reader.language = language
        numbers, picture = show(reader, at)
        about = {"reads": config.reads, "n": len(sample.texts), "held_out": held_out}
        about |= {"number": at, "text": sample.texts[at], "alphabet": config.alphabet}
        return Seen({f"{prefix}_{name}": value for name, value in numbers.items()}, {**about, **picture})

    return see


def _letters_shown(sample: LetterWords) -> Callable[[LettersReader, int], Shown]:
    pictures, lengths = letter_pictures(sample.images), sample.lengths.tolist()

    def show(reader: LettersReader, at: int) -> Shown:
        scores, own = reader.scores(pictures, lengths), sample.letters_of(at)
        answers = words_by_way(reader, scores, lengths)
        numbers = {
            "loss": _loss(scores.context, sample.labels),
            "loss_alone": _loss(scores.alone, sample.labels),
        }
        return numbers | _errors(answers, sample.texts), {
            "pictures": sample.images[own],
            "alone": scores.alone[own],
            "context": scores.context[own],
            "answers": {way: found[at] for way, found in answers.items()},
        }

    return show


def _words_shown(sample: LetterWords | WordPictures, recipe: Recipe) -> Callable[[WordsReader, int], Shown]:
    if isinstance(sample, WordPictures):
        pictures = list(map(letter_pictures, sample.images))
    else:
        layout = replace(recipe.layout, written=0.0)
        pictures = compose_words(sample, layout, np.random.default_rng(_SEED))
    labels = [encode_word(text, sample.alphabet) for text in sample.texts]

    def show(reader: WordsReader, at: int) -> Shown:
        frames = reader.log_probabilities(pictures)
        if not all(np.isfinite(one).all() for one in frames):
            return {}, {}  # the training ends by itself
        answers = {"greedy": [decode_word(greedy(one), sample.alphabet) for one in frames]}
        likely = [
            max(float(log_likelihoods(one, word[None])[0]), _UNREADABLE * len(word))
            for one, word in zip(frames, labels, strict=True)
        ]
        numbers = {"loss": -sum(likely) / sum(map(len, labels))}
        shown = {"greedy": answers["greedy"][at]}
        shown["beam"] = reader.search(frames[at], language_model=False)[0].text
        if reader.language is not None:
            shown["words"] = reader.search(frames[at])[0].text
        return numbers | _errors(answers, sample.texts), {
            "picture": np.rint(255 * pictures[at][..., 0]).astype(np.uint8),
            "frames": np.exp(frames[at]),
            "answers": shown,
        }

    return show


def _errors(answers: Mapping[str, Sequence[str]], texts: Sequence[str]) -> dict[str, float]:
    """Return the share of letters that are wrong, percent, by each way of reading."""
    return {
        f"character_error_{way}": error_rate(found, texts).character_error for way, found in answers.items()
    }


def _loss(shares: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean cross entropy of letters, in nats."""
    own = np.take_along_axis(shares, labels[:, None], axis=1)
    return -float(np.log(np.maximum(own, np.finfo(float).tiny)).mean())


def _asked(word: str, texts: Sequence[str]) -> int:
    """Return the number of the word that is asked for."""
    if word in texts:
        return texts.index(word)
    if word[:1] == "#" and word[1:].isdecimal() and int(word[1:]) < len(texts):
        return int(word[1:])
    allowed = f"{', '.join(dict.fromkeys(texts))}, or #0 to #{len(texts) - 1}"
    raise InputError("There is no such word to look at", allowed=allowed, received=word)
