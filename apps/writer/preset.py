"""The writer's preset: weights as they are stored, their score on the held-out part, and the folder itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from apps.writer.recipe import WriterRecipe
    from apps.writer.sources import WriterSource
    from apps.writer.task import Trained
    from data_prep.text.streams import Parts, Tokens
    from models.char_lm.config import CharLMConfig
    from models.char_lm.language_model import LanguageModel

_GOLDEN_TOKENS = 48


def stored_form(config: CharLMConfig, tokens: Tokens, arrays: Mapping[str, np.ndarray]) -> LanguageModel:
    """Return the language model of a network, with its weights as a preset stores them (float16)."""
    import numpy as np

    from models.char_lm.language_model import LanguageModel

    stored = {name: array.astype(np.float16).astype(np.float32) for name, array in arrays.items()}
    return LanguageModel(config, tokens.vocabulary, stored)


def validation_score(language_model: LanguageModel, parts: Parts) -> tuple[float, float | None, int]:
    """Score the part that was held out.

    Args:
        language_model: What is scored.
        parts: The split text; every held-out piece is read from a state of zero.

    Returns:
        Nats a character, their standard error (None for a single token) and the number of characters.
    """
    import numpy as np

    scores = [language_model.score(piece, unknown="map") for piece in parts.validation]
    nats = np.concatenate([score.nats for score in scores])
    characters = parts.validation_characters
    error = None if len(nats) < 2 else float(nats.std(ddof=1) * np.sqrt(len(nats)) / characters)
    return float(nats.sum() / characters), error, characters


def metrics_of(trained: Trained, source: WriterSource, recipe: WriterRecipe) -> dict[str, Any]:
    """Score a trained writer, once, and say how.

    Args:
        trained: The writer.
        source: Its text.
        recipe: Its recipe.

    Returns:
        Measure to score, split, protocol, number of characters, standard error and the best of other systems.
    """
    from data_prep.text.streams import SPLITS

    score, error, count = validation_score(trained.language_model, trained.parts)
    baseline = min(source.published.values()) if source.published and recipe.split == "last_tenth" else None
    protocol = (
        f"{source.name}; {SPLITS[recipe.split]}; trained on {trained.parts.train_characters:,} characters; the state "
        "is carried through, every character counts once"
    )
    if recipe.tokens != "char":
        protocol += f"; read as {recipe.tokens}s, whose spaces and unknown strings cost nothing here"
    bits = 1.0 / math.log(2.0)
    return {
        "nats_per_character": {
            "score": score,
            "unit": "nats",
            "n": count,
            "standard_error": error,
            "baseline": baseline,
            "published": dict(source.published) if baseline is not None else {},
            "split": recipe.split,
            "protocol": protocol,
        },
        "bits_per_character": {
            "score": score * bits,
            "unit": "bits",
            "n": count,
            "standard_error": None if error is None else error * bits,
            "baseline": None if baseline is None else baseline * bits,
            "split": recipe.split,
            "protocol": "the same in bits",
        },
    }


def write_preset(
    out: Path, recipe: WriterRecipe, trained: Trained, metrics: dict[str, Any], source: WriterSource
) -> dict[str, Any]:
    """Write the preset of a trained writer, float16, verified by loading it in a fresh process.

    Args:
        out: Folder to make.
        recipe: What made it.
        trained: The writer.
        metrics: As :func:`metrics_of` gives them.
        source: Its text.

    Returns:
        Folder, epochs, seconds and scores.
    """
    from models.char_lm.language_model import KIND
    from models.presets.store import VERIFY_COMMAND, save_preset

    language_model, result = trained.language_model, trained.result
    golden = language_model.encode(trained.parts.train[0][:2_000], unknown="map")[:_GOLDEN_TOKENS]
    save_preset(
        out,
        kind=KIND,
        config=language_model.config,
        weights=trained.arrays,
        golden={"ids": golden[None]},
        metrics=metrics,
        metadata={
            "recipe": recipe,
            "seed": recipe.seed,
            "data": dict(source.checksums),
            "seconds": result.seconds,
            "history": list(result.history),
        },
        card=source.card,
        vocabulary=language_model.vocabulary,
        dtype="float16",
        verify_command=VERIFY_COMMAND,
    )
    return {
        "preset": str(out),
        "epochs": result.epochs,
        "seconds": round(result.seconds),
        "split": recipe.split,
        "nats_per_character": round(metrics["nats_per_character"]["score"], 4),
        "bits_per_character": round(metrics["bits_per_character"]["score"], 4),
        "n": metrics["nats_per_character"]["n"],
    }
