from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from data_prep.errors import InputError
from data_prep.readers.plays import OPENINGS, Place, PlayText, read_shakespeare

PLAY = (
    "First Citizen:\nBefore we proceed any further, hear me speak.\n\n"
    "All:\nSpeak:\nspeak.\n\n"
    "GLOUCESTER:\n\n\n"
    "Senators, &C:\nNow is the winter of our discontent\nMade glorious\n"
)


def test_speeches_have_speaker_line_words_and_play() -> None:
    speeches = PlayText(PLAY).speeches
    assert [(s.speaker, PlayText(PLAY).place(s.start).line, s.play) for s in speeches] == [
        ("First Citizen", 1, "Coriolanus"),
        ("All", 4, "Coriolanus"),
        ("GLOUCESTER", 8, "Coriolanus"),
        ("Senators, &C", 11, "Richard III"),
    ]
    assert [PLAY[s.words_start : s.end].strip() for s in speeches] == [
        "Before we proceed any further, hear me speak.",
        "Speak:\nspeak.",
        "",
        "Now is the winter of our discontent\nMade glorious",
    ]
    assert [s.start for s in speeches[1:]] == [s.end for s in speeches[:-1]]
    assert speeches[-1].end == len(PLAY)


def test_a_place_has_line_column_speaker_and_play() -> None:
    play = PlayText(PLAY)
    assert play.place(0) == Place(1, 0, "First Citizen", "Coriolanus")
    assert play.place(PLAY.index("speak.\n\nGLO")) == Place(6, 0, "All", "Coriolanus")
    assert play.place(PLAY.index("glorious")) == Place(13, 5, "Senators, &C", "Richard III")
    assert play.place(len(PLAY) - 1).line == 13


def test_a_text_without_speeches_has_lines_only() -> None:
    text = "Nobody speaks: here\nor here:\nat all"
    assert PlayText(text).speeches == ()
    assert PlayText(text).place(25) == Place(2, 5, None, None)


def test_a_play_opens_once_and_none_is_known_before_the_first() -> None:
    text = "A:\nHello\n\nB:\nBoatswain!\n\nC:\nEscalus.\n\nD:\nBoatswain!\n"
    assert [s.play for s in PlayText(text).speeches] == [
        None,
        "The Tempest",
        "Measure for Measure",
        "Measure for Measure",
    ]


def test_another_text_is_not_taken_for_shakespeare(tmp_path: Path) -> None:
    path = tmp_path / "input.txt"
    path.write_text("First Citizen:\nHello\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"is not the whole data set tinyshakespeare.*1,115,394 characters"):
        read_shakespeare(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_shakespeare(tmp_path / "none.txt")


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "input.txt"
    path.write_bytes(b"ab\xff")
    with pytest.raises(InputError, match="not UTF-8 at byte 2"):
        read_shakespeare(path)


@pytest.mark.realdata
def test_all_nine_plays_are_found_in_their_order(data_dir: Path) -> None:
    text = read_shakespeare(data_dir / "tinyshakespeare" / "input.txt")
    speeches = PlayText(text).speeches
    assert list(dict.fromkeys(speech.play for speech in speeches)) == list(OPENINGS)
    # Every block behind a blank line is a speech: nothing of the file is without a speaker.
    assert speeches[0].start == 0
    assert len(speeches) == len([block for block in text.split("\n\n") if block.strip()])
    # Who speaks most in each play tells that the borders are right.
    main: dict[str, Counter[str]] = {play: Counter() for play in OPENINGS}
    for speech in speeches:
        main[speech.play][speech.speaker] += speech.end - speech.words_start
    assert [main[play].most_common(1)[0][0] for play in OPENINGS] == [
        "CORIOLANUS",
        "GLOUCESTER",
        "KING RICHARD II",
        "ROMEO",
        "WARWICK",
        "LEONTES",
        "DUKE VINCENTIO",
        "PETRUCHIO",
        "PROSPERO",
    ]
