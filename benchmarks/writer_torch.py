"""The shipped writer in PyTorch: its weights in loops from token to token, for ``benchmarks.as_used``."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from apps.writer.application import Writer
from models.char_lm.config import embedding_name, recurrent_weights
from models.char_lm.generator import Noise, Settings

# The ids of what is read first and how many tokens are to be written, to the ids that were.
Write = Callable[[np.ndarray, int], np.ndarray]


def torch_loops(writer: Writer, temperature: float, seed: int) -> dict[str, Write]:
    """Return PyTorch's loops by name: steps of nn.LSTM, and the same in 8 bits.

    A loop over nn.LSTMCell that TorchScript compiles is twice as fast as the first, and a fifth of the second.
    """
    torch = importlib.import_module("torch")  # optional: it is in requirements-bench.txt only
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)  # one row: threads only wait for each other
    network = _stepping(torch, writer)
    narrow = torch.ao.quantization.quantize_dynamic(network, {torch.nn.LSTM, torch.nn.Linear}, torch.qint8)

    def write(network: Any, read: np.ndarray, length: int) -> np.ndarray:
        settings = Settings(length, temperature=temperature, seed=seed)
        noise = torch.from_numpy(Noise(settings, writer.config.tokens).next(length)[:, 0])
        with torch.inference_mode():
            return network(torch.from_numpy(read.astype(np.int64)), noise, temperature).numpy()

    return {"nn.LSTM": partial(write, network), "nn.LSTM, 8 bits": partial(write, narrow)}


def _fill(torch: Any, layer: Any, weights: dict[str, np.ndarray]) -> Any:
    layer.load_state_dict({name: torch.tensor(np.ascontiguousarray(one)) for name, one in weights.items()})
    return layer


def _stepping(torch: Any, writer: Writer) -> Any:
    """Return a loop in Python that steps an nn.LSTM a member."""
    config, arrays = writer.config, writer.arrays
    # PyTorch too has the order input, forget, candidate, output.
    weights = [
        {"weight_ih": kernel.T, "weight_hh": recurrent.T, "bias_ih": bias, "bias_hh": 0.0 * bias}
        for kernel, recurrent, bias in recurrent_weights(config, arrays)
    ]

    def layer(member: int) -> Any:
        own = weights[member * config.layers :][: config.layers]
        named = {f"{name}_l{at}": one for at, part in enumerate(own) for name, one in part.items()}
        return _fill(torch, torch.nn.LSTM(config.embedding, config.units, config.layers), named)

    def vectors(member: int) -> Any:
        return torch.nn.Embedding.from_pretrained(
            torch.tensor(arrays[f"{embedding_name(member + 1)}/embeddings"])
        )

    class Stepping(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vectors = torch.nn.ModuleList(map(vectors, range(config.members)))
            self.layers = torch.nn.ModuleList(map(layer, range(config.members)))
            logits = {"weight": arrays["logits/kernel"].T, "bias": arrays["logits/bias"]}
            self.output = _fill(torch, torch.nn.Linear(*arrays["logits/kernel"].shape), logits)

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
