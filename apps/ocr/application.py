"""Reader: handwritten words, letter by letter and in one piece; works without TensorFlow."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.ocr.results import LettersResult, Reading, ReadLetter, Span, WordResult
from data_prep.errors import InputError
from data_prep.images.decoding import Source
from data_prep.images.letter_batches import letter_pictures
from data_prep.images.letter_words import compose_word
from data_prep.images.letters import MAX_LETTERS, prepare_letter, prepare_word
from data_prep.images.preparation import (
    LETTER_HEIGHT,
    LETTER_WIDTH,
    MAX_WORD_WIDTH,
    ImageStep,
    PreparedImage,
    is_prepared,
)
from data_prep.readers.letters import decode_word, encode_word
from models.ocr.config import KIND
from models.ocr.letter_lm import LetterLM
from models.ocr.letter_search import Hypothesis, letter_shares
from models.ocr.serving import LetterScores, LettersReader, WordsReader, reader_of
from models.presets.kinds import kind_named
from models.presets.store import Preset, load_preset
from models.serving.blas_threads import one_blas_thread
from models.serving.ctc import (
    best_path,
    compiled_search,
    exchanged,
    greedy,
    letter_likelihoods,
    letter_posteriors,
    spans,
)

if TYPE_CHECKING:
    import keras

LETTERS_PRESET = "ocr_letters"
WORDS_PRESET = "ocr_words"
# Where letters alone meet the language model, it has to say all that is known of context.
ALONE_WEIGHT = 0.8
_ALTERNATIVES = 4
_WORDS_AT_ONCE = 64


class Reader:
    """Trained networks that read; threads can share it.

    Args:
        letters: Reads words letter by letter; None where it is not wanted.
        words: Reads words in one piece; None likewise.
        presets: What was opened, by what it reads, where there are presets.
    """

    def __init__(
        self,
        letters: LettersReader | None = None,
        words: WordsReader | None = None,
        presets: Mapping[str, Preset] | None = None,
    ) -> None:
        self._letters, self._words, self.presets = letters, words, presets or {}

    @classmethod
    def from_preset(cls, letters: str | Path | None = None, words: str | Path | None = None) -> Reader:
        """Open presets.

        Args:
            letters: Name or folder of a preset that reads letter by letter; without ``words`` of either kind. None of
                both opens the two shipped ones.
            words: Name or folder of a preset that reads words in one piece.

        Returns:
            The application.

        Raises:
            InputError: There is no such preset, it is damaged, or it reads something else.
        """
        if letters is None and words is None:
            letters, words = LETTERS_PRESET, WORDS_PRESET
        opened = {}
        for name, reads in ((letters, "letters" if words is not None else None), (words, "words")):
            if name is None:
                continue
            preset = load_preset(name, kind=KIND)
            found = preset.config.reads
            if reads not in (None, found):
                raise InputError(f"The preset {name} reads something else", allowed=reads, received=found)
            opened[found] = preset
        readers = {reads: reader_of(preset.config, preset.arrays) for reads, preset in opened.items()}
        return cls(readers.get("letters"), readers.get("words"), opened)

    def keras_model(self, reads: str | None = None) -> keras.Model:
        """Give the Keras network for ``"letters"`` or ``"words"``, by default the only one or that for letters.

        The language model of letters is no part of it; it takes TensorFlow.

        Raises:
            InputError: It was opened without such a preset.
        """
        preset = self.preset_for(reads)
        return kind_named(KIND).keras_model(preset.config, preset.arrays)

    def preset_for(self, reads: str | None = None) -> Preset:
        """Return the preset for ``"letters"`` or ``"words"``, by default the first; raises as :meth:`keras_model`."""
        if (found := self.presets.get(reads or next(iter(self.presets)))) is None:
            raise InputError(
                "The reader has no such network", allowed=" or ".join(self.presets), received=reads
            )
        return found

    def evaluate(self, **options: Any) -> Any:
        """Score it on words that it did not learn from: ``apps.ocr.evaluation.evaluate``."""
        return importlib.import_module("apps.ocr.evaluation").evaluate(self, **options)

    @property
    def letters(self) -> LettersReader:
        """The network that reads letter by letter."""
        if self._letters is None:
            raise InputError(
                "The reader has no preset for letters",
                remedy="Give one that reads letters, by --preset or Reader.from_preset(letters)",
            )
        return self._letters

    @property
    def words(self) -> WordsReader:
        """The network that reads whole words."""
        if self._words is None:
            raise InputError(
                "The reader has no preset for words",
                remedy="Give one that reads words, by --preset or Reader.from_preset(None, words)",
            )
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
        if not 1 <= len(images) <= MAX_LETTERS:
            allowed = f"1 to {MAX_LETTERS}"
            raise InputError("A word has too few or too many letters", allowed=allowed, received=len(images))
        if isinstance(images, np.ndarray):
            batch = _checked(images)
        else:
            named = (prepare_letter(one, f"Letter {at}") for at, one in enumerate(images, start=1))
            batch = np.stack([one.image for one in named])
        network, lengths = self.letters, [len(batch)]
        scores = network.scores(batch, lengths)
        by_way = {way: words[0] for way, words in words_by_way(network, scores, lengths).items()}
        found = network.search(scores.context)
        config = network.config
        if config.answer == "search":
            after = letter_shares(found, config.alphabet)
        else:
            after = scores.context if config.answer == "bilstm" else network.marginals(batch, lengths)
        text = by_way[config.answer]
        letters = _read_letters(text, scores.alone, after, config.alphabet)
        return LettersResult(text, letters, _others(found, text), by_way)

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

    def read_words(self, images: Iterable[Source]) -> Iterator[WordResult]:
        """Read many words, each in one piece, in bounded memory; the same answers as one by one, several times as fast.

        Takes images as :meth:`read_word` does, and raises what that raises when it comes to an image.
        """
        for prepared, frames in self._frames_of(images):
            with one_blas_thread():
                results = list(map(self._result, prepared, frames))
            yield from results

    def read_texts(self, images: Iterable[Source]) -> Iterator[str]:
        """Read many words as :meth:`read_words` does, and say nothing but the words: in half the time."""
        for _, frames in self._frames_of(images):
            yield from (self.words.search(one)[0].text for one in frames)

    def _frames_of(self, images: Iterable[Source]) -> Iterator[tuple[list[PreparedImage], list[np.ndarray]]]:
        """Prepare some images after the other, and give what the network says of their frames."""
        images = iter(images)
        while some := list(islice(images, _WORDS_AT_ONCE)):
            if len(some) == _WORDS_AT_ONCE:
                compiled_search()
            # In one thread: a word is a hundred small steps of Python, which several would only wait for each other at.
            prepared = list(map(prepare_word, some))
            yield prepared, self.words.log_probabilities([one.image for one in prepared])

    def read_prepared_word(self, prepared: PreparedImage) -> WordResult:
        """Read a word that went through ``data_prep.images.letters.prepare_word`` or was composed."""
        shape = prepared.image.shape
        if (*shape[:1], *shape[2:]) != (LETTER_HEIGHT, 1) or not 1 <= shape[1] <= MAX_WORD_WIDTH:
            allowed = f"(16, 1 to {MAX_WORD_WIDTH}, 1)"
            raise InputError("The image of the word has a wrong shape", allowed=allowed, received=shape)
        return self._result(prepared, self.words.log_probabilities([prepared.image])[0])

    def _result(self, prepared: PreparedImage, frames: np.ndarray) -> WordResult:
        found, without = (self.words.search(frames, language_model=used) for used in (True, False))
        text, config, language = found[0].text, self.words.config, self.words.language
        alphabet = config.alphabet
        labels = encode_word(text, alphabet) if text else np.zeros(0, np.int64)
        likelihoods = letter_likelihoods(frames, labels)
        before, said = letter_posteriors(likelihoods), 0.0
        if language is not None and text:
            words = exchanged(labels, len(alphabet)).reshape(-1, len(labels))
            said = config.lm_weight * language.scores(words).reshape(before.shape)
        after = letter_posteriors((likelihoods + said) / config.temperature)
        path = best_path(frames, labels).tolist()
        return WordResult(
            text=text,
            letters=_read_letters(text, before, after, alphabet),
            alternatives=_others(found, text),
            greedy=decode_word(greedy(frames), alphabet),
            without_language=without[0].text,
            frames=np.exp(frames),
            path=tuple(path),
            spans=tuple(Span(alphabet[label], *ends) for label, *ends in spans(path, len(alphabet))),
            prepared=prepared,
        )


def composed(letters: np.ndarray, text: str, seed: int = 0) -> PreparedImage:
    """Write a word of letters uint8 (letters, 16, 8) in one piece, as the network for words learned to read them."""
    image = compose_word(letters, encode_word(text), seed=seed)
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


def words_by_way(
    network: LettersReader,
    scores: LetterScores,
    lengths: Sequence[int],
    languages: Mapping[str, LetterLM] | None = None,
) -> dict[str, list[str]]:
    """Give the words whose letters have these scores by each way: ``alone``, ``bilstm``, ``crf``, and with language.

    A language model by its name gives the ways ``alone_NAME`` and ``NAME``; None takes the network's own as ``search``,
    if it has one.
    """
    if languages is None:
        languages = {} if network.language is None else {"search": network.language}
    config, cuts = network.config, np.cumsum(lengths)[:-1]
    labels = {
        "alone": scores.alone.argmax(axis=1),
        "bilstm": scores.context.argmax(axis=1),
        "crf": scores.best,
    }
    found = {
        way: [decode_word(word, config.alphabet) for word in np.split(letters, cuts)]
        for way, letters in labels.items()
    }
    for name, language in languages.items():
        for way, shares, weight in (
            (f"alone_{name}", scores.alone, ALONE_WEIGHT),
            (name, scores.context, config.lm_weight),
        ):
            words = np.split(shares, cuts)
            found[way] = [network.search(word, weight, language)[0].text for word in words]
    return found


def _checked(images: np.ndarray) -> np.ndarray:
    box = (LETTER_HEIGHT, LETTER_WIDTH)
    if images.dtype == np.uint8 and images.shape[1:] == box:
        return letter_pictures(images)
    if images.shape[1:] == (*box, 1) and is_prepared(images):
        return images.astype(np.float32, copy=False)
    raise InputError(
        "The letters have a wrong shape, or wrong values",
        allowed="float (letters, 16, 8, 1) from 0 to 1, or uint8 (letters, 16, 8)",
        received=(images.dtype.name, *images.shape),
    )


def _read_letters(text: str, before: np.ndarray, after: np.ndarray, alphabet: str) -> tuple[ReadLetter, ...]:
    """Put an answer together with the probabilities of all letters, float (places, letters)."""
    shares = (map(tuple, values.tolist()) for values in (before, after))
    return tuple(ReadLetter(*one, alphabet) for one in zip(text, *shares, strict=True))


def _others(found: Sequence[Hypothesis], text: str) -> tuple[Reading, ...]:
    others = [Reading(one.text, one.probability) for one in found if one.text != text]
    return tuple(others[:_ALTERNATIVES])
