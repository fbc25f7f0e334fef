"""How well the reader reads: character error and word error, by every way in which it can answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.shared.results import Result
from data_prep.errors import InputError

if TYPE_CHECKING:
    from apps.ocr.recipes import Recipe
    from apps.ocr.sources import OcrSource
    from data_prep.images.letter_words import WordLayout
    from data_prep.readers.letters import LetterWords
    from models.ocr.letter_search import Scorer
    from models.ocr.serving import LettersReader, WordsReader
    from models.presets.store import Preset

# Where letters alone meet the language model, it has to say all that is known of context.
ALONE_WEIGHT = 0.8
_COMPOSED_SEED = 6  # of the words that are composed to be scored
WAYS = {
    "alone": "each letter alone",
    "alone_search": "letters alone, beam search with language model",
    "bilstm": "BiLSTM",
    "crf": "BiLSTM and CRF",
    "search": "BiLSTM, beam search with language model",
    "greedy": "CTC, most probable path",
    "beam": "CTC, beam search without language model",
    "words": "CTC, beam search with language model",
    "sizes": "the same, letters in the sizes of writing",
}


@dataclass(frozen=True, slots=True)
class ErrorRate(Result):
    """How often answers are wrong.

    Attributes:
        character_error: Edits (wrong, missing and surplus letters) by letters, percent.
        word_error: Words with any of them, percent.
        n: Letters that were to be read.
        words: Words that were to be read.
        standard_error: Of the character error, in percentage points; words are drawn, not letters.
    """

    character_error: float
    word_error: float
    n: int
    words: int
    standard_error: float


def error_rate(answers: Sequence[str], texts: Sequence[str]) -> ErrorRate:
    """Compare answers with what was written.

    Args:
        answers: One for each word.
        texts: What was written.

    Returns:
        The errors; words count as often as they come.

    Raises:
        InputError: There are no words, or not as many answers.
    """
    if not texts or len(answers) != len(texts):
        raise InputError("There is not one answer for each word", allowed=len(texts), received=len(answers))
    edits = np.array([edit_distance(answer, text) for answer, text in zip(answers, texts, strict=True)])
    lengths = np.array([len(text) for text in texts])
    share = edits.sum() / lengths.sum()
    spread = float(np.sqrt(((edits - share * lengths) ** 2).sum())) / lengths.sum()
    return ErrorRate(
        character_error=100.0 * float(share),
        word_error=100.0 * float((edits > 0).mean()),
        n=int(lengths.sum()),
        words=len(texts),
        standard_error=100.0 * float(spread),
    )


def edit_distance(first: str, second: str) -> int:
    """Return the fewest letters to exchange, leave out or put in that make one word of another (Levenshtein 1966)."""
    if first == second:
        return 0
    row = list(range(len(second) + 1))
    for at, letter in enumerate(first, start=1):
        diagonal, row[0] = row[0], at
        for to, other in enumerate(second, start=1):
            diagonal, row[to] = row[to], min(row[to] + 1, row[to - 1] + 1, diagonal + (letter != other))
    return row[-1]


def read_letters(
    reader: LettersReader, words: LetterWords, languages: Mapping[str, Scorer] | None = None
) -> dict[str, list[str]]:
    """Read words letter by letter, in every way.

    Args:
        reader: The network.
        words: What is read.
        languages: Name to language model: for each the ways ``alone_NAME`` and ``NAME``; None takes the reader's own as
            ``search``, if it has one.

    Returns:
        Way to answers: ``alone``, ``bilstm``, ``crf``, and those with a language model.
    """
    from data_prep.images.letter_batches import letter_pictures
    from data_prep.readers.letters import decode_word

    if languages is None:
        languages = {} if reader.language is None else {"search": reader.language}
    lengths = words.lengths.tolist()
    scores = reader.scores(letter_pictures(words.images), lengths)
    cuts = np.cumsum(lengths)[:-1]
    rows = {
        "alone": np.split(scores.alone.argmax(axis=1), cuts),
        "bilstm": np.split(scores.context.argmax(axis=1), cuts),
        "crf": np.split(scores.best, cuts),
    }
    found = {way: [decode_word(word) for word in rows_of] for way, rows_of in rows.items()}
    weights = {"alone": ALONE_WEIGHT, "context": reader.config.lm_weight}
    for name, language in languages.items():
        for field, weight in weights.items():
            parts = np.split(getattr(scores, field), cuts)
            found[f"alone_{name}" if field == "alone" else name] = [
                reader.search(part, weight, language)[0].text for part in parts
            ]
    return found


def read_words(reader: WordsReader, words: LetterWords, layout: WordLayout) -> dict[str, list[str]]:
    """Compose each word of its own letters and read the image, in every way.

    Args:
        reader: The network.
        words: What is composed; the same words give the same images.
        layout: How letters stand in a word; ``written`` is not heeded.

    Returns:
        Way to answers: ``greedy``, ``beam`` and ``words`` of letters as large as the set gives them; and ``sizes``,
        with the language model, of letters in the sizes of writing.
    """
    from data_prep.readers.letters import decode_word
    from models.serving.ctc import greedy

    found: dict[str, list[str]] = {"greedy": [], "beam": [], "words": []}
    for frames in _frames(reader, words, replace(layout, written=0.0)):
        found["greedy"].append(decode_word(greedy(frames)))
        found["beam"].append(reader.search(frames, language_model=False)[0].text)
        found["words"].append(reader.search(frames)[0].text)
    sizes = _frames(reader, words, replace(layout, written=1.0))
    return found | {"sizes": [reader.search(frames)[0].text for frames in sizes]}


def _frames(reader: WordsReader, words: LetterWords, layout: WordLayout) -> list[np.ndarray]:
    """Compose words and return what a network says of the frames of each, log-probabilities (frames, 27)."""
    from data_prep.images.letter_words import compose_words

    rng = np.random.default_rng(_COMPOSED_SEED)
    return reader.log_probabilities(compose_words(words.images, words.lengths, layout, rng, words.labels))


def score(reader: LettersReader | WordsReader, words: LetterWords, recipe: Recipe) -> dict[str, ErrorRate]:
    """Score a network on words that it did not learn from, in every way.

    Args:
        reader: The network.
        words: What is read.
        recipe: What made it: how words are composed.

    Returns:
        Way to errors.
    """
    if reader.config.reads == "letters":
        answers = read_letters(reader, words)
    else:
        answers = read_words(reader, words, recipe.layout)
    return {way: error_rate(found, words.texts) for way, found in answers.items()}


def metrics_of(errors: Mapping[str, ErrorRate], recipe: Recipe, source: OcrSource) -> dict[str, Any]:
    """Return scores as a preset stores them: ``context`` is the way by which the preset answers.

    Args:
        errors: As :func:`score` gives them.
        recipe: What made the network.
        source: The words.
    """
    which = "fold 0, learned from the others" if recipe.split == "final" else "fold 1, learned from 2 to 9"
    named = dict(errors)
    if (answer := getattr(recipe, "answer", None)) is not None:
        named = {"alone": errors["alone"], "context": errors[answer], **errors}
    return {
        name: {
            "score": rate.character_error,
            "unit": "%",
            "n": rate.n,
            "standard_error": rate.standard_error,
            "word_error": rate.word_error,
            "words": rate.words,
            "protocol": f"character error, {WAYS[answer if name == 'context' else name]}; {source.name}, {which}",
        }
        for name, rate in named.items()
    }


@dataclass(frozen=True, slots=True)
class OcrEvaluation(Result):
    """What two presets reach on the words of the test fold.

    Attributes:
        letters: Errors letter by letter: ``context`` is how the preset answers, the others are its single ways.
        words: Errors for whole words: ``words`` is how the preset answers; empty without such a preset.
    """

    letters: dict[str, ErrorRate]
    words: dict[str, ErrorRate]

    @property
    def rates(self) -> dict[str, ErrorRate]:
        """All errors by a name for people."""
        answer = {"letters, as the preset answers": self.letters["context"]}
        return answer | {
            WAYS[way]: rate for way, rate in (self.letters | self.words).items() if way != "context"
        }

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: percent, and the number of letters."""
        return {
            "letters": {name: _plain(self.letters[name]) for name in ("alone", "context")},
            "words": _plain(self.words["words"]) if self.words else None,
        }


def _plain(rate: ErrorRate) -> dict[str, Any]:
    names = ("character_error", "word_error", "standard_error", "n")
    return {name: getattr(rate, name) for name in names}


def evaluate(letters: str | Path, words: str | Path | None) -> OcrEvaluation:
    """Score presets on the test fold of the words that they learned from.

    Args:
        letters: Preset that reads letter by letter.
        words: Preset that reads whole words; None for none.

    Returns:
        Errors of both.

    Raises:
        InputError: A preset is missing, damaged or reads something else, or the words cannot be had.
    """
    return OcrEvaluation(_scored(letters, "letters"), {} if words is None else _scored(words, "words"))


def _scored(name: str | Path, reads: str) -> dict[str, ErrorRate]:
    from apps.ocr.recipes import RECIPES
    from apps.ocr.sources import TEST_FOLD
    from models.ocr.config import KIND
    from models.ocr.serving import LettersReader, WordsReader
    from models.presets.store import load_preset
    from models.training.recipe import from_dict

    preset = load_preset(name, kind=KIND)
    if preset.config.reads != reads:
        raise InputError(f"The preset {name} does not read {reads}", received=preset.config.reads)
    recipe = from_dict(type(RECIPES[reads]), preset.metadata["recipe"])
    kind = LettersReader if reads == "letters" else WordsReader
    found = score(kind(preset.config, preset.arrays), _source(preset).fold(TEST_FOLD), recipe)
    return found | {"context": found[preset.config.answer]} if reads == "letters" else found


def _source(preset: Preset) -> OcrSource:
    from apps.ocr.sources import letters_source, sample_source

    if "drawn letters" in preset.metadata["data"]:
        return sample_source(int(preset.metadata["seed"]))
    return letters_source()
