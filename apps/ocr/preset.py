"""The presets of the reader: what their cards say, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from apps.ocr.recipes import Recipe
    from apps.ocr.sources import OcrSource
    from apps.ocr.task import Trained
    from models.presets.card import CardText

_GOLDEN_WORDS = 3
_TITLES = {"letters": "Handwritten words, letter by letter", "words": "Handwritten words in one piece"}
_SUMMARIES = {
    "letters": "Reads a word whose letters are cut apart: each letter alone, in the context of its word (BiLSTM, CRF), "
    "and with a language model of letters.",
    "words": "Reads the image of a word whose letters are not cut apart (convolutions, BiLSTM, CTC), with a language "
    "model of letters.",
}
_LIMITS = (
    "It knows single words of the small letters a to z. All folds of the set hold the same 55 different words, so the "
    "error letter by letter is that of a closed lexicon; benchmarks/ocr_protocols.py measures words that were never "
    "learned. Whole words are composed of letters, with the gaps, slants and noise of the recipe: ink that joins "
    "letters is not among them."
)


def write_preset(
    out: Path, recipe: Recipe, trained: Trained, metrics: Mapping[str, Any], source: OcrSource
) -> dict[str, Any]:
    """Write the preset of a trained network, float16, verified by loading it in a fresh process.

    Args:
        out: Folder to make.
        recipe: What made it.
        trained: The network.
        metrics: As ``apps.ocr.evaluation.metrics_of`` gives them.
        source: Its words.

    Returns:
        Folder, epochs, seconds and errors.
    """
    from models.ocr.config import KIND, LABELS
    from models.presets.store import VERIFY_COMMAND, save_preset

    result, config = trained.result, trained.config
    save_preset(
        out,
        kind=KIND,
        config=config,
        weights=trained.arrays,
        golden=_golden(config.reads, source),
        metrics=metrics,
        metadata={
            "recipe": recipe,
            "seed": recipe.seed,
            "data": dict(source.checksums),
            "seconds": result.seconds,
            "history": list(result.history),
            "learned_letters": trained.learned,
        },
        card=_card(config.reads, source),
        labels=LABELS,
        dtype="float16",
        verify_command=VERIFY_COMMAND,
    )
    return {
        "preset": str(out),
        "reads": config.reads,
        "epochs": result.epochs,
        "seconds": round(result.seconds),
        "split": recipe.split,
        **{f"{name} error, %": round(measure["score"], 2) for name, measure in metrics.items()},
    }


def _card(reads: str, source: OcrSource) -> CardText:
    from models.presets.card import CardText

    return CardText(
        title=_TITLES[reads],
        summary=_SUMMARIES[reads],
        data=source.data,
        licence=source.licence,
        intended_use="Teaching: what context does for reading, and where it misleads.",
        limits=_LIMITS,
    )


def _golden(reads: str, source: OcrSource) -> dict[str, np.ndarray]:
    """Return an input whose answer is stored: letters of no one's hand, so that a preset holds none of the set."""
    import numpy as np

    from data_prep.images.letter_batches import letter_pictures
    from data_prep.images.letter_words import PLAIN, compose_word
    from data_prep.images.pen_letters import pen_letters
    from data_prep.readers.letters import encode_word

    labels = [encode_word(text) for text in source.texts[:_GOLDEN_WORDS]]
    drawn = [pen_letters(word, seed) for seed, word in enumerate(labels)]
    if reads == "words":
        return {"image": compose_word(drawn[0], PLAIN)[None]}
    return {
        "letters": letter_pictures(np.concatenate(drawn)),
        "lengths": np.array([len(word) for word in labels], np.int64),
    }
