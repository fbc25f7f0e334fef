"""A small writer for tests: random weights, its own text, and its vocabulary."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from apps.writer.sources import text_source
from data_prep.text.streams import learn_tokens, split_text
from models.presets.card import CardText
from models.presets.store import save_preset
from models.storage.variables import variable_arrays

SPLIT = "last_tenth"
_NAMES = ("ANNA", "BEN", "Second Miller", "OMAR")
_WORDS = [
    "the",
    "a",
    "old",
    "king",
    "night",
    "light",
    "sees",
    "loves",
    "fears",
    "of",
    "and",
    "my",
    "thy",
    "heart",
    "crown",
    "sword",
    "rises",
    "falls",
    "not",
    "so",
]


def made_play(speeches: int = 300, seed: int = 5) -> str:
    """Speeches of made-up verse in the form of Tiny Shakespeare; no line occurs by plan twice."""
    rng = np.random.default_rng(seed)
    blocks = []
    for number in range(speeches):
        lines = [" ".join(rng.choice(_WORDS, 7)).capitalize() + "." for _ in range(1 + number % 3)]
        blocks.append(f"{_NAMES[number % len(_NAMES)]}:\n" + "\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def save_writer(target: Path, text_file: Path, kind: str = "char", **config: object) -> Path:
    """Write a preset of a writer that names ``text_file`` as what it learned from."""
    import keras

    from models.char_lm.config import CharLMConfig
    from models.char_lm.network import build_char_lm

    source = text_source([text_file])
    tokens = learn_tokens(split_text(source.text, SPLIT).train, kind)
    values = {"cell": "lstm", "layers": 2, "units": 12, "embedding": 6, "tokenizer": kind, **config}
    config = CharLMConfig(tokens=len(tokens.vocabulary), start=tokens.start, **values)
    model = build_char_lm(config)
    random = np.random.default_rng(3)
    for variable in model.weights:
        if keras.backend.is_float_dtype(variable.dtype):
            variable.assign(random.normal(0.0, 0.5, variable.shape))
    metrics = {
        "nats_per_character": {
            "score": 3.0, "n": 100, "standard_error": 0.1, "baseline": 1.5, "unit": "nats",
            "published": {"another": 1.5}, "split": SPLIT, "protocol": "made up",
        }
    }  # fmt: skip
    return save_preset(
        target,
        kind="char_lm",
        config=config,
        weights=variable_arrays(model.weights),
        golden={"ids": np.arange(2, 12, dtype=np.int32)[None]},
        metrics=metrics,
        metadata={"recipe": {"split": SPLIT}, "seed": 1, "data": dict(source.checksums), "seconds": 60.0},
        card=CardText("Tiny", "For tests.", "Made up.", "None.", "Tests.", "Everything else."),
        vocabulary=tokens.vocabulary,
    )
