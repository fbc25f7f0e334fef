"""The recipes of the reader's networks: everything that decides them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from data_prep.errors import InputError
from data_prep.images.letter_augmentation import LetterAugmentation
from data_prep.images.letter_words import WordLayout

if TYPE_CHECKING:
    from models.ocr.config import OcrConfig
    from models.ocr.letter_lm import LetterLM


@dataclass(frozen=True)
class _NetworkRecipe:
    """What both recipes have.

    Args:
        filters: Channels of the three stages of the convolutions.
        convolutions: Convolutions in each stage.
        features: Numbers that the convolutions say of a letter or a frame.
        units: Units of each direction of the BiLSTM.
        dropout: Share of values left out before and behind it.
        split: ``"final"`` trains on all folds but the first and scores that one once, ``"choose"`` leaves the second
            fold out as well, scores it after every epoch, and does not look at the first.
        epochs: Passes.
        batch_size: Words in a step.
        learning_rate: The highest, after ``warmup``; it falls along a cosine to 0.
        warmup: Share of all steps.
        weight_decay: Of kernels, not of biases and batch norm.
        products: What the factors of products are rounded to in training; ``"auto"`` is what this processor multiplies
            fastest.
        lm_order: Length of the n-grams of the language model; 0 for no language model.
        lm_weight: Of the language model in the search.
        beam: Hypotheses that the search keeps.
        seed: Of all draws.
    """

    filters: tuple[int, ...] = (16, 32, 64)
    convolutions: int = 2
    features: int = 128
    units: int = 96
    dropout: float = 0.3
    split: Literal["final", "choose"] = "final"
    epochs: int = 20
    batch_size: int = 48
    learning_rate: float = 0.004
    warmup: float = 0.1
    weight_decay: float = 0.01
    products: Literal["auto", "float32", "bfloat16"] = "auto"
    lm_order: int = 5
    lm_weight: float = 0.8
    beam: int = 16
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse values that the network's config does not check."""
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1", received=getattr(self, name))
        if not 0.0 < self.learning_rate <= 1.0:
            raise InputError("learning_rate must be above 0, at most 1", received=self.learning_rate)
        if not 0.0 <= self.warmup <= 0.5:
            raise InputError("warmup is a share of the steps", allowed="0 to 0.5", received=self.warmup)
        if self.weight_decay < 0.0:
            raise InputError("weight_decay is not negative", received=self.weight_decay)
        if not 0 <= self.lm_order <= 6:
            raise InputError("lm_order does not fit", allowed="0 to 6", received=self.lm_order)


@dataclass(frozen=True)
class LettersRecipe(_NetworkRecipe):
    """Everything that decides a network that reads letter by letter; the defaults made ``ocr_letters``.

    Args:
        augmentation: How letters are changed.
        passes: How often an epoch goes through the words: with few of them what an epoch costs besides counts.
        other_words: Share of the words learned from that are other ones, spelled with the letters of the training
            folds: with few words of its own a network learns these by heart, and sees them where they are not.
        swapped: Share of the set's own words whose letters are exchanged for other pictures of the same letters.
        label_smoothing: Share of the probability spread over all letters.
        answer: What the preset answers by.
    """

    augmentation: LetterAugmentation = field(default_factory=LetterAugmentation)
    passes: int = 1
    other_words: float = 0.5
    swapped: float = 0.3
    label_smoothing: float = 0.0
    answer: Literal["bilstm", "crf", "search"] = "search"

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        _NetworkRecipe.__post_init__(self)
        if self.passes < 1:
            raise InputError("passes must be at least 1", received=self.passes)
        for name in ("other_words", "swapped", "label_smoothing"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"{name} is no share", allowed="0 to 1", received=getattr(self, name))
        if self.answer == "search" and not self.lm_order:
            raise InputError("A search needs a language model", remedy="Set lm_order or another answer")


@dataclass(frozen=True)
class WordsRecipe(_NetworkRecipe):
    """Everything that decides a network that reads whole words; the defaults made ``ocr_words``.

    Args:
        layout: How letters stand in a word.
        epoch_words: Words composed for an epoch.
        lm_bonus: Added for each letter in the search with the language model.
    """

    dropout: float = 0.1
    epochs: int = 30
    batch_size: int = 24
    learning_rate: float = 0.003
    lm_weight: float = 0.6
    layout: WordLayout = field(default_factory=WordLayout)
    epoch_words: int = 6_000
    lm_bonus: float = 0.9

    def __post_init__(self) -> None:
        """Refuse an epoch without words."""
        _NetworkRecipe.__post_init__(self)
        if self.epoch_words < 1:
            raise InputError("epoch_words must be at least 1", received=self.epoch_words)


Recipe = LettersRecipe | WordsRecipe
RECIPES: dict[str, Recipe] = {"letters": LettersRecipe(), "words": WordsRecipe()}


def sample_recipe(recipe: Recipe) -> Recipe:
    """Return a recipe for a few hundred words instead of thousands."""
    small = replace(recipe, filters=(8, 12, 16), convolutions=1, features=48, units=32, lm_order=4)
    small = replace(small, epochs=10, batch_size=16, learning_rate=0.01)
    return replace(small, epoch_words=600) if isinstance(small, WordsRecipe) else small


def config_of(recipe: Recipe, language: LetterLM | None) -> OcrConfig:
    """Return the network's config that a recipe asks for, with the sizes of a language model."""
    from models.ocr.config import OcrConfig

    levels = () if language is None else language.model.levels
    letters = isinstance(recipe, LettersRecipe)
    return OcrConfig(
        reads="letters" if letters else "words",
        filters=recipe.filters,
        convolutions=recipe.convolutions,
        features=recipe.features,
        units=recipe.units,
        dropout=recipe.dropout,
        answer=recipe.answer if letters else "bilstm",
        lm_grams=tuple(len(level.grams) for level in levels),
        lm_contexts=tuple(len(level.contexts) for level in levels),
        lm_weight=recipe.lm_weight,
        lm_bonus=0.0 if letters else recipe.lm_bonus,
        beam=recipe.beam,
    )
