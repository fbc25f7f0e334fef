"""Batches for the reader: words as letters, and words as images. Seed and epoch alone decide what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from data_prep.batching import bucket_length, length_buckets, pad
from data_prep.errors import InputError
from data_prep.images.letter_augmentation import NO_LETTER_AUGMENTATION, LetterAugmentation, augmented_letters
from data_prep.images.letter_words import LetterPool, WordLayout, compose_words
from data_prep.images.preparation import FRAME_COLUMNS
from data_prep.readers.handwriting import WordPictures
from data_prep.readers.letters import LetterWords, encode_word

PADDED = -1  # label after the end of a word
IMAGE_MARGIN = 12  # columns of paper behind a word, so that no window reads beyond the image
_WIDTH_STEP = 16

Batch = tuple[dict[str, np.ndarray], Any]


def letter_pictures(images: np.ndarray) -> np.ndarray:
    """Turn letters as the set holds them, uint8 (n, 16, 8), into what a network reads, float32 (n, 16, 8, 1)."""
    return (images.astype(np.float32) / np.float32(255.0))[..., None]


def letter_inputs(lengths: Sequence[int]) -> np.ndarray:
    """Number the letters of words one after the other: int32 (words, longest), ``PADDED`` after a word's end."""
    ends = np.cumsum(lengths)
    return pad(
        [np.arange(end - length, end) for end, length in zip(ends, lengths, strict=True)], value=PADDED
    ).values


def image_inputs(images: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Pad images float32 (16, width, 1): ``image`` (words, 16, columns, 1), and ``mask`` of their own frames."""
    widths = [image.shape[1] for image in images]
    columns = bucket_length(max(widths) + IMAGE_MARGIN, _WIDTH_STEP)
    padded = pad([image.swapaxes(0, 1) for image in images], length=columns, dtype=np.float32, value=0.0)
    frames = [np.zeros(frame_count(width)) for width in widths]
    return {
        "image": np.ascontiguousarray(padded.values.swapaxes(1, 2)),
        "mask": pad(frames, length=columns // FRAME_COLUMNS).mask,
    }


def frame_count(width: int) -> int:
    """Return how many frames an image of this width has."""
    return -(-width // FRAME_COLUMNS)


@dataclass(eq=False)
class LetterBatches:
    """Words as letters: those of a set, and other words spelled with its letters.

    Args:
        words: The set.
        texts: Other words; those for which a letter is missing are left out.
        batch_size: Words in a batch.
        augmentation: How letters are changed.
        other_words: Share of the words of an epoch that are other ones.
        swapped: Share of the set's own words whose letters are exchanged for other pictures of the same letters.
        passes: How often an epoch has as many words as the set.
        seed: With the epoch the only source of all draws.

    Raises:
        InputError: Other words are asked for and none can be spelled.
    """

    words: LetterWords
    texts: Sequence[str]
    batch_size: int
    augmentation: LetterAugmentation = NO_LETTER_AUGMENTATION
    _: KW_ONLY
    other_words: float = 0.0
    swapped: float = 0.0
    passes: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        """Make the pool, and find the words that it can spell."""
        self._pool = LetterPool(self.words.images, self.words.labels, self.words.alphabet)
        self._texts = spelled(self.texts, self._pool) if self.other_words > 0.0 else []

    def __len__(self) -> int:
        return -(-self.passes * len(self.words.folds) // self.batch_size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield as many words as the set has, ``passes`` times.

        Yields:
            ``letters`` float32 (letters, 16, 8, 1) and ``places`` as :func:`letter_inputs` gives them, with the labels
            ``alone`` int32 (letters,), and ``context`` and ``chain`` int32 (words, longest).
        """
        rng = np.random.default_rng([self.seed, epoch])
        own = np.concatenate([rng.permutation(len(self.words.folds)) for _ in range(self.passes)])
        count = len(own)
        chosen = [int(at) for at in own[: count - round(self.other_words * count)]]
        labels = [self.words.labels[self.words.letters_of(at)] for at in chosen]
        others = count - len(chosen)
        if others:
            labels += [self._texts[at] for at in rng.integers(len(self._texts), size=others)]
        lengths = [len(word) for word in labels]
        for batch in length_buckets(lengths, self.batch_size, seed=self.seed, epoch=epoch):
            pictures = [self._pictures(at, chosen, labels[at], rng) for at in batch]
            letters = augmented_letters(np.concatenate(pictures), self.augmentation, rng)
            places = letter_inputs([lengths[at] for at in batch])
            flat = np.concatenate([labels[at] for at in batch]).astype(np.int32)
            rows = np.where(places >= 0, flat[places], PADDED).astype(np.int32)
            yield {"letters": letters, "places": places}, {"alone": flat, "context": rows, "chain": rows}

    def _pictures(
        self, at: int, chosen: list[int], labels: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        if at < len(chosen) and rng.random() >= self.swapped:
            return self.words.images[self.words.letters_of(chosen[at])]
        return self._pool.spell(labels, rng)


@dataclass(eq=False)
class ComposedBatches:
    """Words as images, composed of the letters of a set.

    Args:
        pool: The letters.
        texts: Words to compose; those for which a letter is missing are left out.
        batch_size: Words in a batch.
        layout: How letters stand in a word.
        words: Words in an epoch.
        seed: With the epoch the only source of all draws.

    Raises:
        InputError: No word can be spelled.
    """

    pool: LetterPool
    texts: Sequence[str]
    batch_size: int
    layout: WordLayout
    words: int
    _: KW_ONLY
    seed: int = 0

    def __post_init__(self) -> None:
        """Find the words that can be spelled."""
        self._texts = spelled(self.texts, self.pool)

    def __len__(self) -> int:
        return -(-self.words // self.batch_size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield inputs as :func:`image_inputs` gives them, and labels int32 (words, longest)."""
        rng = np.random.default_rng([self.seed, epoch])
        labels = [self._texts[at] for at in rng.integers(len(self._texts), size=self.words)]
        lengths = [len(word) for word in labels]
        for batch in length_buckets(lengths, self.batch_size, seed=self.seed, epoch=epoch):
            words = [labels[at] for at in batch]
            flat = np.concatenate(words)
            sizes, letters = [len(word) for word in words], self.pool.spell(flat, rng)
            images = compose_words(letters, sizes, self.layout, rng, flat, self.pool.alphabet)
            yield image_inputs(images), pad(words, value=PADDED).values


@dataclass(eq=False)
class PictureBatches:
    """Words as images that somebody wrote, changed at random.

    Args:
        pictures: The words.
        batch_size: Words in a batch.
        augmentation: How pictures are changed.
        seed: With the epoch the only source of all draws.
    """

    pictures: WordPictures
    batch_size: int
    augmentation: LetterAugmentation = NO_LETTER_AUGMENTATION
    _: KW_ONLY
    seed: int = 0

    def __len__(self) -> int:
        return -(-len(self.pictures.images) // self.batch_size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield every word once, as :class:`ComposedBatches` does."""
        rng = np.random.default_rng([self.seed, epoch])
        images, labels = self.pictures.images, self.pictures.labels
        widths = [image.shape[1] for image in images]
        for batch in length_buckets(widths, self.batch_size, seed=self.seed, epoch=epoch):
            changed = [augmented_letters(images[at][None], self.augmentation, rng)[0] for at in batch]
            yield image_inputs(changed), pad([labels[at] for at in batch], value=PADDED).values


def spelled(texts: Sequence[str], pool: LetterPool) -> list[np.ndarray]:
    """Return the labels of the words that a pool has all letters of.

    Raises:
        InputError: There is none.
    """
    known = [encode_word(text, pool.alphabet) for text in texts if text and set(text).issubset(pool.alphabet)]
    found = [labels for labels in known if pool.can_spell(labels)]
    if not found:
        raise InputError("No word can be spelled with these letters", received=list(texts)[:5])
    return found
