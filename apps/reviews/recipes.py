"""The recipes of the classifiers of documents: everything that decides them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Lt

from data_prep.errors import InputError
from data_prep.fields import Checked, Count, Natural, NonNegative, Positive, Share, WarmupShare
from models.text_classifier.config import Network, TextClassifierConfig
from models.training.recipe import fields_of, with_overrides
from models.training.teaching import Teaching
from models.word2vec.training import VectorsRecipe

OWN_VECTORS = "own"  # as the name of word vectors: those that word2vec learns from the texts themselves


@dataclass(frozen=True)
class MemberRecipe(TextClassifierConfig):
    """Everything that decides one network of a classifier: its config, whose sizes come from the documents, and more.

    Args:
        words: How many of the vocabulary's most frequent words are known to this network; none for all.
        idf: Whether the vectors of rarer words move faster in training, by their inverse document frequency.
        start: Whether its vectors begin at random, or as word vectors that stay or are changed.
        epochs: Passes.
        batch_size: The most documents in a step.
        max_padded: The most words in a step, padding included; none for no limit.
        learning_rate: The highest, after ``warmup``; it falls along a cosine to 0.
        warmup: Share of all steps.
        weight_decay: Of AdamW; not for biases.
        decay_vectors: Whether it is also for the vectors.
        label_smoothing: Share of the probability spread over all labels.
        averaging: Momentum of the averaged weights, which are kept; 0 for none.
        clip: The gradient of all weights together is made no longer than this.
        keep_best: Whether the weights of the epoch are kept that score best on validation, not the last ones.
        products: What the factors of an LSTM's products are rounded to in training; ``"auto"`` is what this processor
            multiplies fastest.
        seed: Of all draws of this network, added to the recipe's.
    """

    labels: ClassVar[int]  # no settings: the documents decide them
    vocabulary_size: ClassVar[int]
    network: Network = "ngrams"
    words: Count | None = None
    idf: bool = False
    start: Literal["random", "frozen", "fine_tuned"] = "random"
    epochs: Count = 5
    batch_size: Count = 64
    max_padded: Count | None = None
    learning_rate: Annotated[float, Gt(0.0), Le(1.0)] = 0.002
    warmup: WarmupShare = 0.1
    weight_decay: NonNegative = 0.0
    decay_vectors: bool = False
    label_smoothing: Share = 0.0
    averaging: Share = 0.0
    clip: Positive = 1.0
    keep_best: bool = False
    products: Literal["auto", "float32", "bfloat16"] = "auto"
    seed: Natural = 0

    def __post_init__(self) -> None:
        """Refuse what does not go together; what only makes no network is refused with its sizes, by ``config``."""
        Checked.__post_init__(self)
        if self.idf and self.start != "random":
            raise InputError("idf is for vectors that begin at random", received=self.start)

    def config(self, vocabulary_size: int, labels: int) -> TextClassifierConfig:
        """Return the network's config for a vocabulary of this many entries, and this many labels."""
        rows = vocabulary_size if self.words is None else min(self.words, vocabulary_size)
        return fields_of(self, TextClassifierConfig, labels=labels, vocabulary_size=rows)


@dataclass(frozen=True)
class SelfTraining(Checked):
    """How networks learn once more, from texts without labels as their first selves answered them.

    Args:
        rounds: How often; 0 for not at all.
        texts: The most texts, the first ones; none for all.
        confident: Share of them that is used: of each label the surest answers.
        soft: Whether the probabilities are learned, or the answer as if it were certain.
    """

    rounds: Natural = 0
    texts: Count | None = None
    confident: Annotated[float, Gt(0.0), Le(1.0)] = 1.0
    soft: bool = True


@dataclass(frozen=True)
class ShortTexts(Checked):
    """What one more network learns, which answers short texts where it is sure: pieces of documents, made sentences.

    It starts with the vectors, and what else fits, of the last network that reads in order and has vectors of its size.

    Args:
        words: It is asked about texts of up to so many words and marks; 0 for no such network.
        sure: From this probability on it answers alone; below, the other networks do. Of two labels.
        pieces: How many pieces of a document are learned, of its first sentences in a random order.
        label: How much of what is learned of a piece is the label of its document; the rest is what the other networks
            answer to the document's piece.
        sentences: Made by rules, which praise and blame in English; for the labels neg and pos.
        words_unseen: Whether these leave out the words of the sentences that negation is scored by; the templates of
            those are never learned.
        only: Whether nothing else is trained: the other networks are those of the preset that training starts from.
        member: The network.
    """

    words: Natural = 0
    sure: Annotated[float, Ge(0.5), Lt(1.0)] = 0.8
    pieces: Count = 3
    label: Annotated[float, Ge(0.0), Le(1.0)] = 0.5
    sentences: Natural = 0
    words_unseen: bool = False
    only: bool = False
    member: MemberRecipe = field(default_factory=lambda: MemberRecipe(network="attention", units=64))

    def __post_init__(self) -> None:
        """Refuse a network that does not read all words in their order."""
        super().__post_init__()
        if self.member.is_bag or self.member.max_words:
            raise InputError("The network of short texts reads all words", received=self.member.network)


@dataclass(frozen=True)
class ReviewsRecipe(Checked):
    """Everything that decides a classifier of documents.

    Args:
        members: Its networks; they are trained one after the other and answer together.
        min_count: Rarer words of the training part are unknown.
        max_vocabulary: The most words; none for all.
        vectors: Word vectors for the networks that start from such: a preset, a file, or ``"own"``, which word2vec
            learns from the training part and the texts without labels; none for none.
        word2vec: How it does.
        self_training: What is learned from texts without labels.
        short: The network of short texts.
        teaching: What every network learns from another classifier.
        validation: Share of the training part that is held out of it, to choose the weights of the networks and the
            temperature.
        label_share: Share of the others whose labels are learned, of each label the same; words are counted, and word
            vectors are learned, in all of them.
        refit: Whether the networks are then trained anew on the training part with what was held out.
        split: ``"final"`` scores the test part once, at the end; ``"choose"`` leaves it alone and scores validation.
        folds: Parts for cross-validation of a set without an official test part.
        seed: Of all draws.
    """

    members: tuple[MemberRecipe, ...] = (MemberRecipe(),)
    min_count: Count = 2
    max_vocabulary: Count | None = None
    vectors: str | None = None
    word2vec: VectorsRecipe = field(default_factory=VectorsRecipe)
    self_training: SelfTraining = field(default_factory=SelfTraining)
    short: ShortTexts = field(default_factory=ShortTexts)
    teaching: Teaching = field(default_factory=Teaching)
    validation: Annotated[float, Gt(0.0), Le(0.5)] = 0.1
    label_share: Annotated[float, Gt(0.0), Le(1.0)] = 1.0
    refit: bool = False
    split: Literal["final", "choose"] = "final"
    folds: Annotated[int, Ge(2)] = 5
    seed: Natural = 1

    def __post_init__(self) -> None:
        """Refuse recipes that contradict themselves."""
        super().__post_init__()
        if not self.members:
            raise InputError("A recipe has at least one network")
        if self.vectors is None and any(member.start != "random" for member in self.members):
            raise InputError(
                "A network starts from word vectors and there are none", remedy=f"Set vectors={OWN_VECTORS}"
            )
        if self.refit and any(member.keep_best for member in self.members):
            raise InputError(
                "keep_best needs what refit does not hold out", remedy="Set one of them to false"
            )
        if self.refit and self.short.words:
            raise InputError("The network of short texts needs what refit does not hold out")


# What a few thousand documents, or a few dozen, are enough for: words and pairs of them, without their order.
_LINEAR = MemberRecipe(
    network="ngrams",
    dimensions=64,
    ngrams=2,
    buckets=1 << 16,
    distinct=True,
    pooling="root",
    table="int8",
    dropout=0.2,
    epochs=12,
    batch_size=32,
    learning_rate=0.005,
)
_RECURRENT = MemberRecipe(
    network="lstm", dimensions=100, units=128, words=20_000, max_words=400, head_words=120, epochs=6
)
# Its vectors are those of the network that it starts as, and stay: moved ones know the words of the sentences by
# heart, and "not" turns no others round. After one pass it is less often sure of such others than after two.
_SHORT = replace(
    _RECURRENT,
    network="attention",
    start="frozen",
    max_words=0,
    head_words=0,
    word_dropout=0.1,
    table="int8",
    epochs=2,
    batch_size=64,
    learning_rate=0.004,
)
# By the name of a network: what one such network alone is trained by where nothing else is said.
MEMBERS: Mapping[str, MemberRecipe] = {
    "mean": replace(
        _LINEAR, network="mean", ngrams=1, buckets=0, distinct=False, pooling="mean", table="float"
    ),
    "ngrams": _LINEAR,
    "convolution": replace(_RECURRENT, network="convolution", epochs=4, learning_rate=0.001),
    "attention": replace(_RECURRENT, network="attention", units=64, epochs=4),
    **{cell: replace(_RECURRENT, network=cell) for cell in ("rnn", "lstm", "gru", "mgu")},
}
RECIPES: Mapping[str, ReviewsRecipe] = {
    "imdb": ReviewsRecipe(
        members=(
            # Two numbers a word, pair or triple: a linear classifier of which there are, learned in three passes.
            replace(
                _LINEAR,
                dimensions=2,
                ngrams=3,
                buckets=1 << 20,
                dropout=0.0,
                epochs=3,
                batch_size=64,
                learning_rate=0.01,
            ),
            replace(
                _RECURRENT, network="attention", units=64, start="fine_tuned", epochs=4, max_padded=16_384
            ),
        ),
        max_vocabulary=60_000,
        vectors=OWN_VECTORS,
        word2vec=VectorsRecipe(min_count=5, max_vocabulary=40_000, kept_words=None),
        self_training=SelfTraining(rounds=1, texts=25_000),
        short=ShortTexts(words=40, sure=0.7, pieces=4, label=0.25, sentences=225_000, member=_SHORT),
    ),
    # Topics are named by rare words that come often: counted and weighed as TF-IDF does it.
    "bbc": ReviewsRecipe(
        members=(
            replace(
                _LINEAR,
                dimensions=8,
                ngrams=1,
                buckets=0,
                distinct=False,
                sublinear_tf=True,
                idf=True,
                table="float",
                label_smoothing=0.1,
            ),
        ),
        refit=True,
    ),
    "own": ReviewsRecipe(members=(_LINEAR,)),
    # To watch: one network that learns the reviews of IMDB in a minute or two on two cores.
    "lab": ReviewsRecipe(
        members=(replace(MEMBERS["mean"], dimensions=100, epochs=3, batch_size=64),), max_vocabulary=20_000
    ),
    "sample": ReviewsRecipe(
        members=(replace(_RECURRENT, network="lstm", dimensions=16, units=16, epochs=6, learning_rate=0.02),)
    ),
}


def chosen_recipe(name: str, network: str | None = None, overrides: Sequence[str] = ()) -> ReviewsRecipe:
    """Return a recipe as a person asks for it.

    Args:
        name: Row of ``RECIPES``.
        network: Train one network of this kind alone; None for the networks of the recipe.
        overrides: ``key=value`` for fields of the recipe; ``member2.key=value`` for those of its second network, and a
            field that only networks have, such as ``epochs``, for all of them.

    Raises:
        InputError: There is no such network, or an override is wrong.
    """
    recipe = RECIPES[name]
    if network is not None and network not in MEMBERS:
        raise InputError("There is no such network", allowed=", ".join(MEMBERS), received=network)
    members = list(recipe.members if network is None else (MEMBERS[network],))
    if network is not None:
        recipe = replace(recipe, short=ShortTexts())
    of_members = {one.name for one in fields(MemberRecipe)} - {one.name for one in fields(ReviewsRecipe)}
    # What recipe and networks ask of each other is checked once all is set.
    recipe = replace(recipe, members=(MemberRecipe(),))
    for text in overrides:
        key = text.partition("=")[0].strip()
        if named := re.match(r"member([0-9]+)\.(.+)", text, re.DOTALL):
            number = int(named[1])
            if not 1 <= number <= len(members):
                raise InputError("There is no such member", allowed=f"1 to {len(members)}", received=number)
            members[number - 1] = with_overrides(members[number - 1], [named[2]])
        elif key == "members":
            raise InputError("The networks are set one by one", allowed="--network NAME, or member1.units=64")
        elif key in of_members:
            members = [with_overrides(member, [text]) for member in members]
        else:
            recipe = with_overrides(recipe, [text])
    return replace(recipe, members=tuple(members))
