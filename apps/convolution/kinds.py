"""The kinds of convolution side by side: one small tensor, one filter, the output and the products of any position.

Every kind is a full convolution in disguise: a pointwise one has a filter of size 1 but in the last mode, "the same
filter on each channel" one of size 1 in the last mode, a layerwise (depthwise) one is a full convolution a channel, and
the convolution of a network sets the filter's last size to the input's, drops the mode that is left with size 1, and
has several heads.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from apps.convolution.numbers import MAX_TENSOR, check_whole, filled, read_sizes
from apps.convolution.sizes import BOUNDARIES, ModeRule
from apps.convolution.tensors import Product, check_limits, convolve_full, products_at, strided
from apps.shared.results import Result
from data_prep.errors import InputError

MAX_HEADS = 16
KINDS = {
    "heads": "Channels and heads",
    "full": "Full",
    "pointwise": "Pointwise",
    "same": "Same filter on each channel",
    "layerwise": "Layerwise (depthwise)",
    "transposed": "Transposed",
}
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
        kind: Row of :data:`KINDS`.
        tensor: The input, float64, the channels last.
        kernel: The filter in the shape that the kind takes; heads last (transposed: before the channels).
        rules: How it slides along each mode: without the channels, but for a full convolution.
        output: float64, the channels last.
    """

    kind: str
    tensor: np.ndarray
    kernel: np.ndarray
    rules: tuple[ModeRule, ...]
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
        if self.kind == "transposed":
            return self._written_to(tuple(at[:-1]), at[-1])
        # The numbers of values and weights, convolved in their place, tell which of them meet.
        numbers = [np.arange(array.size).reshape(array.shape) for array in (self.tensor, self.kernel)]
        inputs, kernel, rules = _channel(self.kind, *numbers, self.rules, at[-1])
        spot = at if self.kind == "full" else (*at[:-1], 0)
        return tuple(
            self._product(met.place and _position(met.value, self.tensor), _position(met.weight, self.kernel))
            for met in products_at(inputs, kernel, rules, spot)
        )

    def _product(self, place: tuple[int, ...] | None, tap: tuple[int, ...]) -> Product:
        value = 0.0 if place is None else float(self.tensor[place])
        return Product(place, value, float(self.kernel[tap]), tap)

    def _written_to(self, at: tuple[int, ...], head: int) -> tuple[Product, ...]:
        """Every input and weight that a transposed convolution adds to this output."""
        *taps, _, channels = self.kernel.shape
        found = []
        for tap in np.ndindex(*taps):
            pairs = zip(at, tap, self.rules, strict=True)
            spots = [divmod(p + rule.before - k * rule.dilation, rule.stride) for p, k, rule in pairs]
            inside = (0 <= spot < rule.size for (spot, _), rule in zip(spots, self.rules, strict=True))
            if all(inside) and not any(rest for _, rest in spots):
                place = tuple(spot for spot, _ in spots)
                found += [self._product((*place, c), (*tap, head, c)) for c in range(channels)]
        return tuple(found)


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
        kind: Row of :data:`KINDS`.
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
    full = kind == "full"
    modes = len(shape) if full else len(shape) - 1
    taps = (1,) * modes if kind == "pointwise" else read_sizes(kernel, "The filter", modes=modes)
    steps = [(1, 1) if full and mode == modes - 1 else (stride, dilation) for mode in range(modes)]
    rules = tuple(
        ModeRule(n, k, stride=s, dilation=d).bounded(boundary)
        for n, k, (s, d) in zip(shape, taps, steps, strict=False)
    )
    tensor, weights = filled(shape, seed + 11), filled(_kernel_shape(kind, taps, shape[-1], heads), seed + 23)
    return KindResult(kind, tensor, weights, rules, convolve(kind, tensor, weights, rules))


def convolve(kind: str, tensor: np.ndarray, kernel: np.ndarray, rules: Sequence[ModeRule]) -> np.ndarray:
    """Convolve a tensor with channels.

    Args:
        kind: Row of :data:`KINDS`.
        tensor: (..., channels).
        kernel: ``"heads"``: (..., channels, heads); ``"full"`` and ``"same"``: the filter; ``"pointwise"``: (channels,
            heads); ``"layerwise"``: (..., channels); ``"transposed"``: (..., heads, channels), as Keras stores it.
        rules: One a mode without the channels, but for ``"full"``.

    Returns:
        float64 array, the channels or heads last.

    Raises:
        InputError: The channels differ, the output would have size zero, or there is too much to compute.
    """
    depth = {"heads": -2, "pointwise": -2, "layerwise": -1, "transposed": -1}.get(kind)
    if depth is not None and kernel.shape[depth] != tensor.shape[-1]:
        raise InputError(
            "Input and filter differ in the number of channels",
            allowed=f"{tensor.shape[-1]} channels",
            received=f"{kernel.shape[depth]} channels",
        )
    if kind == "full":
        return convolve_full(tensor, kernel, rules)
    if kind == "transposed":
        return _transposed(tensor, kernel, rules)
    count = kernel.shape[-1] if depth == -2 else tensor.shape[-1]
    parts = [convolve_full(*_channel(kind, tensor, kernel, rules, at)) for at in range(count)]
    return np.concatenate(parts, axis=-1)


def _channel(
    kind: str, tensor: np.ndarray, kernel: np.ndarray, rules: Sequence[ModeRule], channel: int
) -> tuple[np.ndarray, np.ndarray, tuple[ModeRule, ...]]:
    """The full convolution that makes one channel of the output; its last mode has size 1 but for a full one."""
    if kind == "full":
        return tensor, kernel, tuple(rules)
    one = slice(channel, channel + 1)
    if kind == "heads":
        kernel = kernel[..., channel]
    elif kind == "pointwise":
        kernel = kernel[:, channel].reshape(*[1] * len(rules), -1)  # (channels,) to (1, ..., 1, channels)
    else:
        tensor, kernel = tensor[..., one], kernel[..., one] if kind == "layerwise" else kernel[..., None]
    return tensor, kernel, (*rules, ModeRule(tensor.shape[-1], kernel.shape[-1]))


def _transposed(tensor: np.ndarray, kernel: np.ndarray, rules: Sequence[ModeRule]) -> np.ndarray:
    """Send each input value through the filter to where a convolution would have read it; padding is cut off."""
    *inputs, _ = tensor.shape
    whole = [(rule.size - 1) * rule.stride + rule.extent for rule in rules]
    for size, rule in zip(whole, rules, strict=True):
        if size <= 2 * rule.before:
            raise InputError(
                f"The output would have size {size - 2 * rule.before}",
                allowed="cut off less than there is",
                received=rule.before,
            )
    *taps, heads, _ = kernel.shape
    check_limits(math.prod(whole) * heads, tensor.size * math.prod(taps) * heads)
    output = np.zeros((*whole, heads))
    for tap in np.ndindex(*taps):
        output[strided(tap, rules, inputs)] += tensor @ kernel[tap].T  # (..., channels) x (channels, heads)
    return output[
        tuple(slice(rule.before, size - rule.before) for size, rule in zip(whole, rules, strict=True))
    ]


def _kernel_shape(kind: str, taps: tuple[int, ...], channels: int, heads: int) -> tuple[int, ...]:
    shapes = {
        "heads": (*taps, channels, heads),
        "pointwise": (channels, heads),
        "layerwise": (*taps, channels),
        "transposed": (*taps, heads, channels),
    }
    return shapes.get(kind, taps)


def _position(number: float, array: np.ndarray) -> tuple[int, ...]:
    return tuple(map(int, np.unravel_index(int(number), array.shape)))
