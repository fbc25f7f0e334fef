"""How well the reader reads: character error and word error, by every way in which it can answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from rapidfuzz.distance import Levenshtein

from apps.ocr.application import Reader, words_by_way
from apps.ocr.recipes import RECIPES, Recipe
from apps.ocr.sources import TEST_FOLD, OcrSource, letters_source, own_source, sample_source
from apps.shared.language import N_
from apps.shared.measures import ReliabilityBin, calibration_measure, measure, reliability
from apps.shared.results import Result
from data_prep.errors import InputError
from data_prep.images.letter_batches import letter_pictures
from data_prep.images.letter_words import WordLayout, compose_words
from data_prep.images.preparation import PreparedImage
from data_prep.readers.handwriting import WordPictures
from data_prep.readers.letters import LetterWords, decode_word
from models.ocr.letter_lm import LetterLM
from models.ocr.serving import LettersReader, WordsReader, reader_of
from models.presets.store import Preset
from models.serving.ctc import greedy
from models.training.recipe import from_dict
from models.training.task import Metrics

_COMPOSED_SEED = 6  # of the words that are composed to be scored
WAYS = {
    "alone": N_("each letter alone"),
    "alone_search": N_("letters alone, beam search with language model"),
    "bilstm": "BiLSTM",
    "crf": N_("BiLSTM and CRF"),
    "search": N_("BiLSTM, beam search with language model"),
    "greedy": N_("CTC, most probable path"),
    "beam": N_("CTC, beam search without language model"),
    "words": N_("CTC, beam search with language model"),
    "sizes": N_("the same, letters in the sizes of writing"),
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
    """Compare answers with what was written; words count as often as they come.

    Raises:
        InputError: There are no words, or not as many answers.
    """
    if not texts or len(answers) != len(texts):
        raise InputError("There is not one answer for each word", allowed=len(texts), received=len(answers))
    edits = np.array([Levenshtein.distance(*pair) for pair in zip(answers, texts, strict=True)])
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


def read_letters(
    reader: LettersReader, words: LetterWords, languages: Mapping[str, LetterLM] | None = None
) -> dict[str, list[str]]:
    """Read words letter by letter, in every way; languages and ways as ``apps.ocr.application.words_by_way``."""
    lengths = words.lengths.tolist()
    scores = reader.scores(letter_pictures(words.images), lengths)
    return words_by_way(reader, scores, lengths, languages)


def read_words(
    reader: WordsReader, words: LetterWords | WordPictures, layout: WordLayout
) -> dict[str, list[str]]:
    """Read words in one piece, in every way: pictures, or words that are composed of their letters by a layout.

    Returns:
        Way to answers: ``greedy``, ``beam`` and ``words`` of letters as large as the set gives them; and ``sizes``,
        with the language model, of composed letters in the sizes of writing.
    """
    found: dict[str, list[str]] = {"greedy": [], "beam": [], "words": []}
    for frames in _frames(reader, words, replace(layout, written=0.0)):
        found["greedy"].append(decode_word(greedy(frames), words.alphabet))
        found["beam"].append(reader.search(frames, language_model=False)[0].text)
        found["words"].append(reader.search(frames)[0].text)
    if isinstance(words, WordPictures):
        return found
    sizes = _frames(reader, words, replace(layout, written=1.0))
    return found | {"sizes": [reader.search(frames)[0].text for frames in sizes]}


def _frames(reader: WordsReader, words: LetterWords | WordPictures, layout: WordLayout) -> list[np.ndarray]:
    """Return what a network says of the frames of each word, log-probabilities (frames, letters + 1)."""
    return reader.log_probabilities(_images(words, layout))


def _images(words: LetterWords | WordPictures, layout: WordLayout) -> list[np.ndarray]:
    """Return a picture of each word, float32 (16, width, 1)."""
    if isinstance(words, WordPictures):
        return list(map(letter_pictures, words.images))
    return compose_words(words, layout, np.random.default_rng(_COMPOSED_SEED))


def score(
    reader: LettersReader | WordsReader, words: LetterWords | WordPictures, recipe: Recipe
) -> dict[str, ErrorRate]:
    """Score a network in every way on words, composed as the recipe says that made it."""
    if reader.config.reads == "letters":
        answers = read_letters(reader, words)
    else:
        answers = read_words(reader, words, recipe.layout)
    return {way: error_rate(found, words.texts) for way, found in answers.items()}


def reliability_of(
    reader: LettersReader | WordsReader, words: LetterWords | WordPictures, recipe: Recipe
) -> tuple[ReliabilityBin, ...]:
    """Group the letters of answers by their probability; right are those that were written there."""
    if reader.config.reads == "letters":
        letters = (words.images[words.letters_of(at)] for at in range(len(words.texts)))
        found = list(map(Reader(letters=reader).read_letters, letters))
    else:
        images = _images(words, replace(recipe.layout, written=0.0))
        found = [Reader(words=reader).read_prepared_word(PreparedImage(image, ())) for image in images]
    sure, right = [], []
    for result, text in zip(found, words.texts, strict=True):
        sure += result.probabilities
        same = np.zeros(len(result.text), bool)
        for block in Levenshtein.opcodes(result.text, text):
            same[block.src_start : block.src_end] = block.tag == "equal"
        right += same.tolist()
    return reliability(np.array(sure), np.array(right, bool))


def metrics_of(
    errors: Mapping[str, ErrorRate], bins: Sequence[ReliabilityBin], recipe: Recipe, source: OcrSource
) -> Metrics:
    """Return scores as a preset stores them: ``context`` is the way by which the preset answers, as are ``bins``."""
    which = "fold 0, learned from the others" if recipe.split == "final" else "fold 1, learned from 2 to 9"
    answer = getattr(recipe, "answer", None)
    named = {**errors} if answer is None else {"alone": errors["alone"], "context": errors[answer], **errors}
    found = {
        name: measure(
            rate.character_error,
            rate.n,
            f"character error, {WAYS[answer if name == 'context' else name]}; {source.name}, {which}",
            standard_error=rate.standard_error,
            word_error=rate.word_error,
            words=rate.words,
        )
        for name, rate in named.items()
    }
    what = f"letters of the answers; {source.name}, {which}"
    return found | {"calibration_error": calibration_measure(bins, what)}


@dataclass(frozen=True, slots=True)
class OcrEvaluation(Result):
    """What two presets reach on the words of the test fold.

    Attributes:
        letters: Errors letter by letter: ``context`` is how the preset answers, the others are its single ways.
        words: Errors for whole words: ``words`` is how the preset answers; empty without such a preset.
    """

    letters: dict[str, ErrorRate]
    words: dict[str, ErrorRate]

    table_columns: ClassVar[tuple[str, ...]] = (
        *("answered by", "character error, %>", "standard error>", "word error, %>", "letters>"),
    )

    def table_rows(self) -> list[tuple[str, ...]]:
        """The cells of the table, as text."""
        rates = {WAYS[way]: rate for way, rate in (self.letters | self.words).items() if way != "context"}
        if self.letters:
            rates = {"letters, as the preset answers": self.letters["context"], **rates}
        errors = {name: (r.character_error, r.standard_error, r.word_error) for name, r in rates.items()}
        return [(name, *map("{:.2f}".format, errors[name]), f"{rate.n:,}") for name, rate in rates.items()]

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: percent, and the number of letters."""
        letters = {name: _plain(self.letters[name]) for name in ("alone", "context") if self.letters}
        return {"letters": letters or None, "words": _plain(self.words["words"]) if self.words else None}


def _plain(rate: ErrorRate) -> dict[str, Any]:
    names = ("character_error", "word_error", "standard_error", "n")
    return {name: getattr(rate, name) for name in names}


def evaluate(
    reader: Reader, *, letters: str | Path | None = None, words: str | Path | None = None
) -> OcrEvaluation:
    """Score a reader on words that it did not learn from.

    Args:
        reader: Opened from presets.
        letters: Your own letters; of those that it learned from, what was held out is scored, else all of them.
        words: Your own words in one piece, likewise. None of both takes the test fold of what the presets learned from.

    Returns:
        Errors of each preset that the reader was opened with, or of those that your own letters and words are for.

    Raises:
        InputError: The words cannot be had, no preset reads such, or they have characters that it does not know.
    """
    own = {reads: Path(path) for reads, path in (("letters", letters), ("words", words)) if path is not None}
    found = {
        reads: _scored(preset, own.get(reads))
        for reads, preset in reader.presets.items()
        if not own or reads in own
    }
    if not found:
        allowed = " or ".join(reader.presets)
        raise InputError("The preset reads something else", allowed=allowed, received=" and ".join(own))
    return OcrEvaluation(found.get("letters", {}), found.get("words", {}))


def _scored(preset: Preset, own: Path | None) -> dict[str, ErrorRate]:
    config, metadata = preset.config, preset.metadata
    learned, seed = set(metadata["data"].values()), int(metadata["seed"])
    if own is not None:
        source = own_source(own, config.reads, seed, config.alphabet)
    elif "drawn letters" in metadata["data"]:
        source = sample_source(seed)
    else:
        source = letters_source()
        if not learned.intersection(source.checksums.values()):
            raise InputError(
                "It is not known where the words are that this preset did not learn from",
                remedy="Name them with --letters FOLDER or --words CSV",
            )
    known = own is None or learned.issuperset(source.checksums.values())
    words = source.fold(TEST_FOLD) if known else source.words
    recipe = from_dict(type(RECIPES[config.reads]), metadata["recipe"])
    found = score(reader_of(config, preset.arrays), words, recipe)
    return found | {"context": found[config.answer]} if config.reads == "letters" else found
