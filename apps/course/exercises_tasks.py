"""Exercises of the part "Tasks on sequences": kinds of tasks, tagging with a CRF, OCR, the verdict at the end."""

from __future__ import annotations

import itertools

import numpy as np

from apps.course.answers import Choice, Number, Text, Words
from apps.course.draws import Random, one_of, whole
from apps.course.exercises import Drawn, Exercises, Said
from apps.course.opened import reviews
from models.serving.bilstm import pack
from models.serving.crf import PackedCRF
from models.serving.ctc import collapse, log_likelihoods

TASKS = Exercises("tasks", "tagger")
_TAGS = ("DET", "NOUN", "VERB")
_KINDS, _TAGGING, _OCR, _ENDING = (
    "Sequence prediction tasks",
    "Part of speech tagging",
    "OCR",
    "RNN for many:1 tasks",
)
_FORMS = {
    "sentiment": "one", "topic": "one", "spam": "one", "tags": "each", "letters": "each", "names": "each",
    "play": "generation", "answer": "generation", "story": "generation",
}  # fmt: skip
_BOTH = ("record", "permit", "book", "plant", "paint", "measure", "promise", "test", "answer", "repair")
_BASES = (
    ("It is a long film with a good cast and a poor script.", "poor", "great", "weak"),
    ("I liked the beginning, but the rest was dull.", "dull.", "wonderful.", "boring."),
    ("The first half is great and the second half is awful.", "awful.", "superb.", "terrible."),
    ("This is the worst film of a good director.", "worst", "best", "poorest"),
    ("The film is too long, and still I enjoyed it.", "enjoyed", "hated", "liked"),
    ("The story is slow, but the ending was wonderful.", "wonderful.", "awful.", "excellent."),
    ("The music is beautiful and the plot is boring.", "boring.", "perfect.", "dull."),
    ("The jokes are old but the actors are funny.", "funny.", "superb.", "poor."),
    ("My friends loved it; I thought it was boring.", "boring.", "wonderful.", "dull."),
    ("I expected more of this film, and the acting is good.", "good.", "terrible.", "great."),
    ("A strange film: great pictures, weak dialogue.", "great", "terrible", "good"),
    ("I would watch it again, if only for the wonderful music.", "wonderful", "awful", "beautiful"),
)


@TASKS.exercise("kind-of-task", _KINDS, page="reviews", section="Networks")
def kind_of_task(random: Random) -> Drawn:
    """Tell the kinds of tasks apart."""
    form = str(one_of(random, list(_FORMS)))
    order = tuple(random.permutation(["one", "each", "generation", "fixed"]).tolist())
    wrong = {name: name for name in order if name != _FORMS[form]}
    return Drawn(Choice(order), _FORMS[form], wrong, form=form)


def _drawn_crf(random: Random) -> tuple[np.ndarray, np.ndarray]:
    """Draw scores of three words (words, tags) and transitions (tags, tags)."""
    return whole(random, (3, 3), 0, 5), whole(random, (3, 3), -3, 3)


def _score(path: tuple[int, ...], scores: np.ndarray, moves: np.ndarray) -> float:
    """Add the scores of a path's tags and of its transitions."""
    steps = sum(moves[a, b] for a, b in itertools.pairwise(path))
    return float(scores[np.arange(len(path)), list(path)].sum() + steps)


@TASKS.exercise("viterbi", _TAGGING, section="Transitions")
def viterbi(random: Random) -> Drawn:
    """Find the best path of tags."""
    scores, moves = _drawn_crf(random)
    found = PackedCRF(moves, np.zeros(3), np.zeros(3)).viterbi(scores, pack([3])).tolist()
    best = scores.argmax(axis=1).tolist()
    greedy = [best[0]]
    for word in (1, 2):
        greedy.append(int((scores[word] + moves[greedy[-1]]).argmax()))
    turned = max(itertools.product(range(3), repeat=3), key=lambda path: _score(path, scores, moves.T))

    def tags(path: list[int] | tuple[int, ...]) -> tuple[str, ...]:
        return tuple(_TAGS[tag] for tag in path)

    paths = sorted(
        (_score(path, scores, moves) for path in itertools.product(range(3), repeat=3)), reverse=True
    )
    right = tags(found) if paths[0] > paths[1] else tags(best)  # two best paths: drawn again
    mistakes = {"alone": tags(best), "greedy": tags(greedy), "turned": tags(turned)}
    values = {"s": scores, "t": moves, "best": paths[0], "alone": _score(tuple(best), scores, moves)}
    return Drawn(Words(3, _TAGS), right, mistakes, values)


@TASKS.exercise("path-score", _TAGGING, section="Transitions")
def path_score(random: Random) -> Drawn:
    """Add up the score of one path of a CRF."""
    scores, moves = _drawn_crf(random)
    path = tuple(random.integers(0, 3, 3).tolist())
    right, words = _score(path, scores, moves), float(scores[np.arange(3), list(path)].sum())
    mistakes = {
        "words": words,
        "turned": _score(path, scores, moves.T),
        "one": words + moves[path[0], path[1]],
        "moves": right - words,
    }
    values = {"s": scores, "t": moves, "path": " ".join(_TAGS[tag] for tag in path), "words": words}
    values["steps"] = right - words
    return Drawn(Number(), right, mistakes, values)


def _factors(random: Random) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw factors of words and transitions, and the sums of the forward algorithm, (words, tags) each."""
    emitted = whole(random, (3, 3), 1, 3)
    moved = np.maximum(whole(random, (3, 3), 0, 2), np.eye(3))  # one path at least is possible
    ahead = emitted.copy()
    for word in (1, 2):
        ahead[word] *= ahead[word - 1] @ moved
    return emitted, moved, ahead


@TASKS.exercise("partition", _TAGGING, section="Transitions")
def partition(random: Random) -> Drawn:
    """Sum over all paths of a 3 x 3 CRF by hand."""
    emitted, moved, ahead = _factors(random)
    best = max(
        np.prod(emitted[np.arange(3), path]) * moved[path[0], path[1]] * moved[path[1], path[2]]
        for path in map(list, itertools.product(range(3), repeat=3))
    )
    mistakes = {
        "best": float(best),
        "free": float(np.prod(emitted.sum(axis=1))),
        "turned": float(((emitted[0] @ moved.T * emitted[1]) @ moved.T * emitted[2]).sum()),
        "early": float(ahead[1].sum()),
    }
    values = {"s": emitted, "t": moved, "first": ahead[0], "second": ahead[1], "third": ahead[2]}
    return Drawn(Number(), float(ahead[2].sum()), mistakes, values)


@TASKS.exercise("marginal", _TAGGING, section="Transitions")
def marginal(random: Random) -> Drawn:
    """Compute the probability of one tag of a 3 x 3 CRF by hand."""
    emitted, moved, ahead = _factors(random)
    with np.errstate(divide="ignore"):
        crf = PackedCRF(np.log(moved), np.zeros(3), np.zeros(3))
    shares = crf.marginals(np.log(emitted), pack([3]))
    tag = int(random.integers(3))
    back = moved @ emitted[2]
    mistakes = {
        "alone": emitted[1, tag] / emitted[1].sum(),
        "ahead": ahead[1, tag] / max(ahead[1].sum(), 1.0),
        "behind": emitted[1, tag] * back[tag] / (emitted[1] * back).sum(),
        "path": float(ahead[1, tag] * back[tag]),
    }
    values = {
        "s": emitted,
        "t": moved,
        "tag": _TAGS[tag],
        "ahead": ahead[1],
        "back": back,
        "z": ahead[2].sum(),
    }
    values["way"] = ahead[1, tag] * back[tag]
    return Drawn(Number(0.005), float(shares[1, tag]), mistakes, values)


@TASKS.exercise("two-readings", _TAGGING, section="Text")
def two_readings(random: Random) -> Drawn:
    """Tag a sentence in which one word is a noun and a verb."""
    who, may = (
        str(one_of(random, ("They", "We", "You"))),
        str(one_of(random, ("can", "must", "will", "should"))),
    )
    word = str(one_of(random, _BOTH))
    tags = ("PRON", "AUX", "VERB", "DET", "NOUN")
    mistakes = {
        "nouns": ("PRON", "AUX", "NOUN", "DET", "NOUN"),
        "verbs": ("PRON", "AUX", "VERB", "DET", "VERB"),
        "auxiliary": ("PRON", "VERB", "VERB", "DET", "NOUN"),
        "swapped": ("PRON", "AUX", "NOUN", "DET", "VERB"),
    }
    sentence = f"{who} {may} {word} the {word}."
    allowed = ("ADJ", "AUX", "DET", "NOUN", "PRON", "VERB")
    values = {"sentence": sentence, "word": word, "may": may}
    return Drawn(Words(5, allowed), tags, mistakes, values, {"text": sentence})


@TASKS.exercise("collapse", _OCR, page="ocr", section="Words")
def collapse_path(random: Random) -> Drawn:
    """Read a word off a path of letters and blanks."""
    blank = 8
    word = [int(letter) for letter in random.integers(0, 8, int(random.integers(3, 5)))]
    word.insert(2, word[1])  # a double letter
    path: list[int] = []
    for at, letter in enumerate(word):
        path += [blank] * int(at > 0 and (letter == word[at - 1] or random.random() < 0.3))
        path += [letter] * int(random.integers(1, 3))

    def spelt(labels: list[int]) -> str:
        return "".join("aeglnost-"[label] for label in labels)

    kept = [label for label in path if label != blank]
    right = spelt(collapse(path, blank))
    mistakes = {
        "unmerged": (spelt(kept),),
        "late": (spelt([label for label, _ in itertools.groupby(kept)]),),
        "blanks": (spelt([label for label, _ in itertools.groupby(path)]),),
    }
    return Drawn(
        Words(), (right,), mistakes, {"path": " ".join(spelt(path)), "merged": mistakes["blanks"][0]}
    )


@TASKS.exercise("ctc-sum", _OCR, page="ocr", section="Words")
def ctc_sum(random: Random) -> Drawn:
    """Sum the probability of a word over its paths."""
    shares = np.stack([_tenths(random) for _ in range(2)])
    letter = int(random.integers(2))
    found = float(np.exp(log_likelihoods(np.log(shares), np.array([[letter]]))[0]))
    one, blank = shares[:, letter], shares[:, 2]
    paths = (one[0] * one[1], one[0] * blank[1], blank[0] * one[1])
    mistakes = {"best": max(paths), "both": paths[0], "blanks": paths[1] + paths[2], "sum": float(one.sum())}
    values = {"p": np.round(shares, 1), "letter": "ab"[letter], "x": paths[0], "y": paths[1], "w": paths[2]}
    return Drawn(Number(0.0005), found, mistakes, values)


def _tenths(random: Random) -> np.ndarray:
    """Draw three probabilities in tenths."""
    first = int(random.integers(1, 8))
    second = int(random.integers(1, 10 - first))
    return np.array([first, second, 10 - first - second]) / 10


@TASKS.exercise("letter-in-context", _OCR, page="ocr", section="Letters")
def letter_in_context(random: Random) -> Drawn:
    """Join what a picture says with what the letters before it say."""
    first, second = "uv", "ae"
    pair = str(one_of(random, (first, second, "cl", "oq", "hn")))
    seen = float(random.integers(2, 9)) / 10
    usual = float(random.integers(1, 20)) / 20
    above = seen * usual
    right = above / (above + (1 - seen) * (1 - usual))
    mistakes = {"picture": seen, "context": usual, "unscaled": above, "mean": (seen + usual) / 2}
    values = {"a": pair[0], "b": pair[1], "seen": seen, "usual": usual, "other": 1 - seen, "rare": 1 - usual}
    values |= {"above": above, "below": (1 - seen) * (1 - usual)}
    return Drawn(Number(0.005), right, mistakes, values)


@TASKS.exercise("state-at-the-end", _ENDING, page="reviews", section="Verdict")
def state_at_the_end(random: Random) -> Drawn:
    """Read a sequence to its end token and give a verdict there."""
    v, w = float(one_of(random, (0.5, 2.0, -0.5, -1.0))), float(one_of(random, (1.0, 2.0, -1.0)))
    x, end = whole(random, 3, -3, 3, zero=False), float(random.integers(1, 4))
    states = [0.0]
    for value in [*x, end]:
        states.append(v * states[-1] + w * value)
    mistakes = {
        "before": states[-2],
        "mean": float(np.mean(states[1:])),
        "sum": float(w * (x.sum() + end)),
        "end": w * end,
    }
    values = {"v": v, "w": w, "x": x, "end": end, "states": np.array(states[1:-1])}
    return Drawn(Number(0.001), states[-1], mistakes, values)


@TASKS.exercise("turn-a-verdict", _ENDING, page="reviews", section="Verdict")
def turn_a_verdict(random: Random) -> Drawn:
    """Turn the verdict about a review by one word."""
    base, old, new, alike = one_of(random, _BASES)
    words = base.split()
    label = reviews().classify(base).label

    def job(text: str) -> Said | None:
        typed = text.split()
        changed = sum(map(str.__ne__, typed, words))
        if len(typed) != len(words) or changed != 1:
            return "words", {"found": changed + abs(len(typed) - len(words))}
        verdict = reviews().classify(text)
        share = round(100 * max(verdict.probabilities.values()))
        return None if verdict.label != label else ("same", {"share": share})

    right = base.replace(old, new, 1)
    mistakes = {"same": base.replace(old, alike, 1), "words": f"{right} Wonderful!"}
    values = {"base": base, "label": label, "old": old.strip(".")}
    return Drawn(Text(), right, mistakes, values, {"text": base}, job)
