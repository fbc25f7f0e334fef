"""Lectern's tagger in a pipeline of spaCy, on spaCy's own tokens.

>>> import spacy
>>> nlp = spacy.blank("en")
>>> nlp.add_pipe("lectern_tagger")  # doctest: +SKIP
>>> [(token.text, token.pos_, token.tag_) for token in nlp("Dogs bark.")]  # doctest: +SKIP
[('Dogs', 'NOUN', 'NNS'), ('bark', 'VERB', 'VBP'), ('.', 'PUNCT', '.')]

The name is known to spaCy wherever Lectern is installed; elsewhere ``import lectern.spacy`` makes it known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from apps.tagger.application import Tagger
from data_prep.readers.conllu import UNTAGGED

try:
    from spacy.language import Language
    from spacy.tokens import Doc
    from spacy.util import minibatch
except ModuleNotFoundError as error:
    raise ImportError("lectern.spacy needs spaCy; in the checkout: pip install '.[spacy]'") from error

_SPACE = ("SPACE", "_SP")  # what spaCy calls white space that is a token of its own


@Language.factory(
    "lectern_tagger",
    assigns=["token.pos", "token.tag", "token.is_sent_start"],
    default_config={"preset": None, "segmenter": None, "sentences": True},
)
class LecternTagger:
    """Sets where sentences begin, ``pos_`` and ``tag_``; a pipeline with it is saved by its settings.

    Args:
        nlp: The pipeline.
        name: Of the component.
        preset: Name or folder of a tagger's preset; None for the shipped one.
        segmenter: The same for the segmenter; None for the tagger's own, or the shipped one.
        sentences: Whether it finds sentences; else those that are set are kept, and a text without any is one.
    """

    def __init__(
        self, nlp: Language, name: str, preset: str | None, segmenter: str | None, sentences: bool
    ) -> None:
        self.name, self.preset, self.segmenter, self.sentences = name, preset, segmenter, sentences
        self.tagger = Tagger.from_preset(preset, segmenter)

    def __call__(self, doc: Doc) -> Doc:
        """Tag one document."""
        return self._tagged([doc])[0]

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """Tag documents, so many of them together."""
        for docs in minibatch(stream, batch_size):
            yield from self._tagged(list(docs))

    def __reduce__(self) -> tuple[Any, ...]:
        return LecternTagger, (None, self.name, self.preset, self.segmenter, self.sentences)

    def _tagged(self, docs: list[Doc]) -> list[Doc]:
        sentences = []
        for doc in docs:
            if self.sentences:
                self._set_sentences(doc)
            starts = [token.i for token in doc if token.is_sent_start or token.i == 0]
            for first, last in zip(starts, [*starts[1:], len(doc)], strict=False):  # an empty text has none
                tokens = [token for token in doc[first:last] if not token.is_space]
                if tokens:
                    sentences.append(tokens)
        found = self.tagger.tag_tokens([[token.text for token in tokens] for tokens in sentences])
        for doc in docs:
            for token in doc:
                if token.is_space:
                    token.pos_, token.tag_ = _SPACE
        for tokens, tagged in zip(sentences, found, strict=True):
            for token, one in zip(tokens, tagged.tokens, strict=True):
                if one.upos != UNTAGGED:
                    token.pos_ = one.upos
                if one.xpos != UNTAGGED:
                    token.tag_ = one.xpos
        return docs

    def _set_sentences(self, doc: Doc) -> None:
        """Let each sentence begin with the first word of spaCy's that begins in or behind its first one."""
        starts = iter(words[0].start for words in self.tagger.segmenter.segment(doc.text))
        following = next(starts, None)
        seen = False  # a word: white space before the first one belongs to its sentence
        for token in doc:
            begins = following is not None and token.idx >= following and not token.is_space
            token.is_sent_start = token.i == 0 or (begins and seen)
            seen = seen or not token.is_space
            while begins and following is not None and token.idx >= following:
                following = next(starts, None)
