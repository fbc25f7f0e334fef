"""Lessons of tokens, tasks and word2vec: what each step says is what its exhibit shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.course.lessons import Step, lessons
from apps.course.opened import reviews, vectors
from apps.laboratory.experiments import experiments, recorded
from apps.lecture.topics import PARTS
from apps.ocr.reports import PROTOCOLS, SEEN, UNSEEN, protocol_reports
from apps.reviews.explain import label_embeddings, networks, running, states
from apps.reviews.reports import NETWORKS
from apps.shared.reports import preset_scores
from apps.shared.transfer import EMBEDDINGS, TAGS
from tests.apps.lesson_exhibits import (
    CLEAR,
    contracted,
    curves,
    first,
    masked,
    padded,
    read,
    read_word,
    shows,
    tag_of,
    tags,
    unnamed,
    verdict,
)

KEYS = ("tokens", "tasks", "word2vec")
STEPS = {name: step for key in KEYS for name, step in lessons()[key].steps.items()}


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
        assert [one.word for one in found[:4]] == ["milan", "vienna", "turin", "rome"]  # as its reveal says
        score = preset_scores("vectors_en_wiki", "word_vectors")["metrics.google_analogies.score"]
        assert 50 < score < 60  # little more than half
    return (found[0].word,)


def one_by_one(step: Step) -> float:
    values = step.before.values
    assert len(states(reviews(values["preset"]), values["text"]).words) == 3  # as the question says
    return float(len(states(reviews(values["preset"]), step.exhibit.values["text"]).words))


def labels(step: Step) -> str:
    found = label_embeddings(reviews(step.exhibit.values["preset"]))
    assert {one.label for one in found} == set(step.question.kind.options)
    return next(one.label for one in found if "straw" in dict(one.nearest))


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
        {"alone": -3 * errors[UNSEEN][alone], "bilstm": -errors[UNSEEN][bilstm]}
    )  # by a factor of three


def end_verdict(step: Step) -> str:
    assert verdict(step.before.values) == "pos"
    read_so_far = running(reviews(), step.exhibit.values["text"])
    if step.name == "tasks/verdict":
        names = [word.text for word in read_so_far.words]
        positive = [shares[1] for shares in read_so_far.probabilities]
        before, after = positive[: names.index("dull")], positive[names.index("dull") :]
        assert min(before) > 0.6 and before[-1] - after[0] > 0.4 and max(after) < 0.4 and after[-1] < 0.2
    else:
        found = reviews().classify(step.exhibit.values["text"]).probabilities
        assert round(100 * found["neg"]) == 91  # as the reveal says
        names = [word.text for word in read_so_far.words]
        positive = [round(100 * shares[1]) for shares in read_so_far.probabilities]
        assert (positive[names.index("Then")], positive[names.index("ending")], positive[-1]) == (4, 23, 9)
        assert round(100 * reviews().classify(step.before.values["text"]).probabilities["pos"]) == 88
        assert 92 < preset_scores("reviews_imdb", "text_classifier")["metrics.accuracy.score"] < 93
    return verdict(step.exhibit.values)


def order(step: Step) -> str:
    found = {line.label: line.values[0] for line in read(NETWORKS).lines}
    rnn, mean = found["RNN to the end of sequence"], found["Mean of vectors"]
    ours = {label: score for label, score in found.items() if "published" not in label}
    assert rnn == min(ours.values()) and 2.5 < mean - rnn < 3.5
    assert max(ours, key=ours.get) == "Convolution over time"
    gates = [found[f"{cell} to the end of sequence"] for cell in ("LSTM", "MGU")]
    assert max(gates) < mean - 1.0 and abs(found["GRU to the end of sequence"] - mean) < 0.3
    return first({"rnn": rnn, "mean": mean})


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


def test_every_step_has_a_proof() -> None:
    assert list(PROOFS) == list(STEPS)


@pytest.mark.parametrize("name", PROOFS)
def test_the_exhibit_shows_what_is_claimed(name: str) -> None:
    shown = PROOFS[name](STEPS[name])
    assert shows(STEPS[name], shown), shown


@pytest.mark.parametrize("name", STEPS)
def test_values_are_named_as_the_page_names_its_widgets(name: str) -> None:
    assert not unnamed(STEPS[name])


@pytest.mark.parametrize("key", ["tokens", "tasks", "recurrent", "generation", "word2vec"])
def test_a_lesson_teaches_the_topics_of_its_part_in_their_place(key: str) -> None:
    steps = lessons()[key].steps.values()
    topics = next([topic.title for topic in part.topics] for part in PARTS if part.key == key)
    assert sorted(title for step in steps for title in step.topics) == sorted(topics)
    assert 7 <= len(steps) <= 10


def test_the_attention_of_the_reviews_is_that_of_a_recurrent_network() -> None:
    assert "attention" in networks(reviews())  # else the section "Inside" has no states
