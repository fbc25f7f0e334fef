"""Convolutions of tensors with any number of modes, in plain NumPy: the kinds of the lecture from one rule.

A *full* convolution slides a filter with as many modes as the input over all of them. Every other kind is a full
convolution in disguise: a pointwise one has a filter of size 1 but in the last mode, "the same filter on each channel"
one of size 1 in the last mode, a layerwise (depthwise) one is a full convolution a channel, and the convolution of a
network sets the filter's last size to the input's, drops the mode that is left with size 1, and has several heads.
As in networks, filters are not flipped (cross-correlation).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from apps.convolution.numbers import MAX_MODES, check_whole
from apps.convolution.sizes import ModeRule, mode_size
from apps.shared.results import Result
from data_prep.errors import InputError

MAX_PRODUCTS = 2_000_000  # multiply-adds of one convolution, a fraction of a second
MAX_ELEMENTS = 1_000_000  # of the padded input and of the output: 8 MB each
BOUNDARIES = ("valid", "zero", "cyclic")
KINDS = {
    "heads": "Channels and heads",
    "full": "Full",
    "pointwise": "Pointwise",
    "same": "Same filter on each channel",
    "layerwise": "Layerwise (depthwise)",
    "transposed": "Transposed",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Product(Result):
    """One product of an output.

    Attributes:
        place: Position in the input, or None for a zero of the padding.
        value: What stands there.
        weight: The filter's weight.
        tap: Position of the weight in the filter.
    """

    place: tuple[int, ...] | None
    value: float
    weight: float
    tap: tuple[int, ...]


def convolve_full(
    tensor: np.ndarray,
    kernel: np.ndarray,
    rules: Sequence[ModeRule] | None = None,
    *,
    cyclic: Sequence[bool] | None = None,
) -> np.ndarray:
    """Slide a filter over every mode of a tensor (cross-correlation).

    Args:
        tensor: The input, 1 to 8 modes.
        kernel: The filter, as many modes.
        rules: Padding, stride and dilation of each mode, with the sizes of ``tensor`` and ``kernel``; None: valid.
        cyclic: For each mode whether it wraps around, so that at stride 1 the output is as long as the input.

    Returns:
        float64 array with as many modes.

    Raises:
        InputError: The modes differ in number, the output would have size zero, or there is too much to compute.
    """
    tensor, kernel = np.asarray(tensor, np.float64), np.asarray(kernel, np.float64)
    rules = plain_rules(tensor.shape, kernel.shape) if rules is None else tuple(rules)
    wraps = (False,) * tensor.ndim if cyclic is None else tuple(cyclic)
    sizes = [mode_size(_wrapped(rule) if wrap else rule) for rule, wrap in zip(rules, wraps, strict=True)]
    check_work(tensor.shape, kernel.shape, rules, sizes)
    padded = tensor
    for mode, (rule, wrap) in enumerate(zip(rules, wraps, strict=True)):
        padded = _padded(padded, mode, _wrapped(rule) if wrap else rule, wrap)
    output = np.zeros(sizes)
    for tap in np.ndindex(*kernel.shape):  # one shifted, strided copy of the input a weight
        window = tuple(
            slice(k * rule.dilation, k * rule.dilation + (size - 1) * rule.stride + 1, rule.stride)
            for k, rule, size in zip(tap, rules, sizes, strict=True)
        )
        output += kernel[tap] * padded[window]
    return output


def products_at(
    tensor: np.ndarray,
    kernel: np.ndarray,
    rules: Sequence[ModeRule],
    at: Sequence[int],
    *,
    cyclic: Sequence[bool],
) -> tuple[Product, ...]:
    """List the products whose sum is one output of :func:`convolve_full`.

    Args:
        tensor: The input.
        kernel: The filter.
        rules: One a mode.
        at: Position of the output.
        cyclic: For each mode whether it wraps around.

    Returns:
        One product a weight, in the order of the filter.
    """
    found = []
    for tap in np.ndindex(*kernel.shape):
        place: list[int] | None = []
        for start, k, rule, wrap in zip(at, tap, rules, cyclic, strict=True):
            spot = start * rule.stride + k * rule.dilation - (0 if wrap else rule.before)
            if wrap:
                spot %= rule.size
            if not 0 <= spot < rule.size or place is None:
                place = None
                continue
            place.append(spot)
        where = None if place is None else tuple(place)
        value = 0.0 if where is None else float(tensor[where])
        found.append(Product(where, value, float(kernel[tap]), tuple(map(int, tap))))
    return tuple(found)


def convolve_heads(
    tensor: np.ndarray, kernels: np.ndarray, rules: Sequence[ModeRule], **options
) -> np.ndarray:
    """Convolve as a network does: all channels at once, several heads.

    Args:
        tensor: (..., channels).
        kernels: (..., channels, heads), the channels as many as the input's.
        rules: One a mode without the channels.
        options: ``cyclic`` as :func:`convolve_full` takes it, without the channels.

    Returns:
        (..., heads).

    Raises:
        InputError: The channels differ, or as :func:`convolve_full`.
    """
    return np.stack(
        [_channels(tensor, head, rules, **options) for head in np.moveaxis(kernels, -1, 0)], axis=-1
    )


def convolve_pointwise(tensor: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """Take weighted sums of the channels.

    Args:
        tensor: (..., channels).
        kernels: (channels, heads).

    Returns:
        (..., heads); a filter of size 1 in every other mode.
    """
    ones = (1,) * (tensor.ndim - 1)
    taps = kernels.reshape(*ones, *kernels.shape)
    return convolve_heads(tensor, taps, plain_rules(tensor.shape[:-1], ones))


def convolve_same(tensor: np.ndarray, kernel: np.ndarray, rules: Sequence[ModeRule], **options) -> np.ndarray:
    """Slide one filter over each channel.

    Args:
        tensor: (..., channels).
        kernel: (...), without a mode for the channels.
        rules: One a mode without the channels.
        options: ``cyclic`` without the channels.

    Returns:
        (..., channels): a full convolution with a filter of one channel.
    """
    wraps = tuple(options.get("cyclic") or (False,) * kernel.ndim)
    channels = ModeRule(tensor.shape[-1], 1)
    return convolve_full(tensor, kernel[..., None], (*rules, channels), cyclic=(*wraps, False))


def convolve_layerwise(
    tensor: np.ndarray, kernel: np.ndarray, rules: Sequence[ModeRule], **options
) -> np.ndarray:
    """Slide a filter of its own over each channel (depthwise convolution).

    Args:
        tensor: (..., channels).
        kernel: (..., channels).
        rules: One a mode without the channels.
        options: ``cyclic`` without the channels.

    Returns:
        (..., channels).

    Raises:
        InputError: The channels differ in number.
    """
    _same_channels(tensor.shape[-1], kernel.shape[-1])
    layers = [
        convolve_full(tensor[..., c], kernel[..., c], rules, **options) for c in range(tensor.shape[-1])
    ]
    return np.stack(layers, axis=-1)


def convolve_transposed(
    tensor: np.ndarray,
    kernels: np.ndarray,
    strides: Sequence[int],
    dilations: Sequence[int],
    crops: Sequence[int],
) -> np.ndarray:
    """Send each input value through the filter to where a convolution would have read it: the map the other way.

    Args:
        tensor: (..., channels).
        kernels: (..., heads, channels), as Keras stores it.
        strides: One a mode without the channels: how far apart two inputs write.
        dilations: One a mode without the channels.
        crops: How much is cut off at both ends of each mode; it undoes as much padding.

    Returns:
        (..., heads), of size (n - 1) stride + (k - 1) dilation + 1 - 2 crop in each mode.

    Raises:
        InputError: The channels differ, nothing would be left, or there is too much to compute.
    """
    _same_channels(tensor.shape[-1], kernels.shape[-1])
    sizes = transposed_sizes(tensor.shape[:-1], kernels.shape[:-2], strides, dilations, crops)
    whole = [size + 2 * crop for size, crop in zip(sizes, crops, strict=True)]
    heads = kernels.shape[-2]
    _check_limits(math.prod(whole) * heads, tensor.size * math.prod(kernels.shape[:-1]))
    output = np.zeros((*whole, heads))
    for tap in np.ndindex(*kernels.shape[:-2]):
        window = tuple(
            slice(k * dilation, k * dilation + (n - 1) * stride + 1, stride)
            for k, dilation, stride, n in zip(tap, dilations, strides, tensor.shape[:-1], strict=True)
        )
        output[window] += tensor @ kernels[tap].T  # (..., channels) x (channels, heads)
    inside = tuple(slice(crop, crop + size) for crop, size in zip(crops, sizes, strict=True))
    return output[inside]


def transposed_sizes(
    inputs: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    crops: Sequence[int],
) -> tuple[int, ...]:
    """Give the output sizes of a transposed convolution.

    Args:
        inputs: Sizes of the input without the channels.
        kernel: Sizes of the filter.
        strides: One a mode.
        dilations: One a mode.
        crops: One a mode, at both ends.

    Returns:
        The sizes.

    Raises:
        InputError: A number is out of range, or nothing would be left.
    """
    sizes = []
    for n, k, stride, dilation, crop in zip(inputs, kernel, strides, dilations, crops, strict=True):
        rule = ModeRule(n, k, crop, crop, stride, dilation)
        size = (n - 1) * stride + rule.extent - 2 * crop
        if size < 1:
            raise InputError(
                f"The output would have size {size}", allowed="cut off less than there is", received=crop
            )
        sizes.append(size)
    return tuple(sizes)


def plain_rules(inputs: Sequence[int], kernel: Sequence[int]) -> tuple[ModeRule, ...]:
    """Give valid positions, stride 1 and dilation 1 in every mode.

    Args:
        inputs: Sizes of the input.
        kernel: Sizes of the filter.

    Returns:
        One rule a mode.

    Raises:
        InputError: They differ in number of modes.
    """
    if len(inputs) != len(kernel):
        raise InputError(
            "A full convolution needs a filter with as many modes as the input",
            allowed=f"{len(inputs)} modes",
            received=f"{len(kernel)} modes",
        )
    return tuple(ModeRule(n, k) for n, k in zip(inputs, kernel, strict=True))


def check_work(
    inputs: Sequence[int], kernel: Sequence[int], rules: Sequence[ModeRule], sizes: Sequence[int]
) -> None:
    """Refuse what does not fit together or would take too long, before anything is allocated.

    Args:
        inputs: Sizes of the input.
        kernel: Sizes of the filter.
        rules: One a mode.
        sizes: Of the output.

    Raises:
        InputError: Modes or sizes differ, or there are too many elements or products.
    """
    check_whole(len(inputs), "The number of modes", 1, MAX_MODES)
    if [rule.size for rule in rules] != list(inputs) or [rule.kernel for rule in rules] != list(kernel):
        raise InputError(
            "The filter does not fit the input: their modes differ",
            allowed=f"a filter of {len(inputs)} modes",
            received=f"input {'×'.join(map(str, inputs))}, filter {'×'.join(map(str, kernel))}",
        )
    padded = math.prod(rule.size + rule.before + rule.after for rule in rules)
    _check_limits(max(padded, math.prod(sizes)), math.prod(sizes) * math.prod(kernel))


def _check_limits(elements: int, products: int) -> None:
    if elements > MAX_ELEMENTS:
        raise InputError(f"A tensor would have {elements:,} elements", allowed=f"at most {MAX_ELEMENTS:,}")
    if products > MAX_PRODUCTS:
        raise InputError(
            f"The convolution would take {products:,} multiply-adds", allowed=f"at most {MAX_PRODUCTS:,}"
        )


def _channels(tensor: np.ndarray, kernel: np.ndarray, rules: Sequence[ModeRule], **options) -> np.ndarray:
    """One head: a full convolution whose last mode has size 1 and is dropped."""
    _same_channels(tensor.shape[-1], kernel.shape[-1])
    wraps = tuple(options.get("cyclic") or (False,) * (tensor.ndim - 1))
    last = ModeRule(tensor.shape[-1], kernel.shape[-1])
    return convolve_full(tensor, kernel, (*rules, last), cyclic=(*wraps, False))[..., 0]


def _same_channels(inputs: int, kernel: int) -> None:
    if inputs != kernel:
        raise InputError(
            "Input and filter differ in the number of channels",
            allowed=f"{inputs} channels",
            received=f"{kernel} channels",
        )


def _wrapped(rule: ModeRule) -> ModeRule:
    if rule.extent > rule.size:
        raise InputError(
            f"The filter ({rule.extent}) is longer than the cyclic mode ({rule.size})",
            allowed=f"a filter of at most {rule.size}",
        )
    return dataclasses.replace(rule, before=0, after=rule.extent - 1)


def _padded(tensor: np.ndarray, mode: int, rule: ModeRule, wrap: bool) -> np.ndarray:
    if not (rule.before or rule.after):
        return tensor
    width = [(0, 0)] * tensor.ndim
    width[mode] = (rule.before, rule.after)
    return np.pad(tensor, width, mode="wrap") if wrap else np.pad(tensor, width)
