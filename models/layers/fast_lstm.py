"""An LSTM layer that trains about three times as fast on processors with bfloat16 instructions.

The weights, their names and the arithmetic are those of ``keras.layers.LSTM``. Two things differ. The gradient is
written by hand, so that those of the kernels are one large product behind the loop rather than a small one and a
sum of matrices in every step. And the factors of products may be rounded to bfloat16 (Micikevicius et al. 2018,
"Mixed precision training"; Kalamkar et al. 2019): states, gates and sums stay float32. The loop needs TensorFlow;
with another backend, with a mask, or with Keras' own dropout arguments the layer is the one of Keras.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import keras
from keras import ops

from models.layers.arguments import KeepsArguments, registered

Products = Literal["float32", "bfloat16"]

_CPU_INFO = Path("/proc/cpuinfo")
_INSTRUCTIONS = "amx_bf16"  # AVX512's products in bfloat16 are no faster than those in float32


def chosen_products(wanted: Products | Literal["auto"] = "auto") -> Products:
    """Return what is wanted, for ``"auto"`` what this processor multiplies fastest."""
    if wanted != "auto":
        return wanted
    if keras.backend.backend() != "tensorflow" or not _CPU_INFO.is_file():
        return "float32"
    return "bfloat16" if _INSTRUCTIONS in _CPU_INFO.read_text(encoding="utf-8") else "float32"


@registered
class FastLSTM(KeepsArguments, keras.layers.LSTM):
    """``keras.layers.LSTM`` with a hand-written gradient.

    Args:
        units: Length of the state.
        products: What the factors of products are rounded to in training; outside of it nothing is rounded.
        weight_dropout: Share of the recurrent kernel left out in training, the same for a whole batch (Merity,
            Keskar and Socher 2018, "Regularizing and optimizing LSTM language models").
        **kwargs: As for ``keras.layers.LSTM``.
    """

    def __init__(
        self, units: int, *, products: Products = "float32", weight_dropout: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(units, **kwargs)
        self.products, self.weight_dropout = products, weight_dropout
        if weight_dropout > 0.0:
            self.weight_seed = keras.random.SeedGenerator()

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        """Run over float (batch, time, features); return last output, outputs (batch, time, units), states."""
        plain = self.dropout == 0.0 and self.recurrent_dropout == 0.0 and not self.go_backwards
        if mask is not None or not plain or not training or keras.backend.backend() != "tensorflow":
            return super().inner_loop(sequences, initial_state, mask, training)
        from models.layers.lstm_steps import lstm_sequence

        recurrent = self.cell.recurrent_kernel
        if self.weight_dropout > 0.0:
            recurrent = keras.random.dropout(recurrent, self.weight_dropout, seed=self.weight_seed)
        outputs, hidden, cell = lstm_sequence(
            sequences, self.cell.kernel, recurrent, self.cell.bias, *initial_state, self.products
        )
        outputs = ops.cast(outputs, self.compute_dtype)
        return hidden, outputs, [hidden, cell]
