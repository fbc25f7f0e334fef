"""Characters a second of one LSTM layer that writes, batch 1, with sampling: ours beside PyTorch, NumPy and `predict`.

    python -m benchmarks.generation            one LSTM layer of 256 units, 65 characters
    python -m benchmarks.generation --store    keeps the result for README and page

All systems have the same weights, the same alphabet, the same noise and temperature, and are held to the same number of
processor cores; they write the same text (checked). They take turns, so that a busy moment of the computer meets all of
them. Ours is the loop of the application, from prompt to text, and once more streaming in the page's chunks. PyTorch is
measured if it is installed (``pip install -r requirements-bench.txt``): stepping ``nn.LSTM``, stepping ``nn.LSTMCell``,
and that cell in a loop compiled by TorchScript, all under ``inference_mode``; its best loop counts.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import string
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from apps.writer.application import Writer
from apps.writer.reports import GENERATION
from benchmarks.harness import Option, command, in_turn, seconds_of, settings, version_of
from data_prep.text.vocab import UNK, Vocabulary
from models.char_lm.config import CharLMConfig, char_lm_specs
from models.char_lm.generator import Noise, Settings
from models.storage.variables import assign_arrays

ALPHABET = string.ascii_letters + "\n !$&',-.3:;?"  # the 65 characters of Tiny Shakespeare
PROMPT = "ROMEO:"
TEMPERATURE = 0.8
OURS = "lectern"
OPTIONS = {
    "units": Option(256, "units of the LSTM layer"),
    "length": Option(5000, "characters of a pass"),
    "slow_length": Option(100, "characters of a pass of predict"),
    "repeats": Option(9, "passes"),
    "threads": Option(1, "processor cores for every system"),
}
_SEED = 1
_CHUNK = 64  # of the page

# Characters of the prompt and how many to write, to what was written.
Write = Callable[[int], np.ndarray]


def random_writer(units: int) -> Writer:
    """Make a writer of one LSTM layer with drawn weights; speed does not depend on them."""
    vocabulary = Vocabulary(list(ALPHABET))
    config = CharLMConfig(len(vocabulary), "lstm", layers=1, units=units, start=vocabulary.id("\n"))
    rng = np.random.default_rng(_SEED)
    arrays = {
        name: rng.normal(scale=0.1, size=spec.shape).astype(np.float32)
        for name, spec in char_lm_specs(config).items()
    }
    return Writer(config, arrays, vocabulary=vocabulary)


def noise_of(writer: Writer, length: int) -> np.ndarray:
    """Return the noise that our generator adds to the logits, float32 (length, tokens); -inf for PAD and UNK."""
    settings = Settings(length, temperature=TEMPERATURE, seed=_SEED)
    found = Noise(settings, writer.config.tokens).next(length)[:, 0]
    found[:, : UNK + 1] = -np.inf
    return found


def ours(writer: Writer) -> dict[str, Write]:
    """Return the application's loop, for a whole text and for one that streams."""
    generator, encode = writer.generator, writer.language_model.encode
    settings = {"temperature": TEMPERATURE, "seed": _SEED}

    def write(length: int) -> np.ndarray:
        return encode(generator.generate(PROMPT, length=length, **settings))

    def stream(length: int) -> np.ndarray:
        return encode("".join(generator.stream(PROMPT, length=length, chunk=_CHUNK, **settings)))

    return {OURS: write, f"{OURS}, streaming": stream}


def numpy_loop(writer: Writer) -> Write:
    """Return a loop over NumPy steps of the same layer."""
    model = writer.language_model

    def write(length: int) -> np.ndarray:
        rows, states = model.logits(model.encode_prompt(PROMPT))

        def after(token: int) -> np.ndarray:
            nonlocal states
            states = (model.layers[0].step(model.tables[0][token][None], states[0]),)
            return (states[0][0] @ model.kernel)[0] + model.bias

        return _drawn(noise_of(writer, length), rows[-1], after)

    return write


def predict_loop(writer: Writer) -> Write:
    """Return the loop of many tutorials: Keras' ``predict`` for every character, the state carried by the layer."""
    from models.char_lm.network import build_char_lm
    from models.layers.recurrent import reset_states

    network = build_char_lm(writer.config, batch_size=1, stateful=True)
    assign_arrays(network.weights, writer.arrays)

    def after(token: int) -> np.ndarray:
        return network.predict(np.array([[token]], np.int32), verbose=0)[0, -1]

    def write(length: int) -> np.ndarray:
        reset_states(network)
        *_, logits = map(after, writer.language_model.encode_prompt(PROMPT))
        return _drawn(noise_of(writer, length), logits, after)

    return write


def _drawn(noise: np.ndarray, logits: np.ndarray, after: Callable[[int], np.ndarray]) -> np.ndarray:
    """Draw one token after the other, int32 (length,), from logits and those that a function gives after each token."""
    found = np.empty(len(noise), np.int32)
    for at, one in enumerate(noise):
        found[at] = (logits / TEMPERATURE + one).argmax()
        logits = after(found[at])
    return found


def torch_loops(writer: Writer) -> dict[str, Write]:
    """Return the loops of PyTorch with the same weights; none where it is not installed."""
    if version_of("torch") is None:
        return {}
    torch = importlib.import_module("torch")  # optional: it is in requirements-bench.txt only
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)  # one row: threads only wait for each other
    arrays, names = writer.arrays, ("kernel", "recurrent_kernel", "bias")
    kernel, recurrent, bias = (arrays[f"recurrent1/lstm_cell/{name}"] for name in names)
    # PyTorch too has the order input, forget, candidate, output.
    weights = {"weight_ih": kernel.T, "weight_hh": recurrent.T, "bias_ih": bias, "bias_hh": 0.0 * bias}
    cell = torch.nn.LSTMCell(len(kernel), len(recurrent))
    layer = torch.nn.LSTM(len(kernel), len(recurrent))
    embedding = torch.nn.Embedding.from_pretrained(torch.tensor(arrays["embedding/embeddings"]))
    output = torch.nn.Linear(*arrays["logits/kernel"].shape)
    _fill(torch, cell, weights)
    _fill(torch, layer, {f"{name}_l0": values for name, values in weights.items()})
    _fill(torch, output, {"weight": arrays["logits/kernel"].T, "bias": arrays["logits/bias"]})

    def step_of_layer(inputs: Any, state: tuple[Any, Any]) -> tuple[Any, Any]:
        _, (hidden, memory) = layer(inputs[None], (state[0][None], state[1][None]))
        return hidden[0], memory[0]

    found = {
        "torch nn.LSTM": _stepped(torch, embedding, step_of_layer, output),
        "torch nn.LSTMCell": _stepped(torch, embedding, cell, output),
        "torch nn.LSTMCell, TorchScript": _scripted(torch, embedding, cell, output),
    }
    read = torch.from_numpy(writer.language_model.encode_prompt(PROMPT))

    def written(loop: Any, length: int) -> np.ndarray:
        with torch.inference_mode():
            ids = loop(read, torch.from_numpy(noise_of(writer, length)), TEMPERATURE)
        return ids.numpy().astype(np.int32)

    return {name: partial(written, loop) for name, loop in found.items()}


def _fill(torch: Any, layer: Any, weights: dict[str, np.ndarray]) -> None:
    layer.load_state_dict({name: torch.tensor(np.ascontiguousarray(one)) for name, one in weights.items()})
    layer.eval()


def _stepped(torch: Any, embedding: Any, step: Any, output: Any) -> Any:
    """Return a loop in Python over calls of a layer, which starts from a state of zero."""

    def write(read: Any, noise: Any, temperature: float) -> Any:
        state = (torch.zeros(1, output.in_features), torch.zeros(1, output.in_features))
        for token in read:
            state = step(embedding(token[None]), state)
        found = []
        for one in noise:
            found.append((output(state[0]) / temperature + one).argmax(1))
            state = step(embedding(found[-1]), state)
        return torch.cat(found)

    return write


def _scripted(torch: Any, embedding: Any, cell: Any, output: Any) -> Any:
    """Return the whole loop compiled by TorchScript."""

    class Scripted(torch.nn.Module):
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

    return torch.jit.script(Scripted().eval())


def measure(systems: dict[str, Write], lengths: dict[str, int], repeats: int) -> dict[str, dict[str, Any]]:
    """Time systems in turn, each with as many characters a pass as ``lengths`` says: slow ones write fewer.

    Returns for each system characters a second (median of the passes), all passes, and seconds of its first call.
    """
    works = {name: partial(write, lengths[name]) for name, write in systems.items()}
    first = {name: seconds_of(work) for name, work in works.items()}
    found = {}
    for name, seconds in in_turn(works, repeats).items():
        passes = [lengths[name] / one for one in seconds]
        speed = statistics.median(passes)
        found[name] = {"first_call_seconds": first[name], "passes": passes, "characters_per_second": speed}
    return found


def agreement(systems: dict[str, Write], length: int) -> dict[str, float]:
    """Return the share of characters, up to the first difference, that each system writes as ours does.

    Sums in another order can turn a draw between two nearly equal values, and all that follows is then another text.
    """
    texts = {name: write(length) for name, write in systems.items()}
    expected = texts[OURS]
    return {
        name: float(np.argmax(text != expected) / length if (text != expected).any() else 1.0)
        for name, text in texts.items()
    }


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure all systems; settings, the numbers of each system, and our speed by PyTorch's best."""
    writer = random_writer(options.units)
    systems = {**ours(writer), **torch_loops(writer), "numpy": numpy_loop(writer)}
    slow = {"keras predict": predict_loop(writer)}
    lengths = dict.fromkeys(systems, options.length) | dict.fromkeys(slow, options.slow_length)
    shares = agreement(systems | slow, options.slow_length)
    results = measure(systems | slow, lengths, options.repeats)
    for name, share in shares.items():
        results[name]["same_text"] = share
    speeds = {name: one["characters_per_second"] for name, one in results.items()}
    best = max((name for name in speeds if name.startswith("torch")), key=speeds.get, default=None)
    ratio = None if best is None else speeds[OURS] / speeds[best]
    more = {"characters": len(ALPHABET), "chunk": _CHUNK, "temperature": TEMPERATURE}
    found = settings(options, ("torch",), cores=options.threads, **more)
    return {"settings": found, "systems": results, "best_torch": best, "ratio": ratio}


main = command(__name__, __doc__, GENERATION, run, OPTIONS)
