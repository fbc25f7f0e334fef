"""The kinds of convolution: one small tensor, one filter, the output and the products of any position.

Every kind is a full convolution in disguise: some have a filter of size 1 in a mode, a layerwise (depthwise) one is a
full convolution a channel, and the convolution of a network sets the filter's last size to the input's, drops the mode
that is left with size 1, and has several heads. A transposed one is that of the input spread out by the strides.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from apps.convolution.numbers import MAX_TENSOR, check_whole, filled, read_sizes, written_sizes
from apps.convolution.sizes import BOUNDARIES, ModeRule
from apps.convolution.tensors import Product, check_limits, convolve_full, numbered, products_of, windows
from apps.shared.language import N_
from apps.shared.results import Result
from data_prep.errors import InputError

MAX_HEADS = 16
KINDS = {
    "heads": N_("Channels and heads"),
    "full": N_("Full"),
    "pointwise": N_("Pointwise"),
    "same": N_("Same filter on each channel"),
    "layerwise": N_("Layerwise (depthwise)"),
    "transposed": N_("Transposed"),
}
_AXES = {  # of the filter behind those that slide: channels and heads
    "heads": "ch",
    "full": "",
    "pointwise": "ch",
    "same": "",
    "layerwise": "c",
    "transposed": "hc",
}
ABOUT = {
    "heads": N_(
        "Each head is a filter as deep as the input, so the mode of the channels is left with size 1 and dropped; "
        "the heads' outputs are stacked as the new channels."
    ),
    "full": N_(
        "The filter has as many modes as the input and slides along all of them, the channels included."
    ),
    "pointwise": N_(
        "The filter has size 1 in every mode but the channels: a weighted sum of the channels at each place."
    ),
    "same": N_(
        "One filter without a mode for the channels slides over each channel: a full convolution of depth 1."
    ),
    "layerwise": N_("Each channel has its own filter, and the channels are not summed."),
    "transposed": N_(
        "The map of a convolution the other way: each input is multiplied by the whole filter and added to "
        "the places that a convolution would have read it from."
    ),
}


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class KindResult(Result):
    """One convolution of a tensor with channels."""

    kind: str  # a key of KINDS
    tensor: np.ndarray  # the input, float64, the channels last
    kernel: np.ndarray  # in the shape that the kind takes; heads last (transposed: before the channels)
    rules: tuple[ModeRule, ...]  # one a mode without the channels, but for a full convolution
    output: np.ndarray  # float64, the channels last

    @property
    def multiply_adds(self) -> int:
        """Products of the whole output."""
        taps = self.kernel.size // (self.kernel.shape[-1] if _AXES[self.kind] else 1)
        return (self.tensor if self.kind == "transposed" else self.output).size * taps

    def products(self, at: Sequence[int]) -> tuple[Product, ...]:
        """List the products whose sum is the output at a position; an InputError where there is no such position."""
        if len(at) != self.output.ndim:
            raise InputError("The position has the wrong number of modes", allowed=f"{self.output.ndim}")
        for number, size in zip(at, self.output.shape, strict=True):
            check_whole(number, "The position", 0, size - 1)
        # The numbers of values and weights, convolved in their place, tell which of them meet.
        numbers = numbered(self.tensor), numbered(self.kernel)
        inputs, taps, rules = _channel(self.kind, *numbers, self.rules, at[-1])
        places = windows(inputs, rules)[tuple(at) if self.kind == "full" else (*at[:-1], 0)]
        found = products_of(self.tensor, self.kernel, places, taps)
        if self.kind == "transposed":  # it adds up what there is, without the zeros between
            return tuple(product for product in found if product.place)
        return found


def run_kind(
    kind: str,
    sizes: str = "4x4x3",
    kernel: str = "2x2",
    *,
    heads: int = 2,
    boundary: str = "valid",
    stride: int = 1,
    dilation: int = 1,
) -> KindResult:
    """Convolve a small tensor of whole numbers with a filter of whole numbers.

    Args:
        kind: A key of :data:`KINDS`.
        sizes: Of the input, the channels last.
        kernel: Of the filter without the channels; with them for ``"full"``; not used by ``"pointwise"``.
        heads: For ``"heads"``, ``"pointwise"`` and ``"transposed"``.
        boundary: ``"valid"``; ``"zero"``: as many zeros as keep the size at stride 1 (a transposed one cuts as much
            off); ``"cyclic"``.
        stride: In every mode that the filter slides along, but the channels.
        dilation: The same.

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
    full = kind == "full"
    modes = len(shape) if full else len(shape) - 1
    taps = (1,) * modes if kind == "pointwise" else read_sizes(kernel, "The filter", modes=modes)
    steps = [(1, 1) if full and mode == modes - 1 else (stride, dilation) for mode in range(modes)]
    rules = tuple(
        ModeRule(n, k, stride=s, dilation=d).bounded(boundary)
        for n, k, (s, d) in zip(shape, taps, steps, strict=False)
    )
    sizes_of = {"c": shape[-1], "h": heads}
    kernel_shape = *(taps if kind != "pointwise" else ()), *(sizes_of[axis] for axis in _AXES[kind])
    tensor, weights = filled(shape, 11), filled(kernel_shape, 23)
    return KindResult(kind, tensor, weights, rules, convolve(kind, tensor, weights, rules))


def convolve(kind: str, tensor: np.ndarray, kernel: np.ndarray, rules: Sequence[ModeRule]) -> np.ndarray:
    """Convolve a tensor with channels, (..., channels), by one rule a mode (all modes for ``"full"``) to float64.

    The kernel is (..., channels, heads) for ``"heads"``, (channels, heads) for ``"pointwise"``, (..., channels) for
    ``"layerwise"``, (..., heads, channels) for ``"transposed"``, as Keras stores it, and else the filter. InputError
    where the channels differ, the output would have size zero, or there is too much to compute.
    """
    axes = _AXES[kind]
    if "h" in axes and kernel.shape[axes.index("c") - len(axes)] != tensor.shape[-1]:
        raise InputError(
            "Input and filter differ in the number of channels",
            allowed=f"{tensor.shape[-1]} channels",
            received=f"filter {written_sizes(kernel.shape)}",
        )
    count = 1 if kind == "full" else tensor.shape[-1]
    if "h" in axes:
        count = kernel.shape[axes.index("h") - len(axes)]
    parts = [convolve_full(*_channel(kind, tensor, kernel, rules, at)) for at in range(count)]
    return np.concatenate(parts, axis=-1)


def _channel(
    kind: str, tensor: np.ndarray, kernel: np.ndarray, rules: Sequence[ModeRule], channel: int
) -> tuple[np.ndarray, np.ndarray, tuple[ModeRule, ...]]:
    """The full convolution that makes one channel of the output; its last mode has size 1 but for a full one."""
    if kind == "full":
        return tensor, kernel, tuple(rules)
    axes, one = _AXES[kind], slice(channel, channel + 1)
    if kind == "transposed":
        tensor, kernel, rules = _turned(tensor, kernel, rules)
    if "h" in axes:
        kernel = np.take(kernel, channel, axis=axes.index("h") - len(axes))
    else:
        tensor, kernel = tensor[..., one], kernel[..., one] if axes else kernel
    kernel = kernel.reshape(*(rule.kernel for rule in rules), -1)  # (..., channels)
    return tensor, kernel, (*rules, ModeRule(tensor.shape[-1], kernel.shape[-1]))


def _turned(
    tensor: np.ndarray, kernel: np.ndarray, rules: Sequence[ModeRule]
) -> tuple[np.ndarray, np.ndarray, tuple[ModeRule, ...]]:
    """A transposed convolution as a plain one: the input spread out by the strides, the filter turned round."""
    sizes = [(rule.size - 1) * rule.stride + 1 for rule in rules]
    whole = math.prod(size + rule.extent - 1 for size, rule in zip(sizes, rules, strict=True))
    check_limits(whole * max(kernel.shape[-2:]), 0)  # before anything is allocated
    spread = np.zeros((*sizes, tensor.shape[-1]))
    spread[tuple(slice(None, None, rule.stride) for rule in rules)] = tensor
    turned = []
    for size, rule in zip(sizes, rules, strict=True):
        padding = rule.extent - 1 - rule.before
        turned.append(ModeRule(size, rule.kernel, padding, padding, dilation=rule.dilation))
    return spread, np.flip(kernel, range(len(rules))), tuple(turned)
