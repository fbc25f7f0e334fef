"""Tagger: raw text to sentences, words, parts of speech, probabilities and alternatives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from apps.tagger.results import Alternative, TaggedSentence, TaggedText, TaggedToken
from data_prep.errors import InputError

if TYPE_CHECKING:
    from apps.tagger.results import NetworkView, TaggerEvaluation, Transitions
    from data_prep.readers.conllu import Sentence
    from data_prep.text.tokenizer import Token
    from models.pos_tagger.predictor import TagPredictor
    from models.segmenter.serving import Segmenter

DEFAULT_PRESET = "tagger_en_ewt"
SEGMENTER_PRESET = "segmenter_en_ewt"
ALTERNATIVES = 3
_WORDS_AT_ONCE = 20_000  # what is held as arrays of probabilities, however long the text is


class _Piece(NamedTuple):
    """A sentence on its way through the network: its text, where it starts, its words with spans."""

    text: str
    start: int
    words: Sequence[tuple[str, int, int]]


class Tagger:
    """Part-of-speech tags for text.

    Args:
        predictor: The network with its labels; never changed, so one object can serve many threads.
        segmenter: Cuts a text into sentences of words.
    """

    def __init__(self, predictor: TagPredictor, segmenter: Segmenter) -> None:
        self.predictor = predictor
        self.segmenter = segmenter

    @classmethod
    def from_preset(
        cls, name: str | Path = DEFAULT_PRESET, segmenter: str | Path = SEGMENTER_PRESET
    ) -> Tagger:
        """Open a preset of a tagger and one of a segmenter.

        Args:
            name: Name of a shipped tagger, or the folder of one's own.
            segmenter: Name of a shipped segmenter, or the folder of one's own.

        Returns:
            The application.

        Raises:
            InputError: There is no such preset, or it is damaged.
        """
        from models.pos_tagger.predictor import load_tagger
        from models.segmenter.serving import load_segmenter

        return cls(load_tagger(name), load_segmenter(segmenter))

    def tag(self, text: str) -> TaggedText:
        """Tag a text.

        Args:
            text: Any text with something else than white space in it, of any length.

        Returns:
            Its sentences; every character that is not white space is in a word, and
            ``text[token.start:token.end] == token.text``.

        Raises:
            InputError: The text is empty or only white space.
        """
        return TaggedText(text, tuple(self.stream(text)))

    def stream(self, text: str) -> Iterator[TaggedSentence]:
        """Tag a text sentence by sentence, with bounded memory beside the text and its spans.

        Args:
            text: As :meth:`tag` takes it.

        Returns:
            An iterator over the sentences that :meth:`tag` returns.

        Raises:
            InputError: The text is empty or only white space; raised by the call itself.
        """
        _check_text(text)
        return self._tagged(_pieces(text, self.segmenter.segment(text)))

    def tag_batch(self, texts: Sequence[str]) -> list[TaggedText]:
        """Tag many texts together: the same answers as one by one, sooner.

        Args:
            texts: Texts as :meth:`tag` takes them; none is fine.

        Returns:
            One result a text.

        Raises:
            InputError: A text is empty or only white space.
        """
        for text in texts:
            _check_text(text)
        found: list[list[TaggedSentence]] = [[] for _ in texts]
        owners: list[int] = []

        def pieces() -> Iterator[_Piece]:
            for owner, text in enumerate(texts):
                for piece in _pieces(text, self.segmenter.segment(text)):
                    owners.append(owner)
                    yield piece

        for number, sentence in enumerate(self._tagged(pieces())):
            found[owners[number]].append(sentence)
        return [TaggedText(text, tuple(mine)) for text, mine in zip(texts, found, strict=True)]

    def tag_tokens(self, sentences: Iterable[Sequence[str]]) -> list[TaggedSentence]:
        """Tag sentences whose words are given.

        Args:
            sentences: Sentences of one word or more each; a word is any text that is not empty.

        Returns:
            One result a sentence; its text is the words with a space between two of them.

        Raises:
            InputError: A sentence or a word is empty, or a text stands where a list of words belongs.
        """
        return list(self._tagged(map(_given, sentences)))

    def tag_sentences(self, sentences: Iterable[Sentence]) -> Iterator[TaggedSentence]:
        """Tag the words of a treebank, whose own tags are not looked at.

        Args:
            sentences: As :func:`data_prep.readers.conllu.read_conllu` gives them.

        Yields:
            One result a sentence; its spans count in the sentence's own text.
        """
        yield from self._tagged(
            _Piece(sentence.text, 0, [(word.form, word.start, word.end) for word in sentence.words])
            for sentence in sentences
        )

    def evaluate(
        self,
        file: str | Path | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> TaggerEvaluation:
        """Score on a treebank, on gold tokens and from raw text; see :mod:`apps.tagger.evaluation`.

        Args:
            file: A CoNLL-U file; None takes the official test part of UD English EWT.
            progress: Called with sentences done and sentences in all.

        Returns:
            The scores of both protocols.

        Raises:
            InputError: The file is missing, not well-formed or not tagged, or the treebank cannot be had.
        """
        from apps.tagger.evaluation import evaluate
        from data_prep.readers.conllu import read_conllu, read_ewt

        sentences = read_ewt("test") if file is None else read_conllu(file, require_tags=True)
        return evaluate(self, sentences, progress=progress)

    def view(self, words: Sequence[str]) -> NetworkView:
        """Show what the layers of the network hold for one sentence; see :mod:`apps.tagger.explain`.

        Args:
            words: The words of the sentence.

        Returns:
            The values of the layers, a row a word.

        Raises:
            InputError: There are no words, or an empty one.
        """
        from apps.tagger.explain import network_view

        return network_view(self.predictor, [word for word, _, _ in _given(words).words])

    def transitions(self) -> Transitions | None:
        """Give what the CRF learned about which tag follows which; see :mod:`apps.tagger.explain`.

        Returns:
            Its scores, or None where the network decides word by word.
        """
        from apps.tagger.explain import crf_transitions

        return crf_transitions(self.predictor)

    def _tagged(self, pieces: Iterable[_Piece]) -> Iterator[TaggedSentence]:
        waiting: list[_Piece] = []
        words = 0
        for piece in pieces:
            waiting.append(piece)
            words += len(piece.words)
            if words >= _WORDS_AT_ONCE:
                yield from self._answer(waiting)
                waiting, words = [], 0
        if waiting:
            yield from self._answer(waiting)

    def _answer(self, pieces: list[_Piece]) -> Iterator[TaggedSentence]:
        predictions = self.predictor.predict([[word[0] for word in piece.words] for piece in pieces])
        upos, xpos = self.predictor.upos, self.predictor.xpos
        probabilities = np.concatenate([prediction.upos_probabilities for prediction in predictions])
        tags = np.concatenate([prediction.upos for prediction in predictions])
        fine = np.concatenate([prediction.xpos for prediction in predictions])
        unknown = np.concatenate([prediction.unknown for prediction in predictions])
        chosen, best, scores = _likeliest(probabilities, tags)
        others = [[upos[tag] for tag in three] for three in best.tolist()]
        # All words of all pieces, one behind the other; each piece takes its own from them.
        values = zip(
            [upos[tag] for tag in tags.tolist()],
            [xpos[tag] for tag in fine.tolist()],
            chosen.tolist(),
            others,
            scores.tolist(),
            unknown.tolist(),
            strict=True,
        )
        for piece in pieces:
            text, first = piece.text, piece.start
            tokens = [
                TaggedToken(
                    text[start - first : end - first],
                    start,
                    end,
                    tag,
                    penn,
                    probability,
                    tuple(map(Alternative, names, shares)),
                    is_unknown,
                )
                for (_, start, end), (tag, penn, probability, names, shares, is_unknown) in zip(
                    piece.words, islice(values, len(piece.words)), strict=True
                )
            ]
            yield TaggedSentence(text, tuple(tokens), first)


def _likeliest(probabilities: np.ndarray, tags: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the probability of each chosen tag, and the likeliest other tags.

    Args:
        probabilities: Float (words, tags).
        tags: The chosen ones, int (words,).

    Returns:
        Probabilities of the chosen tags (words,); the other tags and their probabilities, both (words, 3), the
        likeliest first.
    """
    rows = np.arange(len(tags))
    left = probabilities.copy()
    best = np.empty((len(tags), ALTERNATIVES), np.int64)
    taken = tags
    for place in range(ALTERNATIVES):
        left[rows, taken] = -1.0
        best[:, place] = taken = left.argmax(axis=1)
    return probabilities[rows, tags], best, probabilities[rows[:, None], best]


def _check_text(text: str) -> None:
    if not isinstance(text, str):
        raise InputError("A text is needed", allowed="a string", received=type(text).__name__)
    if not text or text.isspace():
        raise InputError("The text is empty", allowed="a text with at least one word", received=text)


def _pieces(text: str, sentences: Iterable[Sequence[Token]]) -> Iterator[_Piece]:
    for words in sentences:
        start = words[0].start
        yield _Piece(text[start : words[-1].end], start, words)


def _given(words: Sequence[str]) -> _Piece:
    if isinstance(words, str):
        raise InputError("A sentence is a list of words", received=words, remedy="Use tag() for a text")
    if not words or not all(isinstance(word, str) and word for word in words):
        raise InputError("A sentence is one word or more, and no word is empty", received=list(words))
    spans, at = [], 0
    for word in words:
        spans.append((word, at, at + len(word)))
        at += len(word) + 1
    return _Piece(" ".join(words), 0, spans)
