"""The network of short texts: one more stage, after the networks that answer long documents together."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from apps.reviews.evaluation import chosen_weights
from apps.reviews.stages import Networks, ReviewsAnswers, member_stage, validation_scores
from data_prep.text.contrasts import words as scored_words
from data_prep.text.short_texts import LABELS, pieces, sentences
from data_prep.text.text_inputs import encode
from models.serving.operations import softmax
from models.storage.variables import assign_arrays, fitting_arrays, variable_arrays
from models.text_classifier.config import Arrays, TextClassifierConfig, TextPresetConfig, member_arrays
from models.text_classifier.serving import margins
from models.training.recipe import to_dict
from models.training.task import Stage, Stages

if TYPE_CHECKING:
    import keras


def with_short_texts(networks: Networks, answers: ReviewsAnswers) -> Stages:
    """Train the network of short texts where the recipe asks for one; :class:`ReviewsAnswers` with it."""
    from models.text_classifier.network import trained_arrays

    settings, recipe, reviews = networks.recipe.short, networks.recipe, answers.reviews
    if not settings.words:
        return answers
    config = settings.member.config(len(networks.vocabulary), len(networks.source.labels))
    start = _start(config, answers)
    # Vectors that nothing was learned into have to be learned.
    member = replace(settings.member, start="random") if start is None else settings.member
    documents, wanted = to_learn(networks, answers)
    held_out, right = _pieces(networks, networks.held_out)

    def logits(model: keras.Model) -> np.ndarray:
        alone = networks.reviews(TextPresetConfig((config,)), [trained_arrays(model)])
        return alone.network.logits(held_out)

    stage = member_stage(
        f"{networks.prefix}short",
        member,
        config,
        documents,
        wanted,
        seed=recipe.seed + member.seed,
        vectors=None,
        recipe={"recipe": to_dict(recipe), "documents": networks.source.train.checksum},
        evaluate=lambda model: validation_scores(softmax(logits(model)), right),
    )
    model = yield replace(stage, network=partial(_begun, stage, start), start=None)
    answered, margin = logits(model), float(np.log(settings.sure / (1.0 - settings.sure)))
    sure = margins(answered) > margin
    together = replace(
        reviews.config,
        members=(*reviews.config.members, config),
        weights=(*reviews.config.weights, 0.0),
        short=settings.words,
        short_margin=margin,
        short_temperature=chosen_weights([answered[sure]], right[sure])[1] if sure.any() else 1.0,
    )
    return answers._replace(reviews=networks.with_one_more(reviews, together, trained_arrays(model)))


def to_learn(networks: Networks, answers: ReviewsAnswers) -> tuple[list[np.ndarray], np.ndarray]:
    """Return short texts as ids, and what is to be learned of each: float32 (texts, labels), rows with sum 1."""
    settings, certain = networks.recipe.short, np.eye(len(networks.source.labels), dtype=np.float32)
    documents, labels = _pieces(networks, networks.learned)
    others = softmax(answers.reviews.network.logits(documents))
    wanted = settings.label * certain[labels] + (1.0 - settings.label) * others
    if settings.sentences:
        part = "all" if networks.recipe.split == "final" else "train"
        unseen = scored_words() if settings.words_unseen else ()
        made = sentences(settings.sentences, networks.recipe.seed, part, unseen)
        order = [networks.source.labels.index(label) for label in LABELS]
        documents += [encode(one.text, networks.vocabulary) for one in made]
        wanted = np.concatenate([wanted, certain[[order[one.label] for one in made]]])
    return documents, wanted.astype(np.float32)


def _pieces(networks: Networks, places: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Draw pieces of documents; and the number of the label of each, int (pieces,)."""
    settings, rng = networks.recipe.short, np.random.default_rng(networks.recipe.seed)
    drawn = [
        pieces(networks.ids[at], networks.vocabulary, settings.pieces, settings.words, rng) for at in places
    ]
    labels = np.repeat(networks.labels[places], [len(some) for some in drawn])
    return [piece for some in drawn for piece in some], labels


def _start(config: TextClassifierConfig, answers: ReviewsAnswers) -> Arrays | None:
    """Return the weights of the last network in order with vectors of the same size; None where there is none."""
    same = [
        at
        for at, member in enumerate(answers.reviews.config.members, start=1)
        if not member.is_bag and (member.dimensions, member.rows) == (config.dimensions, config.rows)
    ]
    return member_arrays(answers.reviews.arrays, same[-1]) if same else None


def _begun(stage: Stage, arrays: Arrays | None) -> keras.Model:
    """Build a network, which starts with those weights that fit, where there are some."""
    model = stage.network()
    if arrays is not None:
        own = variable_arrays(model.weights)
        fitting = fitting_arrays(own, arrays).items()
        assign_arrays(model.weights, own | {name: array.astype(np.float32) for name, array in fitting})
    return model
