"""The config of a segmenter, and names and shapes of its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Len

from data_prep.array_files import ArraySpec
from data_prep.errors import InputError
from data_prep.fields import Checked, Count, Share
from data_prep.text.segmentation import CHARACTER_IDS, LABELS

KIND = "segmenter"


@dataclass(frozen=True)
class SegmenterConfig(Checked):
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

    characters: Annotated[int, Ge(2)] = CHARACTER_IDS
    embedding: Count = 32
    channels: Count = 64
    kernel: Count = 5
    dilations: Annotated[tuple[Count, ...], Len(1)] = (1, 1, 2, 4, 8, 16)
    dropout: Share = 0.2
    embedding_dropout: Share = 0.05

    def __post_init__(self) -> None:
        """Check every field, and that a convolution looks to both sides."""
        super().__post_init__()
        if self.kernel % 2 == 0:
            raise InputError("A convolution that looks to both sides has an odd kernel", received=self.kernel)

    @property
    def reach(self) -> int:
        """How many characters to each side decide about one."""
        return sum(self.dilations) * (self.kernel // 2)


def convolution_name(number: int, dilation: int) -> str:
    """Return the name of a layer."""
    return f"layer_{number}_dilation_{dilation}_convolution"


def segmenter_specs(config: SegmenterConfig) -> dict[str, ArraySpec]:
    """Give names and shapes of the arrays of ``models.segmenter.network.build_segmenter``, in its order."""
    specs = {"embedding/embeddings": ArraySpec((config.characters, config.embedding), "float32")}
    width = config.embedding
    for number, dilation in enumerate(config.dilations):
        name = convolution_name(number, dilation)
        specs[f"{name}/kernel"] = ArraySpec((config.kernel, width, config.channels), "float32")
        specs[f"{name}/bias"] = ArraySpec((config.channels,), "float32")
        width = config.channels
    specs["labels/kernel"] = ArraySpec((width, len(LABELS)), "float32")
    specs["labels/bias"] = ArraySpec((len(LABELS),), "float32")
    return specs
