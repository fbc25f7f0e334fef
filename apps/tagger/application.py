"""Tagger: raw text to sentences, words, tags, probabilities and alternatives; Segmenter, which finds the words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from apps.shared.application import Application
from apps.tagger.files import sentence_numbers
from apps.tagger.results import ALTERNATIVES, Alternative, TaggedSentence, TaggedText, TaggedToken
from data_prep.errors import InputError
from data_prep.readers.conllu import Sentence, found_lines
from data_prep.text.segmentation import expanded
from data_prep.text.tokenizer import Token
from models.pos_tagger.serving import TagPredictor
from models.presets.store import Preset, load_preset
from models.segmenter import serving

DEFAULT_PRESET = "tagger_en_ewt"
SEGMENTER_PRESET = "segmenter_en_ewt"
OWN_SEGMENTER = "segmenter"  # the part of a tagger's preset that holds its own one
_WORDS_AT_ONCE = 20_000  # what is held as arrays of probabilities, however long the text is


class Segmenter(Application):
    """Cuts raw text into sentences of words; threads can share it.

    The vocabulary of a preset, where there is one, holds its multiword tokens: form and words, a tab between two.
    """

    kind = "segmenter"
    default_preset = SEGMENTER_PRESET
    scored_by = "evaluate_segmenter"

    def __init__(self, config: Any, arrays: Mapping[str, np.ndarray], **more: Any) -> None:
        super().__init__(config, arrays, **more)
        self._network = serving.Segmenter(config, arrays)
        entries = () if self.vocabulary is None else self.vocabulary.entries
        self.multiword = {form: tuple(words) for form, *words in (entry.split("\t") for entry in entries)}

    def segment(self, text: str) -> list[list[Token]]:
        """Cut a text into sentences of words.

        Args:
            text: Any string; nothing in it is an error.

        Returns:
            The words of each sentence. Every character that is not white space is in a word, and
            ``text[word.start:word.end] == word.text``, except that the words of a multiword token ("zu" and "dem" of
            "zum") share its span.
        """
        sentences = self._network.segment(text)
        return [list(expanded(one, self.multiword)) for one in sentences] if self.multiword else sentences


class _Piece(NamedTuple):
    """A sentence on its way through the network: its text, where it starts in the whole one, its words with spans."""

    text: str
    start: int
    words: Sequence[tuple[str, int, int]]
    whole: str = ""


class Tagger(Application):
    """Part-of-speech tags for text; threads can share it.

    A tagger whose treebank has no UPOS tags answers ``_`` for them and gives probability and alternatives of XPOS.

    Args:
        predictor: The network with its labels.
        segmenter: Cuts a text into sentences of words.
        **preset: As for every application.

    Attributes:
        column: ``"upos"``, or ``"xpos"`` where there is no UPOS.
        tags: Those of the column, which probabilities and alternatives are about.
    """

    kind = "pos_tagger"
    default_preset = DEFAULT_PRESET

    def __init__(self, predictor: TagPredictor, segmenter: Segmenter, **preset: Any) -> None:
        super().__init__(predictor.config, preset.pop("arrays", {}), labels=predictor.upos, **preset)
        self.predictor, self.segmenter = predictor, segmenter
        self.column, self.tags = predictor.column, predictor.tags

    @classmethod
    def from_preset(cls, name: str | Path | None = None, segmenter: str | Path | None = None) -> Self:
        """Open a preset of a tagger, and one of a segmenter.

        Args:
            name: Name of a preset, or its folder; None for the shipped one.
            segmenter: The same for the segmenter; None for that of the tagger's preset, or else the shipped one.

        Raises:
            InputError: There is no such preset, it is damaged, or it is of another kind.
        """
        opened = None if segmenter is None else Segmenter.from_preset(segmenter)
        return cls.of(load_preset(name or cls.default_preset, kind=cls.kind), opened)

    @classmethod
    def of(cls, preset: Preset, segmenter: Segmenter | None = None) -> Self:
        """Make the application of an opened preset."""
        own = preset.parts.get(OWN_SEGMENTER)
        return cls(
            TagPredictor(preset.config, preset.vocabulary, preset.arrays),
            segmenter or (Segmenter.from_preset() if own is None else Segmenter.of(own)),
            arrays=preset.arrays,
            vocabulary=preset.vocabulary,
            metadata=preset.metadata,
            metrics=preset.metrics,
        )

    def tag(self, text: str) -> TaggedText:
        """Tag a text.

        Args:
            text: Any text with something else than white space in it, of any length.

        Returns:
            Its sentences; every character that is not white space is in a word, and
            ``text[token.start:token.end] == token.text`` but for the words of multiword tokens, see
            :meth:`Segmenter.segment`.

        Raises:
            InputError: The text is empty or only white space.
        """
        return TaggedText(text, tuple(self.stream(text)))

    def stream(self, text: str) -> Iterator[TaggedSentence]:
        """Tag a text sentence by sentence, with bounded memory beside the text and its spans; as :meth:`tag`."""
        _check_text(text)
        return self._tagged(self._pieces(text))

    def stream_conllu(self, text: str, numbers: Iterable[int] | None = None) -> Iterator[str]:
        """Tag a text and write it as CoNLL-U, sentence by sentence: the fastest way from text to tags.

        The same as ``apps.tagger.files.conllu_pieces`` of what :meth:`stream` gives.

        Args:
            text: As for :meth:`tag`.
            numbers: Names of the sentences; None counts from 1.

        Raises:
            InputError: The text is empty or only white space, or there are fewer numbers than sentences.
        """
        _check_text(text)
        return self._lines(self._pieces(text), sentence_numbers(numbers))

    def tag_batch(self, texts: Iterable[str]) -> list[TaggedText]:
        """Tag many texts together: the same answers as one by one, sooner.

        After its first hundred words a tagger computes in 16 bits: probabilities change by about 0.001 at most, and of
        two tags that are about as probable the other one can be chosen.

        Args:
            texts: Texts as :meth:`tag` takes them; none is fine.

        Raises:
            InputError: A text is empty or only white space.
        """
        texts = list(texts)
        for text in texts:
            _check_text(text)
        pieces = [list(self._pieces(text)) for text in texts]
        sentences = self._tagged(chain.from_iterable(pieces))
        return [
            TaggedText(text, tuple(islice(sentences, len(own))))
            for text, own in zip(texts, pieces, strict=True)
        ]

    def conllu_batch(self, texts: Iterable[str]) -> list[str]:
        """Tag many texts together and write each as CoNLL-U: the same as :meth:`stream_conllu`, sooner.

        Raises:
            InputError: A text is empty or only white space.
        """
        texts = list(texts)
        for text in texts:
            _check_text(text)
        pieces = [list(self._pieces(text)) for text in texts]
        numbers = chain.from_iterable(range(1, len(own) + 1) for own in pieces)
        lines = self._lines(chain.from_iterable(pieces), numbers)
        return ["".join(islice(lines, len(own))) for own in pieces]

    def tag_tokens(self, sentences: Iterable[Iterable[str]]) -> list[TaggedSentence]:
        """Tag sentences whose words are given.

        Args:
            sentences: Sentences of one word or more each; a word is any text that is not empty.

        Returns:
            One result a sentence; its text is the words with a space between two of them.

        Raises:
            InputError: A sentence or a word is empty, or a text stands where a list of words belongs.
        """
        return list(self._tagged(map(given_words, sentences)))

    def tag_sentences(self, sentences: Iterable[Sentence]) -> Iterator[TaggedSentence]:
        """Tag the words of a treebank, whose own tags are not looked at; spans count in the sentence's own text."""
        return self._tagged(
            _Piece(sentence.text, 0, [(word.form, word.start, word.end) for word in sentence.words])
            for sentence in sentences
        )

    def _pieces(self, text: str) -> Iterator[_Piece]:
        for words in self.segmenter.segment(text):
            start = words[0].start
            yield _Piece(text[start : words[-1].end], start, words, text)

    def _tagged(self, pieces: Iterable[_Piece]) -> Iterator[TaggedSentence]:
        return chain.from_iterable(map(self._answer, _batches(pieces)))

    def _answer(self, pieces: list[_Piece]) -> Iterator[TaggedSentence]:
        upos, xpos = self.predictor.upos, self.predictor.xpos
        found = self.predictor.predict([[word[0] for word in piece.words] for piece in pieces])
        chosen, rows = getattr(found, self.column), np.arange(len(found.unknown))
        others = found.probabilities.copy()
        others[rows, chosen] = -1.0
        best = np.argsort(-others, axis=1, kind="stable")[:, : min(ALTERNATIVES, len(self.tags) - 1)]
        # All words of all pieces, one after the other; each piece takes its own from them.
        values = zip(
            [upos[tag] for tag in found.upos.tolist()],
            [xpos[tag] for tag in found.xpos.tolist()],
            found.probabilities[rows, chosen].tolist(),
            [[self.tags[tag] for tag in row] for row in best.tolist()],
            found.probabilities[rows[:, None], best].tolist(),
            found.unknown.tolist(),
            strict=True,
        )
        for piece in pieces:
            tokens = [
                TaggedToken(
                    form, start, end, tag, fine, probability, tuple(map(Alternative, names, shares)), new
                )
                for (form, start, end), (tag, fine, probability, names, shares, new) in zip(
                    piece.words, islice(values, len(piece.words)), strict=True
                )
            ]
            yield TaggedSentence(piece.text, tuple(tokens), piece.start)

    def _lines(self, pieces: Iterable[_Piece], names: Iterator[int]) -> Iterator[str]:
        for batch in _batches(pieces):
            found = self.predictor.predict([[word[0] for word in piece.words] for piece in batch])
            upos, xpos = (
                map(getattr(self.predictor, column).__getitem__, getattr(found, column).tolist())
                for column in ("upos", "xpos")
            )
            for piece in batch:
                words = zip(piece.words, upos, xpos, strict=False)  # each sentence takes its own from them
                tagged = [(form, tag, fine, start, end) for (form, start, end), tag, fine in words]
                yield found_lines(piece.whole, tagged, str(next(names)))


def _batches(pieces: Iterable[_Piece]) -> Iterator[list[_Piece]]:
    waiting: list[_Piece] = []
    words = 0
    for piece in pieces:
        waiting.append(piece)
        words += len(piece.words)
        if words >= _WORDS_AT_ONCE:
            yield waiting
            waiting, words = [], 0
    if waiting:
        yield waiting


def _check_text(text: str) -> None:
    if not isinstance(text, str):
        raise InputError("A text is needed", allowed="a string", received=type(text).__name__)
    if not text or text.isspace():
        raise InputError("The text is empty", allowed="a text with at least one word", received=text)


def given_words(words: Iterable[str]) -> _Piece:
    """Refuse what is no sentence of words; put a space between two of them."""
    if isinstance(words, str):
        raise InputError("A sentence is a list of words", received=words, remedy="Use tag() for a text")
    words = list(words)
    if not words or not all(isinstance(word, str) and word for word in words):
        raise InputError("A sentence is one word or more, and no word is empty", received=words)
    spans, at = [], 0
    for word in words:
        spans.append((word, at, at + len(word)))
        at += len(word) + 1
    return _Piece(" ".join(words), 0, spans)
