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
import importlib.util
import statistics
import string
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.shared.reports import RESULTS_DIR
from benchmarks.command import (
    add_output_options,
    carry_out,
    check_positive,
    limit_cores,
    write_results,
)

if TYPE_CHECKING:
    from models.char_lm.language_model import LanguageModel

RESULTS = RESULTS_DIR / "generation.json"
ALPHABET = string.ascii_letters + "\n !$&',-.3:;?"  # the 65 characters of Tiny Shakespeare
PROMPT = "ROMEO:"
TEMPERATURE = 0.8
_SEED = 1
_CHUNK = 64  # of the page
OURS = "lectern"

# Characters of the prompt and how many to write, to what was written.
Write = Callable[[int], np.ndarray]


def random_model(units: int, seed: int = _SEED) -> LanguageModel:
    """Make a language model of one LSTM layer with drawn weights; speed does not depend on what it has learned."""
    from data_prep.text.vocab import Vocabulary
    from models.char_lm.config import CharLMConfig
    from models.char_lm.language_model import KIND, LanguageModel
    from models.presets.kinds import kind_named

    vocabulary = Vocabulary(list(ALPHABET))
    config = CharLMConfig(
        tokens=len(vocabulary), cell="lstm", layers=1, units=units, start=vocabulary.id("\n")
    )
    rng = np.random.default_rng(seed)
    arrays = {
        name: rng.normal(scale=0.1, size=spec.shape).astype(np.float32)
        for name, spec in kind_named(KIND).expected_specs(config).items()
    }
    return LanguageModel(config, vocabulary, arrays)


def noise_of(model: LanguageModel, length: int) -> np.ndarray:
    """Return the noise that our generator adds to the logits, float32 (length, tokens); -inf for PAD and UNK."""
    from data_prep.text.vocab import UNK
    from models.char_lm.generator import Noise, Settings

    settings = Settings(length, temperature=TEMPERATURE, seed=_SEED)
    found = Noise(settings, 1, model.config.tokens).next(length)[:, 0]
    found[:, : UNK + 1] = -np.inf
    return found


def ours(model: LanguageModel) -> dict[str, Write]:
    """Return the application's loop, for a whole text and for one that streams."""
    from models.char_lm.generator import Generator

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


def predict_loop(model: LanguageModel) -> Write:
    """Return the loop of many tutorials: Keras' ``predict`` for every character, the state carried by the layer."""
    from models.char_lm.network import build_char_lm
    from models.layers.recurrent import reset_states
    from models.storage.variables import assign_arrays

    network = build_char_lm(model.config, batch_size=1, stateful=True)
    assign_arrays(network.weights, model.arrays)

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


def torch_loops(model: LanguageModel) -> dict[str, Write]:
    """Return the loops of PyTorch with the same weights; none where it is not installed."""
    if importlib.util.find_spec("torch") is None:
        return {}
    from benchmarks.generation_torch import loops

    return {
        name: lambda length, loop=loop: loop(_read(model), noise_of(model, length), TEMPERATURE)
        for name, loop in loops(model.arrays).items()
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
    found: dict[str, dict[str, Any]] = {}
    for name, write in systems.items():
        began = time.perf_counter()
        write(lengths[name])
        found[name] = {"first_call_seconds": time.perf_counter() - began, "passes": []}
    for _ in range(repeats):
        for name, write in systems.items():
            began = time.perf_counter()
            write(lengths[name])
            found[name]["passes"].append(lengths[name] / (time.perf_counter() - began))
    for one in found.values():
        one["characters_per_second"] = statistics.median(one["passes"])
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
    """Measure all systems.

    Args:
        options: ``units``, ``length``, ``slow_length``, ``repeats``, ``threads``.

    Returns:
        Settings, the numbers of each system, and our speed by PyTorch's best.
    """
    from models.training.run_folder import engine_versions, processor

    model = random_model(options.units)
    systems = {**ours(model), **torch_loops(model), "numpy": numpy_loop(model)}
    slow = {"keras predict": predict_loop(model)}
    lengths = dict.fromkeys(systems, options.length) | dict.fromkeys(slow, options.slow_length)
    shares = agreement(systems | slow, options.slow_length)
    results = measure(systems | slow, lengths, options.repeats)
    for name, share in shares.items():
        results[name]["same_text"] = share
    peers = {name: one for name, one in results.items() if name.startswith("torch")}
    best = max(peers, key=lambda name: peers[name]["characters_per_second"], default=None)
    versions = engine_versions()
    if best is not None:
        versions["torch"] = str(importlib.import_module("torch").__version__)
    return {
        "settings": {
            "units": options.units,
            "characters": len(ALPHABET),
            "length": options.length,
            "slow_length": options.slow_length,
            "chunk": _CHUNK,
            "temperature": TEMPERATURE,
            "cores": options.threads,
            "repeats": options.repeats,
            "processor": processor(),
            "versions": versions,
        },
        "systems": results,
        "best_torch": best,
        "ratio": None
        if best is None
        else results[OURS]["characters_per_second"] / results[best]["characters_per_second"],
    }


def print_results(results: dict[str, Any]) -> None:
    """Print the table of :func:`run`."""
    print("system\tcharacters/s\tslowest pass\tfastest pass\tfirst call, s\tsame text")
    for name, one in results["systems"].items():
        print(
            f"{name}\t{one['characters_per_second']:,.0f}\t{min(one['passes']):,.0f}\t{max(one['passes']):,.0f}\t"
            f"{one['first_call_seconds']:.2f}\t{one['same_text']:.0%}"
        )
    if results["ratio"] is None:
        print("PyTorch is not installed: pip install -r requirements-bench.txt")
    else:
        print(f"ours / PyTorch's best ({results['best_torch']}): {results['ratio']:.2f}")


def main() -> int:
    """Run the benchmark on the arguments of the command line and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.generation", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--units", type=int, default=256, help="units of the LSTM layer")
    parser.add_argument("--length", type=int, default=5000, help="characters of a pass")
    parser.add_argument("--slow-length", type=int, default=100, help="characters of a pass of predict")
    parser.add_argument("--repeats", type=int, default=9, help="passes")
    parser.add_argument("--threads", type=int, default=1, help="processor cores for every system")
    add_output_options(parser, RESULTS)
    options = parser.parse_args()
    check_positive(parser, options, ("units", "length", "slow_length", "repeats", "threads"))
    limit_cores(options.threads)
    return carry_out(options, lambda: run(options), partial(write_results, RESULTS), print_results)


def _read(model: LanguageModel) -> np.ndarray:
    """Return what is read before the first character is written, int (time,)."""
    return np.concatenate([[model.config.start], model.encode(PROMPT)])


if __name__ == "__main__":
    sys.exit(main())
