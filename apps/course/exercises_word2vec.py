"""Exercises of the part "Word2vec": masked words, query and keys, attention, steps of SGD, and what is left of it."""

from __future__ import annotations

import math

import numpy as np

from apps.course.answers import Number, Numbers, Words
from apps.course.draws import Random, one_of, whole
from apps.course.exercises import Drawn, Exercises
from apps.course.texts import Thousands
from models.serving.operations import softmax
from models.serving.recurrent import sigmoid

WORD2VEC = Exercises("word2vec", "vectors")
_SENTENCES = (
    "the quick brown fox jumps over that lazy dog",
    "every morning my old neighbour walks his small dog",
    "cold winds from distant hills bring early winter snow",
    "two young sailors saw a great white whale today",
    "bright stars guide small ships across those dark seas",
)
_NAMES = ("red", "green", "blue", "grey")


@WORD2VEC.exercise("window", "Masked token prediction", section="Objective")
def window(random: Random) -> Drawn:
    """List the words that a masked word is predicted from."""
    sentence = str(one_of(random, _SENTENCES))
    words, size = sentence.split(), int(random.integers(1, 4))
    at = int(random.integers(1, len(words) - 1))
    near = words[max(at - size, 0) : at] + words[at + 1 : at + size + 1]
    mistakes = {
        "left": tuple(words[max(at - size, 0) : at]),
        "right": tuple(words[at + 1 : at + size + 1]),
        "mask": tuple(words[max(at - size, 0) : at + size + 1]),
        "wide": tuple(words[max(at - size - 1, 0) : at] + words[at + 1 : at + size + 2]),
    }
    masked = " ".join([*words[:at], "[???]", *words[at + 1 :]])
    values = {"sentence": masked, "k": size, "count": len(near), "word": words[at]}
    query = {"sentence": sentence, "mask": at, "window": size}
    return Drawn(Words(None), tuple(near), mistakes, values, query)


@WORD2VEC.exercise("count-pairs", "Masked token prediction", section="Objective")
def count_pairs(random: Random) -> Drawn:
    """Count the pairs of a masked word and a neighbour."""
    n, k = int(random.integers(8, 40)), int(random.integers(2, 6))
    right = sum(min(k, at) + min(k, n - 1 - at) for at in range(n))
    mistakes = {"edges": 2 * k * n, "left": right // 2, "self": right + n}
    values = {"n": n, "k": k, "lost": 2 * k * n - right, "all": 2 * k * n}
    return Drawn(Number(), right, mistakes, values, {"window": k})


@WORD2VEC.exercise("query", "First layer", section="Objective")
def query(random: Random) -> Drawn:
    """Sum the vectors of the window."""
    before, mask, after = (whole(random, 2, -5, 5) for _ in range(3))
    further = whole(random, 2, -5, 5)
    right = before + after + further
    mistakes = {"mean": right / 3, "mask": right + mask, "left": before, "product": before * after * further}
    values = {"a": before, "m": mask, "b": after, "c": further}
    return Drawn(Numbers((2,), 0.01), right, mistakes, values)


@WORD2VEC.exercise("best-key", "Second layer", section="Objective")
def best_key(random: Random) -> Drawn:
    """Find the key that answers a query."""
    keys, z = whole(random, (4, 2), -5, 6), whole(random, 2, -3, 4, zero=False)
    dots = keys @ z
    cosines = dots / np.maximum(np.linalg.norm(keys, axis=1), 1e-9)
    best, straight, least = int(dots.argmax()), int(cosines.argmax()), int(dots.argmin())
    if np.diff(np.sort(dots))[-1] == 0 or (dots == dots.min()).sum() > 1:
        least = best  # two alike: drawn again
    mistakes = {"direction": (_NAMES[straight],), "smallest": (_NAMES[least],)}
    listed = "; ".join(f"{name} $({key[0]:g}, {key[1]:g})$" for name, key in zip(_NAMES, keys, strict=True))
    return Drawn(Words(1, _NAMES), (_NAMES[best],), mistakes, {"keys": listed, "z": z, "dots": dots})


@WORD2VEC.exercise("dot", "Reminder: dot product", section="Objective")
def dot(random: Random) -> Drawn:
    """Compute a dot product of lengths and an angle."""
    x, y = (int(number) for number in random.choice(np.arange(2, 13), 2, replace=False))
    angle = int(one_of(random, (30, 45, 60, 120, 135, 150)))
    radians = math.radians(angle)
    mistakes = {
        "sine": x * y * math.sin(radians),
        "cosine": math.cos(radians),
        "radians": x * y * math.cos(angle),
        "lengths": float(x * y),
    }
    if angle == 45:
        mistakes["sine"] = x * y * math.cos(radians) ** 2
    values = {"x": x, "y": y, "angle": angle, "cosine": math.cos(radians), "xy": x * y}
    return Drawn(Number(0.01), x * y * math.cos(radians), mistakes, values)


@WORD2VEC.exercise("norm-or-direction", "Reminder: dot product", section="Objective")
def norm_or_direction(random: Random) -> Drawn:
    """Find the length that makes up for a worse direction."""
    short, near, far = (
        int(random.integers(2, 9)),
        int(one_of(random, (0, 30, 45))),
        int(one_of(random, (60, 75))),
    )
    ratio = math.cos(math.radians(near)) / math.cos(math.radians(far))
    mistakes = {"turned": short / ratio, "angle": short * far / max(near, 1), "same": float(short)}
    values = {"short": short, "near": near, "far": far, "a": math.cos(math.radians(near))}
    values["b"] = math.cos(math.radians(far))
    return Drawn(Number(0.05), short * ratio, mistakes, values)


@WORD2VEC.exercise("attention", "Attention", section="Objective")
def attention(random: Random) -> Drawn:
    """Turn dot products into weights."""
    keys, z = whole(random, (3, 2), -1, 2), whole(random, 2, -1, 2, zero=False)
    dots = keys @ z
    right = softmax(dots)
    mistakes = {"unscaled": np.exp(dots), "hard": np.eye(3)[int(dots.argmax())], "sigmoid": sigmoid(dots)}
    values = {"V": keys, "z": z, "dots": dots, "sum": np.exp(dots).sum()}
    return Drawn(Numbers((3,), 0.005), right, mistakes, values)


@WORD2VEC.exercise("sharper", "Attention", section="Objective")
def sharper(random: Random) -> Drawn:
    """Say how a longer query sharpens attention."""
    first, second = sorted(random.choice(np.arange(-10, 20), 2, replace=False) / 10, reverse=True)
    times = int(random.integers(2, 4))
    gap = first - second
    mistakes = {
        "plain": math.exp(gap),
        "linear": times * math.exp(gap),
        "dots": first / second if abs(second) > 0.05 else math.exp(times * gap),
        "linear-gap": times * gap,
    }
    values = {"a": first, "b": second, "times": times, "gap": gap, "before": math.exp(gap)}
    return Drawn(Number(0.02), math.exp(times * gap), mistakes, values)


@WORD2VEC.exercise("pull", "SGD step", section="Objective")
def pull(random: Random) -> Drawn:
    """Move the masked word's vector in a step of SGD."""
    v, z = whole(random, 2, -4, 4), whole(random, 2, -4, 4, zero=False)
    p, rate = float(random.integers(1, 10)) / 10, float(one_of(random, (0.1, 0.5, 0.2)))
    right = v + rate * (1 - p) * z
    mistakes = {
        "away": v - rate * (1 - p) * z,
        "share": v + rate * p * z,
        "whole": v + rate * z,
        "self": v + rate * (1 - p) * v,
    }
    return Drawn(Numbers((2,), 1e-4), right, mistakes, {"v": v, "z": z, "p": p, "rate": rate, "rest": 1 - p})


@WORD2VEC.exercise("push", "SGD step", section="Objective")
def push(random: Random) -> Drawn:
    """Move another word's vector in the same step."""
    u, z = whole(random, 2, -4, 4), whole(random, 2, -4, 4, zero=False)
    p, rate = float(random.integers(1, 10)) / 10, float(one_of(random, (0.1, 0.5, 0.2)))
    right = u - rate * p * z
    mistakes = {"to": u + rate * p * z, "rest": u - rate * (1 - p) * z, "none": u, "whole": u - rate * z}
    return Drawn(Numbers((2,), 1e-4), right, mistakes, {"u": u, "z": z, "p": p, "rate": rate})


@WORD2VEC.exercise("negative-loss", "Approximations to make it fast", section="Benchmark")
def negative_loss(random: Random) -> Drawn:
    """Compute the loss with negative samples."""
    good = float(random.integers(-10, 31)) / 10
    bad = random.choice(np.arange(-20, 21), 2, replace=False) / 10
    loss = -np.log(sigmoid(np.array([good, *-bad])))
    mistakes = {
        "sign": float(-np.log(sigmoid(np.array([good, *bad]))).sum()),
        "word": float(loss[0]),
        "mean": float(loss.mean()),
        "softmax": float(-np.log(softmax(np.array([good, *bad]))[0])),
    }
    values = {"good": good, "bad": bad, "losses": np.round(loss, 3)}
    return Drawn(Number(0.005), float(loss.sum()), mistakes, values)


@WORD2VEC.exercise("fewer-products", "Approximations to make it fast", section="Benchmark")
def fewer_products(random: Random) -> Drawn:
    """Count the dot products of a step, with all words and with a tree."""
    depth, samples = int(random.integers(12, 18)), int(random.integers(4, 16))
    words = 2**depth - int(random.integers(1, 2 ** (depth - 2)))
    mistakes = {
        "zero": np.array([words, samples, depth]),
        "root": np.array([words, samples + 1, math.isqrt(words)]),
        "half": np.array([words, samples + 1, words // 2]),
        "down": np.array([words, samples + 1, depth - 1]),
    }
    values = {
        "n": Thousands(words),
        "k": samples,
        "power": Thousands(2**depth),
        "depth": depth,
        "less": Thousands(2 ** (depth - 1)),
    }
    return Drawn(Numbers((3,)), np.array([words, samples + 1, depth]), mistakes, values)


@WORD2VEC.exercise("review-vector", "Using embeddings", section="Scores")
def review_vector(random: Random) -> Drawn:
    """Classify a review by the mean of its word vectors."""
    words = whole(random, (3, 2), -4, 4)
    w, b = whole(random, 2, -2, 2, zero=False), float(whole(random, (), -2, 2, zero=False))
    mean = words.mean(axis=0)
    right = float(sigmoid(mean @ w + b))
    mistakes = {
        "sum": float(sigmoid(words.sum(axis=0) @ w + b)),
        "score": float(mean @ w + b),
        "bias": float(sigmoid(mean @ w)),
        "last": float(sigmoid(words[-1] @ w + b)),
    }
    values = {"V": words, "w": w, "b": b, "mean": mean, "score": mean @ w + b}
    return Drawn(Number(0.005), right, mistakes, values)
