"""Reviews: what a document is, such as a good or a bad review, or its topic; works without TensorFlow."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from apps.reviews.results import Verdict
from apps.shared.application import Application
from data_prep.errors import InputError
from data_prep.readers.documents import together
from data_prep.readers.labelled_texts import Refused
from data_prep.text.text_inputs import encode_keys, keys_of, plain
from data_prep.text.vocab import UNK
from models.serving.operations import softmax
from models.text_classifier.config import KIND
from models.text_classifier.serving import PackedText, Sure

if TYPE_CHECKING:
    from models.text_classifier.ascii_words import AsciiWords

DEFAULT_PRESET = "reviews_imdb"
TOPICS_PRESET = "topics_bbc"
# In the metadata of a preset.
ALONE = "first_network_alone"
MAX_CHARACTERS = 1 << 22  # of one document
TOGETHER = 512  # documents that are answered together
_MANY = 512  # documents that are worth loading Numba
_ASCII = "models.text_classifier.ascii_words"

Unknown = Literal["refuse", "answer"]


class Document(NamedTuple):
    """A document that was read: ids int32 with the end last, its words and numbers, and the unknown ones of them."""

    ids: np.ndarray
    words: int
    unknown: int


class Reviews(Application):
    """A trained classifier of documents, ready for use; threads can share it.

    Attributes:
        network: All its networks in NumPy (``models.text_classifier.serving.PackedText``).
        sure: Where the first of them answers alone, as the metadata of the preset say; None for never.
    """

    kind = KIND
    default_preset = DEFAULT_PRESET

    def __init__(self, config: Any, arrays: Mapping[str, np.ndarray], **more: Any) -> None:
        super().__init__(config, arrays, **more)
        self.network = PackedText(config, arrays)
        self.sure = Sure(**self.metadata[ALONE]) if ALONE in self.metadata else None
        self._ascii: AsciiWords | None = None  # once it has seen many documents: it takes Numba
        self._seen = 0

    def read(self, text: str, *, unknown: Unknown = "refuse") -> Document:
        """Turn a document into what the networks read.

        Args:
            text: The document, markup of web pages included.
            unknown: Whether a document without any known word is refused, or read like any other.

        Raises:
            InputError: It is empty, holds no (known) word, or is longer than ``MAX_CHARACTERS``.
        """
        if len(text) > MAX_CHARACTERS:
            raise InputError(
                "The text is too long", allowed=f"{MAX_CHARACTERS:,} characters", received=len(text)
            )
        if not text.strip():
            raise InputError("The text is empty", allowed="a text with at least one word")
        if self._ascii is not None and (meant := plain(text)).isascii():
            document = Document(*self._ascii.read(meant))
        else:
            keys = keys_of(text)
            ids = encode_keys(keys, self.vocabulary)
            is_word = np.array([key[0].isalnum() for key in keys], bool)
            document = Document(ids, int(is_word.sum()), int(is_word[ids[:-1] == UNK].sum()))
        if not document.words:
            raise InputError("The text holds no word", received=text)
        if document.unknown == document.words and unknown == "refuse":
            raise InputError(
                f"None of the {document.words:,} words of the text is known",
                received=text,
                remedy="Give a text in the language that the network learned",
            )
        return document

    def classify(self, text: str) -> Verdict:
        """Say what a document is.

        Args:
            text: The document, markup of web pages included.

        Returns:
            The answer, with all probabilities, and how many words were unknown or not read.

        Raises:
            InputError: It is empty, too long, or holds no known word.
        """
        document = self.read(text)
        return self._verdict(document, self.probabilities([document.ids])[0])

    def classify_many(
        self, texts: Iterable[str | Refused], *, batch_size: int = TOGETHER, unknown: Unknown = "refuse"
    ) -> Iterator[Verdict | Refused]:
        """Say what documents are, any number of them in bounded memory; those of similar length go together.

        Args:
            texts: The documents; what was refused already goes through, so that it is not lost.
            batch_size: At most this many are read before they are answered.
            unknown: Whether a document without any known word is refused, or answered by what is usual.

        Yields:
            For each document in turn its answer, or why there is none, with its number from 1.
        """
        numbers = count(1)
        for chunk in together(texts, batch_size):
            waiting: list[Document | Refused] = []
            for text, number in zip(chunk, numbers, strict=False):
                self._seen += 1
                if self._ascii is None and self._seen > _MANY:
                    self._ascii = importlib.import_module(_ASCII).AsciiWords(self.vocabulary)
                try:
                    refused = isinstance(text, Refused)
                    waiting.append(
                        text._replace(number=number) if refused else self.read(text, unknown=unknown)
                    )
                except InputError as error:
                    waiting.append(Refused(number, error.problem))
            yield from self._answered(waiting)

    def probabilities(self, documents: Sequence[np.ndarray]) -> np.ndarray:
        """Answer ids of documents, the end last: float64 (documents, labels), each row with sum 1."""
        return softmax(self.network.soonest(documents, self.sure))

    def _answered(self, waiting: Sequence[Document | Refused]) -> Iterator[Verdict | Refused]:
        read = [one for one in waiting if isinstance(one, Document)]
        shares = iter(self.probabilities([one.ids for one in read]) if read else ())
        for one in waiting:
            yield self._verdict(one, next(shares)) if isinstance(one, Document) else one

    def _verdict(self, document: Document, shares: np.ndarray) -> Verdict:
        tokens = len(document.ids) - 1
        return Verdict(
            label=self.labels[int(shares.argmax())],
            probabilities=dict(zip(self.labels, shares.tolist(), strict=True)),
            words=document.words,
            unknown_words=document.unknown,
            tokens=tokens,
            left_out=self.network.left_out(tokens),
        )
