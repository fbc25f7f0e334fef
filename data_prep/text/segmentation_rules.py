"""Sentences and words of English by rules alone: what a trained segmenter has to beat.

The words are those of Universal Dependencies, which follow the Penn Treebank: clitics and punctuation are
words, hyphens join only what is no word by itself ("e-mail", "non-profit").
"""

from __future__ import annotations

import numpy as np
import regex

from data_prep.text.segmentation import SENTENCE_END, WORD_END, character_ids, cut
from data_prep.text.tokenizer import Token

_TITLES = (
    "Mr|Mrs|Ms|Dr|Prof|Rev|Gen|Col|Capt|Lt|Sgt|Sen|Rep|Gov|Pres|Hon|St|Mt|Ft|No|Nos|vs|etc|al|cf|Fig|approx|"
    "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|Mon|Tue|Tues|Wed|Thu|Thur|Thurs|Fri|Sat|Sun"
)
_ENDINGS = (
    r"Inc|Co|Corp|Ltd|Bros|Jr|Sr|Ave|Blvd|Rd|Dept|Univ|Assn|a\.m|p\.m|e\.g|i\.e|Ph\.D|U\.S|U\.K|D\.C|U\.N"
)
# Pieces that are no words by themselves and stay with their hyphen.
_PREFIXES = (
    "a|anti|bi|bio|co|counter|cross|cyber|de|e|eco|ex|extra|inter|intra|macro|mega|micro|mid|mini|mis|multi|"
    "neo|non|over|pan|para|post|pre|pro|proto|pseudo|quasi|re|semi|sub|super|supra|tele|trans|tri|u|ultra|un|"
    "under|uni"
)
_ABBREVIATION = rf"(?:{_TITLES}|{_ENDINGS})\."
_APOSTROPHE = "['’`´]"
_WORD = r"[\p{L}\p{M}]+"
_NUMBER = r"[+-]?\d++(?:[.,:/]\d++)*+(?:(?:st|nd|rd|th|s)(?!\p{L}))?+(?!\p{L})|\.\d+"
_TOKEN = regex.compile(
    rf"""
      (?:https?://|ftp://|www\.)\S*[\w/=\#&+~]        # addresses
    | (?:[\w-]{{1,63}}\.){{1,8}}(?:com|org|net|edu|gov|info|uk|ca)\b(?:/\S*[\w/])?
    | [\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,8}}
    | (?<!\w)[:;=8][-o^]?[()DPp/\\|\[\]*]+(?!\w) | <3   # faces
    | \.{{2,}} | [!?]+ | (?P<sign>[-*_=~\#+>])(?P=sign)+
    | (?<!\w){_ABBREVIATION} | (?<!\w)(?:\p{{L}}\.){{2,}}
    | (?<![\p{{L}}{_APOSTROPHE[1:-1]}])\p{{Lu}}\.(?=\s+\p{{Lu}})
    | {_NUMBER}
    | (?i:(?<!\w)(?:{_PREFIXES})-{_WORD})
    | {_WORD}(?:{_APOSTROPHE}{_WORD})*
    | \d+ | _+ | \S
    """,
    regex.VERBOSE,
)
_CLITIC = regex.compile(
    rf"(?i:(?<=\p{{L}})(?:n{_APOSTROPHE}t|{_APOSTROPHE}(?:s|re|ve|ll|d|m))$"
    r"|(?<=^can)not$|(?<=^(?:gon|wan))na$|(?<=^got)ta$|(?<=^(?:do|did|does|is|was|would|could|should))nt$)"
)
_CLOSING = frozenset("\"'’”)]}»")
_ENDS_SENTENCE = regex.compile(r"(?:[.?!…]|\.\.+|[?!]+)\Z")
_TITLE = regex.compile(rf"(?:{_TITLES}|\p{{Lu}})\.")
_BEGINS_SENTENCE = regex.compile(r"""\s*["'“‘(\[*-]*[\p{Lu}\p{N}]|\s*\n""")


def segment_by_rules(text: str) -> list[list[Token]]:
    """Cut a text into sentences of words by rules; as ``models.segmenter.serving.Segmenter.segment``."""
    labels = np.zeros(len(text), np.int8)
    ended = False  # whether the sentence has ended and only closing quotes and brackets may follow
    last = -1
    for match in _TOKEN.finditer(text):
        token, start, end = match.group(), *match.span()
        if ended and not (token in _CLOSING and start == last):
            if _BEGINS_SENTENCE.match(text, last):
                labels[last - 1] = SENTENCE_END
            ended = False
        labels[end - 1] = WORD_END
        if clitic := _CLITIC.search(token):
            labels[start + clitic.start() - 1] = WORD_END
        if _ENDS_SENTENCE.search(token) and not _TITLE.fullmatch(token):
            ended = True
        last = end
    return cut(text, character_ids(text), labels)
