"""Exercises of the part "Generation": drawing tokens, temperature, targets, loss, and what is copied."""

from __future__ import annotations

import math
from difflib import SequenceMatcher

import numpy as np

from apps.course.answers import Number, Numbers, Text, Words
from apps.course.draws import Random, one_of
from apps.course.exercises import Drawn, Exercises, Said
from apps.course.opened import writer
from apps.course.texts import Thousands
from models.serving.operations import softmax

GENERATION = Exercises("generation", "writer")
_FEEDBACK, _DIE, _NEXT, _SAMPLE = (
    "RNN generation",
    "Generating from a language model",
    "Sequence completion",
    "Sampling from an RNN-LM",
)
_WORDS = (
    "house", "river", "storm", "light", "music", "bread", "plant", "north", "field", "dream", "chair", "stone", "water",
    "birds", "cloud", "ocean", "paper", "table", "queen", "night", "earth", "flame", "glass", "horse", "voice",
)  # fmt: skip
_LINES = (
    "the king is in the garden with the queen",
    "a rose by any other name would smell as sweet",
    "we shall meet by the river when the moon is high",
    "my lord the night is dark and the road is long",
    "come let us sing and dance until the morning",
    "the winter is long and cold in the northern hills",
    "he speaks of love and war to all who listen",
    "bring me the golden cup that stands on the table",
)
_STARTS, _ENDS = (
    ("and so", "yet", "they say", "o", "but then"),
    ("again", "alone", "once more", "at last", "no more"),
)
_MOST_PROMPT, _BEFORE = 100, 10  # characters of a prompt, and those of its end that have to stand in the text
_COPIED = (
    "Enter KING RICHARD",
    "Call QUEEN ELIZAB",
    "Where is DUKE VINCEN",
    "Say, FRIAR LAUREN",
    "Here stands QUEEN MARGA",
)


def _entropy(shares: np.ndarray, base: float = 2.0) -> float:
    return float(-(shares * np.log(shares)).sum() / math.log(base))


@GENERATION.exercise("temperature", _DIE, section="Write")
def temperature(random: Random) -> Drawn:
    """Apply a temperature to logits."""
    logits = random.permutation(np.arange(-2, 4))[:3].astype(np.float64)
    t = float(one_of(random, (0.5, 2.0, 0.25, 4.0)))
    plain = softmax(logits)
    mistakes = {"times": softmax(logits * t), "plain": plain, "shares": plain / t, "power": plain ** (1 / t)}
    values = {"z": logits, "t": t, "divided": logits / t}
    return Drawn(Numbers((3,), 0.005), softmax(logits / t), mistakes, values)


@GENERATION.exercise("entropy", _DIE, section="Write")
def entropy(random: Random) -> Drawn:
    """Find the temperature at which a distribution has a given entropy."""
    logits = random.permutation(np.arange(-1, 5))[:4].astype(np.float64)
    t = float(random.integers(8, 50)) / 20
    wanted = _entropy(softmax(logits / t))
    bounds = [0.05, 50.0]
    for _ in range(60):
        middle = math.sqrt(bounds[0] * bounds[1])
        bounds[int(_entropy(softmax(logits / middle), math.e) > wanted)] = middle
    mistakes = {"turned": 1 / t, "one": 1.0}
    if bounds[0] < 40:  # a fair die of four sides has 1.39 nats, and no temperature gives more
        mistakes["nats"] = bounds[0]
    cold, warm = (round(_entropy(softmax(logits / each)), 2) for each in (t / 2, 2 * t))
    values = {"z": logits, "H": round(wanted, 3), "cold": cold, "warm": warm, "half": t / 2, "double": 2 * t}
    return Drawn(Number(0.03), t, mistakes, values)


@GENERATION.exercise("top-k", _DIE, section="Write")
def top_k(random: Random) -> Drawn:
    """Keep the k most probable tokens."""
    parts = random.choice(np.arange(1, 15), 5, replace=False) * 1.0
    shares = np.round(parts / parts.sum(), 2)
    shares[0] = round(1 - shares[1:].sum(), 2)
    k = int(random.integers(2, 4))
    order = np.argsort(-shares)
    kept = np.where(np.isin(np.arange(5), order[:k]), shares, 0.0)
    more = np.where(np.isin(np.arange(5), order[: k + 1]), shares, 0.0)
    equal = (kept > 0) / k
    mistakes = {"unscaled": kept, "more": more / more.sum(), "equal": equal, "first": np.eye(5)[order[0]]}
    values = {"p": shares, "k": k, "sum": kept.sum()}
    return Drawn(Numbers((5,), 0.005), kept / kept.sum(), mistakes, values)


@GENERATION.exercise("top-p", _DIE, section="Write")
def top_p(random: Random) -> Drawn:
    """Keep the fewest tokens that have so much probability together."""
    letters = random.permutation(list("aeiostn"))[:5].tolist()
    shares = -np.sort(-random.choice(np.arange(2, 14), 5, replace=False)) * 1.0
    shares = np.round(shares / shares.sum(), 2)
    p = float(random.integers(50, 92)) / 100
    sums = np.cumsum(shares)
    count = int((sums < p - 1e-9).sum()) + 1
    order = random.permutation(5)
    mistakes = {
        "short": tuple(letters[: count - 1]) if count > 1 else tuple(letters[:count]),
        "long": tuple(letters[: count + 1]),
        "order": tuple(letters[at] for at in order[: int((np.cumsum(shares[order]) < p - 1e-9).sum()) + 1]),
    }
    kind, rank = _AnyOrder(None, tuple(letters)), dict(zip(letters, shares, strict=True))
    listed = ", ".join(f"{letters[at]} {shares[at]:g}" for at in order)
    values = {
        "shares": listed,
        "p": p,
        "ranked": " ".join(letters),
        "sums": sums,
        "first": max(rank, key=rank.get),
    }
    return Drawn(kind, tuple(letters[:count]), mistakes, values)


class _AnyOrder(Words):
    """Words whose order does not matter."""

    def same(self, one: tuple[str, ...], other: tuple[str, ...]) -> bool:
        return sorted(one) == sorted(other)


@GENERATION.exercise("roll", _DIE, section="Write")
def roll(random: Random) -> Drawn:
    """Draw a token with a random number."""
    letters = random.permutation(list("aeiou"))[:4].tolist()
    parts = random.choice(np.arange(1, 8), 4, replace=False)
    shares = parts / parts.sum()
    shares = np.round(shares, 2)
    shares[3] = round(1 - shares[:3].sum(), 2)
    number = float(random.integers(5, 96)) / 100
    sums = np.cumsum(shares)
    back = np.cumsum(shares[::-1])
    mistakes = {
        "largest": (letters[int(shares.argmax())],),
        "below": (letters[int(np.abs(shares - number).argmin())],),
        "back": (letters[3 - int((back <= number).sum())] if number < back[-1] else letters[0],),
    }
    if np.abs(sums - number).min() < 0.005 or len({name for (name,) in mistakes.values()}) < 3:
        mistakes["below"] = mistakes["largest"]  # on an edge, or alike: drawn again
    listed = ", ".join(f"{letter} {share:g}" for letter, share in zip(letters, shares, strict=True))
    values = {"shares": listed, "r": number, "sums": sums}
    return Drawn(Words(1, tuple(letters)), (letters[int((sums <= number).sum())],), mistakes, values)


@GENERATION.exercise("feedback", _FEEDBACK, section="Unrolled")
def feedback(random: Random) -> Drawn:
    """Copy outputs back to the input."""
    letters = random.permutation(list("abdeglnost"))[:4].tolist()
    table = np.stack([random.permutation([1, 2, 3, 4]) for _ in range(4)]) / 10
    start = int(random.integers(4))

    def written(follow: np.ndarray, *, again: bool = True) -> tuple[str, ...]:
        at, found = start, []
        for _ in range(4):
            after = int(follow[at].argmax())
            found.append(letters[after])
            at = after if again else start
        return ("".join(found),)

    right = written(table)
    mistakes = {
        "stuck": written(table, again=False),
        "columns": written(table.T + np.eye(4)[::-1] * 1e-6),
        "prompt": (letters[start] + right[0][:3],),
    }
    values = {"letters": ", ".join(letters), "P": table, "start": letters[start], "first": right[0][0]}
    return Drawn(Words(), right, mistakes, values)


@GENERATION.exercise("targets", _NEXT, section="Unrolled")
def targets(random: Random) -> Drawn:
    """Give the targets of next token prediction."""
    letters = list(str(one_of(random, _WORDS)))
    mistakes = {
        "same": ("start", *letters[:-1]),
        "late": (*letters[1:], "end"),
        "turned": tuple(letters[::-1]),
    }
    values = {"word": "".join(letters), "inputs": " ".join(["start", *letters[:-1]]), "first": letters[0]}
    values["second"] = letters[1]
    return Drawn(Words(5), tuple(letters), mistakes, values)


@GENERATION.exercise("loss", _NEXT, section="Read")
def loss(random: Random) -> Drawn:
    """Compute the loss of a text, and say it as perplexity."""
    p = random.choice([0.5, 0.25, 0.1, 0.2, 0.05, 0.8, 0.4], 4, replace=False)
    nats = -np.log(p)
    mean = float(nats.mean())
    mistakes = {
        "bits": np.array([mean / math.log(2), 2 ** (mean / math.log(2)) + 0.0]),
        "sum": np.array([nats.sum(), math.exp(nats.sum())]),
        "before": np.array([-math.log(p.mean()), 1 / p.mean()]),
        "loss-twice": np.array([mean, mean]),
    }
    values = {"p": p, "nats": np.round(nats, 3), "mean": mean}
    return Drawn(Numbers((2,), 0.01), np.array([mean, math.exp(mean)]), mistakes, values, {})


@GENERATION.exercise("compressed", _NEXT, section="Read")
def compressed(random: Random) -> Drawn:
    """Turn a loss into the size of a compressed text."""
    nats, count = float(random.integers(110, 200)) / 100, 1000 * int(random.integers(2, 60))
    bits = nats / math.log(2)
    mistakes = {
        "nats": nats * count / 8,
        "eight": bits * count,
        "times": nats * math.log(2) * count / 8,
        "plain": float(count),
    }
    values = {"nats": nats, "count": Thousands(count), "bits": bits, "all": bits * count}
    return Drawn(Number(50), bits * count / 8, mistakes, values)


@GENERATION.exercise("longest-copy", _SAMPLE, section="Copies")
def longest_copy(random: Random) -> Drawn:
    """Find the longest passage that a sample shares with its training text."""
    text = str(one_of(random, _LINES))
    words_of, first = text.split(), int(random.integers(0, 5))
    copied = words_of[first : first + int(random.integers(2, 5))]
    sample = " ".join([str(one_of(random, _STARTS)), *copied, str(one_of(random, _ENDS))])
    match = SequenceMatcher(None, text, sample, autojunk=False).find_longest_match()
    words = {word for word in sample.split() if word in text.split()}
    mistakes = {
        "words": sum(map(len, words)),
        "word": max(map(len, words)),
        "letters": match.size - text[match.a : match.a + match.size].count(" "),
    }
    passage = text[match.a : match.a + match.size]
    values = {
        "text": text,
        "sample": sample,
        "passage": passage.replace(" ", "␣"),
        "share": match.size / len(sample),
    }
    return Drawn(Number(), match.size, mistakes, values)


@GENERATION.exercise("copied-prompt", _SAMPLE, section="Copies")
def copied_prompt(random: Random) -> Drawn:
    """Find a prompt that the writer continues as its training text does."""
    count = int(random.integers(5, 10))
    right = str(one_of(random, _COPIED))

    def job(prompt: str) -> Said | None:
        if not _BEFORE <= len(prompt) <= _MOST_PROMPT:
            return "length", {"found": len(prompt)}
        written = writer().generate_batch(prompt, 1, length=count, temperature=0.0)[0].text[:count]
        copied = int(writer().learned.meter.longest_at(prompt[-_BEFORE:] + written)[0])
        if copied < _BEFORE:
            return "invented"
        return None if copied >= _BEFORE + count else ("new", {"found": copied - _BEFORE, "written": written})

    mistakes = {"length": "What", "invented": "The bright bank paid goals", "new": "What is thy name"}
    values = {"n": count, "most": _MOST_PROMPT, "before": _BEFORE}
    return Drawn(Text(), right, mistakes, values, job=job, late=True)
