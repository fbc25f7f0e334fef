"""The kinds of convolution side by side: one small tensor, one filter, the output and the products of any position."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from apps.convolution.numbers import MAX_TENSOR, check_whole, filled, read_sizes
from apps.convolution.sizes import ModeRule
from apps.convolution.tensors import (
    BOUNDARIES,
    KINDS,
    Product,
    convolve_full,
    convolve_heads,
    convolve_layerwise,
    convolve_pointwise,
    convolve_same,
    convolve_transposed,
    products_at,
)
from apps.shared.results import Result
from data_prep.errors import InputError

MAX_HEADS = 16
ABOUT = {
    "heads": "Each head is a filter as deep as the input, so the mode of the channels is left with size 1 and dropped; "
    "the heads' outputs are stacked as the new channels.",
    "full": "The filter has as many modes as the input and slides along all of them, the channels included.",
    "pointwise": "The filter has size 1 in every mode but the channels: a weighted sum of the channels at each place.",
    "same": "One filter without a mode for the channels slides over each channel: a full convolution of depth 1.",
    "layerwise": "Each channel has its own filter, and the channels are not summed.",
    "transposed": "The map of a convolution the other way: each input is multiplied by the whole filter and added to "
    "the places that a convolution would have read it from.",
}


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class KindResult(Result):
    """One convolution of a tensor with channels.

    Attributes:
        kind: Row of :data:`apps.convolution.tensors.KINDS`.
        tensor: The input, float64, the channels last.
        kernel: The filter in the shape that the kind takes; heads last (transposed: before the channels).
        rules: How it slides along each mode: without the channels, but for a full convolution.
        boundary: ``"valid"``, ``"zero"`` or ``"cyclic"``.
        output: float64, the channels last.
    """

    kind: str
    tensor: np.ndarray
    kernel: np.ndarray
    rules: tuple[ModeRule, ...]
    boundary: str
    output: np.ndarray

    @property
    def multiply_adds(self) -> int:
        """Products of the whole output."""
        if self.kind == "transposed":
            return self.tensor.size * math.prod(self.kernel.shape[:-1])
        return self.output.size * self.taps

    @property
    def taps(self) -> int:
        """Weights that make one output."""
        if self.kind in ("heads", "pointwise"):
            return self.kernel.size // self.kernel.shape[-1]
        return self.kernel.size // (self.tensor.shape[-1] if self.kind == "layerwise" else 1)

    def products(self, at: Sequence[int]) -> tuple[Product, ...]:
        """List the products whose sum is one output.

        Args:
            at: Position in the output, one number a mode.

        Returns:
            The products; their places and taps have one number a mode of ``tensor`` and ``kernel``.

        Raises:
            InputError: There is no such position.
        """
        if len(at) != self.output.ndim:
            raise InputError("The position has the wrong number of modes", allowed=f"{self.output.ndim}")
        for number, size in zip(at, self.output.shape, strict=True):
            check_whole(number, "The position", 0, size - 1)
        return _PRODUCTS[self.kind](self, tuple(at))


def run_kind(
    kind: str,
    sizes: str = "4x4x3",
    kernel: str = "2x2",
    *,
    heads: int = 2,
    boundary: str = "valid",
    stride: int = 1,
    dilation: int = 1,
    seed: int = 0,
) -> KindResult:
    """Convolve a small tensor of whole numbers with a filter of whole numbers.

    Args:
        kind: Row of :data:`apps.convolution.tensors.KINDS`.
        sizes: Of the input, the channels last.
        kernel: Of the filter without the channels; with them for ``"full"``; not used by ``"pointwise"``.
        heads: For ``"heads"``, ``"pointwise"`` and ``"transposed"``.
        boundary: ``"valid"``; ``"zero"``: as many zeros as keep the size at stride 1 (a transposed one cuts as much
            off); ``"cyclic"``.
        stride: In every mode that the filter slides along, but the channels.
        dilation: The same.
        seed: Of the numbers.

    Returns:
        Input, filter and output.

    Raises:
        InputError: Something is unknown, out of range or does not fit, or the output would have size zero.
    """
    if kind not in KINDS:
        raise InputError("Unknown kind of convolution", allowed=", ".join(KINDS), received=kind)
    if boundary not in BOUNDARIES or (boundary == "cyclic" and kind == "transposed"):
        raise InputError(
            "Unknown boundary", allowed="valid, zero; cyclic but for transposed", received=boundary
        )
    check_whole(heads, "The number of heads", 1, MAX_HEADS)
    shape = read_sizes(sizes, "The input")
    if len(shape) < 2 or math.prod(shape) > MAX_TENSOR:
        raise InputError(
            "The input does not fit",
            allowed=f"two modes or more, at most {MAX_TENSOR:,} elements",
            received=sizes,
        )
    tensor = filled(shape, seed + 11)
    spatial = shape if kind == "full" else shape[:-1]
    taps = (
        (1,) * len(spatial) if kind == "pointwise" else read_sizes(kernel, "The filter", modes=len(spatial))
    )
    strides = [stride] * len(spatial)
    dilations = [dilation] * len(spatial)
    if kind == "full":
        strides[-1] = dilations[-1] = 1
    rules = tuple(
        _rule(n, k, s, d, boundary) for n, k, s, d in zip(spatial, taps, strides, dilations, strict=True)
    )
    weights = filled(_kernel_shape(kind, taps, shape[-1], heads), seed + 23)
    return KindResult(kind, tensor, weights, rules, boundary, _output(kind, tensor, weights, rules, boundary))


def _rule(size: int, kernel: int, stride: int, dilation: int, boundary: str) -> ModeRule:
    rule = ModeRule(size, kernel, 0, 0, stride, dilation)
    total = rule.extent - 1 if boundary == "zero" else 0
    return dataclasses.replace(rule, before=total // 2, after=total - total // 2)


def _kernel_shape(kind: str, taps: tuple[int, ...], channels: int, heads: int) -> tuple[int, ...]:
    shapes = {
        "heads": (*taps, channels, heads),
        "full": taps,
        "pointwise": (channels, heads),
        "same": taps,
        "layerwise": (*taps, channels),
        "transposed": (*taps, heads, channels),
    }
    return shapes[kind]


def _output(
    kind: str, tensor: np.ndarray, kernel: np.ndarray, rules: tuple[ModeRule, ...], boundary: str
) -> np.ndarray:
    wraps = (boundary == "cyclic",) * len(rules)
    if kind == "pointwise":
        return convolve_pointwise(tensor[_every(rules)], kernel)
    if kind == "transposed":
        return convolve_transposed(
            tensor,
            kernel,
            [rule.stride for rule in rules],
            [rule.dilation for rule in rules],
            [rule.before for rule in rules],
        )
    run = {
        "heads": convolve_heads,
        "full": convolve_full,
        "same": convolve_same,
        "layerwise": convolve_layerwise,
    }[kind]
    return run(tensor, kernel, rules, cyclic=wraps)


def _every(rules: Sequence[ModeRule]) -> tuple[slice, ...]:
    """A filter of size 1 at a stride reads every s-th place."""
    return tuple(slice(None, None, rule.stride) for rule in rules)


def _across_channels(result: KindResult, at: tuple[int, ...]) -> tuple[Product, ...]:
    """Heads and pointwise: one head over all channels."""
    kernel = result.kernel[..., at[-1]]
    if result.kind == "pointwise":
        kernel = kernel.reshape(*[1] * len(result.rules), -1)
    channels = ModeRule(kernel.shape[-1], kernel.shape[-1])
    wraps = _wraps(result, len(result.rules) + 1)
    found = products_at(result.tensor, kernel, (*result.rules, channels), (*at[:-1], 0), cyclic=wraps)
    cut = -1 if result.kind == "pointwise" else 0
    return tuple(dataclasses.replace(each, tap=(*each.tap[cut:], at[-1])) for each in found)


def _full(result: KindResult, at: tuple[int, ...]) -> tuple[Product, ...]:
    return products_at(
        result.tensor,
        result.kernel,
        result.rules,
        at,
        cyclic=(result.boundary == "cyclic",) * len(result.rules),
    )


def _one_channel(result: KindResult, at: tuple[int, ...]) -> tuple[Product, ...]:
    """Same filter and layerwise: one channel."""
    channel = at[-1]
    layerwise = result.kind == "layerwise"
    kernel = result.kernel[..., channel] if layerwise else result.kernel
    found = products_at(
        result.tensor[..., channel],
        kernel,
        result.rules,
        at[:-1],
        cyclic=_wraps(result, len(result.rules) + 1)[:-1],
    )
    return tuple(
        dataclasses.replace(
            each,
            place=None if each.place is None else (*each.place, channel),
            tap=(*each.tap, channel) if layerwise else each.tap,
        )
        for each in found
    )


def _transposed(result: KindResult, at: tuple[int, ...]) -> tuple[Product, ...]:
    """Every input and weight that meet at this output."""
    found = []
    for tap in np.ndindex(*result.kernel.shape[:-2]):
        spots = [
            place + rule.before - k * rule.dilation
            for place, k, rule in zip(at[:-1], tap, result.rules, strict=True)
        ]
        if all(
            spot % rule.stride == 0 and 0 <= spot // rule.stride < rule.size
            for spot, rule in zip(spots, result.rules, strict=True)
        ):
            place = tuple(spot // rule.stride for spot, rule in zip(spots, result.rules, strict=True))
            for channel in range(result.tensor.shape[-1]):
                where, weight = (*place, channel), (*tap, at[-1], channel)
                found.append(
                    Product(where, float(result.tensor[where]), float(result.kernel[weight]), weight)
                )
    return tuple(found)


def _wraps(result: KindResult, modes: int) -> tuple[bool, ...]:
    """Which modes wrap around; the channels do not."""
    return (*[result.boundary == "cyclic"] * (modes - 1), False)


_PRODUCTS = {
    "heads": _across_channels,
    "full": _full,
    "pointwise": _across_channels,
    "same": _one_channel,
    "layerwise": _one_channel,
    "transposed": _transposed,
}
