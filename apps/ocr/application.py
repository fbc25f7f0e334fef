"""Reader: handwritten words, letter by letter and in one piece; works without TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from apps.ocr.evaluation import ALONE_WEIGHT
from apps.ocr.results import LettersResult, Reading, ReadLetter, Span, WordResult
from data_prep.errors import InputError
from data_prep.images.letter_batches import letter_pictures
from data_prep.images.letters import MAX_LETTERS, letter_batch, prepare_letter, prepare_word
from data_prep.images.preparation import (
    LETTER_HEIGHT,
    LETTER_WIDTH,
    MAX_WORD_WIDTH,
    ImageStep,
    PreparedImage,
    Source,
)
from data_prep.readers.letters import LETTERS, decode_word, encode_word

if TYPE_CHECKING:
    from models.ocr.letter_search import Hypothesis, Scorer
    from models.ocr.serving import LettersReader, WordsReader

LETTERS_PRESET = "ocr_letters"
WORDS_PRESET = "ocr_words"
_ALTERNATIVES = 4


class Reader:
    """Trained networks that read; threads can share it.

    Args:
        letters: Reads words letter by letter; None where it is not wanted.
        words: Reads words in one piece; None likewise.
    """

    def __init__(self, letters: LettersReader | None = None, words: WordsReader | None = None) -> None:
        self._letters, self._words = letters, words

    @classmethod
    def from_preset(
        cls, letters: str | Path | None = LETTERS_PRESET, words: str | Path | None = WORDS_PRESET
    ) -> Reader:
        """Open presets.

        Args:
            letters: Name or folder of a preset that reads letter by letter; None for none.
            words: Likewise for whole words.

        Returns:
            The application.

        Raises:
            InputError: There is no such preset, it is damaged, or it reads something else.
        """
        from models.ocr.serving import LettersReader, WordsReader

        return cls(
            None if letters is None else LettersReader(*_opened(letters, "letters")),
            None if words is None else WordsReader(*_opened(words, "words")),
        )

    @property
    def letters(self) -> LettersReader:
        """The network that reads letter by letter."""
        if self._letters is None:
            raise InputError("The reader was opened without a preset for letters")
        return self._letters

    @property
    def words(self) -> WordsReader:
        """The network that reads whole words."""
        if self._words is None:
            raise InputError("The reader was opened without a preset for words")
        return self._words

    def read_letters(self, images: Sequence[Source] | np.ndarray) -> LettersResult:
        """Read a word whose letters are cut apart.

        Args:
            images: Of each letter, from left to right: bytes of a PNG or JPEG, the path of one, or an array, any size,
                dark on light or light on dark; or all of them prepared, float32 (letters, 16, 8, 1) with 1 for ink, or
                uint8 (letters, 16, 8) as the set holds them.

        Returns:
            The answer before and after context.

        Raises:
            InputError: There is no letter or over 32, or one is no image, too large, or shows nothing.
        """
        from models.ocr.letter_search import letter_shares

        if isinstance(images, np.ndarray):
            batch = _prepared_letters(images)
        else:
            _check_count(len(images))
            batch = letter_batch(prepare_letter(one) for one in images)
        scores = self.letters.scores(batch, [len(batch)])
        search = self.letters.search
        found, found_alone = search(scores.context), search(scores.alone, ALONE_WEIGHT)
        by_way = {
            "alone": decode_word(scores.alone.argmax(axis=1)),
            "alone_search": found_alone[0].text,
            "bilstm": decode_word(scores.context.argmax(axis=1)),
            "crf": decode_word(scores.best),
            "search": found[0].text,
        }
        answer = self.letters.config.answer
        if answer == "search":
            after = letter_shares(found)
        else:
            after = scores.context if answer == "bilstm" else self.letters.marginals(batch, [len(batch)])
        text = by_way[answer]
        return LettersResult(
            text, tuple(map(ReadLetter.of, text, scores.alone, after)), _others(found, text), by_way
        )

    def read_word(self, image: Source, name: str | None = None) -> WordResult:
        """Read a word in one piece.

        Args:
            image: Bytes of a PNG or JPEG, the path of one, or an array: any size, dark on light or light on dark.
            name: What it is called in messages.

        Returns:
            The answer with and without language model, and the way through the frames.

        Raises:
            InputError: It is no image, too large, too long a strip, or shows nothing.
        """
        return self.read_prepared_word(prepare_word(image, name))

    def read_prepared_word(self, prepared: PreparedImage) -> WordResult:
        """Read a word that went through ``data_prep.images.letters.prepare_word`` or was composed."""
        from models.ocr.ctc_letters import letter_posteriors, spans
        from models.serving.ctc import best_path, greedy

        _check_word(prepared.image)
        frames = self.words.log_probabilities([prepared.image])[0]
        found, without = (self.words.search(frames, language_model=used) for used in (True, False))
        text = found[0].text
        labels = encode_word(text) if text else np.zeros(0, np.int64)
        before = letter_posteriors(frames, labels)
        after = letter_posteriors(frames, labels, self._language(labels))
        path = best_path(frames, labels).tolist()
        return WordResult(
            text=text,
            letters=tuple(map(ReadLetter.of, text, before, after)),
            alternatives=_others(found, text),
            greedy=decode_word(greedy(frames)),
            without_language=without[0].text,
            frames=np.exp(frames),
            path=tuple(path),
            spans=tuple(Span(LETTERS[label], start, end) for label, start, end in spans(path)),
            prepared=prepared,
        )

    def _language(self, labels: np.ndarray) -> np.ndarray | None:
        """Return what the language model adds to each word of ``models.ocr.ctc_letters.exchanged``."""
        from models.ocr.ctc_letters import exchanged

        language, weight = self.words.language, self.words.config.lm_weight
        if language is None:
            return None
        return weight * np.array(
            [[_word_score(language, word) for word in row] for row in exchanged(labels).tolist()]
        )


def composed(letters: np.ndarray, text: str, seed: int = 0) -> PreparedImage:
    """Write a word of letters in one piece, as the network for words learned to read them.

    Args:
        letters: Uint8 (letters, 16, 8).
        text: What they say.
        seed: Of spacing, slant and size.

    Returns:
        Its image float32 (16, width, 1), as the only step.
    """
    from data_prep.images.letter_words import compose_word

    image = compose_word(letters, seed=seed, labels=encode_word(text))
    return PreparedImage(image, (ImageStep("composed", f"{text} of single letters", image[..., 0]),))


def noisy(images: np.ndarray, noise: float, seed: int = 0) -> np.ndarray:
    """Turn pixels of prepared pictures into their opposite at random.

    Args:
        images: Float32, 0 for paper to 1 for ink.
        noise: Share of the pixels, 0 to 1.
        seed: The same seed turns the same pixels, and with more noise these and others.

    Returns:
        Float32, the same shape.
    """
    turned = np.random.default_rng(seed).random(images.shape) < noise
    return np.where(turned, np.float32(1.0) - images, images).astype(np.float32)


def _word_score(language: Scorer, labels: Sequence[int]) -> float:
    """Return the logarithm of a word's probability, its end included."""
    text = decode_word(labels)
    steps = (language.log_probabilities(text[:at])[label] for at, label in enumerate([*labels, -1]))
    return float(sum(steps))


def _opened(name: str | Path, reads: str) -> tuple:
    from models.ocr.config import KIND
    from models.presets.store import load_preset

    opened = load_preset(name, kind=KIND)
    if opened.config.reads != reads:
        raise InputError(
            f"The preset {name} reads something else", allowed=reads, received=opened.config.reads
        )
    return opened.config, opened.arrays


def _prepared_letters(images: np.ndarray) -> np.ndarray:
    _check_count(len(images))
    box = (LETTER_HEIGHT, LETTER_WIDTH)
    if images.dtype == np.uint8 and images.shape[1:] == box:
        return letter_pictures(images)
    if images.dtype.kind == "f" and images.shape[1:] == (*box, 1):
        return images.astype(np.float32, copy=False)
    raise InputError(
        "The letters have a wrong shape",
        allowed="float (letters, 16, 8, 1) or uint8 (letters, 16, 8)",
        received=(images.dtype.name, *images.shape),
    )


def _check_count(count: int) -> None:
    if not 1 <= count <= MAX_LETTERS:
        raise InputError(
            "A word has too few or too many letters", allowed=f"1 to {MAX_LETTERS}", received=count
        )


def _check_word(image: np.ndarray) -> None:
    height, width, channels = image.shape if image.ndim == 3 else (0, 0, 0)
    if (height, channels) != (LETTER_HEIGHT, 1) or not 1 <= width <= MAX_WORD_WIDTH:
        raise InputError(
            "The image of the word has a wrong shape",
            allowed=f"(16, 1 to {MAX_WORD_WIDTH}, 1)",
            received=tuple(image.shape),
        )


def _others(found: Sequence[Hypothesis], text: str) -> tuple[Reading, ...]:
    others = [Reading(one.text, one.probability) for one in found if one.text != text]
    return tuple(others[:_ALTERNATIVES])
