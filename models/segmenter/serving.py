"""Sentence and word boundaries by a small convolutional network over characters.

The network is trained with Keras (:func:`build_segmenter`) and served with NumPy alone (:class:`Segmenter`):
a sentence takes about a millisecond and no TensorFlow, a long text is read window by window. Residual dilated
convolutions see a fixed number of characters to each side, so a window with that margin gives the very answer
that the whole text would give.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data_prep.errors import InputError
from data_prep.text.segmentation import CHARACTER_IDS, LABELS, PADDING, character_ids, cut
from data_prep.text.tokenizer import Token
from models.presets.kinds import Arrays, Kind
from models.serving.blas_threads import in_threads, one_blas_thread
from models.serving.workspace import Workspace
from models.storage.arrays import ArraySpec

if TYPE_CHECKING:
    import keras

    from data_prep.text.vocab import Vocabulary

KIND = "segmenter"
PRESET = "segmenter_en_ewt"
_KERNEL_NAME = re.compile(r"layer_(\d+)_dilation_(\d+)_convolution/kernel")
_WINDOW = 1024  # characters whose activations a processor core keeps close by
_NO_LABELS = np.zeros(0, np.int8)

_workspace = Workspace()


@dataclass(frozen=True)
class SegmenterConfig:
    """Size of the network.

    Args:
        characters: Number of ids that a character can have, padding included.
        embedding: Length of a character's vector.
        channels: Channels of every convolution.
        kernel: Taps of every convolution, odd.
        dilations: Distance of the taps, one a layer.
        dropout: Share of a layer's outputs left out in training.
        embedding_dropout: Share of the embedding's channels left out in training.
    """

    characters: int = CHARACTER_IDS
    embedding: int = 32
    channels: int = 64
    kernel: int = 5
    dilations: tuple[int, ...] = (1, 1, 2, 4, 8, 16)
    dropout: float = 0.2
    embedding_dropout: float = 0.05

    def __post_init__(self) -> None:
        """Refuse sizes that make no network."""
        sizes = (self.characters - 1, self.embedding, self.channels, self.kernel, *self.dilations)
        if min(sizes) < 1 or not self.dilations:
            raise InputError("The sizes of a segmenter are at least 1", received=self)
        if self.kernel % 2 == 0:
            raise InputError("A convolution that looks to both sides has an odd kernel", received=self.kernel)
        if not (0 <= self.dropout < 1 and 0 <= self.embedding_dropout < 1):
            raise InputError("Dropout is a share below 1", received=(self.dropout, self.embedding_dropout))

    @property
    def reach(self) -> int:
        """How many characters to each side decide about one."""
        return sum(self.dilations) * (self.kernel // 2)


def build_segmenter(config: SegmenterConfig) -> keras.Model:
    """Build the network.

    Args:
        config: Its sizes.

    Returns:
        A model from character ids, int32 (batch, time) with 0 as padding, to logits of the labels, float32
        (batch, time, 3). Padding changes nothing, as if the text ended there.
    """
    import keras

    ids = keras.Input((None,), dtype="int32", name="characters")
    mask = keras.ops.expand_dims(keras.ops.cast(keras.ops.not_equal(ids, PADDING), "float32"), -1)
    x = keras.layers.Embedding(config.characters, config.embedding, name="embedding")(ids)
    x = keras.layers.SpatialDropout1D(config.embedding_dropout, name="embedding_dropout")(x)
    x = x * mask  # (batch, time, embedding)
    for number, dilation in enumerate(config.dilations):
        convolution = keras.layers.Conv1D(
            config.channels,
            config.kernel,
            dilation_rate=dilation,
            padding="same",
            activation="relu",
            name=_convolution(number, dilation),
        )
        new = keras.layers.Dropout(config.dropout, name=f"layer_{number}_dropout")(convolution(x))
        # Masked at every layer: the next one would see bias behind the end of the text.
        x = (x + new if number else new) * mask  # (batch, time, channels)
    return keras.Model(ids, keras.layers.Dense(len(LABELS), name="labels")(x), name="segmenter")


def segmenter_specs(config: SegmenterConfig) -> dict[str, ArraySpec]:
    """Give names and shapes of the arrays of :func:`build_segmenter`, without Keras."""
    specs = {"embedding/embeddings": ArraySpec((config.characters, config.embedding), "float32")}
    width = config.embedding
    for number, dilation in enumerate(config.dilations):
        name = _convolution(number, dilation)
        specs[f"{name}/kernel"] = ArraySpec((config.kernel, width, config.channels), "float32")
        specs[f"{name}/bias"] = ArraySpec((config.channels,), "float32")
        width = config.channels
    specs["labels/kernel"] = ArraySpec((width, len(LABELS)), "float32")
    specs["labels/bias"] = ArraySpec((len(LABELS),), "float32")
    return specs


class Segmenter:
    """Cuts raw text into sentences of words.

    Args:
        config: Sizes of the network.
        arrays: Its weights by the names of :func:`segmenter_specs`, float32.

    Raises:
        ValueError: If names or shapes do not fit.
    """

    def __init__(self, config: SegmenterConfig, arrays: Mapping[str, np.ndarray]) -> None:
        wanted = {name: spec.shape for name, spec in segmenter_specs(config).items()}
        if wanted != {name: array.shape for name, array in arrays.items()}:
            raise ValueError("The arrays are not those of the segmenter's config.")
        self.config = config
        self._embeddings = arrays["embedding/embeddings"]
        self._layers = [
            (
                dilation,
                arrays[f"{_convolution(number, dilation)}/kernel"].reshape(-1, config.channels),
                arrays[f"{_convolution(number, dilation)}/bias"],
            )
            for number, dilation in enumerate(config.dilations)
        ]
        self._kernel, self._bias = arrays["labels/kernel"], arrays["labels/bias"]

    def segment(self, text: str) -> list[list[Token]]:
        """Cut a text into sentences of words.

        A clitic is a word of its own ("do", "n't"), as in Universal Dependencies.

        Args:
            text: Any string; nothing in it is an error.

        Returns:
            The words of each sentence, ``text[word.start:word.end] == word.text``. Every character that is
            not white space is in exactly one word. No sentence is empty, none is longer than
            ``data_prep.text.segmentation.LONGEST_SENTENCE`` words.
        """
        ids = character_ids(text)
        with one_blas_thread() as threads:
            labels = in_threads(lambda start: self._window(ids, start).argmax(-1), _starts(ids), threads)
            return cut(text, ids, np.concatenate([_NO_LABELS, *labels]))

    def logits(self, ids: np.ndarray) -> np.ndarray:
        """Give the logits of the labels of every character.

        Args:
            ids: Character ids of one text, int (time,), no padding.

        Returns:
            float32 (time, 3).
        """
        windows = (self._window(ids, start) for start in _starts(ids))
        return np.concatenate([np.zeros((0, len(LABELS)), np.float32), *windows])

    def _window(self, ids: np.ndarray, start: int) -> np.ndarray:
        """Give the logits of a window of the text, float32 (at most _WINDOW, 3)."""
        left = max(0, start - self.config.reach)
        seen = ids[left : start + _WINDOW + self.config.reach]
        return self._forward(seen)[start - left : start - left + _WINDOW]

    def _forward(self, ids: np.ndarray) -> np.ndarray:
        time, channels, kernel = len(ids), self.config.channels, self.config.kernel
        x = self._embeddings[ids]  # (time, embedding)
        new = _workspace.array("new", time, channels)
        for number, (dilation, weights, bias) in enumerate(self._layers):
            np.matmul(_taps(x, dilation, kernel), weights, out=new)
            new += bias
            np.maximum(new, 0, out=new)
            if number:
                x += new
            else:
                x = new.copy()  # (time, channels)
        return x @ self._kernel + self._bias


def load_segmenter(preset: str | Path = PRESET) -> Segmenter:
    """Open a segmenter.

    Args:
        preset: Name of a shipped preset, or a folder.

    Returns:
        The segmenter. It keeps no state between texts, so that threads can share it.

    Raises:
        InputError: If there is no such preset, it is damaged, or it holds something else.
    """
    from models.presets.store import load_preset

    loaded = load_preset(preset, kind=KIND)
    return Segmenter(loaded.config, loaded.arrays)


def _starts(ids: np.ndarray) -> range:
    """Give where the windows of a text start."""
    return range(0, len(ids), _WINDOW)


def _convolution(number: int, dilation: int) -> str:
    # With the dilation in their names the arrays alone say how they are used.
    return f"layer_{number}_dilation_{dilation}_convolution"


def _taps(x: np.ndarray, dilation: int, kernel: int) -> np.ndarray:
    """Put the inputs of a convolution side by side: (time, channels) to (time, kernel * channels)."""
    time, channels = x.shape
    taps = _workspace.array("taps", time, kernel, channels)
    for tap in range(kernel):
        shift = (tap - kernel // 2) * dilation
        start, end = max(0, -shift), min(time, time - shift)  # where the tap meets a character
        if end <= start:
            taps[:, tap] = 0.0
            continue
        taps[start:end, tap] = x[start + shift : end + shift]
        taps[:start, tap] = 0.0
        taps[end:, tap] = 0.0
    return taps.reshape(time, kernel * channels)


def _config_of(arrays: Arrays) -> SegmenterConfig:
    """Read the sizes off the names and shapes of the arrays; dropout does not show there."""
    kernels = {}
    for name, array in arrays.items():
        if match := _KERNEL_NAME.fullmatch(name):
            kernels[int(match[1])] = (int(match[2]), array.shape)
    layers = [kernels[number] for number in sorted(kernels)]
    kernel, embedding, channels = layers[0][1]
    characters = len(arrays["embedding/embeddings"])
    return SegmenterConfig(characters, embedding, channels, kernel, tuple(d for d, _ in layers))


def _answer(config: SegmenterConfig, arrays: Arrays, inputs: Arrays) -> Arrays:
    """Return the logits of one text's characters: ids (time,) to float32 (time, 3)."""
    return {"logits": Segmenter(config, arrays).logits(inputs["characters"])}


def _check(config: SegmenterConfig, vocabulary: Vocabulary | None, labels: tuple[str, ...] | None) -> None:
    """Refuse a preset that was made for other character ids or labels than this code has."""
    if config.characters != CHARACTER_IDS:
        raise InputError(
            "The segmenter was trained with other character ids",
            allowed=str(CHARACTER_IDS),
            received=config.characters,
        )
    if labels != LABELS:
        raise InputError("The segmenter has other labels", allowed=", ".join(LABELS), received=labels)


SEGMENTER = Kind(
    SegmenterConfig,
    arrays=segmenter_specs,
    answer=_answer,
    network="models.segmenter.network:segmenter_model",
    needs_labels=True,
    check=_check,
)
