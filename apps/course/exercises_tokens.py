"""Exercises of the part "Sequences and tokens": padding, ids, word pieces, embeddings, labels."""

from __future__ import annotations

import re

import numpy as np

from apps.course.answers import Number, Numbers, Text, Words
from apps.course.draws import Random, different, one_of, whole
from apps.course.exercises import Drawn, Exercises, Said
from apps.course.opened import reviews, vectors
from apps.course.texts import Thousands
from data_prep.text.tokenizer import WordTokenizer
from data_prep.text.vocab import PAD, Vocabulary
from data_prep.text.wordpiece import WordPieceTokenizer
from models.serving.operations import softmax

TOKENS = Exercises("tokens", "reviews")
_SENTENCES = (
    ("the", "dog", "saw", "the", "cat"),
    ("a", "bird", "sings", "in", "the", "tree"),
    ("the", "old", "man", "fed", "a", "horse"),
    ("we", "saw", "the", "river", "and", "the", "sea"),
)
_MARKED = (
    "To be, or not to be: that is the question.",
    "Well, well: one nation, indivisible!",
    "Stop! Who goes there, friend or foe?",
    "Slowly, slowly, the snow fell; then it stopped.",
    "Yes, we can; but should we?",
    "Rain, rain, go away.",
    "First read, then think, then write!",
    "No: the first, not the second, was right.",
)
_PIECED = (
    "tables",
    "player",
    "walking",
    "reading",
    "unfolded",
    "lowest",
    "nations",
    "sunlight",
    "teacher",
    "rewritten",
)
_ANALOGIES = (
    ("paris", "france", "spain", "madrid"),
    ("rome", "italy", "germany", "berlin"),
    ("king", "man", "woman", "queen"),
    ("father", "man", "woman", "mother"),
    ("son", "man", "woman", "daughter"),
    ("husband", "man", "woman", "wife"),
    ("actor", "man", "woman", "actress"),
    ("prince", "man", "woman", "princess"),
    ("stockholm", "sweden", "norway", "oslo"),
    ("warsaw", "poland", "hungary", "budapest"),
    ("swimming", "swim", "walk", "walking"),
    ("boy", "man", "woman", "girl"),
)
_MOST_WORDS, _LEAST = (
    60,
    4,
)  # of a document that misleads the classifier, and of the words that it has to hold
_TOPICS = {
    "sport": ("match", "goal", "coach", "league", "striker", "referee", "season", "cup"),
    "business": ("shares", "profit", "bank", "market", "investors", "sales", "economy", "growth"),
    "politics": ("minister", "election", "party", "parliament", "vote", "government", "labour", "policy"),
    "tech": ("software", "computer", "internet", "users", "network", "phone", "online", "digital"),
    "entertainment": ("film", "singer", "album", "actor", "award", "music", "band", "star"),
}


@TOKENS.exercise("padding-share", "Sequence prediction", section="Padding")
def padding_share(random: Random) -> Drawn:
    """Compute which share of a batch is padding."""
    lengths = random.integers(3, 30, int(random.integers(3, 6)))
    whole_, real = int(lengths.max() * len(lengths)), int(lengths.sum())
    mistakes = {
        "real": real / whole_,
        "ratio": (whole_ - real) / real,
        "count": float(whole_ - real),
        "shortest": 1 - lengths.min() / lengths.max(),
    }
    values = {"lengths": ", ".join(map(str, lengths)), "rows": len(lengths), "longest": int(lengths.max())}
    values |= {"cells": whole_, "real": real}
    return Drawn(Number(0.005), 1 - real / whole_, mistakes, values, {"batch": len(lengths)})


@TOKENS.exercise("masked-mean", "Sequence prediction", "Sequences of tokens", section="Padding")
def masked_mean(random: Random) -> Drawn:
    """Average the states of a padded sequence."""
    length, padded = int(random.integers(2, 5)), int(random.integers(5, 8))
    states = whole(random, (length, 2), -6, 6)
    mean = states.mean(axis=0)
    mistakes = {"padded": states.sum(axis=0) / padded, "sum": states.sum(axis=0), "last": states[-1]}
    everything = np.vstack([states, np.zeros((padded - length, 2))])
    values = {"z": everything, "T": length, "padded": padded, "sum": states.sum(axis=0)}
    return Drawn(Numbers((2,), 0.01), mean, mistakes, values)


@TOKENS.exercise("ids", "Discrete-valued sequences", page="vectors", section="Objective")
def ids(random: Random) -> Drawn:
    """Turn words into ids, with an unknown word and padding."""
    sentence = list(one_of(random, _SENTENCES))
    unknown = str(one_of(random, sorted(set(sentence) - {"the", "a"})))
    entries = [str(word) for word in random.permutation(sorted(set(sentence) - {unknown}))]
    numbers = Vocabulary(entries).encode(sentence).tolist()
    size = len(sentence) + 2

    def padded(row: list[int]) -> np.ndarray:
        return np.array([*row, *[PAD] * (size - len(row))], np.float64)

    known = [number for number, word in zip(numbers, sentence, strict=True) if word != unknown]
    mistakes = {
        "dropped": padded(known),
        "zero": padded(
            [0 if word == unknown else number for number, word in zip(numbers, sentence, strict=True)]
        ),
        "from-zero": padded([number - 2 if number > 1 else number for number in numbers]),
        "front": np.roll(padded(numbers), 2),
    }
    listed = ", ".join(entries)
    values = {
        "sentence": " ".join(sentence),
        "entries": listed,
        "size": size,
        "unknown": unknown,
        "first": entries[0],
    }
    return Drawn(Numbers((size,)), padded(numbers), mistakes, values)


@TOKENS.exercise("word-pieces", "Discrete-valued sequences", page="vectors", section="Objective")
def word_pieces(random: Random) -> Drawn:
    """Cut a word greedily into pieces."""
    word = str(one_of(random, _PIECED))
    short, long = sorted(different(random, 2, 2, len(word) - 1))
    pieces = [word[:short], word[:long], f"##{word[short:]}", f"##{word[long:]}"]
    entries = list(dict.fromkeys([*pieces, word[0], "##s"]))
    vocabulary = Vocabulary(map(str, random.permutation(entries)))
    right = tuple(WordPieceTokenizer(vocabulary).keys(word))
    mistakes = {
        "short": (pieces[0], pieces[2]),
        "marks": (pieces[1], pieces[3].removeprefix("##")),
        "unknown": ("[unk]",),
    }
    values = {
        "word": word,
        "pieces": ", ".join(f"`{piece}`" for piece in vocabulary.entries),
        "first": pieces[1],
    }
    return Drawn(Words(None), right, mistakes, values)


@TOKENS.exercise("tokens-and-end", "Sequences of tokens", section="Inside")
def tokens_and_end(random: Random) -> Drawn:
    """Count what the model reads of a sentence."""
    sentence = " ".join(random.choice(_MARKED, 2, replace=False))
    count = len(WordTokenizer(punctuation=True).keys(sentence))
    words = len(re.findall(r"\w+", sentence))
    mistakes = {"end": count, "words": words, "words-end": words + 1}
    values = {"sentence": sentence, "words": words, "marks": count - words}
    return Drawn(Number(), count + 1, mistakes, values, {"text": sentence})


@TOKENS.exercise("one-hot", "Embedding", page="vectors", section="Neighbours")
def one_hot(random: Random) -> Drawn:
    """Multiply a matrix by a one-hot vector."""
    table = whole(random, (3, 3), -5, 5)
    words = random.permutation(["dog", "cat", "sun", "sea", "oak"])[:3].tolist()
    k = int(random.integers(3))
    mistakes = {"row": table[k], "all": table.sum(axis=1), "next": table[:, k - 1]}
    values = {"V": table, "words": ", ".join(words), "word": words[k], "e": np.eye(3)[k]}
    return Drawn(Numbers((3,)), table[:, k], mistakes, values, {"word": words[k]})


@TOKENS.exercise("table-size", "Embedding", page="vectors", section="Neighbours", word="dog")
def table_size(random: Random) -> Drawn:
    """Count the parameters of an embedding."""
    words, size = 1000 * int(random.integers(5, 60)), int(one_of(random, (50, 100, 128, 200, 256, 300)))
    specials = int(random.integers(2, 5))
    mistakes = {
        "specials": words * size,
        "added": words + specials + size,
        "bias": (words + specials + 1) * size,
        "square": (words + specials) ** 2,
    }
    values = {"n": Thousands(words), "d": size, "specials": f"specials-{specials}", "rows": words + specials}
    return Drawn(Number(), (words + specials) * size, mistakes, values)


@TOKENS.exercise("plane", "Paris − France + Spain ≈ Madrid", page="vectors", q="paris - france + spain")
def plane(random: Random) -> Drawn:
    """Compute an analogy with vectors of two numbers."""
    p, f, s = (whole(random, 2, -5, 5) for _ in range(3))
    mistakes = {"turned": f - p + s, "sum": p + f + s, "other": p + f - s, "mean": (p - f + s) / 3}
    return Drawn(Numbers((2,), 0.01), p - f + s, mistakes, {"p": p, "f": f, "s": s, "way": p - f})


@TOKENS.exercise("find-word", "Paris − France + Spain ≈ Madrid", page="vectors")
def find_word(random: Random) -> Drawn:
    """Find an expression over word vectors whose answer is a given word."""
    a, b, c, target = one_of(random, _ANALOGIES)

    def job(text: str) -> Said | None:
        found = vectors().analogy(text, topn=1)
        terms = {term.word: term.weight for term in found.terms}
        if target in terms:
            return "named"
        if len(terms) < 2 or min(terms.values()) > 0:
            return "subtract"
        answer = found.results[0].word
        return None if answer == target else ("other", {"found": answer})

    right = f"{a} - {b} + {c}"
    mistakes = {"named": f"{target} + {c} - {b}", "subtract": f"{a} + {c}", "other": f"{b} - {a} + {c}"}
    values = {"target": target, "a": a, "b": b, "c": c}
    return Drawn(Text(), right, mistakes, values, {"q": right}, job)


@TOKENS.exercise(
    "nearest", "Paris − France + Spain ≈ Madrid", "Embedding", page="vectors", section="Neighbours"
)
def nearest(random: Random) -> Drawn:
    """Find the neighbour by cosine."""
    names = ("oak", "fir", "elm", "ash")
    rows, query = whole(random, (4, 2), -6, 9), whole(random, 2, 1, 5)
    lengths = np.linalg.norm(rows, axis=1)
    cosines = rows @ query / np.maximum(lengths, 1e-9) / np.linalg.norm(query)
    distances = np.linalg.norm(rows - query, axis=1)
    best = [names[int(scores.argmax())] for scores in (cosines, rows @ query, -distances)]
    if np.diff(np.sort(cosines))[-1] < 0.01 or not lengths.all():
        best[1] = best[0]  # too close to tell: drawn again
    mistakes = {"dot": (best[1],), "distance": (best[2],)}
    listed = "; ".join(f"{name} $({row[0]:g}, {row[1]:g})$" for name, row in zip(names, rows, strict=True))
    values = {"rows": listed, "q": query, "cosines": np.round(cosines, 3)}
    return Drawn(Words(1, names), (best[0],), mistakes, values)


@TOKENS.exercise("label-scores", "Class labels as tokens", section="Labels")
def label_scores(random: Random) -> Drawn:
    """Turn the embeddings of labels into probabilities."""
    rows, z = whole(random, (3, 2), -1, 2), whole(random, 2, -1, 2, zero=False)
    scores = rows @ z
    right = softmax(scores)
    mistakes = {"two": softmax(2.0**scores), "sigmoid": 1 / (1 + np.exp(-scores)), "exp": np.exp(scores)}
    if abs(scores.sum()) > 0.5:
        mistakes["plain"] = scores / scores.sum()
    values = {"W": rows, "z": z, "scores": scores, "sum": np.exp(scores).sum()}
    return Drawn(Numbers((3,), 0.005), right, mistakes, values)


@TOKENS.exercise(
    "mislead", "Class labels as tokens", "Sequences of tokens", section="Verdict", preset="topics_bbc"
)
def mislead(random: Random) -> Drawn:
    """Write a document that the classifier gets wrong."""
    topic, other = random.permutation(list(_TOPICS))[:2].tolist()
    words = random.permutation(_TOPICS[topic])[:6].tolist()

    def job(text: str) -> Said | None:
        typed = re.findall(r"[a-z]+", text.casefold())
        if len(typed) > _MOST_WORDS:
            return "long", {"found": len(typed)}
        if len(set(typed) & set(words)) < _LEAST:
            return "words", {"found": len(set(typed) & set(words))}
        verdict = reviews("topics_bbc").classify(text)
        share = round(100 * verdict.probabilities[topic])
        return ("right", {"share": share}) if verdict.label == topic else None

    start = "The {} and the {}, the {} and the {}".format(*words[:4])
    right = f"{start}: {', '.join([*_TOPICS[other]] * 2)}."
    mistakes = {
        "right": f"{start}.",
        "words": f"The {words[0]} and nothing else.",
        "long": " ".join([start] * 7),
    }
    values = {"topic": topic, "other": other, "words": ", ".join(words), "most": _MOST_WORDS, "least": _LEAST}
    return Drawn(Text(), right, mistakes, values, {"text": right}, job)
