"""What is exported of a reader: the network without its language model, which is no network."""

from __future__ import annotations

from typing import Any

import numpy as np

from data_prep.files import toml_beside
from data_prep.images.letter_batches import letter_inputs, letter_pictures
from data_prep.images.letter_words import compose_word
from data_prep.images.pen_letters import pen_letters
from data_prep.readers.letters import encode_word
from lectern.export.written import INPUTS, Exportable, example_picture
from models.storage.variables import assign_arrays

_EXAMPLE = "lecture"


def exportable(reader: Any, reads: str | None = None) -> Exportable:
    """Give the network of a ``Reader`` for ``"letters"`` or ``"words"``, by default its first one."""
    from models.ocr.network import build_ocr

    preset = reader.preset_for(reads)
    reads = preset.config.reads
    random = np.random.default_rng(1)
    spelt = [
        encode_word(_EXAMPLE),
        *(random.integers(0, 26, size) for size in random.integers(2, 10, INPUTS)),
    ]
    drawn = [pen_letters(word, seed) for seed, word in enumerate(spelt)]
    labels, code = list(preset.config.alphabet), toml_beside(__file__)[reads]
    if reads == "words":
        images = [compose_word(*one) for one in zip(drawn, spelt, strict=True)]
        example = images[0][..., 0]
        title = "The picture of a word, 16 pixels high, to the letter of each two columns"
        network, single = reader.keras_model(reads), None

        def batch(some: Any) -> dict[str, np.ndarray]:
            width = max(image.shape[1] for image in some)
            padded = [np.pad(image, ((0, 0), (0, width - image.shape[1]), (0, 0))) for image in some]
            return {"image": np.stack(padded)}

    else:
        images, title = (
            [letter_pictures(word) for word in drawn],
            "Pictures of the letters of a word to its letters",
        )
        example, single = np.concatenate(images[0][..., 0], axis=1), ("places",)
        network = build_ocr(preset.config)  # its places are an input: other runtimes need no count
        assign_arrays(
            network.weights, {key: one for key, one in preset.arrays.items() if not key.startswith("lm")}
        )

        def batch(some: Any) -> dict[str, np.ndarray]:
            return {"letters": np.concatenate(some), "places": letter_inputs(list(map(len, some)))}

    files = {"labels.json": labels, "example.png": example_picture(example)}
    return Exportable(title, network, images, batch, files, code, single)
