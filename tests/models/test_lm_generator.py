"""Writing: the compiled loop, its draws, and what it refuses."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.text.streams import learn_tokens
from data_prep.text.vocab import UNK, Vocabulary
from models.char_lm import kernels
from models.char_lm.config import CharLMConfig, char_lm_specs
from models.char_lm.generator import MAX_LENGTH, Generator, Noise, Settings
from models.char_lm.serving import LanguageModel
from models.layers.cells import CELLS

VOCABULARY = Vocabulary(list("abcdefgh \n"))


def drawn(config: CharLMConfig, vocabulary: Vocabulary = VOCABULARY, scale: float = 0.7) -> LanguageModel:
    """A language model with drawn weights."""
    rng = np.random.default_rng(5)
    specs = char_lm_specs(config)
    arrays = {
        name: rng.normal(scale=scale, size=spec.shape).astype(np.float32) for name, spec in specs.items()
    }
    return LanguageModel(config, vocabulary, arrays)


def config(**changes) -> CharLMConfig:
    values = {
        "tokens": len(VOCABULARY),
        "layers": 2,
        "units": 8,
        "embedding": 4,
        "start": VOCABULARY.id("\n"),
    }
    return CharLMConfig(**{**values, **changes})


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(drawn(config()))


def by_hand(model: LanguageModel, prompt: str, settings: Settings, row: int = 0, rows: int = 1) -> str:
    """The loop in NumPy, one call a token, with the same noise and the filters written out."""
    noise = Noise(replace(settings, samples=rows), model.config.tokens).next(settings.length)[:, row]
    logits, state = model.logits(np.concatenate([[model.config.start], model.encode(prompt)]))
    ids = []
    for at in range(settings.length):
        scaled = logits[-1].astype(np.float64) / (settings.temperature or 1.0)
        scaled[: UNK + 1] = -np.inf
        order = np.argsort(-scaled, kind="stable")
        kept = order[: settings.top_k]
        if settings.top_p is not None:
            shares = np.exp(scaled[kept] - scaled.max())
            shares /= shares.sum()
            kept = kept[np.cumsum(shares) - shares < settings.top_p]
        ids.append(int(kept[np.argmax(scaled[kept] + noise[at, kept])]))
        logits, state = model.logits(np.array(ids[-1:]), state)
    return model.decode(np.array(ids))


SETTINGS = [
    {},
    {"temperature": 0.0},
    {"temperature": 0.3},
    {"temperature": 3.0, "seed": 12},
    {"top_k": 1},
    {"top_k": 4, "temperature": 2.0},
    {"top_p": 0.5},
    {"top_k": 5, "top_p": 0.7, "seed": 3},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_writes_what_the_loop_by_hand_writes(generator: Generator, settings: dict) -> None:
    expected = by_hand(generator.language_model, "ab", Settings(60, **settings))
    assert generator.generate("ab", length=60, **settings) == expected


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_is_compiled_rightly(cell: str) -> None:
    model = drawn(config(cell=cell, layers=3 if cell == "lstm" else 2, members=2 if cell == "gru" else 1))
    assert Generator(model).generate("ab", length=50) == by_hand(model, "ab", Settings(50))


@pytest.mark.parametrize("settings", SETTINGS[2:8:3], ids=str)
def test_chunk_size_changes_nothing(generator: Generator, settings: dict) -> None:
    whole = generator.generate("abc", length=300, **settings)
    assert len(whole) == 300
    for chunk in (1, 7, 64, 256, 1000):
        pieces = list(generator.stream("abc", length=300, chunk=chunk, **settings))
        assert "".join(pieces) == whole
        assert [len(piece) for piece in pieces[:-1]] == [chunk] * (len(pieces) - 1)


def test_shorter_texts_are_beginnings_of_longer_ones(generator: Generator) -> None:
    long = generator.generate("ab", length=300, seed=2)
    assert generator.generate("ab", length=41, seed=2) == long[:41]


def test_seeds_repeat_and_differ(generator: Generator) -> None:
    texts = [generator.generate("ab", length=80, seed=seed, temperature=2.0) for seed in (0, 0, 1, 2**63 - 1)]
    assert texts[0] == texts[1]
    assert len(set(texts)) == 3


def test_greedy_is_top_1_whatever_the_seed(generator: Generator) -> None:
    greedy = generator.generate("ab", length=50, temperature=0)
    assert greedy == generator.generate("ab", length=50, temperature=0, seed=9)
    assert greedy == generator.generate("ab", length=50, top_k=1, temperature=5.0)
    assert greedy == generator.generate("ab", length=50, temperature=1e-300)


def test_specials_are_never_written() -> None:
    model = drawn(config())
    model.arrays["logits/bias"][: UNK + 1] = 50.0  # most probable by far
    generator = Generator(model)
    for settings in ({}, {"temperature": 0}, {"temperature": 1e300}, {"top_k": 3}, {"top_p": 0.1}):
        assert set(generator.generate("ab", length=40, **settings)) <= set(VOCABULARY.entries)


def test_draws_have_the_right_frequencies() -> None:
    """Without weights that look back, every draw comes from one distribution."""
    model = drawn(config(layers=1))
    model.arrays["logits/kernel"][:] = 0.0
    bias = model.arrays["logits/bias"][2:]
    wanted = np.exp(bias / 0.8) / np.exp(bias / 0.8).sum()
    counts = Counter(Generator(model).generate("a", length=20_000, temperature=0.8))
    found = np.array([counts[entry] for entry in VOCABULARY.entries]) / 20_000
    assert np.abs(found - wanted).max() < 4 * np.sqrt(wanted * (1 - wanted) / 20_000).max()


def test_a_stop_string_ends_the_text_behind_it(generator: Generator) -> None:
    whole = generator.generate("ab", length=400, temperature=2.0)
    for stop in (whole[100:103], whole[62:66], whole[0]):
        end = whole.find(stop) + len(stop)
        for chunk in (1, 3, 64, 400):
            text = "".join(generator.stream("ab", length=400, temperature=2.0, stop=stop, chunk=chunk))
            assert text == whole[:end]
    assert "".join(generator.stream("ab", length=400, temperature=2.0, stop="zz")) == whole


def test_a_stop_string_in_the_prompt_does_not_count(generator: Generator) -> None:
    whole = generator.generate("abab", length=50, seed=4)
    text = generator.generate("abab", length=50, seed=4, stop="b" + whole[0])
    assert len(text) > 1 or whole[0] == "b"


def test_nobody_asks_nothing_is_written(generator: Generator) -> None:
    stream = generator.stream("ab", length=MAX_LENGTH, chunk=10)
    assert len(next(stream)) == 10
    stream.close()


def test_a_batch_writes_different_texts_that_repeat(generator: Generator) -> None:
    texts = generator.batch("ab", 5, length=60, temperature=2.0, seed=3)
    assert len(set(texts)) == 5
    assert texts == generator.batch("ab", 5, length=60, temperature=2.0, seed=3)
    assert generator.batch("ab", 1, length=60, temperature=2.0, seed=3) == [
        generator.generate("ab", length=60, temperature=2.0, seed=3)
    ]
    model, settings = generator.language_model, Settings(60, temperature=2.0, seed=3)
    assert texts == [by_hand(model, "ab", settings, row, 5) for row in range(5)]


def test_a_batch_stops_each_text_by_itself(generator: Generator) -> None:
    whole = generator.batch("ab", 4, length=200, temperature=2.0)
    for text, full in zip(
        generator.batch("ab", 4, length=200, temperature=2.0, stop="c"), whole, strict=True
    ):
        assert text == (full[: full.find("c") + 1] if "c" in full else full)


def test_words_follow_the_prompt_with_a_space() -> None:
    tokens = learn_tokens(["the dog sees the old garden ."], "word")
    model = drawn(config(tokens=len(tokens.vocabulary), tokenizer="word", start=UNK), tokens.vocabulary)
    generator = Generator(model)
    text = generator.generate("the dog", length=6)
    assert text.startswith(" ") and len(text.split()) == 6
    assert "".join(generator.stream("the dog", length=6, chunk=1)) == text


def test_pieces_are_joined_across_chunks() -> None:
    tokens = learn_tokens(["dogs gardens walking walked garden dog " * 5], "piece", max_size=34)
    model = drawn(config(tokens=len(tokens.vocabulary), tokenizer="piece", start=UNK), tokens.vocabulary)
    generator = Generator(model)
    whole = generator.generate("dog", length=40)
    assert "##" not in whole
    assert "".join(generator.stream("dog", length=40, chunk=1)) == whole


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"length": 0}, "length does not fit. Allowed: greater than or equal to 1. Received: 0"),
        ({"length": 1_000_000}, "length does not fit. Allowed: less than or equal to 100000"),
        ({"length": 2.5}, "length does not fit. Allowed: a whole number"),
        ({"length": True}, "length does not fit. Allowed: a whole number"),
        ({"temperature": -0.1}, "temperature does not fit"),
        ({"temperature": math.nan}, "temperature does not fit"),
        ({"temperature": math.inf}, "temperature does not fit"),
        ({"temperature": "hot"}, "temperature does not fit"),
        ({"top_k": 0}, "top_k does not fit"),
        ({"top_k": len(VOCABULARY) + 1}, f"top_k does not fit.*1 to {len(VOCABULARY)}"),
        ({"top_p": 0.0}, "top_p does not fit"),
        ({"top_p": 1.1}, "top_p does not fit"),
        ({"top_p": math.nan}, "top_p does not fit"),
        ({"seed": -1}, "seed does not fit"),
        ({"seed": 2**64}, "seed does not fit"),
        ({"chunk": 0}, "chunk does not fit"),
        ({"stop": ""}, "stop does not fit"),
        ({"prompt": ""}, "prompt is empty"),
        ({"prompt": "aΩ"}, "'Ω' at 1"),
        ({"prompt": 5}, "A text is needed"),
        ({"unknown": "drop"}, "What to do with unknown tokens"),
    ],
)
def test_bad_settings_are_refused_by_the_call_itself(
    generator: Generator, changes: dict, message: str
) -> None:
    arguments = {"prompt": "ab", "length": 10, **changes}
    with pytest.raises(InputError, match=message):
        generator.stream(arguments.pop("prompt"), **arguments)


@pytest.mark.parametrize("n", [0, 65, 1.5])
def test_batches_have_a_size(generator: Generator, n) -> None:
    with pytest.raises(InputError, match="samples does not fit"):
        generator.batch("ab", n, length=5)


def test_an_unknown_character_can_be_mapped(generator: Generator) -> None:
    assert len(generator.generate("aΩ", length=12, unknown="map")) == 12


def test_one_compilation_serves_all_lengths_chunks_and_filters() -> None:
    list(Generator(drawn(config())).stream("a", length=1))
    compiled = set(kernels.run.signatures)
    for layers, filters in ((1, {}), (2, {"top_k": 3}), (3, {"top_p": 0.5})):
        generator = Generator(drawn(config(layers=layers)))
        for length, chunk in ((1, 1), (30, 7), (300, 64), (700, 256), (600, 1000)):
            list(generator.stream("a", length=length, chunk=chunk, temperature=1.0 + length, **filters))
    assert set(kernels.run.signatures) == compiled
