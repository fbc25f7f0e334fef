"""Steps of a language model as machine code: reading a text, and writing from token to token.

One step of a network reads each of its weights once, so its time is that of bringing them from memory: wide recurrent
layers keep theirs in 8 bits, with one scale for each sum (Jacob et al. 2018, "Quantization and training of neural
networks for efficient integer-arithmetic-only inference"), and are multiplied by float32 states.

All members and layers have one shape, so the weights of all of them are one array each: with M members of L layers of
U units, B blocks of a cell and V tokens, states are float32 (M, L, states of the cell, rows, U).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from models.layers.cells import CELLS, LayerWeights
from models.serving.compiled import OPTIONS, compiled, sigmoid, tanh
from models.serving.int8 import four_dots, interleaved

_WIDE = 1 << 18  # weights of a product that is kept in 8 bits: in float32 they fill a core's cache
_TOGETHER = 4  # rows of a matrix that are multiplied at once
_ORDER = tuple(CELLS)  # a cell's number in the loops below
RNN, LSTM, GRU, MGU = range(4)
UNFILTERED = (1.0, 1, 2.0)  # settings of a run that writes nothing


class Weights(NamedTuple):
    """The weights of all members, one after the other; matrices are float32 or int8, with one scale a row.

    Attributes:
        tables: What a token adds to the sums of a member's first layer, float32 (M, V, B*U).
        kernels: Rows of weights of the other layers' inputs (M*(L-1), B*U, U).
        kernel_scales: Of each row, float32 (M*(L-1), B*U).
        biases: Of those sums, float32 (M*(L-1), B*U).
        recurrent: Rows of weights of the states (M*L, B*U, U).
        recurrent_scales: Of each row, float32 (M*L, B*U).
        recurrent_biases: Of the sums over the state, zeros but for a GRU, float32 (M*L, B*U).
        logits: Rows of weights of the logits (M, V, U).
        logit_scales: Of each row, float32 (M, V).
        logits_bias: Float32 (V,).
    """

    tables: np.ndarray
    kernels: np.ndarray
    kernel_scales: np.ndarray
    biases: np.ndarray
    recurrent: np.ndarray
    recurrent_scales: np.ndarray
    recurrent_biases: np.ndarray
    logits: np.ndarray
    logit_scales: np.ndarray
    logits_bias: np.ndarray

    def member(self, number: int) -> Weights:
        """Return the weights of one member alone, without copying; its share of the logits has no bias."""
        members = len(self.tables)
        own = (array.reshape(members, -1, *array.shape[1:])[number] for array in self[:-1])
        return Weights(*own, np.zeros_like(self.logits_bias))


def stacked(cell: str, members: Sequence[Sequence[LayerWeights]], vectors: Sequence[np.ndarray],
            logits: np.ndarray, bias: np.ndarray) -> Weights:  # fmt: skip
    """Put the weights of Keras layers, (members, layers), and the token vectors of the members into one form."""
    two = CELLS[cell].biases == 2  # of the inputs' sums, and of the state's
    units, columns = members[0][0].recurrent.shape
    layers = [layer for own in members for layer in own]
    upper = [layer for own in members for layer in own[1:]]
    form = partial(_matrices, wide=units * columns >= _WIDE, width=units)
    tables = [
        tokens @ own[0].kernel + (own[0].bias[0] if two else own[0].bias)
        for tokens, own in zip(vectors, members, strict=True)
    ]
    return Weights(
        np.array(tables, np.float32),
        *form([layer.kernel for layer in upper]),
        np.array([layer.bias[0] if two else layer.bias for layer in upper], np.float32).reshape(-1, columns),
        *form([layer.recurrent for layer in layers]),
        np.array([layer.bias[1] if two else np.zeros(columns) for layer in layers], np.float32),
        *form(np.split(logits, len(members))),
        np.array(bias, np.float32),  # not read-only, which would be another type, and all compiled once more
    )


def _matrices(kernels: Sequence[np.ndarray], wide: bool, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns of kernels (width, columns) as rows, four at least, in int8 where wide, and their scales."""
    rows = max(_TOGETHER, *(kernel.shape[1] for kernel in kernels), 0)
    scales, found = np.ones((len(kernels), rows), np.float32), []
    for scale, kernel in zip(scales, kernels, strict=True):
        own = slice(kernel.shape[1])
        if wide:
            scale[own] = np.maximum(np.abs(kernel).max(axis=0), np.float32(1e-30)) / np.float32(127)
            found.append(interleaved(np.rint(kernel / scale[own]).T.astype(np.int8)))
        else:
            found.append(np.zeros((rows, width), np.float32))
            found[-1][own] = kernel.T
    found = np.array(found, np.int8 if wide else np.float32)
    return found.reshape(len(kernels), *(found.shape[1:] if len(kernels) else (1, 1))), scales


def _add_products(matrices, scales, number, inputs, sums, first, last):
    """Add matrices[number] @ inputs to sums (rows, columns) for the columns first to last, four at a time."""


@overload(_add_products, jit_options=OPTIONS)
def _of_type(matrices, scales, number, inputs, sums, first, last):
    """Choose by the type of the weights: inputs, which lie between -1 and 1, meet 8-bit weights as 16-bit numbers."""
    return _add_in_8_bits if matrices.dtype == types.int8 else _add_in_float32


def _add_in_8_bits(matrices, scales, number, inputs, sums, first, last):
    width = inputs.shape[1]
    fine = min(32767, (1 << 31) // (127 * width) - 1)  # sums stay within 32 bits
    values = np.zeros(matrices.shape[2] // _TOGETHER, np.int16)
    for row in range(inputs.shape[0]):
        for at in range(width):
            values[at] = np.int16(np.rint(inputs[row, at] * np.float32(fine)))
        for four in range(first // _TOGETHER, (last + _TOGETHER - 1) // _TOGETHER):
            for at, total in enumerate(four_dots(matrices[number], four, values)):
                column = four * _TOGETHER + at
                if first <= column < last:
                    sums[row, column] += scales[number, column] / np.float32(fine) * np.float32(total)


def _add_in_float32(matrices, scales, number, inputs, sums, first, last):
    width = matrices.shape[2]
    for start in range(first, last, _TOGETHER):
        # The last four begin earlier where they would end too late; what was added already is added 0 times.
        column = max(min(start, last - _TOGETHER), 0)
        for row in range(inputs.shape[0]):
            a = b = c = d = np.float32(0)
            for at in range(width):
                value = inputs[row, at]
                a += matrices[number, column, at] * value
                b += matrices[number, column + 1, at] * value
                c += matrices[number, column + 2, at] * value
                d += matrices[number, column + 3, at] * value
            for at, total in enumerate((a, b, c, d)):
                if start <= column + at < last:
                    sums[row, column + at] += total


@compiled
def _step(cell, weights, tokens, states, sums, reading, gated, logits, at_time):
    """Read one token a row: changes states, and fills logits[at_time + 1]; sums and reading are (rows, B*U)."""
    members, layers, _, rows, units = states.shape
    columns, choices = sums.shape[1], logits.shape[2]
    for row in range(rows):
        for token in range(choices):
            logits[at_time + 1, row, token] = weights.logits_bias[token]
    for member in range(members):
        for layer in range(layers):
            number = member * layers + layer
            below = number - member - 1  # the number of the kernel between this layer and the one below it
            for row in range(rows):
                for column in range(columns):
                    reading[row, column] = weights.recurrent_biases[number, column]
                    if layer == 0:
                        sums[row, column] = weights.tables[member, tokens[at_time, row], column]
                    else:
                        sums[row, column] = weights.biases[below, column]
            if layer > 0:
                _add_products(weights.kernels, weights.kernel_scales, below, states[member, layer - 1, 0], sums,
                              0, columns)  # fmt: skip
            state = states[member, layer]
            matrices, scales = weights.recurrent, weights.recurrent_scales
            if cell == MGU:
                _add_products(matrices, scales, number, state[0], sums, 0, units)
                for row in range(rows):
                    for at in range(units):
                        sums[row, at] = sigmoid(sums[row, at])
                        gated[row, at] = sums[row, at] * state[0, row, at]
                _add_products(matrices, scales, number, gated, sums, units, columns)
            else:
                _add_products(
                    matrices, scales, number, state[0], reading if cell == GRU else sums, 0, columns
                )
            for row in range(rows):
                _gates(cell, sums, reading, state, row)
        _add_products(weights.logits, weights.logit_scales, member, states[member, layers - 1, 0], logits[at_time + 1],
                      0, choices)  # fmt: skip


@compiled
def _gates(cell, sums, reading, state, row):
    """Turn the sums of one row into its next state; ``reading`` are a GRU's sums over its state."""
    units = state.shape[2]
    if cell == LSTM:
        for at in range(units):
            first, forget = sigmoid(sums[row, at]), sigmoid(sums[row, units + at])
            kept = forget * state[1, row, at] + first * tanh(sums[row, 2 * units + at])
            state[1, row, at] = kept
            state[0, row, at] = sigmoid(sums[row, 3 * units + at]) * tanh(kept)
    else:
        for at in range(units):
            if cell == RNN:
                new, candidate = np.float32(1), tanh(sums[row, at])
            elif cell == GRU:
                new = np.float32(1) - sigmoid(sums[row, at] + reading[row, at])
                reset = sigmoid(sums[row, units + at] + reading[row, units + at])
                candidate = tanh(sums[row, 2 * units + at] + reset * reading[row, 2 * units + at])
            else:
                new, candidate = sums[row, at], tanh(sums[row, units + at])
            state[0, row, at] += new * (candidate - state[0, row, at])


@compiled
def run(cell, weights, tokens, noise, settings, states, logits):
    """Read tokens int32 (time, rows), and write where they are negative; changes tokens and states.

    ``logits`` float32 (time + 1, rows, V): the first are given, the others are filled in. To write, ``noise`` float32
    (time, rows, V), -inf for what is never written, and ``settings``: what logits are multiplied by, top-k, top-p.
    """
    rows, columns = tokens.shape[1], weights.tables.shape[2]
    sums, reading = np.empty((rows, columns), np.float32), np.empty((rows, columns), np.float32)
    gated = np.empty((rows, states.shape[4]), np.float32)
    for at in range(len(tokens)):
        for row in range(rows):
            if tokens[at, row] < 0:
                tokens[at, row] = _drawn(logits, noise, at, row, settings)
        _step(cell, weights, tokens, states, sums, reading, gated, logits, at)


@compiled
def _drawn(logits, noise, at, row, settings):
    """Draw one token: the largest sum of logit and noise among those that top-k and top-p leave."""
    scale, top_k, top_p = settings
    tokens = logits.shape[2]
    best, largest = -1, -np.inf
    if top_k >= tokens and top_p > 1.0:
        for token in range(tokens):
            value = logits[at, row, token] * scale + noise[at, row, token]
            if value > largest:
                best, largest = token, value
        return best
    negative = np.empty(tokens)
    for token in range(tokens):
        negative[token] = -logits[at, row, token] * scale if noise[at, row, token] > -np.inf else np.inf
    order = _order(negative)
    total = before = 0.0
    for rank in range(top_k):
        total += np.exp(negative[order[0]] - negative[order[rank]])
    for rank in range(top_k):
        token = order[rank]
        if before >= top_p * total or negative[token] == np.inf:
            break
        before += np.exp(negative[order[0]] - negative[token])
        if noise[at, row, token] - negative[token] > largest:
            best, largest = token, noise[at, row, token] - negative[token]
    return best


@compiled
def _order(values):
    """Return the places of values (n,), the least first, by Shell's sort: np.argsort takes seconds to compile."""
    order = np.empty(len(values), np.int64)
    for at in range(len(values)):
        order[at] = at
    gap = len(values) // 2
    while gap > 0:
        for at in range(gap, len(values)):
            place, free = order[at], at
            while free >= gap and values[order[free - gap]] > values[place]:
                order[free] = order[free - gap]
                free -= gap
            order[free] = place
        gap //= 2
    return order


def number_of(cell: str) -> int:
    """Return the number of a cell in these loops."""
    return _ORDER.index(cell)
