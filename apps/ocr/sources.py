"""Where the reader's letters and words come from, and what a model card says about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from apps.shared.commands import progress_bar
from apps.shared.measures import checksums_of
from data_prep.datasets import DATASETS, locate
from data_prep.errors import InputError
from data_prep.files import sha256_of
from data_prep.images.pen_letters import pen_letters
from data_prep.readers.handwriting import WordPictures, read_letter_folder, read_word_pictures
from data_prep.readers.letters import DATASET, FOLDS, LETTERS, LetterWords, encode_word, read_letters
from data_prep.text.vocab import Vocabulary
from data_prep.text.word_list import spellable
from models.presets.search import resolve_preset
from models.presets.store import VOCABULARY

TEST_FOLD, CHOICE_FOLD = 0, 1  # scored once; held out of training while a recipe is chosen
WORD_PRESET = "vectors_en_wiki"  # its vocabulary: the frequent words of the Wikipedia text
_SAMPLE_WORDS, _SAMPLE_TEXTS = 600, 3_000


@dataclass(frozen=True)
class OcrSource:
    """Handwritten words in folds, and other words for context.

    Args:
        name: What the words are called in protocols.
        words: All of them, letter by letter or in one piece.
        folds: Fold of each word, int64 (words,).
        texts: Words none of which is among ``words``, neither whole nor without its first letter.
        checksums: Data set or file to checksum.
        data: Where both come from, for a model card.
        licence: Of both, for a model card.
        own: Whether the words are your own.
    """

    name: str
    words: LetterWords | WordPictures
    folds: np.ndarray
    texts: tuple[str, ...]
    checksums: Mapping[str, str]
    data: str
    licence: str
    own: bool = False

    @property
    def alphabet(self) -> str:
        """The characters that there are."""
        return self.words.alphabet

    def fold(self, number: int) -> LetterWords | WordPictures:
        """Return the words of a fold."""
        return self.words.part(np.flatnonzero(self.folds == number))

    def scored(self, *, choosing: bool) -> LetterWords | WordPictures:
        """Return the words of the test fold, or of the fold that a recipe is chosen by."""
        return self.fold(CHOICE_FOLD if choosing else TEST_FOLD)

    def learned(self, *, choosing: bool) -> LetterWords | WordPictures:
        """Return the words of the other folds; while a recipe is chosen, without the test fold all the same."""
        left_out = (TEST_FOLD, CHOICE_FOLD) if choosing else (TEST_FOLD,)
        return self.words.part(np.flatnonzero(~np.isin(self.folds, left_out)))


def letters_source() -> OcrSource:
    """Return the set of handwritten words, with the words of the Wikipedia text that it does not hold.

    Raises:
        InputError: The set cannot be had or is not what it should be, or the vocabulary is not there.
    """
    dataset, path = DATASETS[DATASET], locate(DATASET)
    words = read_letters(path)
    texts, checksum = frequent_words(set(words.texts))
    return OcrSource(
        name="the handwritten words of Kassel and Taskar",
        words=words,
        folds=words.folds,
        texts=texts,
        checksums=checksums_of(path) | {f"{WORD_PRESET}/vocab.json": checksum},
        data=f"Handwritten words ({dataset.homepage}; {dataset.citation}), letters of 16x8 pixels. Who wrote a word is "
        "not recorded: folds hold different letters, not surely different writers. Other words are those of the "
        f"vocabulary of {WORD_PRESET}, from English Wikipedia; the words of the set were taken out of them.",
        licence=f"Letters: {dataset.licence}. Wikipedia: CC BY-SA 3.0. The weights may be used for research and "
        "teaching.",
    )


def sample_source(seed: int) -> OcrSource:
    """Return words that a pen draws by rules, for machines without data and network.

    Args:
        seed: Of words and hands.
    """
    texts, checksum = frequent_words(())
    texts = texts[:_SAMPLE_TEXTS]
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(texts))
    drawn, others = chosen[: FOLDS * 6], chosen[FOLDS * 6 :]
    labels = [encode_word(texts[at]) for at in rng.choice(drawn, _SAMPLE_WORDS)]
    starts = np.concatenate([[0], np.cumsum([len(word) for word in labels])]).astype(np.int64)
    hands = rng.integers(2**31, size=_SAMPLE_WORDS).tolist()
    words = LetterWords(
        np.concatenate([pen_letters(word, hand) for word, hand in zip(labels, hands, strict=True)]),
        np.concatenate(labels),
        starts,
        np.arange(_SAMPLE_WORDS, dtype=np.int64) % FOLDS,
    )
    return OcrSource(
        name="words drawn by rules",
        words=words,
        folds=words.folds,
        texts=tuple(texts[at] for at in np.sort(others)),
        checksums={"drawn letters": "no file", f"{WORD_PRESET}/vocab.json": checksum},
        data="Letters that the project draws by rules, as words of English Wikipedia.",
        licence="That of the project.",
    )


def own_letters(folder: Path, seed: int, alphabet: str | None = None) -> OcrSource:
    """Return your own letters, a sub-folder a letter; see :mod:`data_prep.readers.handwriting`.

    Args:
        folder: With a sub-folder for each letter.
        seed: Of the draw of folds.
        alphabet: The letters that there may be; None for those that are found.

    Raises:
        InputError: As ``read_letter_folder``.
    """
    with progress_bar("letters", "pictures") as progress:
        read = read_letter_folder(folder, alphabet=alphabet, seed=seed, progress=progress)
    return _own(folder, read.words, read.words.folds, read.checksum)


def own_words(csv: Path, seed: int, alphabet: str | None = None) -> OcrSource:
    """Return your own words, a CSV file with the columns picture and text; arguments as :func:`own_letters`.

    Raises:
        InputError: As ``read_word_pictures``, or there are too few words.
    """
    with progress_bar("words", "pictures") as progress:
        words = read_word_pictures(csv, alphabet=alphabet, progress=progress)
    if len(words.texts) < FOLDS and alphabet is None:
        raise InputError(f"{csv} holds too few words", allowed=f"{FOLDS} or more", received=len(words.texts))
    folds = np.random.default_rng(seed).permutation(len(words.texts)) % FOLDS
    return _own(csv, words, folds, words.checksum)


def _own(path: Path, words: LetterWords | WordPictures, folds: np.ndarray, checksum: str) -> OcrSource:
    """Put a source together; other words to spell are those of Wikipedia where the alphabet is a part of a to z."""
    more = frequent_words(set(words.texts))[0] if set(words.alphabet) <= set(LETTERS) else ()
    known = set(words.alphabet)
    return OcrSource(
        name=path.name,
        words=words,
        folds=folds,
        texts=tuple(word for word in more if set(word) <= known),
        checksums={path.name: f"sha256 {checksum}"},
        data=f"{path.name}: pictures and texts as they were given.",
        licence="That of the pictures.",
        own=True,
    )


def frequent_words(without: set[str] | tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return the frequent words of the Wikipedia text that can be spelled, most frequent first, and a checksum.

    Args:
        without: As ``data_prep.text.word_list.spellable`` takes it.

    Raises:
        InputError: The preset of word vectors, whose vocabulary they are, is not there.
    """
    path = resolve_preset(WORD_PRESET) / VOCABULARY
    entries = Vocabulary.from_json(path.read_text(encoding="utf-8")).entries
    return spellable(entries, without), f"sha256 {sha256_of(path)}"
