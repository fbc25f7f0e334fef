"""Lessons of the last five parts of the lecture: what each step says is what its exhibit shows."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest

from apps.convolution.contraction import contract
from apps.convolution.einsum import free_tensors, read_program
from apps.convolution.numbers import read_tensor
from apps.course.answers import Choice
from apps.course.lessons import Step, lessons
from apps.course.opened import reviews, vectors, writer
from apps.laboratory.experiments import experiments, recorded
from apps.lecture.topics import PARTS, ROOT
from apps.ocr.application import Reader
from apps.ocr.reports import PROTOCOLS, SEEN, UNSEEN, protocol_reports
from apps.ocr.results import LettersResult
from apps.ocr.sources import spell
from apps.reviews.explain import label_embeddings, networks, running, states
from apps.reviews.reports import NETWORKS
from apps.shared.reports import preset_scores, stored
from apps.shared.tables import Report, Table
from apps.shared.transfer import EMBEDDINGS, TAGS
from apps.tagger.application import Tagger
from apps.vectors.application import Vectors
from apps.vectors.objective import MaskedPrediction, masked_prediction
from apps.writer.explain import following_units, gate_view, unrolled_steps
from apps.writer.quiz import question
from apps.writer.reports import LADDER
from data_prep.images.letter_batches import letter_pictures
from data_prep.text.document_batches import PaddedBatches, padded_batches
from data_prep.text.text_inputs import keys_of

KEYS = ("tokens", "tasks", "recurrent", "generation", "word2vec")
STEPS = {name: step for key in KEYS for name, step in lessons()[key].steps.items()}
# Not widgets of their own: chosen by the player, states of the quiz, and boxes that an expression makes.
UNNAMED = re.compile(r"section|preset|t_[A-Za-z]")
CLEAR = 0.75  # probability of a tag or verdict that a lesson speaks of, at least
Values = Mapping[str, Any]


tagger = cache(Tagger.from_preset)
reader = cache(Reader.from_preset)


@cache
def keys() -> Any:
    return Vectors.from_preset("vectors_en_wiki_output").word_vectors


def read(table: Table) -> Report:
    report = table.read()
    assert report is not None
    return report


def tags(values: Values) -> list[tuple[str, str]]:
    tokens = tagger().tag(values["text to tag"]).tokens
    return [(token.text, token.upos) for token in tokens]


def tag_of(values: Values, word: str) -> tuple[str, ...]:
    found = [token for token in tagger().tag(values["text to tag"]).tokens if token.text == word]
    assert min(token.probability for token in found) > CLEAR
    return tuple(token.upos for token in found)


def padded(values: Values) -> dict[str, PaddedBatches]:
    if values["documents"] == "IMDB":
        lengths = list(map(int, stored(NETWORKS.name).numbers("padding.lengths")))
    else:
        lengths = [len(keys_of(line)) + 1 for line in values["lines"].split("\n")]
    return padded_batches(lengths, values["batch"])


def contracted(values: Values) -> np.ndarray:
    program = read_program(values["e"])
    tensors = {name: read_tensor(values[f"t_{name}"], name) for name in free_tensors(program)}
    return list(contract(program, tensors).values.values())[-1]


def read_word(values: Values) -> LettersResult:
    return reader().read_letters(letter_pictures(spell(values["word"], values["bank"], values["hand"])))


def verdict(values: Values) -> str:
    found = reviews(values["preset"]).classify(values["text"])
    assert found.probabilities[found.label] > CLEAR
    return found.label


def curves(values: Values) -> dict[str, list[float]]:
    """The curve of each run of an experiment that its picture shows first."""
    curve = experiments()[values["experiment"]].curve
    found = {label: run.stories() for label, run in recorded(values["experiment"]).items()}
    return {
        label: next(story.curves[curve].values for story in stories if curve in story.curves)
        for label, stories in found.items()
    }


def masked(values: Values) -> MaskedPrediction:
    return masked_prediction(
        vectors(),
        values["sentence"],
        values["mask"],
        window=values["window"],
        combination=values["combine"].lower(),
        unit_keys=values["keys"] == "Length 1",
        output=keys(),
    )


def unrolled(values: Values) -> tuple:
    return unrolled_steps(writer(), values["unrolled"].replace("\\n", "\n"), values["write"])


def rungs() -> dict[str, Any]:
    return {line.row["name"]: line.row for line in read(LADDER).lines}


def first(scores: Mapping[str, float], margin: float = 0.0) -> str:
    """The name of the largest score, which is larger than the others by a margin."""
    best, second = sorted(scores.values(), reverse=True)[:2]
    assert best - second > margin
    return max(scores, key=scores.get)


# --- sequences and tokens ---------------------------------------------------------------------------------------------


def lengths(step: Step) -> float:
    batches = padded(step.exhibit.values)["bucketed"].batches
    return float(sum(max(batch) * len(batch) - sum(batch) for batch in batches))


def buckets(step: Step) -> str:
    found = padded(step.exhibit.values)
    assert found["shuffled"].share == pytest.approx(2 / 3, abs=0.05)  # as the question says
    nearest = {"half": 0.5, "quarter": 0.25, "hundredth": 0.01}
    return min(nearest, key=lambda name: abs(nearest[name] - found["bucketed"].share))


def neighbours(step: Step) -> str:
    word = step.exhibit.values["word"]
    shown = [one.word for one in vectors().neighbours(word, step.exhibit.values["near"])]
    scores = {name: vectors().similarity(word, name) for name in step.question.kind.options}
    found = first(scores, 0.1)
    assert found in shown
    return found


def analogy(step: Step) -> tuple[str]:
    found = vectors().analogy(step.exhibit.values["q"], topn=step.exhibit.values["n"]).results
    if step.name == "tokens/fails":
        assert [one.word for one in found[:4]] == ["milan", "turin", "vienna", "rome"]  # as its reveal says
        score = preset_scores("vectors_en_wiki", "word_vectors")["metrics.google_analogies.score"]
        assert 25 < score < 50  # fewer than half
    return (found[0].word,)


def one_by_one(step: Step) -> float:
    values = step.before.values
    assert len(states(reviews(values["preset"]), values["text"]).words) == 3  # as the question says
    return float(len(states(reviews(values["preset"]), step.exhibit.values["text"]).words))


def labels(step: Step) -> str:
    found = label_embeddings(reviews(step.exhibit.values["preset"]))
    assert {one.label for one in found} == set(step.question.kind.options)
    return next(one.label for one in found if "straw" in dict(one.nearest))


# --- tasks on sequences -----------------------------------------------------------------------------------------------


def directions(step: Step) -> str:
    names = {"left to right": "forward", "right to left": "backward", "both ways": "both"}
    ends = {names[label]: values[-1] for label, values in curves(step.exhibit.values).items()}
    return first(ends, 1.0)


def context(step: Step) -> tuple[str]:
    found = read_word(step.exhibit.values)
    assert found.before == "netmork"  # what each picture says
    assert min(one.probability for one in found.letters) > CLEAR
    return (found.text,)


def unseen(step: Step) -> str:
    alone, bilstm = "letter alone (CNN)", "CNN + BiLSTM"
    errors = {
        name: {line.label: line.values[0] for line in report.lines}
        for name, report in protocol_reports(read(PROTOCOLS).found).items()
    }
    assert errors[SEEN][bilstm] < errors[SEEN][alone] / 5
    assert errors[UNSEEN]["CNN + BiLSTM, other words"] < errors[UNSEEN][alone]
    return first(
        {"alone": -2 * errors[UNSEEN][alone], "bilstm": -errors[UNSEEN][bilstm]}
    )  # by a factor of two


def end_verdict(step: Step) -> str:
    assert verdict(step.before.values) == "pos"
    read_so_far = running(reviews(), step.exhibit.values["text"])
    if step.name == "tasks/verdict":
        names = [word.text for word in read_so_far.words]
        assert min(shares[1] for shares in read_so_far.probabilities[1 : names.index("All")]) > 0.7
    else:
        found = reviews().classify(step.exhibit.values["text"]).probabilities
        assert round(100 * found["neg"]) == 80  # as the reveal says
        assert round(100 * reviews().classify(step.before.values["text"]).probabilities["pos"]) == 98
        assert 92 < preset_scores("reviews_imdb", "text_classifier")["metrics.accuracy.score"] < 93
    return verdict(step.exhibit.values)


def order(step: Step) -> str:
    found = {line.label: line.values[0] for line in read(NETWORKS).lines}
    rnn, mean = found["RNN to the end of sequence"], found["Mean of vectors"]
    ours = [score for label, score in found.items() if "published" not in label]
    assert rnn == min(ours) and 8 < mean - rnn < 10
    return first({"rnn": rnn, "mean": mean})


# --- recurrent networks -----------------------------------------------------------------------------------------------


def state(step: Step) -> tuple[str]:
    prompt, alone = step.exhibit.values["unrolled"], step.before.values["unrolled"]
    assert prompt[-1] == alone
    read_last = unrolled(step.exhibit.values)[len(prompt) - 1]
    assert read_last.output_probability > CLEAR
    assert unrolled(step.before.values)[0].output != read_last.output
    return (read_last.output,)


def gradient(cell: str, back: int) -> float:
    lengths = read(LADDER).found.numbers(f"gradients.{cell}.sums")
    return lengths[-1 - back] / lengths[-1]


def vanishing(step: Step) -> str:
    assert (
        0.15 < gradient("rnn", 5) < 0.25 and gradient("rnn", 60) < 2e-6
    )  # as the answers to predictions say
    nearest = {"half": 1 / 2, "little": 1 / 200, "nothing": 1e-7}
    return min(nearest, key=lambda name: abs(math.log(nearest[name] / gradient("rnn", 20))))


def clipping(step: Step) -> str:
    clipped, free = (np.array(values) for values in curves(step.exhibit.values).values())
    assert free[-1] > clipped[-1] + 0.1
    assert np.diff(free).max() < 0.1  # it never jumps
    return "above"


def remember(step: Step) -> str:
    found = curves(step.exhibit.values)
    assert set(found["GRU"][-3:]) == {1.0} and min(found["LSTM"][-3:]) < 0.9
    return "learns" if set(found["simple network"][-3:]) == {1.0} else "half"


def cells(step: Step) -> str:
    values = step.exhibit.values
    view = gate_view(writer(), values["text with gates"])
    best = abs(following_units(view, values["follow"], values["gate"])[0].correlation)
    nearest = {"loose": 0.3, "middle": 0.6, "close": 0.9}
    return min(nearest, key=lambda name: abs(nearest[name] - best))


def reach(step: Step) -> str:
    found = {cell: gradient(cell, 60) for cell in step.question.kind.options}
    assert sorted(found, key=found.get) == ["rnn", "gru", "lstm", "mgu"]
    assert found["mgu"] > 10 * found["lstm"] and gradient("rnn", 10) > gradient("gru", 10)
    return first(found)


def ladder_cells(step: Step) -> str:
    rows = rungs()
    loss = {cell: rows[cell]["nats_per_character"] for cell in step.question.kind.options}
    assert sorted(loss, key=loss.get) == ["gru", "lstm", "rnn", "mgu"]
    assert loss["mgu"] - loss["rnn"] < rows["mgu"]["standard_error"]
    units = {cell: str(rows[cell]["units"]) for cell in loss}
    assert all(number in step.text for number in units.values())
    return first(loss)


# --- generation -------------------------------------------------------------------------------------------------------


def target(step: Step) -> tuple[str]:
    return (next(one.target for one in unrolled(step.exhibit.values) if one.given == "l"),)


def surprise(step: Step) -> str:
    bits = {
        when: writer().score(exhibit.values["text to read"]).totals()["bits_per_character"]
        for when, exhibit in (("before", step.before), ("after", step.exhibit))
    }
    assert bits["before"] == pytest.approx(2.3, abs=0.05)  # as the text says
    nearest = {"two": 2, "four": 4, "seven": 7}
    return min(nearest, key=lambda name: abs(nearest[name] - bits["after"]))


def feedback(step: Step) -> tuple[str, ...]:
    own = [one for one in unrolled(step.exhibit.values) if not one.prompted]
    assert own[0].output_probability > CLEAR
    return tuple(one.given.casefold() for one in own[:2])


def die(step: Step) -> str:
    values = step.exhibit.values
    prompt = values["prompt to write from"]
    assert values["chosen letter"] == len(prompt)  # what comes first after the prompt
    found = writer().next_tokens(prompt, values["temperature"], None, None, "refuse")
    blank = found.tokens[0]
    assert blank.token == " " and 0.2 < blank.probability < 0.3
    assert found.sampling_bits < 0.6 * found.bits
    nearest = {"less": 0.15, "same": blank.probability, "half": 0.5, "always": 1.0}
    return min(nearest, key=lambda name: abs(nearest[name] - blank.sampling_probability))


def ladder(step: Step) -> str:
    bits = {name: row["nats_per_character"] / math.log(2) for name, row in rungs().items()}
    assert bits["bigram"] < 4 < bits["unigram"] and bits["uniform"] == pytest.approx(6, abs=0.1)
    falls = -np.diff([bits[name] for name in ("unigram", "bigram", "five_gram", "rnn", "lstm", "shipped")])
    assert falls[:2].min() > 2 * falls[2:].max()
    nearest = {"half": 0.5, "two": 2.0, "four": 4.0}
    return min(nearest, key=lambda name: abs(nearest[name] - bits["shipped"]))


def quiz(step: Step) -> str:
    found = question(writer(), step.exhibit.values["quiz seed"])
    assert "Hark! therefore" in found.text and found.longest == 13 < found.usual
    assert step.exhibit.values["quiz answer"] == found.kind
    return {"sample": "sample", "held-out": "held", "training": "training"}[found.kind]


def true_text(step: Step) -> str:
    text = step.exhibit.values["text to compare"]
    assert text in writer().learned.held_out
    longest = writer().copies(text, step.exhibit.values["k"]).longest
    assert longest == 17  # as the reveal says
    return "none" if longest <= 5 else "phrase" if longest <= 30 else "lines"


def copied(step: Step) -> str:
    text, k = step.exhibit.values["text to compare"], step.exhibit.values["k"]
    prompt = "Enter KING RICHARD"
    written = writer().generate_batch(prompt, 1, length=len(text) - len(prompt), temperature=0.0)[0].text
    assert prompt + written == text
    assert not writer().copies(step.before.values["text to compare"], k).spans
    (span,) = writer().copies(text, k).spans
    assert span.source.play == "Richard III"
    return {30: "thirty", len(text): "all"}[span.length]


# --- word2vec ---------------------------------------------------------------------------------------------------------


def likeliest(step: Step) -> tuple[str]:
    found = masked(step.exhibit.values)
    best, second = found.candidates[:2]
    assert best.probability > 1.5 * second.probability
    if step.name == "word2vec/dot":
        before = masked(step.before.values).candidates
        assert before[0].word == "yellow" and before[1].word == best.word  # as the text says
        assert before[1].cosine > before[0].cosine and before[1].norm < before[0].norm
    return (best.word,)


def window(step: Step) -> float:
    return float(sum(token.role == "context" for token in masked(step.exhibit.values).tokens))


def loss(step: Step) -> float:
    found = masked(step.exhibit.values)
    assert found.target.probability == pytest.approx(0.554, abs=0.0005)  # as the question says
    assert found.uniform_loss == pytest.approx(9.21, abs=0.005)
    return found.loss


def attention(step: Step) -> str:
    before, after = (masked(one.values).target.probability for one in (step.before, step.exhibit))
    assert before == pytest.approx(0.001, abs=0.0002) and window(step) == 7  # as the question says
    return "hundreds" if 200 < after / before < 999 else "seven"


def sgd(step: Step) -> float:
    found = masked(step.exhibit.values)
    assert found.target.probability == pytest.approx(0.554, abs=0.0005)  # as the question says
    assert min(found.shown, key=lambda one: one.step).word == "army"
    return found.target.step


def fast(step: Step) -> str:
    seconds, wanted = {}, min(curves(step.exhibit.values)["full softmax"])
    for label, run in recorded(step.exhibit.values["experiment"]).items():
        curve = run.stories()[0].curves[experiments()[step.exhibit.values["experiment"]].curve]
        at = next(at for at, value in enumerate(curve.values) if value <= wanted + 1e-9)
        seconds[label] = curve.seconds[at]
    return first({"full": -seconds["full softmax"], "sampling": -1.5 * seconds["negative sampling"]})


def using(step: Step) -> str:
    rows = [line for line in read(TAGS).lines if line.row["share"] == 1]
    found = {line.label: line.row["mean"] for line in rows}
    assert round(found[EMBEDDINGS["random"]]) == 76 and rows[0].row["sentences"] == 125  # as the text says
    nearest = {"less": 70, "same": 76, "more": 83}
    return min(nearest, key=lambda name: abs(nearest[name] - found[EMBEDDINGS["fine_tuned"]]))


def opinions(step: Step) -> str:
    found = {label: values[-1] for label, values in curves(step.exhibit.values).items()}
    return first({"random": found["1 %, random"], "pretrained": found["1 %, pretrained"]}, 3.0)


PROOFS: dict[str, Callable[[Step], Any]] = {
    "tokens/lengths": lengths,
    "tokens/buckets": buckets,
    "tokens/splitting": lambda step: float(len(tags(step.exhibit.values))),
    "tokens/one-hot": lambda step: contracted(step.exhibit.values),
    "tokens/neighbours": neighbours,
    "tokens/analogy": analogy,
    "tokens/fails": analogy,
    "tokens/one-by-one": one_by_one,
    "tokens/labels": labels,
    "tasks/kinds": lambda step: float(len(tags(step.exhibit.values))),
    "tasks/tagging": lambda step: tag_of(step.exhibit.values, "fish"),
    "tasks/letters": lambda step: tag_of(step.exhibit.values, "wabily"),
    "tasks/directions": directions,
    "tasks/context": context,
    "tasks/overruled": context,
    "tasks/unseen": unseen,
    "tasks/verdict": end_verdict,
    "tasks/misread": end_verdict,
    "tasks/order": order,
    "recurrent/unrolled": lambda step: float(len(unrolled(step.exhibit.values))),
    "recurrent/by-hand": lambda step: contracted(step.exhibit.values),
    "recurrent/state": state,
    "recurrent/vanishing": vanishing,
    "recurrent/clipping": clipping,
    "recurrent/remember": remember,
    "recurrent/gate": lambda step: contracted(step.exhibit.values),
    "recurrent/cells": cells,
    "recurrent/reach": reach,
    "recurrent/ladder": ladder_cells,
    "generation/targets": target,
    "generation/surprise": surprise,
    "generation/feedback": feedback,
    "generation/die": die,
    "generation/ladder": ladder,
    "generation/quiz": quiz,
    "generation/true-text": true_text,
    "generation/copied": copied,
    "word2vec/masked": likeliest,
    "word2vec/window": window,
    "word2vec/search": loss,
    "word2vec/dot": likeliest,
    "word2vec/attention": attention,
    "word2vec/sgd": sgd,
    "word2vec/fast": fast,
    "word2vec/using": using,
    "word2vec/opposites": neighbours,
    "word2vec/opinions": opinions,
}
WITH_TRAINING_TEXT = {"generation/quiz", "generation/true-text", "generation/copied"}


def test_every_step_has_a_proof() -> None:
    assert list(PROOFS) == list(STEPS)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.realdata] * (name in WITH_TRAINING_TEXT)) for name in PROOFS],
)
def test_the_exhibit_shows_what_is_claimed(name: str) -> None:
    asked = STEPS[name].question
    shown = PROOFS[name](STEPS[name])
    if not isinstance(asked.kind, Choice):
        shown = asked.kind.read(asked.kind.written(shown))
    assert asked.kind.same(shown, asked.right), (shown, asked.right)


@pytest.mark.parametrize("key", KEYS)
def test_a_lesson_teaches_the_topics_of_its_part_in_their_place(key: str) -> None:
    steps = lessons()[key].steps.values()
    topics = next([topic.title for topic in part.topics] for part in PARTS if part.key == key)
    assert sorted(title for step in steps for title in step.topics) == sorted(topics)
    assert 7 <= len(steps) <= 10


@pytest.mark.parametrize("name", STEPS)
def test_values_are_named_as_the_page_names_its_widgets(name: str) -> None:
    exhibit = STEPS[name].exhibit
    folder = ROOT / "apps" / exhibit.page
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("page*.py")))
    for key in exhibit.values:
        assert UNNAMED.fullmatch(key) or f'"{key}"' in source, key


def test_the_attention_of_the_reviews_is_that_of_a_recurrent_network() -> None:
    assert "attention" in networks(reviews())  # else the section "Inside" has no states
