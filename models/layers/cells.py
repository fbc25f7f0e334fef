"""The kinds of recurrent cell: names and order of their weights and states. Imports no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CellName = Literal["rnn", "lstm", "gru", "mgu"]


@dataclass(frozen=True)
class Cell:
    """What is to be known about one kind of recurrent layer.

    Args:
        path: Name of the cell in the paths of the layer's weights, ``<layer>/<path>/kernel``.
        blocks: Columns of the kernels by block, each ``units`` wide, in their order.
        states: What is carried from step to step, in the order of the layer's states; the first is the output.
        title: Its name for people.
        biases: Rows of the bias; a GRU of Keras keeps one for each of its two products.
    """

    path: str
    blocks: tuple[str, ...]
    states: tuple[str, ...]
    title: str
    biases: int = 1

    def shapes(self, layer: str, inputs: int, units: int) -> dict[str, tuple[int, ...]]:
        """Give the shapes of the weights of a layer of ``units`` that reads ``inputs`` numbers, by their paths."""
        columns = len(self.blocks) * units
        return {
            f"{layer}/{self.path}/kernel": (inputs, columns),
            f"{layer}/{self.path}/recurrent_kernel": (units, columns),
            f"{layer}/{self.path}/bias": (columns,) if self.biases == 1 else (self.biases, columns),
        }


CELLS: dict[str, Cell] = {
    "rnn": Cell("simple_rnn_cell", ("state",), ("hidden",), "simple recurrent"),
    "lstm": Cell("lstm_cell", ("input", "forget", "candidate", "output"), ("hidden", "cell"), "LSTM"),
    "gru": Cell("gru_cell", ("update", "reset", "candidate"), ("hidden",), "GRU", biases=2),
    "mgu": Cell("mgu_cell", ("forget", "candidate"), ("hidden",), "MGU"),
}
