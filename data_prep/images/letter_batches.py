"""Batches for the reader: words as letters, and words as images. Seed and epoch alone decide what is in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data_prep.batching import Batch, Batches, bucket_length, pad, rounded_labels, rounded_up
from data_prep.images.augmentation import LetterAugmentation, augmented_letters, moved_letters, worn
from data_prep.images.letter_words import LetterPool, WordLayout, compose_words
from data_prep.images.preparation import FRAME_COLUMNS
from data_prep.readers.handwriting import WordPictures
from data_prep.readers.letters import LetterWords

PADDED = -1  # label after the end of a word
IMAGE_MARGIN = 12  # columns of paper behind a word, so that no window reads beyond the image
_WIDTH_STEP = 16
_LETTER_STEP, _WORD_STEP = 64, 4  # rounded up to where few shapes are wanted


def letter_pictures(images: np.ndarray) -> np.ndarray:
    """Turn letters as the set holds them, uint8 (n, 16, 8), into what a network reads, float32 (n, 16, 8, 1)."""
    return (images.astype(np.float32) / np.float32(255.0))[..., None]


def letter_inputs(lengths: Sequence[int]) -> np.ndarray:
    """Number the letters of words one after the other: int32 (words, longest), ``PADDED`` after a word's end."""
    numbers = np.split(np.arange(sum(lengths)), np.cumsum(lengths)[:-1])
    return pad(numbers, value=PADDED).values


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


def letter_batches(
    words: LetterWords,
    texts: Sequence[str],
    batch_size: int,
    augmentation: LetterAugmentation,
    *,
    other_words: float = 0.0,
    swapped: float = 0.0,
    passes: int = 1,
    seed: int = 0,
) -> Batches:
    """Give words as letters: those of a set, and other words spelled with its letters.

    Args:
        words: The set.
        texts: Other words; those for which a letter is missing are left out.
        batch_size: As in :class:`data_prep.batching.Batches`, as is ``seed``.
        augmentation: How letters are changed.
        other_words: Share of the words of an epoch that are other ones.
        swapped: Share of the set's own words whose letters are exchanged for other pictures of the same letters.
        passes: How often an epoch has as many words as the set.
        seed: Of all draws.

    Returns:
        Batches of ``letters`` float32 (letters, 16, 8, 1) and ``places`` as :func:`letter_inputs` gives them, with the
        labels ``alone`` int32 (letters,), and ``context`` and ``chain`` int32 (words, longest).

    Raises:
        InputError: Other words are asked for and none can be spelled.
    """
    pool, count = LetterPool(words), passes * len(words.folds)
    others = round(other_words * count)
    known = pool.spellable(texts) if others else []

    def draw(rng: np.random.Generator) -> tuple[list[tuple[np.ndarray, slice | None]], list[int]]:
        own = np.concatenate([rng.permutation(len(words.folds)) for _ in range(passes)])
        places = [words.letters_of(at) for at in own[: count - others]]
        drawn = [(words.labels[place], place) for place in places]
        if others:
            drawn += [(known[at], None) for at in rng.integers(len(known), size=others)]
        return drawn, [len(labels) for labels, _ in drawn]

    def pictures(labels: np.ndarray, place: slice | None, rng: np.random.Generator) -> np.ndarray:
        own = place is not None and rng.random() >= swapped
        return words.images[place] if own else pool.spell(labels, rng)

    def batch(chosen: list[tuple[np.ndarray, slice | None]], rng: np.random.Generator) -> Batch:
        images = np.concatenate([pictures(*word, rng) for word in chosen])
        letters = augmented_letters(images, augmentation, rng)
        labels = [labels for labels, _ in chosen]
        rows, flat = pad(labels, value=PADDED).values, np.concatenate(labels).astype(np.int32)
        inputs = {"letters": letters, "places": letter_inputs(list(map(len, labels)))}
        return inputs, {"alone": flat, "context": rows, "chain": rows}

    return Batches(count, batch_size, seed, draw, batch)


def few_shapes(batch: Batch) -> Batch:
    """Pad a batch so that few shapes come.

    Letters come once more and are not learned from: batch norm sees no other ones than those of the batch.
    """
    inputs, labels = batch
    words = {1: _WORD_STEP}
    if "letters" not in inputs:
        return inputs, rounded_labels(labels, PADDED, words)
    letters = inputs["letters"]
    again = np.arange(-len(letters) % _LETTER_STEP) % len(letters)
    more = {
        "letters": np.concatenate([letters, letters[again]]),
        "places": rounded_up(inputs["places"], words, PADDED),
    }
    return more, rounded_labels(labels, PADDED, words, alone={0: _LETTER_STEP})


def composed_batches(
    words: LetterWords,
    texts: Sequence[str],
    batch_size: int,
    layout: WordLayout,
    count: int,
    *,
    augmentation: LetterAugmentation,
    changed: float,
    seed: int = 0,
) -> Batches:
    """Give those of some words that can be spelled as images, composed of the letters of a set.

    Args:
        words: The set.
        texts: The words to spell; those for which a letter is missing are left out.
        batch_size: As in :class:`data_prep.batching.Batches`, as is ``seed``.
        layout: How letters stand in a word.
        count: Words of an epoch.
        augmentation: How words are changed besides: each letter is moved by itself, thickness and noise are the word's.
        changed: Share of the words that are.
        seed: Of all draws.

    Returns:
        Batches as :func:`image_inputs` gives them, with labels int32 (words, longest), ``PADDED`` after a word's end.

    Raises:
        InputError: No word can be spelled.
    """
    pool = LetterPool(words)
    known = pool.spellable(texts)

    def draw(rng: np.random.Generator) -> tuple[list[np.ndarray], list[int]]:
        drawn = [known[at] for at in rng.integers(len(known), size=count)]
        return drawn, list(map(len, drawn))

    def batch(labels: list[np.ndarray], rng: np.random.Generator) -> Batch:
        letters = pool.spell(np.concatenate(labels), rng)
        changes = rng.random(len(labels)) < changed
        of_changed = np.repeat(changes, list(map(len, labels)))
        moved = moved_letters(letters[of_changed], augmentation, rng)
        letters[of_changed] = np.rint(np.float32(255.0) * moved[..., 0]).astype(np.uint8)
        images = compose_words(LetterWords.of(letters, labels, alphabet=words.alphabet), layout, rng)
        for at in np.flatnonzero(changes):
            images[at] = worn(images[at][None], augmentation.thickness, augmentation.noise, rng)[0]
        return image_inputs(images), pad(labels, value=PADDED).values

    return Batches(count, batch_size, seed, draw, batch)


def picture_batches(words: WordPictures, batch_size: int, seed: int = 0) -> Batches:
    """Give words as images that somebody wrote, every one once an epoch; batches as of :func:`composed_batches`."""
    images, widths = list(map(letter_pictures, words.images)), [image.shape[1] for image in words.images]
    pairs = list(zip(images, words.labels, strict=True))

    def batch(chosen: list[tuple[np.ndarray, np.ndarray]], _: np.random.Generator) -> Batch:
        drawn, labels = zip(*chosen, strict=True)
        return image_inputs(drawn), pad(labels, value=PADDED).values

    return Batches(len(pairs), batch_size, seed, lambda _: (pairs, widths), batch)
