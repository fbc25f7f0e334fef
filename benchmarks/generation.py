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
import statistics
import string
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from apps.shared.reports import Stored
from apps.writer.reports import GENERATION
from benchmarks.generation_torch import loops
from benchmarks.harness import Option, command, in_turn, print_report, seconds_of, settings, version_of
from data_prep.text.vocab import UNK, Vocabulary
from models.char_lm.config import CharLMConfig, char_lm_specs
from models.char_lm.generator import Generator, Noise, Settings
from models.char_lm.language_model import LanguageModel
from models.char_lm.serving import Arrays
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


def random_model(units: int, seed: int = _SEED) -> tuple[LanguageModel, Arrays]:
    """Make a language model of one LSTM layer with drawn weights, and return both; speed does not depend on them."""
    vocabulary = Vocabulary(list(ALPHABET))
    config = CharLMConfig(
        tokens=len(vocabulary), cell="lstm", layers=1, units=units, start=vocabulary.id("\n")
    )
    rng = np.random.default_rng(seed)
    arrays = {
        name: rng.normal(scale=0.1, size=spec.shape).astype(np.float32)
        for name, spec in char_lm_specs(config).items()
    }
    return LanguageModel(config, vocabulary, arrays), arrays


def noise_of(model: LanguageModel, length: int) -> np.ndarray:
    """Return the noise that our generator adds to the logits, float32 (length, tokens); -inf for PAD and UNK."""
    settings = Settings(length, temperature=TEMPERATURE, seed=_SEED)
    found = Noise(settings, 1, model.config.tokens).next(length)[:, 0]
    found[:, : UNK + 1] = -np.inf
    return found


def ours(model: LanguageModel) -> dict[str, Write]:
    """Return the application's loop, for a whole text and for one that streams."""
    generator = Generator(model)
    settings = {"temperature": TEMPERATURE, "seed": _SEED}

    def write(length: int) -> np.ndarray:
        return model.encode(generator.generate(PROMPT, length=length, **settings))

    def stream(length: int) -> np.ndarray:
        return model.encode("".join(generator.stream(PROMPT, length=length, chunk=_CHUNK, **settings)))

    return {OURS: write, f"{OURS}, streaming": stream}


def numpy_loop(model: LanguageModel) -> Write:
    """Return a loop over NumPy steps of the same layer."""
    layer = model.layers[0]

    def write(length: int) -> np.ndarray:
        noise, found = noise_of(model, length), np.empty(length, np.int32)
        logits, (state,) = model.last_logits(_read(model))
        for at in range(length):
            token = (logits / TEMPERATURE + noise[at]).argmax()
            found[at] = token
            state = layer.step(model.tables[0][token][None], state)
            logits = (state[0] @ model.kernel)[0] + model.bias
        return found

    return write


def predict_loop(model: LanguageModel, arrays: Arrays) -> Write:
    """Return the loop of many tutorials: Keras' ``predict`` for every character, the state carried by the layer."""
    from models.char_lm.network import build_char_lm
    from models.layers.recurrent import reset_states

    network = build_char_lm(model.config, batch_size=1, stateful=True)
    assign_arrays(network.weights, arrays)

    def write(length: int) -> np.ndarray:
        reset_states(network)
        noise, found = noise_of(model, length), np.empty(length, np.int32)
        for token in _read(model):
            logits = network.predict(np.array([[token]], np.int32), verbose=0)[0, -1]
        for at in range(length):
            found[at] = (logits / TEMPERATURE + noise[at]).argmax()
            logits = network.predict(found[None, at : at + 1], verbose=0)[0, -1]
        return found

    return write


def torch_loops(model: LanguageModel, arrays: Arrays) -> dict[str, Write]:
    """Return the loops of PyTorch with the same weights; none where it is not installed."""
    if version_of("torch") is None:
        return {}
    return {
        name: lambda length, loop=loop: loop(_read(model), noise_of(model, length), TEMPERATURE)
        for name, loop in loops(arrays).items()
    }


def measure(systems: dict[str, Write], lengths: dict[str, int], repeats: int) -> dict[str, dict[str, Any]]:
    """Time systems in turn.

    Args:
        systems: Name to loop.
        lengths: Characters that each writes in a pass; slow ones write fewer.
        repeats: Passes.

    Returns:
        For each system characters a second (median of the passes), all passes, and seconds of its first call.
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
    model, arrays = random_model(options.units)
    systems = {**ours(model), **torch_loops(model, arrays), "numpy": numpy_loop(model)}
    slow = {"keras predict": predict_loop(model, arrays)}
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


def show(found: Stored) -> None:
    """Print the table, with the slowest and the fastest pass."""
    print_report(GENERATION.report(found))
    if found["ratio"] is None:
        print("PyTorch is not installed: pip install -r requirements-bench.txt")


def _read(model: LanguageModel) -> np.ndarray:
    """Return what is read before the first character is written, int (time,)."""
    return np.concatenate([[model.config.start], model.encode(PROMPT)])


main = command(__name__, __doc__, GENERATION, run, OPTIONS, show=show)
