"""Writing with a language model: the whole loop from token to token is one compiled TensorFlow graph.

Why TensorFlow: a call for each token costs many times what the arithmetic of a small network does, and a loop in
Python costs as much again; one ``tf.while_loop``, compiled with XLA, does neither. It runs in chunks, so that a text
streams and can be stopped. Draws are Gumbel-max (Gumbel 1954): the largest of logit plus noise, where the noise of
a token depends on the seed and the token's place alone, so that the size of the chunks does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le, MinLen

from data_prep.errors import InputError
from data_prep.fields import Checked, Count, NonNegative
from data_prep.text.vocab import UNK
from models.char_lm.serving import LanguageModel, Unknown
from models.layers.cells import Functions
from models.serving.recurrent import NumpyRecurrent

MAX_LENGTH = 100_000
MAX_BATCH = 64
MAX_SEED = 2**63 - 1

_LOOP_TOKENS = 256  # of each row that one run of the compiled loop writes, at most
_LOOP_NUMBERS = 1 << 20  # of noise that one run is given, at most
_COLDEST = 1e-30  # a temperature below it draws what this one draws: the most probable token


@dataclass(frozen=True)
class Settings(Checked):
    """How tokens are drawn, checked.

    Args:
        length: Tokens to write, 1 to ``MAX_LENGTH``.
        temperature: Divides the logits; 0 always takes the most probable token.
        top_k: Draw among this number of most probable tokens only; None for all.
        top_p: Draw among the fewest most probable tokens that have this much probability together (of those that
            ``top_k`` left); None for all.
        seed: The same seed gives the same text on the same machine, whatever the chunk size.
        stop: The text ends with the first time that this string is written; None for no such string.
        chunk: Tokens of a piece of a stream.
        texts: How many are written side by side.
    """

    length: Annotated[int, Ge(1), Le(MAX_LENGTH)] = 300
    temperature: NonNegative = 1.0
    top_k: Count | None = None
    top_p: Annotated[float, Gt(0.0), Le(1.0)] | None = None
    seed: Annotated[int, Ge(0), Le(MAX_SEED)] = 0
    stop: Annotated[str, MinLen(1)] | None = None
    chunk: Annotated[int, Ge(1), Le(MAX_LENGTH)] = 64
    texts: Annotated[int, Ge(1), Le(MAX_BATCH)] = 1


class Generator:
    """Writes texts with a language model; threads can share it."""

    def __init__(self, language_model: LanguageModel) -> None:
        self.language_model = language_model
        self.compiled = cache(partial(_compiled, language_model))  # with and without filters

    def stream(self, prompt: str, *, unknown: Unknown = "refuse", **settings: Any) -> Iterator[str]:
        """Go on from a prompt, piece by piece; whoever stops asking for pieces stops the writing.

        Args:
            prompt: One token or more.
            unknown: What to do with tokens of the prompt that the model never saw: ``"refuse"`` or ``"map"``.
            **settings: As :class:`Settings` takes them.

        Raises:
            InputError: If the prompt is empty or has unknown tokens, or a setting is out of bounds; raised by the
                call itself.
        """
        return (piece for (piece,) in self._pieces(prompt, unknown, Settings(**settings, texts=1)))

    def generate(self, prompt: str, **settings: Any) -> str:
        """Go on from a prompt; return what was written, without the prompt. Arguments as of :meth:`stream`."""
        return self.batch(prompt, 1, **settings)[0]

    def batch(self, prompt: str, n: int, *, unknown: Unknown = "refuse", **settings: Any) -> list[str]:
        """Write ``n`` texts, 1 to 64, after one prompt, side by side; they depend on the seed and on ``n``."""
        checked = Settings(**{"chunk": _LOOP_TOKENS, **settings}, texts=n)
        return ["".join(row) for row in zip(*self._pieces(prompt, unknown, checked), strict=True)]

    def _pieces(self, prompt: str, unknown: Unknown, settings: Settings) -> Iterator[list[str]]:
        """Check, then return an iterator over the next piece of each text until all have ended."""
        tokens = self.language_model.config.tokens
        if settings.top_k is not None and settings.top_k > tokens:
            raise InputError("top_k does not fit", allowed=f"1 to {tokens:,}", received=settings.top_k)
        read = self.language_model.encode_prompt(prompt, unknown=unknown)
        return self._written(read, settings)

    def _written(self, read: np.ndarray, settings: Settings) -> Iterator[list[str]]:
        rows, tokens = settings.texts, self.language_model.config.tokens
        texts = [_Written(self.language_model, read[-1:], settings.stop) for _ in range(rows)]
        logits, state = self.language_model.logits(read)
        logits = np.repeat(logits[-1:], rows, axis=0)
        states: Any = tuple(np.repeat(one, rows, axis=1) for one in state)
        noise = Noise(settings, tokens)
        numbers = (  # not of Python: the loop would be compiled for each
            np.float32(1.0 / max(settings.temperature, _COLDEST) if settings.temperature else 1.0),
            np.int32(settings.top_k or tokens),
            np.float32(settings.top_p or 2.0),
        )
        loop = self.compiled(settings.top_k is not None or settings.top_p is not None)
        most = max(1, min(_LOOP_TOKENS, _LOOP_NUMBERS // (rows * tokens)))
        for done in range(0, settings.length, settings.chunk):
            chunk = min(settings.chunk, settings.length - done)
            found = []
            for first in range(0, chunk, most):
                count = min(most, chunk - first)
                # Of one shape, so that the loop is compiled once.
                drawn = np.zeros((most, rows, tokens), np.float32)
                drawn[:count] = noise.next(count)
                ids, logits, states = loop(logits, states, drawn, np.int32(count), *numbers)
                found.append(ids.numpy()[:count])
            yield [text.add(ids) for text, ids in zip(texts, np.concatenate(found).T, strict=True)]
            if all(text.ended for text in texts):
                return


class _Written:
    """The text of one row so far, which ends behind the stop string."""

    def __init__(self, language_model: LanguageModel, last: np.ndarray, stop: str | None) -> None:
        self._decode, self._last, self._stop = language_model.decode, last, stop
        self.text, self.ended = "", False

    def add(self, ids: np.ndarray) -> str:
        """Take the next tokens; return what they add to the text."""
        if self.ended:
            return ""
        # Words and word pieces are joined to what stands before them.
        piece = self._decode(np.append(self._last, ids))[len(self._decode(self._last)) :]
        done, self._last = len(self.text), ids[-1:]
        self.text += piece
        if self._stop is not None:
            found = self.text.find(self._stop, max(0, done - len(self._stop) + 1))
            if found >= 0:
                self.ended, self.text = True, self.text[: found + len(self._stop)]
        return self.text[done:]


class Noise:
    """Gumbel noise of the tokens in the order of their places: a text's depends on seed, number and place alone."""

    def __init__(self, settings: Settings, tokens: int) -> None:
        self._tokens, self._greedy = tokens, settings.temperature == 0
        keys = [np.array([settings.seed, number], np.uint64) for number in range(settings.texts)]
        self._sources = [np.random.Generator(np.random.Philox(key=key)) for key in keys]

    def next(self, count: int) -> np.ndarray:
        """Return the noise of the next places, float32 (count, texts, tokens); zeros for greedy choice."""
        if self._greedy:
            return np.zeros((count, len(self._sources), self._tokens), np.float32)
        drawn = np.stack([source.random((count, self._tokens)) for source in self._sources], axis=1)
        # random() can give 0, whose noise would be -inf: half a step of its grid is added.
        return -np.log(-np.log(drawn + 2.0**-54)).astype(np.float32)


def _compiled(model: LanguageModel, filtered: bool) -> Any:
    """Return the loop as a compiled function; ``filtered`` adds top-k and top-p, which need a sort a token."""
    import tensorflow as tf

    kernel, bias = tf.constant(model.kernel), tf.constant(model.bias)
    steps = [_step(tf, layer, model.tables.get(at)) for at, layer in enumerate(model.layers)]
    never = np.zeros(model.config.tokens, np.float32)
    never[: UNK + 1] = -np.inf  # padding and the unknown token are no text
    never = tf.constant(never)

    def next_state(token: Any, states: Any) -> tuple[Any, Any]:
        found: list[Any] = []
        for step, state in zip(steps, states, strict=True):
            found.append(step(token, found, state))
        last = [state[0] for state in found[model.config.layers - 1 :: model.config.layers]]
        return tf.matmul(tf.concat(last, axis=1), kernel) + bias, tuple(found)

    def loop(logits, states, noise, count, scale, top_k, top_p):
        def body(at, logits, states, found):
            scaled = logits * scale + never
            if filtered:
                token = _draw_filtered(tf, scaled, noise[at], top_k, top_p)
            else:
                token = tf.argmax(scaled + noise[at], axis=1, output_type=tf.int32)
            found = tf.tensor_scatter_nd_update(found, [[at]], token[None])
            return at + 1, *next_state(token, states), found

        found = tf.zeros(tf.shape(noise)[:2], tf.int32)
        begin = (tf.constant(0), logits, states, found)
        _, logits, states, found = tf.while_loop(
            lambda at, *_: at < count, body, begin, parallel_iterations=1
        )
        return found, logits, states

    return tf.function(loop, jit_compile=True)


def _draw_filtered(tf: Any, scaled: Any, noise: Any, top_k: Any, top_p: Any) -> Any:
    """Draw one token a row from the most probable ones: scaled logits and noise (rows, tokens) to int32 (rows,)."""
    values, order = tf.math.top_k(scaled, scaled.shape[1])
    kept = tf.range(scaled.shape[1])[None] < top_k
    shares = tf.nn.softmax(tf.where(kept, values, -np.inf))
    kept &= tf.cumsum(shares, axis=1, exclusive=True) < top_p
    noisy = tf.where(kept, values + tf.gather(noise, order, batch_dims=1), -np.inf)
    best = tf.argmax(noisy, axis=1, output_type=tf.int32)
    return tf.gather(order, best, batch_dims=1)


def _step(tf: Any, layer: NumpyRecurrent, table: np.ndarray | None) -> Any:
    """Return one step of a layer in TensorFlow: token, states of the layers before, and its state to its next one.

    A layer that reads tokens has a table of what each adds to its gates; another one reads the layer before it.
    """
    functions, cell = Functions(tf.sigmoid, tf.tanh), layer.cell
    kernel, bias, recurrent = (tf.constant(one) for one in (layer.kernel, layer.bias, layer.recurrent_kernel))

    def step(token: Any, before: Any, state: Any) -> Any:
        projected = tf.matmul(before[-1][0], kernel) + bias if table is None else tf.gather(table, token)
        values = {name: state[at] for at, name in enumerate(cell.states)}
        values = cell.step(functions, projected, values, recurrent, layer.recurrent_bias)
        return tf.stack([values[name] for name in cell.states])

    return step
