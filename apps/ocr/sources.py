"""Where the reader's letters and words come from, what a model card says about them, and the bank of letters.

The bank writes any word: with the project's own pen, and with the test letters of the set where that is at hand. The
publisher of the set names no licence, so none of its letters are shipped.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from apps.shared.commands import progress_bar
from apps.shared.language import N_
from apps.shared.measures import checksums_of
from data_prep.array_files import read_arrays
from data_prep.datasets import DATASETS, at_hand, locate
from data_prep.errors import InputError
from data_prep.files import sha256_of
from data_prep.images.letter_words import LetterPool
from data_prep.images.letters import MAX_LETTERS
from data_prep.images.pen_letters import pen_letters
from data_prep.readers.handwriting import WordPictures, read_letter_folder, read_word_pictures
from data_prep.readers.letters import DATASET, FOLDS, LETTERS, LetterWords, encode_word, read_letters
from data_prep.text.vocab import Vocabulary
from data_prep.text.word_list import spellable
from models.presets.search import resolve_preset
from models.presets.store import GOLDEN, VOCABULARY, Preset

TEST_FOLD, CHOICE_FOLD = 0, 1  # scored once; held out of training while a recipe is chosen
WORD_PRESET = "vectors_en_wiki"  # its vocabulary: the frequent words of the Wikipedia text
_SAMPLE_WORDS, _SAMPLE_TEXTS = 600, 3_000
BANKS = {"pen": N_("Lectern's pen"), "set": N_("test letters of the set")}
MOST_HANDS = 1000


@dataclass(frozen=True)
class OcrSource:
    """Handwritten words in folds, and other words for context.

    Args:
        name: What the words are called in protocols.
        words: All of them, letter by letter or in one piece.
        texts: Words none of which is among ``words``, neither whole nor without its first letter.
        checksums: Data set or file to checksum.
        data: Where both come from, for a model card.
        licence: Of both, for a model card.
        own: Whether the words are your own.
    """

    name: str
    words: LetterWords | WordPictures
    texts: tuple[str, ...]
    checksums: Mapping[str, str]
    data: str
    licence: str
    own: bool = False

    def fold(self, number: int) -> LetterWords | WordPictures:
        """Return the words of a fold."""
        return self.words.part(np.flatnonzero(self.words.folds == number))

    def scored(self, split: str) -> LetterWords | WordPictures:
        """Return the words of the test fold, or for the split ``"choose"`` of the one that a recipe is chosen by."""
        return self.fold(CHOICE_FOLD if split == "choose" else TEST_FOLD)

    def learned(self, split: str) -> LetterWords | WordPictures:
        """Return the words of the other folds; while a recipe is chosen, without the test fold all the same."""
        left_out = (TEST_FOLD, CHOICE_FOLD) if split == "choose" else (TEST_FOLD,)
        return self.words.part(np.flatnonzero(~np.isin(self.words.folds, left_out)))


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
        texts=texts,
        checksums=checksums_of(path) | {f"{WORD_PRESET}/vocab.json": checksum},
        data=f"Handwritten words ({dataset.homepage}; {dataset.citation}), letters of 16x8 pixels. Who wrote a word is "
        "not recorded: folds hold different letters, not surely different writers. Other words are those of the "
        f"vocabulary of {WORD_PRESET}, from English Wikipedia; the words of the set were taken out of them.",
        licence=f"Letters: {dataset.licence}. Wikipedia: CC BY-SA 3.0. The weights may be used for research and "
        "teaching.",
    )


def sample_source(seed: int) -> OcrSource:
    """Return words that a pen draws by rules, for machines without data and network."""
    texts, checksum = frequent_words(())
    texts = texts[:_SAMPLE_TEXTS]
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(texts))
    drawn, others = chosen[: FOLDS * 6], chosen[FOLDS * 6 :]
    labels = [encode_word(texts[at]) for at in rng.choice(drawn, _SAMPLE_WORDS)]
    hands = rng.integers(2**31, size=_SAMPLE_WORDS).tolist()
    images = [pen_letters(word, hand) for word, hand in zip(labels, hands, strict=True)]
    words = LetterWords.of(np.concatenate(images), labels, np.arange(_SAMPLE_WORDS) % FOLDS)
    return OcrSource(
        name="words drawn by rules",
        words=words,
        texts=tuple(texts[at] for at in np.sort(others)),
        checksums={"drawn letters": "no file", f"{WORD_PRESET}/vocab.json": checksum},
        data="Letters that the project draws by rules, as words of English Wikipedia.",
        licence="That of the project.",
    )


def own_source(path: Path, reads: str, seed: int, alphabet: str | None = None) -> OcrSource:
    """Return your own letters or words; see :mod:`data_prep.readers.handwriting`.

    Other words to spell are those of Wikipedia where the alphabet is a part of a to z.

    Args:
        path: A folder of letters, or a CSV file of words.
        reads: Whether they are ``"letters"`` or ``"words"``.
        seed: Of the draw of folds.
        alphabet: The letters that there may be; None for those that are found.

    Raises:
        InputError: As ``read_letter_folder`` and ``read_word_pictures``.
    """
    read = read_letter_folder if reads == "letters" else read_word_pictures
    with progress_bar(reads, "pictures") as progress:
        words, checksum = read(path, alphabet=alphabet, seed=seed, progress=progress)
    known = set(words.alphabet)
    more = frequent_words(set(words.texts))[0] if known <= set(LETTERS) else ()
    return OcrSource(
        name=path.name,
        words=words,
        texts=tuple(word for word in more if known.issuperset(word)),
        checksums={path.name: f"sha256 {checksum}"},
        data=f"{path.name}: pictures and texts as they were given.",
        licence="That of the pictures.",
        own=True,
    )


def frequent_words(without: set[str] | tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return the frequent words of the Wikipedia text that can be spelled, most frequent first, and a checksum.

    They are the vocabulary of the preset of word vectors; what is to be left out is so with its tails.
    """
    path = resolve_preset(WORD_PRESET) / VOCABULARY
    entries = Vocabulary.from_json(path.read_text(encoding="utf-8")).entries
    return spellable(entries, without), f"sha256 {sha256_of(path)}"


@functools.cache
def scored_words() -> LetterWords | None:
    """Open the words of the fold that no shipped network learned from; None where the set is not at hand."""
    if not at_hand(DATASET):
        return None
    words = read_letters()
    return words.part(np.flatnonzero(words.folds == TEST_FOLD))


def banks() -> tuple[str, ...]:
    """Return the names of the banks that are there, of ``BANKS``."""
    return tuple(BANKS) if scored_words() is not None else ("pen",)


def can_write(alphabet: str) -> bool:
    """Whether words of the letter bank, a to z, can be read by a network of this alphabet."""
    return set(LETTERS) <= set(alphabet)


def stored_word(preset: Preset) -> np.ndarray:
    """Return the example that a preset stores: float32 (letters, 16, 8, 1), or a word in one piece (16, width, 1)."""
    arrays = read_arrays(preset.path / GOLDEN)
    if preset.config.reads == "words":
        return arrays["input/image"][0]
    return arrays["input/letters"][: arrays["input/lengths"][0]]


def spell(text: str, bank: str = "pen", hand: int = 0) -> np.ndarray:
    """Write a word with pictures of a bank.

    Args:
        text: Letters a-z; capitals become small.
        bank: Name in ``BANKS``.
        hand: For the pen whose hand it is, for the set which of its letters are drawn; 0 to 999.

    Returns:
        Uint8 (letters, 16, 8), 0 for paper and 255 for ink.

    Raises:
        InputError: The text is empty, too long or has other characters, or there is no such bank here.
    """
    labels = encode_word(text.strip().lower())
    if len(labels) > MAX_LETTERS:
        allowed = f"at most {MAX_LETTERS} letters"
        raise InputError("The word is too long", allowed=allowed, received=len(labels))
    if bank not in banks():
        raise InputError("There is no such letter bank here", allowed=", ".join(banks()), received=bank)
    if not 0 <= hand < MOST_HANDS:
        raise InputError("There is no such hand", allowed=f"0 to {MOST_HANDS - 1}", received=hand)
    if bank == "pen":
        return pen_letters(labels, hand)
    return LetterPool(scored_words()).spell(labels, np.random.default_rng(hand))
