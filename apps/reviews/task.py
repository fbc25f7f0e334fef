"""Train a classifier of documents: from labelled texts to a preset.

    python -m apps reviews fit --data imdb --out models/presets/reviews_imdb
    python -m apps reviews fit --data bbc --out models/presets/topics_bbc
    python -m apps reviews fit --csv FILE --text COLUMN --label COLUMN --out DIR          one's own documents

The run (checkpoints) lives in ``OUT.run`` beside the preset until the preset is written. Part of the training
documents is held out: by it the weights of the networks in their sum and the temperature are chosen. The test part is
scored once, by the final weights as the preset stores them; ``--set split=choose`` leaves it alone and scores what was
held out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.reviews.recipes import MemberRecipe, ReviewsRecipe, chosen_recipe
from data_prep.errors import InputError

if TYPE_CHECKING:
    import keras
    import numpy as np

    from apps.reviews.application import Reviews
    from apps.reviews.sources import ReviewsSource
    from data_prep.text.embeddings import WordVectors
    from data_prep.text.vocab import Vocabulary
    from models.text_classifier.config import TextPresetConfig
    from models.training.fit import FitResult

    Arrays = Mapping[str, np.ndarray]

_FEWEST_TEXTS = 10


@dataclass(frozen=True)
class Trained:
    """A trained classifier.

    Args:
        reviews: Ready for use, with the weights as a preset stores them.
        seconds: Of all trainings together.
        history: Epochs of all of them, each with the name of its training.
        learned: How many documents with a label the networks learned from.
        validation: Places of the documents of the training part that were held out.
    """

    reviews: Reviews
    seconds: float
    history: tuple[dict[str, Any], ...]
    learned: int
    validation: np.ndarray


def fit_reviews(
    out: Path,
    overrides: Sequence[str] = (),
    *,
    source: ReviewsSource,
    recipe: str = "own",
    network: str | None = None,
    resume: bool = False,
) -> dict[str, Any]:
    """Train a classifier and write it as a preset.

    Args:
        out: Folder of the preset to make.
        overrides: As ``apps.reviews.recipes.chosen_recipe`` takes them.
        source: The documents.
        recipe: Row of ``apps.reviews.recipes.RECIPES``.
        network: Train one network of this kind alone.
        resume: Go on with an interrupted run.

    Returns:
        What was made: preset, networks, seconds, scores.

    Raises:
        InputError: There are too few documents, an override is wrong, ``out`` exists already or cannot be written, or
            training diverges.
    """
    from apps.reviews.evaluation import cross_validated, final_metrics, metrics_of
    from apps.reviews.preset import write_preset
    from models.training.run_folder import remove_run, run_folder_of

    chosen = chosen_recipe(recipe, network, overrides)
    run_dir = run_folder_of(out)
    choosing = chosen.split == "choose"
    metrics: dict[str, Any] = {}
    if source.test is None and not choosing:
        metrics = metrics_of(cross_validated(chosen, source, run_dir, resume=resume), source)
    trained = train(chosen, source, run_dir / "whole", resume=resume)
    metrics |= final_metrics(trained, source, choosing=choosing)
    summary = write_preset(out, chosen, trained, metrics, source)
    remove_run(run_dir)
    return summary


def train(recipe: ReviewsRecipe, source: ReviewsSource, run_dir: Path, *, resume: bool = False) -> Trained:
    """Train all networks of a recipe in a run folder, without scoring the test part or keeping them.

    Args:
        recipe: All settings.
        source: The documents; those of the test part are not looked at.
        run_dir: Where checkpoints go.
        resume: Go on with the run that is there.

    Returns:
        The classifier.

    Raises:
        InputError: There are too few documents, or training diverges.
    """
    source.train.check_trainable()
    if len(source.train) < _FEWEST_TEXTS:
        raise InputError(
            "There are too few documents to learn from",
            allowed=f"{_FEWEST_TEXTS} or more",
            received=len(source.train),
        )
    if recipe.self_training.rounds and not source.unlabelled:
        raise InputError(
            "Self-training needs texts without labels",
            remedy="Leave self_training.rounds at 0 for these documents",
        )
    return _Run(recipe, source, run_dir, resume).all_rounds()


class _Run:
    """One training of all networks: its documents as ids, and what was learned so far."""

    def __init__(self, recipe: ReviewsRecipe, source: ReviewsSource, run_dir: Path, resume: bool) -> None:
        from apps.reviews.start_vectors import start_vectors
        from data_prep.text.text_inputs import encode, learn_vocabulary

        self.recipe, self.source, self.run_dir, self.resume = recipe, source, run_dir, resume
        learned, self.held_out = source.held_out(recipe.validation, recipe.seed)
        texts = source.train.texts
        self.vocabulary = learn_vocabulary(
            (texts[at] for at in learned), min_count=recipe.min_count, max_size=recipe.max_vocabulary
        )
        self.ids = [encode(text, self.vocabulary).ids for text in texts]
        self.learned, self.labels = learned, source.train.labels
        rounds = recipe.self_training.rounds
        unlabelled = source.unlabelled[: recipe.self_training.texts] if rounds else ()
        self.unlabelled = [encode(text, self.vocabulary).ids for text in unlabelled]
        self.vectors = start_vectors(recipe, source, run_dir, resume=resume)
        self.results: list[tuple[str, FitResult]] = []

    def all_rounds(self) -> Trained:
        """Train the networks as often as the recipe asks, then once more on everything if it asks that."""
        import numpy as np

        learned, more = self.learned, None
        reviews = self._together(self._members("round0", learned, more))
        for number in range(1, self.recipe.self_training.rounds + 1):
            more = self._answered(reviews)
            reviews = self._together(self._members(f"round{number}", learned, more))
        if self.recipe.refit:
            learned = np.arange(len(self.ids))
            arrays = self._members("refit", learned, more)
            reviews = self._reviews(reviews.config, arrays)
        history = tuple(
            {"training": name, **line} for name, result in self.results for line in result.history
        )
        seconds = sum(result.seconds for _, result in self.results)
        return Trained(reviews, seconds, history, len(learned), self.held_out)

    def _members(
        self, name: str, learned: np.ndarray, more: tuple[list[np.ndarray], np.ndarray] | None
    ) -> list[Arrays]:
        """Train every network on documents of the training part, and on texts with the answers that they got."""
        import numpy as np

        documents, labels = [self.ids[at] for at in learned], self.labels[learned]
        if more is not None:
            documents = documents + more[0]
            labels = np.concatenate([np.eye(len(self.source.labels), dtype=np.float32)[labels], more[1]])
        return [
            self._member(f"{name}-member{number}", member, documents, labels, self.recipe.seed + member.seed)
            for number, member in enumerate(self.recipe.members, start=1)
        ]

    def _member(
        self, name: str, member: MemberRecipe, documents: Sequence[np.ndarray], labels: np.ndarray, seed: int
    ) -> Arrays:
        """Train one network."""
        from models.text_classifier.network import trained_arrays

        config = member.config(len(self.vocabulary), len(self.source.labels))

        def evaluate(model: keras.Model) -> dict[str, float]:
            if name.startswith("refit"):
                return {}  # nothing is held out
            return self._validation(member, trained_arrays(model))

        model, result = train_member(
            member,
            config,
            documents,
            labels,
            self.run_dir / name,
            seed=seed,
            vectors=start_matrix(member, self.vectors, self.vocabulary, seed),
            recipe={"recipe": self.recipe, "documents": self.source.train.checksum},
            resume=self.resume,
            evaluate=evaluate,
        )
        self.results.append((name, result))
        return trained_arrays(model)

    def _validation(self, member: MemberRecipe, arrays: Arrays) -> dict[str, float]:
        from apps.reviews.evaluation import mean_loss
        from models.text_classifier.config import TextPresetConfig

        config = TextPresetConfig((member.config(len(self.vocabulary), len(self.source.labels)),))
        shares = self._reviews(config, [arrays]).probabilities(self._held_out_ids)
        right = self.labels[self.held_out]
        return {
            "validation_accuracy": 100.0 * float((shares.argmax(axis=1) == right).mean()),
            "validation_loss": mean_loss(shares, right),
        }

    @property
    def _held_out_ids(self) -> list[np.ndarray]:
        return [self.ids[at] for at in self.held_out]

    def _together(self, arrays: Sequence[Arrays]) -> Reviews:
        """Choose weights and temperature by what was held out."""
        from apps.reviews.evaluation import chosen_weights
        from models.text_classifier.config import TextPresetConfig

        members = tuple(
            member.config(len(self.vocabulary), len(self.source.labels)) for member in self.recipe.members
        )
        single = TextPresetConfig(members, (1.0,) * len(members), 1.0, self.source.aliases)
        network = self._reviews(single, arrays).network
        logits = [member.logits(self._held_out_ids) for member in network.members]
        weights, temperature = chosen_weights(logits, self.labels[self.held_out])
        return self._reviews(replace(single, weights=weights, temperature=temperature), arrays)

    def _reviews(self, config: TextPresetConfig, members: Sequence[Arrays]) -> Reviews:
        from apps.reviews.preset import stored_form

        return stored_form(config, members, self.vocabulary, self.source.labels)

    def _answered(self, teacher: Reviews) -> tuple[list[np.ndarray], np.ndarray]:
        """Return texts without a label and what is to be learned of them."""
        import numpy as np

        settings = self.recipe.self_training
        shares = teacher.probabilities(self.unlabelled)
        kept = surest(shares, settings.confident)
        wanted = shares[kept] if settings.soft else np.eye(shares.shape[1])[shares[kept].argmax(axis=1)]
        return [self.unlabelled[at] for at in kept], wanted.astype(np.float32)


def train_member(
    member: MemberRecipe,
    config: Any,
    documents: Sequence[np.ndarray],
    labels: np.ndarray,
    run_dir: Path,
    *,
    seed: int,
    vectors: np.ndarray | None = None,
    recipe: Mapping[str, Any],
    resume: bool = False,
    evaluate: Any = None,
) -> tuple[keras.Model, FitResult]:
    """Train one network.

    Args:
        member: Its settings.
        config: Of the network, ``models.text_classifier.config.TextClassifierConfig``.
        documents: Ids of each, the end last.
        labels: Numbers int (n,), or probabilities float (n, labels).
        run_dir: Where checkpoints go.
        seed: Of all draws.
        vectors: First vectors of the words, float32 (vocabulary, dimensions); None for random ones.
        recipe: What decides the training, besides ``member``.
        resume: Go on with the run that is there.
        evaluate: Receives the network after every epoch and returns metrics; None for none.

    Returns:
        The trained network and its history.

    Raises:
        InputError: The vectors do not fit, or training diverges.
    """
    from data_prep.text.document_batches import DocumentBatches
    from models.training.fit import fit, training_data
    from models.training.recipe import to_dict

    read = config.reading.inputs_of(documents)
    batches = DocumentBatches(
        read,
        labels,
        member.batch_size,
        max_padded=member.max_padded,
        seed=seed,
    )
    steps = sum(batches.steps(epoch) for epoch in range(member.epochs))
    idf = inverse_document_frequency(read, config.rows) if member.idf else None
    model = _compiled(member, config, seed, steps, vectors, idf)
    plain = {name: value if isinstance(value, str) else to_dict(value) for name, value in recipe.items()}
    result = fit(
        model,
        lambda epoch: training_data(lambda: batches.epoch(epoch)),
        epochs=member.epochs,
        run_dir=run_dir,
        seed=seed,
        recipe={"member": to_dict(member), **plain},
        resume=resume,
        evaluate=None if evaluate is None else lambda: evaluate(model),
        monitor="validation_loss" if member.keep_best else "loss",
        keep_best=member.keep_best,
    )
    return model, result


def inverse_document_frequency(documents: Sequence[np.ndarray], rows: int) -> np.ndarray:
    """Return ln((1 + n) / (1 + df)) + 1 of each row of a table, float32 (rows,), where df of n documents have it."""
    import numpy as np

    frequency = np.zeros(rows, np.int64)
    for document in documents:
        frequency[np.unique(document)] += 1
    return (np.log((1.0 + len(documents)) / (1.0 + frequency)) + 1.0).astype(np.float32)


def start_matrix(
    member: MemberRecipe, vectors: WordVectors | None, vocabulary: Vocabulary, seed: int
) -> np.ndarray | None:
    """Return the first vectors of a network's words, float32 (vocabulary, dimensions); None for random ones."""
    if member.start == "random" or vectors is None:
        return None
    return vectors.matrix_for(vocabulary, seed)[0]


def surest(shares: np.ndarray, confident: float) -> np.ndarray:
    """Choose the surest answers of each label.

    Args:
        shares: Probabilities float (n, labels).
        confident: Share of the answers of each label that is chosen.

    Returns:
        Their places, int64, sorted.
    """
    import numpy as np

    answers, sure = shares.argmax(axis=1), shares.max(axis=1)
    kept = []
    for label in range(shares.shape[1]):
        places = np.flatnonzero(answers == label)
        order = places[np.argsort(-sure[places], kind="stable")]
        kept.append(order[: round(confident * len(order))])
    return np.sort(np.concatenate(kept))


def _compiled(
    member: MemberRecipe,
    config: Any,
    seed: int,
    steps: int,
    vectors: np.ndarray | None,
    idf: np.ndarray | None,
) -> keras.Model:
    """Build and compile a network; ``steps`` are those of the whole training."""
    import keras

    from models.layers.fast_lstm import fastest_products
    from models.text_classifier.network import build_text_classifier, set_word_vectors, text_loss
    from models.training.schedules import warmup_then_cosine

    keras.utils.set_random_seed(seed)
    products = fastest_products() if member.products == "auto" else member.products
    model = build_text_classifier(config, products=products, idf=idf)
    if vectors is not None:
        set_word_vectors(model, vectors, trainable=member.start == "fine_tuned")
    optimizer = keras.optimizers.AdamW(
        warmup_then_cosine(member.learning_rate, round(member.warmup * steps), steps),
        weight_decay=member.weight_decay,
        beta_2=0.99,
        global_clipnorm=member.clip,
        use_ema=member.averaging > 0,
        ema_momentum=member.averaging or 0.99,
    )
    excluded = ["bias"] if member.decay_vectors else ["bias", "embeddings"]
    optimizer.exclude_from_weight_decay(var_names=excluded)
    model.compile(
        optimizer,
        loss=text_loss(member.label_smoothing),
        jit_compile=False,  # slower for recurrent networks on a processor
    )
    return model
