"""Tagged text as HTML: words on ribbons in the colour of their tag, with alternatives on hover."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from apps.shared.colours import DARK, Palette, tint
from apps.shared.language import _
from apps.shared.tables import numbers
from apps.tagger.tagset import TAGS, tag_colour, tag_name
from data_prep.readers.conllu import UNTAGGED

_LONGEST_SHOWN = 60  # characters of a word that are drawn; its whole length is on its card
_CSS = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
_FULL, _FULL_DARK = 0.62, 0.45  # opacity at full confidence; words have to stay readable on it


def style(colours: Palette) -> str:
    """Write the style sheet of :func:`ribbons` and :func:`legend` as a ``<style>`` element."""
    names = ("text", "negative", "muted", "ground")
    own = "".join(f"--tag-{name}: {getattr(colours, name)};" for name in names)
    return f"<style>.ribbons, .tags {{ {own} }}\n{_CSS}</style>"


def ribbons(sentences: Sequence[Any], colours: Palette) -> str:
    """Draw a ``TaggedText``'s sentences as HTML, one a block, with the white space that stands between their words."""
    blocks = "".join(_sentence(sentence, colours) for sentence in sentences)
    rows = [[token.text, token.tag, token.probability] for one in sentences for token in one.tokens]
    told = numbers([[_("word"), _("tag"), _("probability")], *rows])
    return f'{style(colours)}<div class="ribbons" data-picture {told}>{blocks}</div>'


def legend(tags: Sequence[str], colours: Palette) -> str:
    """Name the colours of the tags that are on the page, as HTML: the universal ones first."""
    samples = []
    for tag in sorted(tags, key=lambda tag: (list(TAGS).index(tag) if tag in TAGS else len(TAGS), tag)):
        about = f' title="{_("such as “{word}”", word=escape(TAGS[tag].example))}"' if tag in TAGS else ""
        name = f"{tag} {tag_name(tag)}" if tag in TAGS else escape(tag)
        samples.append(
            f'<span{about}><span class="sample" style="background:{tag_colour(tag)}"></span>{name}</span>'
        )
    return (
        f'{style(colours)}<div class="tags" aria-label="{_("Colours of the tags")}">{"".join(samples)}</div>'
    )


def ribbon_colour(tag: str, probability: float, *, dark: bool) -> str:
    """Give the colour of a ribbon: the tag's, the more see-through the less sure the network is."""
    return tint(tag_colour(tag), (_FULL_DARK if dark else _FULL) * probability**2)


def _sentence(sentence: Any, colours: Palette) -> str:
    pieces, at = [], sentence.start
    for token in sentence.tokens:
        gap = sentence.text[at - sentence.start : token.start - sentence.start]
        pieces.append(escape(gap) + _word(token, colours))
        at = max(at, token.end)
    return f'<div class="sentence" dir="auto">{"".join(pieces)}</div>'


def _word(token: Any, colours: Palette) -> str:
    kinds = ["word"] + ["ambiguous"] * token.ambiguous + ["unknown"] * token.unknown
    kinds += ["changed"] * bool(getattr(token, "before", ""))  # of a tagger that trains
    ground = ribbon_colour(token.tag, token.probability, dark=colours == DARK)
    return (
        f'<span class="{" ".join(kinds)}" tabindex="0" style="background:{ground}">'
        f'<bdi class="form">{_shown(token.text)}</bdi><span class="tag">{escape(token.tag)}</span>'
        f"{_card(token)}</span>"
    )


def _card(token: Any) -> str:
    rows = [(token.tag, token.probability)]
    rows += [(other.tag, other.probability) for other in token.alternatives]
    bars = "".join(
        f'<span class="row"><span>{escape(tag_name(tag))}</span>'
        f'<span class="bar" style="width:{100 * probability:.1f}%;background:{tag_colour(tag)}"></span>'
        f'<span class="value">{100 * probability:.1f} %</span></span>'
        for tag, probability in rows
    )
    notes = [] if token.xpos in (UNTAGGED, token.tag) else [f"XPOS {escape(token.xpos)}"]
    notes.append(_("characters {start}–{end}", start=token.start, end=token.end))
    if token.unknown:
        notes.append(_("never seen in training"))
    if before := getattr(token, "before", ""):
        notes.append(_("{tag} at the look before", tag=escape(before)))
    return (
        f'<span class="card" role="tooltip"><b><bdi>{_shown(token.text)}</bdi></b>{bars}'
        f"<small>{' · '.join(notes)}</small></span>"
    )


def _shown(text: str) -> str:
    return escape(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…")
