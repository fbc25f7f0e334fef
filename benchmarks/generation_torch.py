"""PyTorch's loops for ``benchmarks.generation``: an LSTM that writes, stepped in three ways."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

# What is read first, the noise of each step, the temperature: to what is written.
Loop = Callable[[np.ndarray, np.ndarray, float], np.ndarray]


def loops(arrays: Mapping[str, np.ndarray]) -> dict[str, Loop]:
    """Make the loops.

    Args:
        arrays: Weights of the Keras network by path, with one LSTM layer.

    Returns:
        Name to loop; all start from a state of zero.
    """
    torch = importlib.import_module("torch")  # optional: it is in requirements-bench.txt only
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)  # one row: threads only wait for each other
    parts = _parts(torch, arrays)
    return {
        "torch nn.LSTM": _stepped(torch, parts, _LSTM(torch, arrays)),
        "torch nn.LSTMCell": _stepped(torch, parts, _cell(torch, arrays)),
        "torch nn.LSTMCell, TorchScript": _scripted(torch, parts, _cell(torch, arrays)),
    }


def _parts(torch: Any, arrays: Mapping[str, np.ndarray]) -> tuple[Any, Any]:
    """Return embedding and output layer."""
    embedding = torch.nn.Embedding.from_pretrained(torch.tensor(arrays["embedding/embeddings"]))
    kernel = arrays["logits/kernel"]
    output = torch.nn.Linear(*kernel.shape)
    output.weight.copy_(torch.tensor(kernel.T))
    output.bias.copy_(torch.tensor(arrays["logits/bias"]))
    return embedding, output


def _fill(torch: Any, layer: Any, arrays: Mapping[str, np.ndarray], suffix: str) -> Any:
    """Set the weights of an LSTM; PyTorch too has the order input, forget, candidate, output."""
    kernel, recurrent, bias = (
        arrays[f"recurrent1/lstm_cell/{name}"] for name in ("kernel", "recurrent_kernel", "bias")
    )
    for name, values in (("weight_ih", kernel.T), ("weight_hh", recurrent.T), ("bias_ih", bias)):
        getattr(layer, f"{name}{suffix}").copy_(torch.tensor(np.ascontiguousarray(values)))
    getattr(layer, f"bias_hh{suffix}").zero_()
    return layer.eval()


def _cell(torch: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    inputs, units = (
        len(arrays["recurrent1/lstm_cell/kernel"]),
        len(arrays["recurrent1/lstm_cell/recurrent_kernel"]),
    )
    return _fill(torch, torch.nn.LSTMCell(inputs, units), arrays, "")


class _LSTM:
    """``nn.LSTM`` called for one step at a time, with the interface of ``nn.LSTMCell``."""

    def __init__(self, torch: Any, arrays: Mapping[str, np.ndarray]) -> None:
        cell = _cell(torch, arrays)
        self.hidden_size = cell.hidden_size
        self._layer = _fill(torch, torch.nn.LSTM(cell.input_size, cell.hidden_size), arrays, "_l0")

    def __call__(self, inputs: Any, state: tuple[Any, Any]) -> tuple[Any, Any]:
        _, (hidden, cell) = self._layer(inputs[None], (state[0][None], state[1][None]))
        return hidden[0], cell[0]


def _stepped(torch: Any, parts: tuple[Any, Any], step: Any) -> Loop:
    """Return a loop in Python over calls of a layer."""
    embedding, output = parts

    def write(read: np.ndarray, noise: np.ndarray, temperature: float) -> np.ndarray:
        with torch.inference_mode():
            state = (torch.zeros(1, step.hidden_size), torch.zeros(1, step.hidden_size))
            noisy, found = torch.from_numpy(noise), []
            for token in torch.from_numpy(np.asarray(read, np.int64)):
                state = step(embedding(token[None]), state)
            for one in noisy:
                token = (output(state[0]) / temperature + one).argmax(1)
                found.append(token)
                state = step(embedding(token), state)
            return torch.cat(found).numpy().astype(np.int32)

    return write


def _scripted(torch: Any, parts: tuple[Any, Any], cell: Any) -> Loop:
    """Return the whole loop compiled by TorchScript."""
    embedding, output = parts

    class Writer(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.cell, self.output = embedding, cell, output

        def forward(self, read, noise, temperature: float):
            hidden = torch.zeros(1, self.cell.hidden_size)
            memory = torch.zeros(1, self.cell.hidden_size)
            found = torch.zeros(noise.size(0), dtype=torch.int64)
            for at in range(read.size(0)):
                hidden, memory = self.cell(self.embedding(read[at : at + 1]), (hidden, memory))
            for at in range(noise.size(0)):
                token = (self.output(hidden) / temperature + noise[at]).argmax(1)
                found[at] = token[0]
                hidden, memory = self.cell(self.embedding(token), (hidden, memory))
            return found

    writer = torch.jit.script(Writer().eval())

    def write(read: np.ndarray, noise: np.ndarray, temperature: float) -> np.ndarray:
        with torch.inference_mode():
            found = writer(
                torch.from_numpy(np.asarray(read, np.int64)), torch.from_numpy(noise), float(temperature)
            )
            return found.numpy().astype(np.int32)

    return write
