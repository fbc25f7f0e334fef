"""What the shipped presets reach where their input is made worse: what a user can rely on beside the headline score.

    python -m benchmarks.robustness                           all of them, some minutes
    python -m benchmarks.robustness --tasks tagger            of a task
    python -m benchmarks.robustness --store                   keeps it for pages and documentation

Copies of the test data are made worse with a fixed seed: texts by typos, upper case and missing punctuation, pictures
by shift, rotation, noise and other strokes; the writer reads other texts too. Reviews get sentences with negations and
turns besides, and short texts about other things (``data_prep.text.contrasts``). It is a report: nothing is chosen by
it. With ``--tasks`` what is stored of the others stays.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from apps.digits.application import Digits
from apps.digits.reports import PRESETS
from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET, Reader
from apps.ocr.evaluation import error_rate, read_letters, read_words
from apps.ocr.sources import TEST_FOLD, letters_source
from apps.reviews import application as reviews_application
from apps.reviews.application import Reviews
from apps.reviews.sources import named_source
from apps.shared.measures import percent_right
from apps.shared.reports import Stored
from apps.shared.robustness import NEGATIONS, OTHER_ORIGINS, ROBUSTNESS
from apps.tagger import application as tagger_application
from apps.tagger.application import Tagger
from apps.writer import application as writer_application
from apps.writer.application import Writer
from apps.writer.evaluation import scored
from benchmarks.harness import THREADS, Option, beside_stored, command, print_report, report, settings
from data_prep.datasets import locate
from data_prep.images.augmentation import NO_AUGMENTATION, augmented, with_noise, with_thickness
from data_prep.images.letter_words import LAYOUT
from data_prep.readers.conllu import Sentence, read_ewt
from data_prep.readers.labelled_texts import LabelledTexts
from data_prep.readers.letters import LetterWords
from data_prep.readers.mnist import read_mnist
from data_prep.readers.text import iter_lines
from data_prep.text.contrasts import KINDS, ORIGINS, Contrast, contrasts, other_origins
from data_prep.text.raw_forms import review_texts
from data_prep.text.segmentation import raw_text
from data_prep.text.text_inputs import plain
from data_prep.text.worse_texts import with_typos, without_punctuation
from models.ocr.serving import LettersReader, WordsReader

TASKS = ("digits", "tagger", "ocr", "reviews", "writer")
OPTIONS = {
    "tasks": Option(TASKS, "of what", TASKS),
    "images": Option(2_000, "digits that are read, drawn from the test set"),
    "documents": Option(2_000, "reviews that are read, drawn from the test half"),
    "characters": Option(50_000, "characters of every text for the writer, its first ones"),
    "seed": Option(1, "of all draws"),
    "threads": THREADS,
}
_THICKER = 0.25
_TYPOS = {"typos_1": 0.01, "typos_3": 0.03, "typos_5": 0.05}
_AT_ONCE = 500  # images

Row = dict[str, Any]
Worse = Mapping[str, Callable[[Any, np.random.Generator], Any]]

WORSE_TEXTS: Worse = {
    "clean": lambda text, rng: text,
    **{name: lambda text, rng, share=share: with_typos(text, share, rng) for name, share in _TYPOS.items()},
    "upper": lambda text, rng: text.upper(),
    "unpunctuated": lambda text, rng: without_punctuation(text),
}


def _moved(**extent: float) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    changes = type(NO_AUGMENTATION)(**{**asdict(NO_AUGMENTATION), **extent})
    return lambda images, rng: augmented(images, changes, rng)


def _ink(images: np.ndarray) -> np.ndarray:
    return images.astype(np.float32)[..., None] / np.float32(255)


WORSE_PICTURES: Worse = {  # of uint8 (n, height, width): float32 (n, height, width, 1)
    "clean": lambda images, rng: _ink(images),
    **{f"shift_{pixels}": _moved(shift=pixels) for pixels in (1, 2, 4)},
    **{f"rotation_{degrees}": _moved(rotation=degrees) for degrees in (15, 30)},
    "noise_20": lambda images, rng: with_noise(_ink(images), 0.2, rng),
    "noise_40": lambda images, rng: with_noise(_ink(images), 0.4, rng),
    "thinner": lambda images, rng: with_thickness(_ink(images), -_THICKER),
    "thicker": lambda images, rng: with_thickness(_ink(images), _THICKER),
}


def row_of(right: Sequence[bool] | np.ndarray) -> Row:
    """Return the share of right answers, percent, with standard error and number."""
    score, error = percent_right(int(np.sum(right)), len(right))
    return {"score": score, "standard_error": error, "n": len(right)}


def each(
    worse: Worse, score: Callable[[str, Any], Row], seed: int, leave_out: Sequence[str] = ()
) -> dict[str, Row]:
    """Score every condition, each with a generator of its own."""
    found = {}
    for name, change in worse.items():
        if name not in leave_out:
            found[name] = score(name, partial(change, rng=np.random.default_rng(seed)))
            report(f"{name}: {found[name]['score']:.2f}")
    return found


def digits_rows(digits: Digits, images: np.ndarray, labels: np.ndarray, seed: int) -> dict[str, Row]:
    """Classify images uint8 (n, 28, 28)."""
    right = np.array([digits.labels.index(str(label)) for label in labels])

    def score(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Row:
        changed = change(images)
        parts = [changed[at : at + _AT_ONCE] for at in range(0, len(changed), _AT_ONCE)]
        answers = np.concatenate([digits.probabilities(part).argmax(axis=1) for part in parts])
        return row_of(answers == right)

    return each(WORSE_PICTURES, score, seed)


def ocr_rows(reader: LettersReader | WordsReader, words: LetterWords, way: str, seed: int) -> dict[str, Row]:
    """Read words by a way of reading; every letter is changed by itself, words in one piece are made of such ones."""

    def score(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Row:
        images = np.rint(255 * change(words.images)[..., 0]).astype(np.uint8)
        worse = words._replace(images=images)
        letters = isinstance(reader, LettersReader)
        answers = read_letters(reader, worse) if letters else read_words(reader, worse, LAYOUT)
        rate = error_rate(answers[way], words.texts)
        return {"score": rate.character_error, "standard_error": rate.standard_error, "n": rate.n}

    return each(WORSE_PICTURES, score, seed, ("shift_4",))


def tagger_rows(tagger: Tagger, sentences: Sequence[Sentence], seed: int) -> dict[str, Row]:
    """Tag given words, each changed by itself; where punctuation is missing, its words are not there to be tagged."""
    gold = [[(word.form, word.upos) for word in sentence.words] for sentence in sentences]

    def score(name: str, change: Callable[[str], str]) -> Row:
        changed = [[(change(form), upos) for form, upos in words] for words in gold]
        if name == "unpunctuated":
            changed = [[pair for pair in words if pair[0] and pair[1] != "PUNCT"] for words in changed]
        changed = [words for words in changed if words]
        found = tagger.tag_tokens([form for form, _ in words] for words in changed)
        pairs = zip(changed, found, strict=True)
        return row_of(
            [
                token.upos == upos
                for words, one in pairs
                for (_, upos), token in zip(words, one.tokens, strict=True)
            ]
        )

    return each(WORSE_TEXTS, score, seed)


def reviews_rows(reviews: Reviews, texts: LabelledTexts, seed: int) -> dict[str, Row]:
    """Classify documents."""
    right = [texts.classes[label] for label in texts.labels]

    def score(name: str, change: Callable[[str], str]) -> Row:
        verdicts = reviews.classify_many((change(plain(text)) for text in texts.texts), unknown="answer")
        return row_of([one.label == label for one, label in zip(verdicts, right, strict=True)])

    return each(WORSE_TEXTS, score, seed)


def contrast_rows(reviews: Reviews) -> dict[str, Row]:
    """Classify negations and turns; the standard error is that of the mean over templates."""
    made = contrasts()
    right, kinds = _right(reviews, made)
    template, found = np.array([one.template for one in made]), {}
    for kind in (*KINDS, "all"):
        chosen = (kinds == kind) | (kind == "all")
        means = np.array([right[template == number].mean() for number in np.unique(template[chosen])])
        error = 100 * float(means.std(ddof=1) / np.sqrt(len(means)))
        found[kind] = row_of(right[chosen]) | {"standard_error": error, "templates": len(means)}
    return found


def origin_rows(reviews: Reviews) -> dict[str, Row]:
    """Classify sentences of other origin."""
    right, kinds = _right(reviews, other_origins())
    return {kind: row_of(right[(kinds == kind) | (kind == "all")]) for kind in (*ORIGINS, "all")}


def _right(reviews: Reviews, made: Sequence[Contrast]) -> tuple[np.ndarray, np.ndarray]:
    """Say of each sentence whether it is classified as it is meant, and its kind."""
    verdicts = reviews.classify_many((one.text for one in made), unknown="answer")
    right = [verdict.label == one.label for verdict, one in zip(verdicts, made, strict=True)]
    return np.array(right), np.array([one.kind for one in made])


def writer_rows(writer: Writer, held_out: str, others: Mapping[str, str], seed: int) -> dict[str, Row]:
    """Score held-out text and other ones, nats a character; what the writer never saw is read as unknown."""
    model = writer.language_model

    def score(name: str, change: Callable[[str], str]) -> Row:
        found = scored(model, [change(others.get(name, held_out))], name, name)
        return {"score": found.nats_per_character, "standard_error": found.standard_error, "n": found.n}

    return each({**WORSE_TEXTS, **{name: WORSE_TEXTS["clean"] for name in others}}, score, seed)


def other_texts(characters: int) -> dict[str, str]:
    """Return texts of other origins, the first characters of each."""
    lines = {
        "wikipedia": iter_lines(locate("wiki")),
        "reviews": map(plain, review_texts(locate("imdb"))),
        "web": [raw_text(read_ewt("dev"))[0]],
    }
    return {name: "\n".join(islice(some, characters // 20))[:characters] for name, some in lines.items()}


def _drawn(count: int, most: int, seed: int) -> np.ndarray:
    """Draw places, in their order."""
    return np.sort(np.random.default_rng(seed).permutation(count)[:most])


def measured(task: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure a task: rows of its presets."""
    seed = options.seed
    match task:
        case "digits":
            whole = read_mnist("test")
            test = whole.part(_drawn(len(whole.labels), options.images, seed))
            return {
                name: digits_rows(Digits.from_preset(name), test.images, test.labels, seed)
                for name in PRESETS
            }
        case "tagger":
            tagger = Tagger.from_preset(name := tagger_application.DEFAULT_PRESET)
            return {name: tagger_rows(tagger, read_ewt("test"), seed)}
        case "ocr":
            fold = letters_source().fold(TEST_FOLD)
            letters, words = Reader.from_preset(LETTERS_PRESET, None), Reader.from_preset(None, WORDS_PRESET)
            return {
                LETTERS_PRESET: ocr_rows(letters.letters, fold, letters.letters.config.answer, seed),
                WORDS_PRESET: ocr_rows(words.words, fold, "words", seed),
            }
        case "reviews":
            test = named_source("imdb").test
            drawn = _drawn(len(test), options.documents, seed)
            reviews = Reviews.from_preset(name := reviews_application.DEFAULT_PRESET)
            return {name: reviews_rows(reviews, test.chosen(drawn), seed)}
    writer = Writer.from_preset(name := writer_application.DEFAULT_PRESET)
    held_out = writer.learned.held_out[: options.characters]
    return {name: writer_rows(writer, held_out, other_texts(options.characters), seed)}


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure; what ``apps.shared.robustness`` reads. What was stored of other tasks is kept."""
    found: dict[str, dict[str, Any]] = {"presets": {}, "contrasts": {}, "origins": {}}
    for task in options.tasks:
        report(f"# {task}")
        found["presets"].update(measured(task, options))
        if task == "reviews":
            reviews = Reviews.from_preset()
            found |= {"contrasts": contrast_rows(reviews), "origins": origin_rows(reviews)}
    return {"settings": settings(options), **beside_stored(ROBUSTNESS, found)}


def show(found: Stored) -> None:
    """Print all tables."""
    for table in (ROBUSTNESS, NEGATIONS, OTHER_ORIGINS):
        print_report(table.report(found))


main: Callable[..., int] = command(__name__, __doc__, ROBUSTNESS, run, OPTIONS, show=show)
