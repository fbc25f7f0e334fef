"""The loop of ``models.layers.fast_lstm`` in TensorFlow: an LSTM over a sequence, and its gradient written by hand."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def lstm_sequence(
    inputs: Any, kernel: Any, recurrent_kernel: Any, bias: Any, hidden: Any, cell: Any, products: str
) -> tuple[Any, Any, Any]:
    """Run an LSTM (Hochreiter and Schmidhuber 1997, with a forget gate) over float32 sequences (batch, time, features).

    Kernels and bias have ``4 * units`` columns in Keras' order; ``products`` is what their factors are rounded
    to. Returns outputs float32 (batch, time, units), and both states (batch, units) after the last step.
    """
    factor = tf.as_dtype(products)
    units = recurrent_kernel.shape[0]
    # The candidate goes last, so that the three gates are one block for one sigmoid.
    kernel, recurrent_kernel, bias = (
        _candidate_last(tf.convert_to_tensor(weights), units) for weights in (kernel, recurrent_kernel, bias)
    )
    steps_first = tf.transpose(tf.convert_to_tensor(inputs), (1, 0, 2))
    time, batch = tf.shape(steps_first)[0], tf.shape(steps_first)[1]
    flat = tf.cast(tf.reshape(steps_first, (-1, kernel.shape[0])), factor)
    projected = tf.cast(tf.matmul(flat, tf.cast(kernel, factor)), tf.float32) + bias
    projected = tf.reshape(projected, (time, batch, 4 * units))

    @tf.custom_gradient
    def recurrence(projected: Any, recurrent_kernel: Any, hidden: Any, cell: Any) -> Any:
        weights = tf.cast(recurrent_kernel, factor)
        kept = _forward(projected, weights, hidden, cell, units)

        def gradient(outputs_gradient: Any, cell_gradient: Any) -> tuple[Any, ...]:
            return _backward(weights, hidden, cell, kept, outputs_gradient, cell_gradient)

        *_, cells, hiddens = kept
        return (tf.cast(hiddens, tf.float32), cells[-1]), gradient

    states = (tf.convert_to_tensor(hidden), tf.convert_to_tensor(cell))
    outputs, last_cell = recurrence(projected, recurrent_kernel, *states)
    return tf.transpose(outputs, (1, 0, 2)), outputs[-1], last_cell


def _candidate_last(weights: tf.Tensor, units: int) -> tf.Tensor:
    gates, candidate, output = tf.split(weights, (2 * units, units, units), axis=-1)
    return tf.concat([gates, output, candidate], axis=-1)


def _forward(projected: Any, weights: Any, hidden: Any, cell: Any, units: int) -> tuple[Any, ...]:
    """Return gates, candidates, cell states and outputs, each (time, batch, ...)."""
    time = tf.shape(projected)[0]

    def step(at: Any, hidden: Any, cell: Any, *kept: Any) -> tuple[Any, ...]:
        sums = projected[at] + tf.cast(tf.matmul(hidden, weights), tf.float32)
        gates, candidate = tf.sigmoid(sums[:, : 3 * units]), tf.tanh(sums[:, 3 * units :])
        cell = gates[:, units : 2 * units] * cell + gates[:, :units] * candidate
        hidden = tf.cast(gates[:, 2 * units :] * tf.tanh(cell), weights.dtype)
        values = zip(kept, (gates, candidate, cell, hidden), strict=True)
        return at + 1, hidden, cell, *(array.write(at, value) for array, value in values)

    kinds = (tf.float32, tf.float32, tf.float32, weights.dtype)
    arrays = [tf.TensorArray(kind, size=time, element_shape=None) for kind in kinds]
    start = (0, tf.cast(hidden, weights.dtype), cell, *arrays)
    results = tf.while_loop(lambda at, *_: at < time, step, start, parallel_iterations=1)
    return tuple(array.stack() for array in results[3:])


def _backward(
    weights: Any, hidden: Any, cell: Any, kept: tuple[Any, ...], outputs_gradient: Any, cell_gradient: Any
) -> tuple[Any, ...]:
    """Return the gradients of projected inputs, recurrent kernel, and both first states."""
    gates, candidates, cells, hiddens = kept
    time, units = tf.shape(gates)[0], weights.shape[0]
    cells_before = tf.concat([cell[None], cells[:-1]], axis=0)

    def step(at: Any, hidden_gradient: Any, cell_gradient: Any, kept: Any) -> tuple[Any, ...]:
        let_in, keep, show = (gates[at, :, part * units : (part + 1) * units] for part in range(3))
        candidate, shown = candidates[at], tf.tanh(cells[at])
        hidden_gradient += outputs_gradient[at]
        cell_gradient += hidden_gradient * show * (1.0 - shown * shown)
        passed = [cell_gradient * candidate, cell_gradient * cells_before[at], hidden_gradient * shown]
        of_gates = tf.concat(passed, axis=1) * (gates[at] * (1.0 - gates[at]))
        of_candidate = cell_gradient * let_in * (1.0 - candidate * candidate)
        of_sums = tf.cast(tf.concat([of_gates, of_candidate], axis=1), weights.dtype)
        back = tf.cast(tf.matmul(of_sums, weights, transpose_b=True), tf.float32)
        return at - 1, back, cell_gradient * keep, kept.write(at, of_sums)

    start = (time - 1, tf.zeros_like(cell), cell_gradient, tf.TensorArray(weights.dtype, size=time))
    _, first_hidden, first_cell, kept = tf.while_loop(
        lambda at, *_: at >= 0, step, start, parallel_iterations=1
    )
    of_sums = kept.stack()
    before = tf.concat([tf.cast(hidden, weights.dtype)[None], hiddens[:-1]], axis=0)
    before, sums = tf.reshape(before, (-1, units)), tf.reshape(of_sums, (-1, 4 * units))
    of_weights = tf.matmul(before, sums, transpose_a=True)
    return tf.cast(of_sums, tf.float32), tf.cast(of_weights, tf.float32), first_hidden, first_cell
