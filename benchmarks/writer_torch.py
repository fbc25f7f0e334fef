"""The shipped writer in PyTorch: its weights in loops from token to token, for ``benchmarks.as_used``."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from apps.writer.application import Writer
from models.char_lm.config import embedding_name, recurrent_weights
from models.char_lm.generator import Noise, Settings

# The ids of what is read first and how many tokens are to be written, to the ids that were.
Write = Callable[[np.ndarray, int], np.ndarray]


def torch_loops(writer: Writer, temperature: float, seed: int) -> dict[str, Write]:
    """Return PyTorch's loops by name: steps of nn.LSTM, the same in 8 bits, and nn.LSTMCell in TorchScript."""
    torch = importlib.import_module("torch")  # optional: it is in requirements-bench.txt only
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)  # one row: threads only wait for each other
    stepping = _stepping(torch, writer)
    narrow = torch.ao.quantization.quantize_dynamic(
        _stepping(torch, writer), {torch.nn.LSTM, torch.nn.Linear}, torch.qint8
    )
    networks = {
        "nn.LSTM": stepping,
        "nn.LSTM, 8 bits": narrow,
        "nn.LSTMCell, TorchScript": _scripted(torch, writer),
    }

    def loop(network: Any) -> Write:
        def write(read: np.ndarray, length: int) -> np.ndarray:
            noise = Noise(Settings(length, temperature=temperature, seed=seed), writer.config.tokens).next(
                length
            )
            with torch.inference_mode():
                ids = network(
                    torch.from_numpy(read.astype(np.int64)), torch.from_numpy(noise[:, 0]), temperature
                )
            return ids.numpy()

        return write

    return {name: loop(network) for name, network in networks.items()}


def _parts(torch: Any, writer: Writer) -> tuple[list[Any], list[list[Any]], Any]:
    """Return token vectors and layers' weights by PyTorch's names of each member, and the logits."""
    config, arrays = writer.config, writer.arrays
    vectors = [
        torch.nn.Embedding.from_pretrained(torch.tensor(arrays[f"{embedding_name(member + 1)}/embeddings"]))
        for member in range(config.members)
    ]
    # PyTorch too has the order input, forget, candidate, output.
    layers = [
        {"weight_ih": kernel.T, "weight_hh": recurrent.T, "bias_ih": bias, "bias_hh": 0.0 * bias}
        for kernel, recurrent, bias in recurrent_weights(config, arrays)
    ]
    output = torch.nn.Linear(*arrays["logits/kernel"].shape)
    _fill(torch, output, {"weight": arrays["logits/kernel"].T, "bias": arrays["logits/bias"]})
    members = [layers[at : at + config.layers] for at in range(0, len(layers), config.layers)]
    return vectors, members, output


def _fill(torch: Any, layer: Any, weights: dict[str, np.ndarray]) -> None:
    layer.load_state_dict({name: torch.tensor(np.ascontiguousarray(one)) for name, one in weights.items()})


def _stepping(torch: Any, writer: Writer) -> Any:
    """Return a loop in Python that steps an nn.LSTM a member."""
    vectors, members, output = _parts(torch, writer)
    config = writer.config

    class Stepping(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vectors, self.output = torch.nn.ModuleList(vectors), output
            self.layers = torch.nn.ModuleList(
                torch.nn.LSTM(config.embedding, config.units, config.layers) for _ in members
            )
            for layer, own in zip(self.layers, members, strict=True):
                named = {
                    f"{name}_l{at}": one for at, weights in enumerate(own) for name, one in weights.items()
                }
                _fill(torch, layer, named)

        def step(self, token: Any, states: list[Any]) -> Any:
            outputs = []
            for at, layer in enumerate(self.layers):
                hidden, states[at] = layer(self.vectors[at](token)[:, None], states[at])
                outputs.append(hidden[-1])
            return self.output(torch.cat(outputs, 1))

        def forward(self, read: Any, noise: Any, temperature: float) -> Any:
            states: list[Any] = [None] * len(self.layers)
            for token in read:
                logits = self.step(token[None], states)
            found = []
            for one in noise:
                found.append((logits / temperature + one).argmax(1))
                logits = self.step(found[-1], states)
            return torch.cat(found)

    return Stepping().eval()


def _scripted(torch: Any, writer: Writer) -> Any:
    """Return the whole loop over nn.LSTMCell compiled by TorchScript."""
    vectors, members, output = _parts(torch, writer)
    config = writer.config
    cells = []
    for own in members:
        for at, weights in enumerate(own):
            cells.append(torch.nn.LSTMCell(config.units if at else config.embedding, config.units))
            _fill(torch, cells[-1], weights)

    class Scripted(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vectors, self.cells = torch.nn.ModuleList(vectors), torch.nn.ModuleList(cells)
            self.output, self.depth = output, len(members[0])

        def forward(self, read, noise, temperature: float):
            units = self.cells[0].hidden_size
            hidden = [torch.zeros(1, units) for _ in range(len(self.cells))]
            memory = [torch.zeros(1, units) for _ in range(len(self.cells))]
            found = torch.zeros(noise.size(0), dtype=torch.int64)
            logits = torch.zeros(1, self.output.out_features)
            for at in range(read.size(0) + noise.size(0)):
                if at < read.size(0):
                    token = read[at : at + 1]
                else:
                    token = (logits / temperature + noise[at - read.size(0)]).argmax(1)
                    found[at - read.size(0)] = token[0]
                starts = [vectors(token) for vectors in self.vectors]
                outputs: list[torch.Tensor] = []
                for number, cell in enumerate(self.cells):
                    below = starts[number // self.depth] if number % self.depth == 0 else hidden[number - 1]
                    hidden[number], memory[number] = cell(below, (hidden[number], memory[number]))
                    if number % self.depth == self.depth - 1:
                        outputs.append(hidden[number])
                logits = self.output(torch.cat(outputs, 1))
            return found

    return torch.jit.script(Scripted().eval())
