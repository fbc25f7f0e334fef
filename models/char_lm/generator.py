"""Writing with a language model: the whole loop from token to token is one compiled TensorFlow graph.

Why TensorFlow: a call for each token costs many times what the arithmetic of a small network does, and a loop in
Python costs as much again; one ``tf.while_loop``, compiled with XLA, does neither. It runs in chunks, so that a text
streams and can be stopped. Draws are Gumbel-max (Gumbel 1954): the largest of logit plus noise, where the noise of
a token depends on the seed and the token's place alone, so that the size of the chunks does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le, MinLen

from data_prep.errors import InputError
from data_prep.fields import Checked, Count, NonNegative
from data_prep.text.vocab import UNK
from models.char_lm.language_model import LanguageModel, Unknown
from models.char_lm.serving import State
from models.layers.cells import Functions
from models.serving.recurrent import NumpyRecurrent

MAX_LENGTH = 100_000
MAX_BATCH = 64
MAX_SEED = 2**63 - 1

_LOOP_TOKENS = (64, 256)  # sizes of one run of the loop, each compiled when it is first needed
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
    """

    length: Annotated[int, Ge(1), Le(MAX_LENGTH)]
    temperature: NonNegative = 1.0
    top_k: Count | None = None
    top_p: Annotated[float, Gt(0.0), Le(1.0)] | None = None
    seed: Annotated[int, Ge(0), Le(MAX_SEED)] = 0
    stop: Annotated[str, MinLen(1)] | None = None
    chunk: Annotated[int, Ge(1), Le(MAX_LENGTH)] = 64


class Generator:
    """Writes texts with a language model; threads can share it.

    Args:
        language_model: Says what comes next.
    """

    def __init__(self, language_model: LanguageModel) -> None:
        self.language_model = language_model
        self.loop = _Loop(language_model)

    def stream(self, prompt: str, *, unknown: Unknown = "refuse", **settings: Any) -> Iterator[str]:
        """Go on from a prompt, piece by piece; whoever stops asking for pieces stops the writing.

        Args:
            prompt: One token or more.
            unknown: What to do with tokens of the prompt that the model never saw: ``"refuse"`` or ``"map"``.
            **settings: As :class:`Settings` takes them.

        Returns:
            An iterator over the pieces; PAD and UNK are never written.

        Raises:
            InputError: If the prompt is empty or has unknown tokens, or a setting is out of bounds; raised by the
                call itself.
        """
        checked = Settings(**settings)
        pieces = self._pieces(self._prompt(prompt, unknown, checked), checked, 1)
        return (piece for (piece,) in pieces)

    def generate(self, prompt: str, **settings: Any) -> str:
        """Go on from a prompt; return what was written, without the prompt. Arguments as of :meth:`stream`."""
        return "".join(self.stream(prompt, **{"chunk": _LOOP_TOKENS[-1], **settings}))

    def batch(self, prompt: str, n: int, *, unknown: Unknown = "refuse", **settings: Any) -> list[str]:
        """Write ``n`` texts, 1 to 64, after one prompt, side by side; they depend on the seed and on ``n``."""
        _check_whole("The number of texts", n, MAX_BATCH)
        checked = Settings(**{"chunk": _LOOP_TOKENS[-1], **settings})
        ids = self._prompt(prompt, unknown, checked)
        pieces = list(self._pieces(ids, checked, n))
        return ["".join(row) for row in zip(*pieces, strict=True)]

    def _prompt(self, prompt: str, unknown: Unknown, settings: Settings) -> np.ndarray:
        tokens = self.language_model.config.tokens
        if settings.top_k is not None:
            _check_whole("top_k", settings.top_k, tokens)
        ids = self.language_model.encode(prompt, unknown=unknown)
        if len(ids) == 0:
            raise InputError("The prompt is empty", allowed="a text with at least one token", received=prompt)
        return ids

    def _pieces(self, ids: np.ndarray, settings: Settings, rows: int) -> Iterator[list[str]]:
        """Yield the next piece of each row until all have ended."""
        written = [_Written(self.language_model, ids, settings.stop) for _ in range(rows)]
        for chunk in self._chunks(ids, settings, rows):
            yield [text.add(chunk[:, row]) for row, text in enumerate(written)]
            if all(text.ended for text in written):
                return

    def _chunks(self, ids: np.ndarray, settings: Settings, rows: int) -> Iterator[np.ndarray]:
        """Yield the tokens of one chunk after the other, int32 (at most chunk, rows)."""
        model = self.language_model
        read = np.concatenate([[model.config.start], ids])
        logits, state = model.last_logits(read)
        logits = np.repeat(logits[None], rows, axis=0)
        states: Any = tuple(np.repeat(one, rows, axis=1) for one in state)
        noise = Noise(settings, rows, model.config.tokens)
        for done in range(0, settings.length, settings.chunk):
            wanted = min(settings.chunk, settings.length - done)
            found = []
            while wanted:
                part = min(wanted, self.loop.size(rows, settings.chunk))
                tokens, logits, states = self.loop.run(logits, states, noise.next(part), settings)
                found.append(tokens)
                wanted -= part
            yield np.concatenate(found)


class _Written:
    """The text of one row so far, which ends behind the stop string."""

    def __init__(self, language_model: LanguageModel, ids: np.ndarray, stop: str | None) -> None:
        self._decode = language_model.decode
        self._last = ids[-1:]
        self._stop = stop
        self._tail = ""  # the end of the text, too short to hold the stop string
        self.ended = False

    def add(self, ids: np.ndarray) -> str:
        """Take the next tokens; return what they add to the text."""
        if self.ended:
            return ""
        # Words and word pieces are joined to what stands before them.
        piece = self._decode(np.concatenate([self._last, ids]))[len(self._decode(self._last)) :]
        self._last = ids[-1:]
        if self._stop is not None:
            both = self._tail + piece
            found = both.find(self._stop)
            if found >= 0:
                self.ended = True
                piece = both[len(self._tail) : found + len(self._stop)]
            self._tail = both[max(0, len(both) - len(self._stop) + 1) :]
        return piece


class Noise:
    """Gumbel noise of the tokens in the order of their places: a row's depends on seed, row and place alone."""

    def __init__(self, settings: Settings, rows: int, tokens: int) -> None:
        self._shape = (rows, tokens)
        self._greedy = settings.temperature == 0
        keys = [np.array([settings.seed, row], np.uint64) for row in range(rows)]
        self._sources = [np.random.Generator(np.random.Philox(key=key)) for key in keys]

    def next(self, count: int) -> np.ndarray:
        """Return the noise of the next places, float32 (count, rows, tokens); zeros for greedy choice."""
        rows, tokens = self._shape
        if self._greedy:
            return np.zeros((count, rows, tokens), np.float32)
        drawn = np.stack([source.random((count, tokens)) for source in self._sources], axis=1)
        # random() can give 0, whose noise would be -inf: half a step of its grid is added.
        return -np.log(-np.log(drawn + 2.0**-54)).astype(np.float32)


class _Loop:
    """The compiled loop of one language model, one function with and one without filters."""

    def __init__(self, language_model: LanguageModel) -> None:
        self._model = language_model
        self.compiled: dict[bool, Any] = {}

    def size(self, rows: int, chunk: int) -> int:
        """Return how many tokens a row gets in one run, at most."""
        fitting = next((size for size in _LOOP_TOKENS if size >= chunk), _LOOP_TOKENS[-1])
        return max(1, min(fitting, _LOOP_NUMBERS // (rows * self._model.config.tokens)))

    def run(
        self, logits: np.ndarray, states: State, noise: np.ndarray, settings: Settings
    ) -> tuple[np.ndarray, Any, Any]:
        """Draw tokens int32 (count, rows) by noise (count, rows, tokens); return them, then logits and states."""
        count, rows, tokens = noise.shape
        size = self.size(rows, settings.chunk)
        if count < size:  # few shapes, so that the loop is compiled once or twice
            noise = np.concatenate([noise, np.zeros((size - count, rows, tokens), np.float32)])
        filtered = settings.top_k is not None or settings.top_p is not None
        if filtered not in self.compiled:
            self.compiled[filtered] = _compiled(self._model, filtered)
        scale = 1.0 if settings.temperature == 0 else 1.0 / max(settings.temperature, _COLDEST)
        found, logits, states = self.compiled[filtered](
            logits,
            states,
            noise,
            np.int32(count),
            np.float32(scale),
            np.int32(tokens if settings.top_k is None else settings.top_k),
            np.float32(2.0 if settings.top_p is None else settings.top_p),
        )
        return found.numpy()[:count], logits, states


def _compiled(model: LanguageModel, filtered: bool) -> Any:
    """Return the loop as a compiled function; ``filtered`` adds top-k and top-p, which need a sort a token."""
    import tensorflow as tf

    kernel, bias = tf.constant(model.kernel), tf.constant(model.bias)
    steps = [_step(tf, layer) for layer in model.layers]
    tables = {number: tf.constant(table) for number, table in model.tables.items()}
    across = [(tf.constant(layer.kernel), tf.constant(layer.bias)) for layer in model.layers]
    never = np.zeros(model.config.tokens, np.float32)
    never[: UNK + 1] = -np.inf  # padding and the unknown token are no text
    never = tf.constant(never)

    def next_state(token: Any, states: Any) -> tuple[Any, Any]:
        found: list[Any] = []
        for number, (step, state) in enumerate(zip(steps, states, strict=True)):
            if number in tables:
                projected = tf.gather(tables[number], token)
            else:
                weights, offset = across[number]
                projected = tf.matmul(found[-1][0], weights) + offset
            found.append(step(projected, state))
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


def _step(tf: Any, layer: NumpyRecurrent) -> Any:
    """Return one step of a layer in TensorFlow: projected inputs and state to the next state."""
    functions, cell = Functions(tf.sigmoid, tf.tanh), layer.cell
    recurrent = tf.constant(layer.recurrent_kernel)

    def step(projected: Any, state: Any) -> Any:
        before = {name: state[at] for at, name in enumerate(cell.states)}
        after = cell.step(functions, projected, before, recurrent, layer.recurrent_bias)
        return tf.stack([after[name] for name in cell.states])

    return step


def _check_whole(what: str, number: Any, most: int) -> None:
    if not isinstance(number, int) or not 1 <= number <= most:
        raise InputError(
            f"{what} does not fit", allowed=f"a whole number from 1 to {most:,}", received=number
        )
