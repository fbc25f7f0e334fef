"""The presets of the classifiers of documents: how they are written, and the form in which they are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from apps.reviews.application import Reviews
    from apps.reviews.recipes import ReviewsRecipe
    from apps.reviews.sources import ReviewsSource
    from apps.reviews.task import Trained
    from data_prep.text.vocab import Vocabulary
    from models.text_classifier.config import TextPresetConfig

# Texts of no data set, so that a preset holds none; words of reviews and of news.
_GOLDEN = (
    "A warm and funny film, with a story that stays. I would watch it again!",
    "The plot is weak, the acting is worse, and the last hour is a bore.",
    "The company said on Tuesday that its profit rose by 4 % after new phones were sold; shares went up.",
)


def stored_form(
    config: TextPresetConfig,
    members: Sequence[Mapping[str, np.ndarray]],
    vocabulary: Vocabulary,
    labels: Sequence[str],
) -> Reviews:
    """Return trained networks ready for use, with weights as a preset stores them.

    Args:
        config: Of the preset.
        members: Weights of each network by path, float32.
        vocabulary: Of all of them.
        labels: The labels in the order of the logits.
    """
    import numpy as np

    from apps.reviews.application import Reviews
    from models.text_classifier.config import preset_arrays

    arrays = {
        name: array.astype(np.float16).astype(np.float32) if array.dtype == np.float32 else array
        for name, array in preset_arrays(config, members).items()
    }
    return Reviews(config, arrays, vocabulary, labels)


def write_preset(
    out: Path, recipe: ReviewsRecipe, trained: Trained, metrics: Mapping[str, Any], source: ReviewsSource
) -> dict[str, Any]:
    """Write the preset of a trained classifier, float16, verified by loading it in a fresh process.

    Args:
        out: Folder to make.
        recipe: What made it.
        trained: The classifier.
        metrics: As ``apps.reviews.evaluation`` gives them.
        source: Its documents.

    Returns:
        Folder, networks, seconds and scores.
    """
    from data_prep.text.text_inputs import encode
    from data_prep.text.vocab import Vocabulary
    from models.presets.store import VERIFY_COMMAND, save_preset
    from models.text_classifier.config import KIND, golden_inputs

    reviews = trained.reviews
    # How often words occurred is not needed any more, and half of the file.
    vocabulary = Vocabulary(reviews.vocabulary.entries, specials=reviews.vocabulary.specials)
    save_preset(
        out,
        kind=KIND,
        config=reviews.config,
        weights=reviews.arrays,
        golden=golden_inputs(reviews.config, [encode(text, vocabulary).ids for text in _GOLDEN]),
        metrics=metrics,
        metadata={
            "recipe": recipe,
            "seed": recipe.seed,
            "data": dict(source.checksums),
            "seconds": trained.seconds,
            "history": list(trained.history),
            "learned_documents": trained.learned,
            "refused_documents": len(source.refused),
        },
        card=source.card,
        vocabulary=vocabulary,
        labels=reviews.labels,
        dtype="float16",
        verify_command=VERIFY_COMMAND,
    )
    scores = {f"{name}, {measure['unit']}": round(measure["score"], 2) for name, measure in metrics.items()}
    return {
        "preset": str(out),
        "networks": [member.network for member in reviews.config.members],
        "weights": [round(weight, 3) for weight in reviews.config.weights],
        "temperature": round(reviews.config.temperature, 3),
        "documents": trained.learned,
        "seconds": round(trained.seconds),
        "documents in both parts": metrics["accuracy"].get("duplicates", 0),
        "refused documents": len(source.refused),
        **scores,
    }
