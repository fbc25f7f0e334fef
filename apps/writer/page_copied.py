"""Copied passages on the page: their grounds, and cards that name the source."""

from __future__ import annotations

from apps.shared.letters import Letter, tint
from apps.shared.style import palette
from apps.writer.copies import CopiedSpan, CopyReport, Source


def place_of(source: Source) -> str:
    """Say where a passage stands in the training text.

    Args:
        source: Of the passage.

    Returns:
        Play, speaker and line, as far as they are known.
    """
    parts = [source.play, source.speaker, f"line {source.line:,}"]
    return ", ".join(part for part in parts if part)


def copied_letters(text: str, report: CopyReport) -> list[Letter]:
    """Turn a text into letters whose copied passages are underlaid, the longer the stronger.

    Args:
        text: The text.
        report: Of its copies.

    Returns:
        One letter a character.
    """
    owner: list[CopiedSpan | None] = [None] * len(text)
    for span in report.spans:
        for at in range(span.start, span.end):
            known = owner[at]
            if known is None or known.length < span.length:
                owner[at] = span
    return [_letter(character, span) for character, span in zip(text, owner, strict=True)]


def _letter(character: str, span: CopiedSpan | None) -> Letter:
    if span is None:
        return Letter(character)
    more = f", and at {span.source.occurrences - 1} more places" if span.source.occurrences > 1 else ""
    note = f"{span.length} characters copied\n{place_of(span.source)}{more}"
    return Letter(character, tint(palette().peer, min(0.2 + span.length / 250, 0.5)), note, marked=True)


def summary(report: CopyReport) -> str:
    """Say in Markdown how much is copied, beside true text.

    Args:
        report: Of the copies.

    Returns:
        One or two sentences.
    """
    said = (
        f"**{100 * report.fraction:.1f} %** of the {report.characters:,} characters stand word for word in the "
        f"training text, in passages of {report.k} characters or more; the longest match has **{report.longest}**."
    )
    if report.held_out is None:
        return said
    true = report.held_out
    return (
        f"{said} True text that was held out, cut as long as this: {100 * true.fraction:.1f} %, longest match "
        f"{true.mean_longest:.0f} on average and {true.max_longest} at most."
    )
