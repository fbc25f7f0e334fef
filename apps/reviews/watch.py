"""What classifiers of documents, and their word vectors, show while they train: a text of one's own, and scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from apps.reviews.evaluation import mean_loss
from apps.vectors.application import Vectors
from data_prep.text.embeddings import WordVectors
from data_prep.text.text_inputs import encode, keys_of, words_of
from data_prep.text.vocab import UNK, Vocabulary
from models.serving.operations import softmax
from models.storage.variables import copy_values
from models.text_classifier.config import Arrays, TextClassifierConfig, TextPresetConfig
from models.text_classifier.serving import PackedText
from models.training.watching import Seen

if TYPE_CHECKING:
    import keras

MOST_CHARACTERS = 1500  # of one's own text
WATCHED = {
    "document": "Not a good film at all: the plot is weak, and the acting is dull. The music alone was lovely."
}
_DOCUMENTS = 400  # of what is held out, at most
_WORDS = {True: 200_000, False: 25_000}  # that a network reads of them, by whether it is linear: about 0.1 s
_LOOKED_UP, _NEIGHBOURS = 8, 6

See = Callable[["keras.Model", Mapping[str, str]], Seen]


def network_seer(
    config: TextClassifierConfig,
    vocabulary: Vocabulary,
    labels: Sequence[str],
    sample: tuple[Sequence[np.ndarray], np.ndarray],
    kind: str,
    earlier: Sequence[PackedText] = (),
) -> See:
    """Make what looks at one network that trains.

    Args:
        config: Of the network.
        vocabulary: Of the documents.
        labels: Their names.
        sample: Ids of documents, evenly some of which are looked at, and the number of the label of each, int (n,).
        kind: What the sample is, in the names of the numbers: ``"held_out"`` or ``"training_sample"``.
        earlier: Networks that were trained before it and answer together with it.

    Returns:
        From a network to numbers (accuracy in percent, loss in nats a document) and the picture that ``page_watch``
        draws.
    """
    documents, right = _some_of(config, *sample)

    def see(model: keras.Model, watch: Mapping[str, str]) -> Seen:
        from models.text_classifier.network import trained_arrays

        network, text = alone(config, trained_arrays(model)), own_text(watch)
        shares = softmax(network.logits(documents))
        numbers = {
            f"{kind}_accuracy": 100.0 * float((shares.argmax(axis=1) == right).mean()),
            f"{kind}_loss": mean_loss(shares, right),
        }
        ids = encode(text, vocabulary)
        logits = network.logits([ids])[0]
        # Of two labels always the second one, so that colours keep their meaning.
        answer, against = (1, 0) if len(labels) == 2 else np.argsort(-logits, kind="stable")[:2].tolist()
        added = network.contributions(ids, answer, against)
        known = (ids != UNK) & (ids < config.vocabulary_size)
        picture = {
            "text": text,
            "words": [
                [token.text, token.start, token.end, seen]
                for token, seen in zip(words_of(text), known[:-1].tolist(), strict=True)
            ],
            "added": added.words,
            "label": labels[answer],
            "against": labels[against],
            "labels": list(labels),
            "networks": [
                *([one.config.members[0].network, softmax(one.logits([ids])[0])] for one in earlier),
                [config.network, softmax(logits)],
            ],
            "sample": [kind, len(documents)],
        }
        return Seen(numbers, picture)

    return see


def vectors_seer(vocabulary: Vocabulary) -> See:
    """Make what looks at word vectors that train: the neighbours of the rarest known words of one's own text."""

    def see(model: keras.Model, watch: Mapping[str, str]) -> Seen:
        (matrix,) = copy_values([model.input_vectors])
        vectors = Vectors(WordVectors(vocabulary, matrix))
        known = {key: vocabulary.id(key) for key in keys_of(own_text(watch)) if key in vocabulary}
        rarest = sorted(known, key=lambda key: -known[key])[:_LOOKED_UP]
        found = {key: vectors.neighbours(key, _NEIGHBOURS) for key in rarest}
        return Seen({}, {"neighbours": [[key, [one.word for one in near]] for key, near in found.items()]})

    return see


def alone(config: TextClassifierConfig, arrays: Arrays) -> PackedText:
    """Make one network by itself, of its weights as they are in training."""
    return PackedText(TextPresetConfig((config,)), {f"member1/{name}": one for name, one in arrays.items()})


def own_text(watch: Mapping[str, str]) -> str:
    """Return the text that is looked at; too long a one is cut."""
    text = watch.get("document", "").strip()[:MOST_CHARACTERS]
    return text or WATCHED["document"]


def _some_of(
    config: TextClassifierConfig, documents: Sequence[np.ndarray], right: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
    """Choose documents, evenly, so many that they are read in a moment."""
    length = np.mean([len(config.places(len(ids))) for ids in documents])
    count = min(_DOCUMENTS, len(documents), max(1, int(_WORDS[config.is_linear] / length)))
    places = np.linspace(0, len(documents) - 1, count).round().astype(int)
    return [documents[at] for at in places.tolist()], right[places]
