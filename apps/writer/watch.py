"""What a writer shows while it learns: what it writes, what surprises it, how far back it learns, and its loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from apps.writer.sources import WriterSource
from data_prep.errors import InputError
from data_prep.text.streams import Parts, Tokens
from models.char_lm.config import Arrays, CharLMConfig, char_lm_specs
from models.char_lm.gates import gradient_norms
from models.char_lm.generator import Generator
from models.char_lm.serving import LanguageModel, char_lm_answer
from models.serving.blas_threads import one_blas_thread
from models.storage.variables import variable_arrays
from models.training.watching import Seen

if TYPE_CHECKING:
    import keras

WATCHED = {"prompt": "ROMEO:", "line": "To be, or not to be: that is the question."}
LENGTH, TEMPERATURE, SEED = 160, 0.8, 1  # of what is written after the prompt
_MOST_CHARACTERS = {"prompt": 1_100, "line": 1_100}
_ROWS, _CONTEXT, _COUNTED = (
    32,
    32,
    128,
)  # of the sample: tokens of a row that only give context, and that count
_MADE_CHARACTERS, _MADE_ROWS = 8_000, 40  # at least so many rows
_SMALLEST = 1e-30  # length of a gradient, so that it has a logarithm


class Sample(NamedTuple):
    """A fixed piece of text, in rows that are read side by side.

    ``ids`` int32 (rows, time + 1). ``counts`` bool (rows, time): which of the predictions count. ``answers`` bool
    (rows, time): which of them tell a sign that stood before; none in a text that is not made for that. ``name``:
    ``"held_out"`` or ``"training_sample"``. ``characters``: of what counts.
    """

    ids: np.ndarray
    counts: np.ndarray
    answers: np.ndarray
    name: str
    characters: int


def watched_texts(source: WriterSource, watch: Mapping[str, str]) -> dict[str, str]:
    """Return prompt and line: as given, or what is taken by default, of made lines two of them."""
    default = dict(WATCHED)
    if source.asked:
        line = "\n".join(source.text.split("\n", 2)[:2])
        default = {"prompt": line[:-1], "line": line}
    own = {name: text for name, text in watch.items() if text and text != WATCHED.get(name)}
    return {**default, **own}


def fixed_sample(tokens: Tokens, parts: Parts, split: str, asked: str = "") -> Sample:
    """Choose the sample: where the split has a part to choose on, that; else the end of the training part.

    Args:
        tokens: How the text is read.
        parts: The split text.
        split: Row of ``data_prep.text.streams.SPLITS``.
        asked: The character behind which a sign has to be told, in made lines; empty for other texts.
    """
    name, texts = ("held_out", parts.validation) if split == "slice" else ("training_sample", parts.train)
    text = texts[0] if split == "slice" else texts[-1]
    if asked:
        return _lines(tokens, text, asked, name)
    wanted = 8 * (_CONTEXT + _ROWS * _COUNTED + 1)  # characters that hold so many words, or nearly
    text = text[:wanted] if split == "slice" else text[-wanted:]
    ids = tokens.encode(text)
    context = min(_CONTEXT, len(ids) // 2)
    counted = min(_COUNTED, len(ids) - context - 1)
    rows = min(_ROWS, (len(ids) - context - 1) // max(counted, 1))
    at = np.arange(rows)[:, None] * counted + np.arange(context + counted + 1)
    starts = [*(token.start for token in tokens.tokenizer.tokenize(text)), len(text)]
    counts = np.zeros((rows, context + counted), bool)
    counts[:, context:] = True
    characters = starts[context + 1 + rows * counted] - starts[context + 1]
    return Sample(ids[at], counts, np.zeros_like(counts), name, characters)


def _lines(tokens: Tokens, text: str, asked: str, name: str) -> Sample:
    """Read made lines side by side, three a row: behind the first one, which only gives context, two count."""
    text = text[text.index("\n") :]  # what comes before may be cut
    ids, line = tokens.encode(text), text.index("\n", 1)
    counted = 2 * line
    rows = min(max(_MADE_ROWS, _MADE_CHARACTERS // counted), (len(ids) - line - 1) // counted)
    found = ids[np.arange(rows)[:, None] * counted + np.arange(line + counted + 1)]
    counts = np.zeros((rows, line + counted), bool)
    counts[:, line:] = True
    answers = counts & (found[:, :-1] == tokens.vocabulary.id(asked))
    return Sample(found, counts, answers, name, rows * counted)


def seer(
    config: CharLMConfig, tokens: Tokens, sample: Sample, texts: Mapping[str, str]
) -> Callable[[keras.Model, Mapping[str, str]], Seen]:
    """Make what looks at a network.

    Args:
        config: Of the network.
        tokens: How a text is read.
        sample: Whose loss is measured.
        texts: ``prompt`` and ``line`` as a person gave them.

    Raises:
        InputError: One of the texts is too long, or the line too short.
    """
    for name, most in _MOST_CHARACTERS.items():
        if len(texts[name]) > most:
            raise InputError(
                f"The {name} to watch is too long",
                allowed=f"at most {most} characters",
                received=f"{len(texts[name]):,} characters",
            )
    if len(tokens.encode(texts["line"])) < 2 or not len(tokens.encode(texts["prompt"])):
        raise InputError(
            "A prompt of one token and a line of two are needed to watch a writer",
            received=f"prompt {texts['prompt']!r}, line {texts['line']!r}",
        )
    empty = {name: np.zeros(spec.shape, spec.dtype) for name, spec in char_lm_specs(config).items()}
    Generator(LanguageModel(config, tokens.vocabulary, empty)).opening(length=1)  # its loops are compiled now

    def see(model: keras.Model, watch: Mapping[str, str]) -> Seen:
        arrays = variable_arrays(model.weights)
        language_model = LanguageModel(config, tokens.vocabulary, arrays)
        drawn = {"length": LENGTH, "temperature": TEMPERATURE, "seed": SEED}
        with one_blas_thread():  # small products, beside a training that takes all cores
            written = Generator(language_model).generate(texts["prompt"], unknown="map", **drawn)
            numbers = sample_numbers(config, arrays, sample)
            line = _line(language_model, texts["line"])
        about = {"sample": sample.name, "characters": sample.characters, "answers": int(sample.answers.sum())}
        picture = {"prompt": texts["prompt"], "written": written, **line, **about}
        return Seen(numbers, {**picture, "loss": numbers[f"{sample.name}_loss"]})

    return see


def sample_numbers(config: CharLMConfig, arrays: Arrays, sample: Sample) -> dict[str, float]:
    """Measure the loss of the sample in nats a character; for made lines loss and accuracy of the sign too."""
    inputs, targets = sample.ids[:, :-1], sample.ids[:, 1:]
    logits = char_lm_answer(config, arrays, {"ids": inputs})["logits"]
    logits -= logits.max(axis=2, keepdims=True)
    right = np.take_along_axis(logits, targets[..., None], axis=2)[..., 0]
    nats = np.log(np.exp(logits).sum(axis=2)) - right
    found = {f"{sample.name}_loss": float(nats[sample.counts].sum(dtype=np.float64) / sample.characters)}
    if sample.answers.any():
        hits = logits.argmax(axis=2) == targets
        found[f"{sample.name}_sign_loss"] = float(nats[sample.answers].mean(dtype=np.float64))
        found[f"{sample.name}_sign_accuracy"] = float(hits[sample.answers].mean())
    return found


def _line(model: LanguageModel, text: str) -> dict[str, object]:
    """Say how surprising each token of a line is, and how long the gradient of the last one's loss is at each step.

    ``gradients`` holds for each layer the logarithms to the base of 10 of the lengths by what the steps hand on.
    """
    scores = model.score(text, unknown="map")
    strings = model.vocabulary.decode(range(model.config.tokens))
    lengths = [norms.state for norms in gradient_norms(model.config, model.arrays, scores.ids)]
    return {
        "tokens": [token.text for token in model.tokens.tokenizer.tokenize(text)],
        "nats": scores.nats,
        "likeliest": [strings[number] for number in scores.alternatives[:, 0]],
        "gradients": [np.log10(np.maximum(own, _SMALLEST)) for own in lengths],
    }
