"""The recipes of the reader's networks: everything that decides them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le

from data_prep.errors import InputError
from data_prep.fields import Checked, Count, Natural, NonNegative, Portion, Positive, Rate, WarmupShare
from data_prep.images.augmentation import LetterAugmentation
from data_prep.images.letter_words import WordLayout
from data_prep.readers.letters import LETTERS
from models.ocr.config import OcrConfig
from models.ocr.letter_lm import LetterLM
from models.training.recipe import fields_of, to_dict
from models.training.teaching import Teaching


@dataclass(frozen=True)
class _NetworkRecipe(Checked):
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
        temperature: Of the search's probabilities (Guo et al. 2017), chosen on the fold of ``split=choose``.
        teaching: What it learns from another network that reads the same.
        seed: Of all draws.
    """

    filters: tuple[int, ...] = (16, 32, 64)
    convolutions: int = 2
    features: int = 128
    units: int = 96
    dropout: float = 0.3
    split: Literal["final", "choose"] = "final"
    epochs: Count = 90
    batch_size: Count = 48
    learning_rate: Rate = 0.004
    warmup: WarmupShare = 0.1
    weight_decay: NonNegative = 0.01
    products: Literal["auto", "float32", "bfloat16"] = "auto"
    lm_order: Annotated[int, Ge(0), Le(6)] = 5
    lm_weight: float = 0.8
    beam: int = 16
    temperature: Positive = 1.0
    teaching: Teaching = field(default_factory=Teaching)
    seed: Natural = 1

    ADDED: ClassVar[Mapping[str, Any]] = {"temperature": 1.0, "teaching": to_dict(Teaching())}


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
    passes: Count = 1
    other_words: Portion = 0.5
    swapped: Portion = 0.3
    label_smoothing: Portion = 0.0
    temperature: Positive = 1.2
    answer: Literal["bilstm", "crf", "search"] = "search"

    def __post_init__(self) -> None:
        """Refuse values that do not go together."""
        super().__post_init__()
        if self.answer == "search" and not self.lm_order:
            raise InputError("A search needs a language model", remedy="Set lm_order or another answer")


@dataclass(frozen=True)
class WordsRecipe(_NetworkRecipe):
    """Everything that decides a network that reads whole words; the defaults made ``ocr_words``.

    Args:
        layout: How letters stand in a word, those that are scored as well.
        augmentation: How letters and words are changed besides, where they are learned from.
        changed: Share of the words that are.
        epoch_words: Words composed for an epoch.
        lm_bonus: Added for each letter in the search with the language model.
    """

    filters: tuple[int, ...] = (24, 48, 64)
    dropout: float = 0.1
    epochs: Count = 140
    batch_size: Count = 24
    learning_rate: Rate = 0.003
    lm_weight: float = 0.7
    beam: int = 24
    temperature: Positive = 1.35
    layout: WordLayout = field(default_factory=lambda: WordLayout(written=0.5))
    augmentation: LetterAugmentation = field(default_factory=lambda: LetterAugmentation(thickness=0.25))
    changed: Portion = 0.4
    epoch_words: Count = 6_000
    lm_bonus: float = 1.5

    ADDED: ClassVar[Mapping[str, Any]] = {
        **_NetworkRecipe.ADDED,
        "augmentation": to_dict(LetterAugmentation()),
        "changed": 0.0,
    }


Recipe = LettersRecipe | WordsRecipe
RECIPES: dict[str, Recipe] = {"letters": LettersRecipe(), "words": WordsRecipe()}
# "lab" learns to read letters within a minute, to be looked at meanwhile.
ALL_RECIPES: dict[str, Recipe] = {**RECIPES, "lab": LettersRecipe(split="choose", epochs=8)}
# Changes of both for a few hundred words instead of thousands.
SAMPLE_LETTERS = (
    *("filters=8,12,16", "convolutions=1", "features=48", "units=32"),
    *("lm_order=4", "epochs=10", "batch_size=16", "learning_rate=0.01"),
)
SAMPLE_WORDS = (*SAMPLE_LETTERS, "epoch_words=600")


def config_of(recipe: Recipe, language: LetterLM | None, alphabet: str = LETTERS) -> OcrConfig:
    """Return the network's config that a recipe asks for, with the sizes of a language model."""
    reads = "letters" if isinstance(recipe, LettersRecipe) else "words"
    sizes = {} if language is None else language.sizes
    return fields_of(recipe, OcrConfig, reads=reads, alphabet=alphabet, **sizes)
