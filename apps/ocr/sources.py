"""Where the reader's letters and words come from, and what a model card says about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from data_prep.readers.letters import LetterWords

TEST_FOLD, CHOICE_FOLD = 0, 1  # scored once; held out of training while a recipe is chosen
WORD_PRESET = "vectors_en_wiki"  # its vocabulary: the frequent words of the Wikipedia text
_SAMPLE_WORDS, _SAMPLE_TEXTS = 600, 3_000
_FOLDS = 10


@dataclass(frozen=True)
class OcrSource:
    """Handwritten words in folds, and other words for context.

    Args:
        name: What the words are called in protocols.
        words: All of them.
        texts: Words none of which is among ``words``, neither whole nor without its first letter.
        checksums: Data set or file to checksum.
        data: Where both come from, for a model card.
        licence: Of both, for a model card.
    """

    name: str
    words: LetterWords
    texts: tuple[str, ...]
    checksums: Mapping[str, str]
    data: str
    licence: str

    def fold(self, number: int) -> LetterWords:
        """Return the words of a fold."""
        return self.words.part(np.flatnonzero(self.words.folds == number))

    def training(self, *left_out: int) -> LetterWords:
        """Return the words of all folds but these."""
        return self.words.part(np.flatnonzero(~np.isin(self.words.folds, left_out)))


def letters_source() -> OcrSource:
    """Return the set of handwritten words, with the words of the Wikipedia text that it does not hold.

    Raises:
        InputError: The set cannot be had or is not what it should be, or the vocabulary is not there.
    """
    from data_prep.datasets import DATASETS, locate
    from data_prep.readers.letters import DATASET, read_letters
    from models.storage.atomic import sha256_of

    dataset, path = DATASETS[DATASET], locate(DATASET)
    words = read_letters(path)
    texts, checksum = frequent_words(set(words.texts))
    return OcrSource(
        name="the handwritten words of Kassel and Taskar",
        words=words,
        texts=texts,
        checksums={path.name: f"sha256 {sha256_of(path)}", f"{WORD_PRESET}/vocab.json": checksum},
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
    from data_prep.images.pen_letters import pen_letters
    from data_prep.readers.letters import LetterWords, encode_word

    texts, checksum = frequent_words(())
    texts = texts[:_SAMPLE_TEXTS]
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(texts))
    drawn, others = chosen[: _FOLDS * 6], chosen[_FOLDS * 6 :]
    labels = [encode_word(texts[at]) for at in rng.choice(drawn, _SAMPLE_WORDS)]
    starts = np.concatenate([[0], np.cumsum([len(word) for word in labels])]).astype(np.int64)
    hands = rng.integers(2**31, size=_SAMPLE_WORDS).tolist()
    words = LetterWords(
        np.concatenate([pen_letters(word, hand) for word, hand in zip(labels, hands, strict=True)]),
        np.concatenate(labels),
        starts,
        np.arange(_SAMPLE_WORDS, dtype=np.int64) % _FOLDS,
    )
    return OcrSource(
        name="words drawn by rules",
        words=words,
        texts=tuple(texts[at] for at in np.sort(others)),
        checksums={"drawn letters": "no file", f"{WORD_PRESET}/vocab.json": checksum},
        data="Letters that the project draws by rules, as words of English Wikipedia.",
        licence="That of the project.",
    )


def frequent_words(without: set[str] | tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return the frequent words of the Wikipedia text that can be spelled, most frequent first, and a checksum.

    Args:
        without: As ``data_prep.text.word_list.spellable`` takes it.

    Raises:
        InputError: The preset of word vectors, whose vocabulary they are, is not there.
    """
    from data_prep.text.vocab import Vocabulary
    from data_prep.text.word_list import spellable
    from models.presets.search import resolve_preset
    from models.presets.store import VOCABULARY
    from models.storage.atomic import sha256_of

    path = resolve_preset(WORD_PRESET) / VOCABULARY
    entries = Vocabulary.from_json(path.read_text(encoding="utf-8")).entries
    return spellable(entries, without), f"sha256 {sha256_of(path)}"
