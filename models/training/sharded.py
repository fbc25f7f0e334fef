"""Training that uses several cores where one operation is too small for them.

TensorFlow itself, not ``keras.ops``: it runs operations that do not wait for each other side by side. A convolution of
28x28 pixels loses more by being cut up for two cores than it gains; so each operation keeps to one core, and a batch is
cut into equal parts whose gradients are computed side by side and averaged, as with one copy of the network a device.
Batch norm takes its statistics over a part. With another backend a batch stays whole.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import keras

from models.serving.blas_threads import usable_cores


def one_core_an_operation() -> None:
    """Let TensorFlow run operations side by side, each on one core, as long as it has not begun yet."""
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    with suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(usable_cores())


def sharded(model: keras.Model, shards: int) -> keras.Model:
    """Return the same network, trained by the mean of gradients over parts of a batch.

    Args:
        model: A functional network with one input and one output; not compiled yet. Its layers and weights are shared.
        shards: Equal parts; 1 returns the model itself, as any number does without TensorFlow.

    Returns:
        A model whose batches must be a multiple of ``shards``.
    """
    if shards == 1 or keras.backend.backend() != "tensorflow":
        return model
    found = _Sharded(model.inputs[0], model.outputs[0], name=model.name)
    found.shards = shards
    return found


class _Sharded(keras.Model):
    shards = 1

    def train_step(self, data: Any) -> dict[str, Any]:
        """Make one step on images float32 (batch, ...) and labels (batch, ...), or what is ``Taught``."""
        import tensorflow as tf

        x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
        if weights is not None:
            raise ValueError("Parts of a batch have no sample weights.")
        variables = self.trainable_variables
        losses, gradients, outputs = [], [], []
        for part in zip(*(tf.split(one, self.shards) for one in tf.nest.flatten((x, y))), strict=True):
            inputs, labels = tf.nest.pack_sequence_as((x, y), part)
            with tf.GradientTape() as tape:
                outputs.append(self(inputs, training=True))
                loss = self.compute_loss(inputs, labels, outputs[-1], None, training=True)
                scaled = self.optimizer.scale_loss(loss)
            losses.append(loss)
            gradients.append(tape.gradient(scaled, [variable.value for variable in variables]))
        mean = [tf.add_n(parts) / self.shards for parts in zip(*gradients, strict=True)]
        self.optimizer.apply_gradients(zip(mean, variables, strict=True))
        self._loss_tracker.update_state(tf.add_n(losses) / self.shards, sample_weight=tf.shape(x)[0])
        return self.compute_metrics(x, y, tf.concat(outputs, 0), sample_weight=None)
