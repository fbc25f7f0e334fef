"""Tagged text as HTML: words on ribbons in the colour of their tag, with alternatives on hover."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from apps.shared.style import DARK, Palette
from apps.tagger.results import TaggedSentence, TaggedToken
from apps.tagger.tagset import TAGS, tag_colour, tag_name
from data_prep.readers.conllu import UNTAGGED

_LONGEST_SHOWN = 60  # characters of a word that are drawn; its whole length is on its card
_FULL, _FULL_DARK = 0.62, 0.50  # opacity at full confidence; words have to stay readable on it


def style(colours: Palette) -> str:
    """Write the style sheet of :func:`ribbons` and :func:`legend` as a ``<style>`` element."""
    return f"""<style>
.ribbons .sentence {{ position: relative; margin: 0 0 .55rem; line-height: 1.25;
  white-space: pre-wrap; overflow-wrap: anywhere; }}
.ribbons .word {{ display: inline-block; border-radius: .25rem; padding: .12rem .28rem .08rem;
  margin: .1rem 0; border: 1px solid transparent; cursor: help; max-width: 100%; white-space: normal; }}
.ribbons .word:hover, .ribbons .word:focus-visible {{ border-color: {colours.text}; outline: none; }}
.ribbons .form {{ display: block; font-size: 1.05rem; color: {colours.text}; }}
.ribbons .tag {{ display: block; font-size: .62rem; letter-spacing: .03em; color: {colours.text};
  opacity: .78; }}
.ribbons .ambiguous {{ border: 1px dashed {colours.negative}; }}
.ribbons .ambiguous .tag::after {{ content: " ?"; color: {colours.negative}; font-weight: 700;
  font-size: .8rem; line-height: 0; }}
.ribbons .unknown .form {{ text-decoration: underline dotted {colours.muted}; text-underline-offset: .2em; }}
.ribbons .card {{ display: none; position: absolute; z-index: 50; left: 0; top: 100%;
  width: min(24rem, 100%); box-sizing: border-box; background: {colours.ground};
  border: 1px solid {colours.muted}; border-radius: .4rem; padding: .5rem .7rem; font-size: .85rem;
  color: {colours.text}; box-shadow: 0 4px 14px rgba(0,0,0,.18); }}
.ribbons .word:hover .card, .ribbons .word:focus .card {{ display: block; }}
.ribbons .row {{ display: grid; grid-template-columns: 8.5rem 1fr 3.6rem; gap: .4rem; align-items: center; }}
.ribbons .bar {{ height: .55rem; border-radius: 2px; display: block; min-width: 1px; }}
.ribbons .value {{ text-align: right; font-variant-numeric: tabular-nums; }}
.tags {{ display: flex; flex-wrap: wrap; gap: .2rem .7rem; font-size: .8rem; color: {colours.text}; }}
.tags .sample {{ display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; margin-right: .25rem;
  vertical-align: -.08rem; }}
</style>"""


def ribbons(sentences: Sequence[TaggedSentence], colours: Palette) -> str:
    """Draw sentences as HTML, one a block, with the white space that stands between their words."""
    blocks = "".join(_sentence(sentence, colours) for sentence in sentences)
    return f'{style(colours)}<div class="ribbons">{blocks}</div>'


def legend(tags: Sequence[str], colours: Palette) -> str:
    """Name the colours of the tags that are on the page, as HTML: the universal ones first."""
    known = [tag for tag in TAGS if tag in tags]
    samples = "".join(
        f'<span title="such as “{escape(TAGS[tag].example)}”"><span class="sample" '
        f'style="background:{tag_colour(tag)}"></span>{tag} {tag_name(tag)}</span>'
        for tag in known
    ) + "".join(
        f'<span><span class="sample" style="background:{tag_colour(tag)}"></span>{escape(tag)}</span>'
        for tag in sorted(set(tags) - set(known))
    )
    return f'{style(colours)}<div class="tags" aria-label="Colours of the tags">{samples}</div>'


def ribbon_colour(tag: str, probability: float, *, dark: bool) -> str:
    """Give the colour of a ribbon: the tag's, the more see-through the less sure the network is."""
    red, green, blue = (int(tag_colour(tag)[start : start + 2], 16) for start in (1, 3, 5))
    opacity = (_FULL_DARK if dark else _FULL) * probability**2
    return f"rgba({red},{green},{blue},{opacity:.3f})"


def _sentence(sentence: TaggedSentence, colours: Palette) -> str:
    pieces, at = [], sentence.start
    for token in sentence.tokens:
        gap = sentence.text[at - sentence.start : token.start - sentence.start]
        pieces.append(escape(gap) + _word(token, colours))
        at = max(at, token.end)
    return f'<div class="sentence" dir="auto">{"".join(pieces)}</div>'


def _word(token: TaggedToken, colours: Palette) -> str:
    kinds = ["word"] + ["ambiguous"] * token.ambiguous + ["unknown"] * token.unknown
    ground = ribbon_colour(token.tag, token.probability, dark=colours == DARK)
    return (
        f'<span class="{" ".join(kinds)}" tabindex="0" style="background:{ground}">'
        f'<bdi class="form">{_shown(token.text)}</bdi><span class="tag">{escape(token.tag)}</span>'
        f"{_card(token)}</span>"
    )


def _card(token: TaggedToken) -> str:
    rows = [(token.tag, token.probability)]
    rows += [(other.tag, other.probability) for other in token.alternatives]
    bars = "".join(
        f'<span class="row"><span>{escape(tag_name(tag))}</span>'
        f'<span class="bar" style="width:{100 * probability:.1f}%;background:{tag_colour(tag)}"></span>'
        f'<span class="value">{100 * probability:.1f} %</span></span>'
        for tag, probability in rows
    )
    notes = [] if token.xpos in (UNTAGGED, token.tag) else [f"XPOS {escape(token.xpos)}"]
    notes.append(f"characters {token.start}–{token.end}")
    if token.unknown:
        notes.append("never seen in training")
    return (
        f'<span class="card" role="tooltip"><b><bdi>{_shown(token.text)}</bdi></b>{bars}'
        f"<small>{' · '.join(notes)}</small></span>"
    )


def _shown(text: str) -> str:
    return escape(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")
