"""The trainings of a classifier: word vectors, its networks, self-training and refit, one stage after the other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from apps.reviews.application import ALONE, Reviews
from apps.reviews.evaluation import chosen_sure, chosen_weights, mean_loss, unsure_temperature
from apps.reviews.recipes import OWN_VECTORS, MemberRecipe, ReviewsRecipe
from apps.reviews.results import ReviewsEvaluation
from apps.reviews.sources import ReviewsSource
from apps.reviews.watch import See, alone, network_seer, vectors_seer
from apps.vectors.application import Vectors
from data_prep.array_files import half_precision
from data_prep.batching import Taught
from data_prep.files import writing_to
from data_prep.text.document_batches import document_batches
from data_prep.text.embeddings import WordVectors
from data_prep.text.text_inputs import encode, keys_of, learn_vocabulary
from data_prep.text.vocab import UNK
from data_prep.text.word2vec_corpus import encode_corpus
from models.presets.store import Preset
from models.serving.operations import softmax
from models.storage.variables import copy_values
from models.text_classifier.config import (
    Arrays,
    TextClassifierConfig,
    TextPresetConfig,
    member_arrays,
    preset_arrays,
    preset_specs,
)
from models.text_classifier.serving import Sure
from models.training.recipe import to_dict
from models.training.task import Run, Stage, Stages
from models.word2vec.training import VectorsRecipe, fitted_to, word2vec_stage

if TYPE_CHECKING:
    import keras


class ReviewsAnswers(NamedTuple):
    """The classifier as a preset stores it, how many documents it learned from, places of those held out, folds."""

    reviews: Reviews
    learned: int
    validation: np.ndarray
    folds: ReviewsEvaluation | None = None


class Networks:
    """All networks of a recipe: documents of the training part as ids, and what was learned so far."""

    def __init__(self, recipe: ReviewsRecipe, source: ReviewsSource, run: Run, prefix: str = "") -> None:
        self.recipe, self.source, self.run, self.prefix = recipe, source, run, prefix
        self.learned, self.held_out = source.held_out(recipe.validation, recipe.seed)
        self.labels, texts = source.train.labels, source.train.texts
        if run.start is None:
            sizes = {"min_count": recipe.min_count, "max_size": recipe.max_vocabulary}
            self.vocabulary = learn_vocabulary((texts[at] for at in self.learned), **sizes)
        else:
            self.vocabulary = run.start.vocabulary
        self.ids = self._encoded(texts)
        self.learned = with_labels(self.learned, self.labels[self.learned], recipe.label_share, recipe.seed)
        if run.start is not None:
            unknown = float((np.concatenate(self.ids) == UNK).mean())
            kept = f"The vocabulary of {run.start.path.name} is kept"
            print(f"{kept}: {unknown:.1%} of the words and marks are unknown to it", file=sys.stderr)
        counts = (len(self.vocabulary), len(source.labels))
        self.configs = tuple(member.config(*counts) for member in recipe.members)
        self.held_out_ids = [self.ids[at] for at in self.held_out]
        self.vectors: WordVectors | None = None
        self.answers = self._answered(texts)

    def kept(self) -> ReviewsAnswers:
        """Take the networks of the preset that training starts from, but for one of short texts, as they are."""
        start = Reviews.of(self.run.start)
        long = start.config.without_short()
        arrays = {name: start.arrays[name] for name in preset_specs(long)}
        reviews = Reviews(long, arrays, **self._known(start.sure))
        return ReviewsAnswers(reviews, len(self.learned), self.held_out)

    def all_rounds(self) -> Stages:
        """Train as often as the recipe asks, then once more on everything if it asks that; :class:`ReviewsAnswers`."""
        self.vectors = yield from self._start_vectors()
        settings, learned, more = self.recipe.self_training, self.learned, None
        unlabelled = self._encoded(self.source.unlabelled[: settings.texts] if settings.rounds else ())
        if settings.rounds and self.answers is not None:
            self.answers += self._answered(self.source.unlabelled[: settings.texts])
        reviews = self._together((yield from self._members("round0", learned, more)))
        for number in range(1, settings.rounds + 1):
            shares = softmax(reviews.network.logits(unlabelled))
            kept = surest(shares, settings.confident)
            wanted = shares[kept] if settings.soft else np.eye(shares.shape[1])[shares[kept].argmax(axis=1)]
            more = [unlabelled[at] for at in kept], wanted.astype(np.float32), kept
            reviews = self._together((yield from self._members(f"round{number}", learned, more)))
        if self.recipe.refit:
            learned = np.sort(np.concatenate([learned, self.held_out]))
            arrays = yield from self._members("refit", learned, more)
            reviews = self.reviews(reviews.config, arrays, reviews.sure)
        return ReviewsAnswers(reviews, len(learned), self.held_out)

    def _encoded(self, texts: Sequence[str]) -> list[np.ndarray]:
        return [encode(text, self.vocabulary) for text in texts]

    def _answered(self, texts: Sequence[str]) -> list[np.ndarray] | None:
        """Return the logits of the run's teacher for texts, which it reads by its own vocabulary; None without one."""
        if (teacher := self.run.teacher) is None:
            return None
        teacher.check("labels", self.source.labels, teacher.preset.labels)
        reviews = Reviews.of(teacher.preset)
        return list(reviews.network.logits([encode(text, reviews.vocabulary) for text in texts]))

    def _start_vectors(self) -> Stages:
        """Return the word vectors that networks start from, None for none; learn them where the recipe asks that."""
        if self.run.start is not None or all(member.start == "random" for member in self.recipe.members):
            return None
        if self.recipe.vectors == OWN_VECTORS:
            texts, name = [*self.source.train.texts, *self.source.unlabelled], f"{self.prefix}vectors"
            return (yield from learned_vectors(self.recipe.word2vec, texts, self.run, name))
        path = Path(self.recipe.vectors)
        opened = Vectors.from_file(path) if path.is_file() else Vectors.from_preset(self.recipe.vectors)
        return opened.word_vectors

    def _members(
        self, name: str, learned: np.ndarray, more: tuple[list[np.ndarray], np.ndarray, np.ndarray] | None
    ) -> Stages:
        """Train every network on documents of the training part, and on texts with the answers that they got."""
        from models.text_classifier.network import trained_arrays

        documents, labels = [self.ids[at] for at in learned], self.labels[learned]
        places = learned if more is None else np.concatenate([learned, len(self.ids) + more[2]])
        if more is not None:
            documents = documents + more[0]
            labels = np.concatenate([np.eye(len(self.source.labels), dtype=np.float32)[labels], more[1]])
        if self.answers is not None:
            labels = Taught(labels, np.stack([self.answers[at] for at in places]))
        # The network of short texts comes after all of these.
        own = {name: value for name, value in to_dict(self.recipe).items() if name != "short"}
        recipe = {"recipe": own, "documents": self.source.train.checksum}
        # After a refit nothing is held out.
        kind, shown = ("training_sample", learned) if name == "refit" else ("held_out", self.held_out)
        sample = [self.ids[at] for at in shown], self.labels[shown]
        found: list[Arrays] = []
        for number, member in enumerate(self.recipe.members, start=1):
            config, seed, matrix = self.configs[number - 1], self.recipe.seed + member.seed, None
            if self.vectors is not None and member.start != "random":
                matrix = self.vectors.matrix_for(self.vocabulary, seed)
            stage = member_stage(
                f"{self.prefix}{name}-member{number}",
                member,
                config,
                documents,
                labels,
                seed=seed,
                vectors=matrix,
                recipe=recipe,
                evaluate=None if name == "refit" else partial(self._validation, config),
                start=partial(self._start_arrays, number),
                see=network_seer(
                    config,
                    self.vocabulary,
                    self.source.labels,
                    sample,
                    kind,
                    list(map(alone, self.configs, found)),
                ),
            )
            found.append(trained_arrays((yield stage)))
        return found

    def _start_arrays(self, number: int, preset: Preset) -> dict[str, np.ndarray]:
        """Return the weights of a preset's network; without those of the labels where it has other ones."""
        same = tuple(preset.labels) == tuple(self.source.labels)
        arrays = member_arrays(preset.arrays, number)
        return {name: array for name, array in arrays.items() if same or not name.startswith("labels/")}

    def _validation(self, config: TextClassifierConfig, model: keras.Model) -> dict[str, float]:
        from models.text_classifier.network import trained_arrays

        reviews = self.reviews(TextPresetConfig((config,)), [trained_arrays(model)])
        return validation_scores(reviews.probabilities(self.held_out_ids), self.labels[self.held_out])

    def _together(self, arrays: Sequence[Arrays]) -> Reviews:
        """Choose weights and temperature by what was held out, and where n-grams or single words are enough."""
        even = TextPresetConfig(self.configs, (1.0,) * len(arrays), aliases=self.source.aliases)
        network = self.reviews(even, arrays).network
        logits = [member.logits(self.held_out_ids) for member in network.members]
        right = self.labels[self.held_out]
        weights, temperature = chosen_weights(logits, right)
        config, sure = replace(even, weights=weights, temperature=temperature), None
        if len(arrays) > 1 and self.configs[0].is_linear:
            summed = np.tensordot(np.float32(weights), np.stack(logits), 1)
            sure = chosen_sure(logits[0], summed, right)
            if sure is not None:
                config = replace(config, temperature=unsure_temperature(logits[0], summed, right, sure))
        return self.reviews(config, arrays, sure)

    def reviews(
        self, config: TextPresetConfig, members: Sequence[Arrays], sure: Sure | None = None
    ) -> Reviews:
        """Return trained networks ready for use, with weights as a preset stores them."""
        return Reviews(config, half_precision(preset_arrays(config, members)), **self._known(sure))

    def with_one_more(self, reviews: Reviews, config: TextPresetConfig, arrays: Arrays) -> Reviews:
        """Add a network to others, which stay as they are stored."""
        own = half_precision(preset_arrays(TextPresetConfig(config.members[-1:]), [arrays]))
        own = {name.replace("member1/", f"member{len(config.members)}/", 1): one for name, one in own.items()}
        return Reviews(config, {**reviews.arrays, **own}, **self._known(reviews.sure))

    def _known(self, sure: Sure | None) -> dict[str, Any]:
        said = {} if sure is None else {ALONE: sure._asdict()}
        return {"vocabulary": self.vocabulary, "labels": self.source.labels, "metadata": said}


def validation_scores(shares: np.ndarray, right: np.ndarray) -> dict[str, float]:
    """Score probabilities (n, labels) of what was held out; ``right`` are the numbers of its labels, int (n,)."""
    return {
        "validation_accuracy": 100.0 * float((shares.argmax(axis=1) == right).mean()),
        "validation_loss": mean_loss(shares, right),
    }


def learned_vectors(settings: VectorsRecipe, texts: Sequence[str], run: Run, name: str) -> Stages:
    """Learn word vectors from documents, cut into words as the classifier cuts them: :class:`WordVectors`.

    Raises:
        InputError: There are too few words.
    """
    folder = run.folder / name
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
    sizes = {"min_count": settings.min_count, "max_vocabulary": settings.max_vocabulary}
    corpus = encode_corpus(texts, keys_of, folder / "corpus.int32", **sizes)
    stage = word2vec_stage(fitted_to(settings, corpus), corpus, name=name, scored=False)
    model = yield replace(stage, see=vectors_seer(corpus.vocabulary))
    (matrix,) = copy_values([model.input_vectors])
    return WordVectors(corpus.vocabulary, matrix)


def member_stage(
    name: str,
    member: MemberRecipe,
    config: TextClassifierConfig,
    documents: Sequence[np.ndarray],
    labels: np.ndarray | Taught,
    *,
    seed: int,
    vectors: np.ndarray | None,
    recipe: Mapping[str, Any],
    evaluate: Callable[[keras.Model], Mapping[str, float]] | None = None,
    start: Callable[[Preset], dict[str, np.ndarray]] | None = None,
    see: See | None = None,
) -> Stage:
    """Make the stage that trains one network.

    Args:
        name: Of the stage.
        member: Settings of the network.
        config: Of the network.
        documents: Ids of each, the end last.
        labels: Numbers int (n,), or probabilities float (n, labels); or ``Taught``, with logits of a teacher.
        seed: Of all draws.
        vectors: First vectors of the words, float32 (vocabulary, dimensions); None for random ones.
        recipe: What decides the training, besides ``member``.
        evaluate: As for ``Stage``.
        start: Preset to the arrays of the network as ``trained_arrays`` gives them.
        see: As for ``Stage``.
    """
    read = config.inputs_of(documents)
    batches = document_batches(read, labels, member.batch_size, max_padded=member.max_padded, seed=seed)
    steps = sum(batches.steps(epoch) for epoch in range(member.epochs))
    idf = inverse_document_frequency(read, config.rows) if member.idf else None

    def begin(preset: Preset) -> dict[str, np.ndarray]:
        from models.text_classifier.network import IDF

        arrays = start(preset)
        if idf is not None and len(arrays["embedding/embeddings"]) == len(idf):
            arrays["embedding/embeddings"] = arrays["embedding/embeddings"] / idf[:, None]
            arrays[IDF] = idf[:, None]
        return arrays

    return Stage(
        name,
        partial(_compiled, member, config, steps, vectors, idf),
        batches.epoch,
        epochs=member.epochs,
        seed=seed,
        recipe={"member": to_dict(member), **recipe},
        evaluate=evaluate,
        monitor="validation_loss" if member.keep_best else "loss",
        keep="best" if member.keep_best else "last",
        start=None if start is None else begin,
        see=see,
        examples=len(documents),
        unit="documents",
    )


def inverse_document_frequency(documents: Sequence[np.ndarray], rows: int) -> np.ndarray:
    """Return ln((1 + n) / (1 + df)) + 1 of each row of a table, float32 (rows,), where df of n documents have it."""
    frequency = np.bincount(np.concatenate([np.unique(document) for document in documents]), minlength=rows)
    return (np.log((1.0 + len(documents)) / (1.0 + frequency)) + 1.0).astype(np.float32)


def with_labels(places: np.ndarray, labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Draw a share of the documents of each label, one at least: places int64, sorted; ``labels`` int (n,)."""
    if share == 1.0:
        return places
    drawn = np.random.default_rng(seed).permutation(len(places))
    groups = (drawn[labels[drawn] == label] for label in np.unique(labels))
    return np.sort(np.concatenate([places[group[: max(1, round(share * len(group)))]] for group in groups]))


def surest(shares: np.ndarray, confident: float) -> np.ndarray:
    """Choose a share of the answers of each label, the surest: places int64, sorted; ``shares`` float (n, labels)."""
    answers, sure = shares.argmax(axis=1), shares.max(axis=1)
    kept = []
    for label in range(shares.shape[1]):
        places = np.flatnonzero(answers == label)
        order = places[np.argsort(-sure[places], kind="stable")]
        kept.append(order[: round(confident * len(order))])
    return np.sort(np.concatenate(kept))


def _compiled(
    member: MemberRecipe,
    config: TextClassifierConfig,
    steps: int,
    vectors: np.ndarray | None,
    idf: np.ndarray | None,
) -> keras.Model:
    """Build and compile a network; ``steps`` are those of the whole training."""
    from models.layers.fast_lstm import chosen_products
    from models.text_classifier.network import build_text_classifier, set_word_vectors, text_loss
    from models.training.optimizers import adamw

    model = build_text_classifier(config, products=chosen_products(member.products), idf=idf)
    if vectors is not None:
        set_word_vectors(model, vectors)
    model.get_layer("embedding").trainable = member.start != "frozen"
    undecayed = ("bias",) if member.decay_vectors else ("bias", "embeddings")
    model.compile(
        adamw(member, steps, beta_2=0.99, undecayed=undecayed, global_clipnorm=member.clip),
        loss=text_loss(member.label_smoothing),
        jit_compile=False,  # slower for recurrent networks on a processor
    )
    return model
