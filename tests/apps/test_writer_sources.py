"""The writer's texts: files in their order, and places of their parts in the whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.writer.sources import learned_text, text_source
from data_prep.errors import InputError
from tests.apps.writer_preset import made_play


def test_a_text_of_several_files_has_an_order(tmp_path: Path) -> None:
    paths = [tmp_path / "one.txt", tmp_path / "two.txt"]
    paths[0].write_text("A king.", encoding="utf-8")
    paths[1].write_text("A crown.\n", encoding="utf-8")
    source = text_source(paths)
    assert source.text == "A king.\nA crown.\n"
    assert list(source.checksums) == ["one.txt, two.txt"]
    assert source.checksums != text_source(paths[::-1]).checksums
    assert text_source([tmp_path]).text == source.text, "a folder is its files"
    metadata = {"data": source.checksums, "recipe": {"split": "last_tenth"}}
    assert learned_text(metadata, paths).source.text == source.text
    with pytest.raises(InputError, match="not the text that the writer learned from"):
        learned_text(metadata, paths[:1])


@pytest.mark.parametrize("split", ["last_tenth", "slice", "char_rnn"])
def test_places_point_into_the_whole_text(tmp_path: Path, split: str) -> None:
    text = made_play(400)
    text_file = tmp_path / f"{split}.txt"
    text_file.write_text(text, encoding="utf-8")
    metadata = {"data": text_source([text_file]).checksums, "recipe": {"split": split}}
    learned = learned_text(metadata, [text_file])
    lines = text.split("\n")
    for position in (0, 777, len(learned.train) - 1):
        place = learned.training_place(position)
        assert lines[place.line - 1][place.column : place.column + 1] in (learned.train[position], "")
    place = learned.held_out_place(40)
    assert (lines[place.line - 1] + "\n")[place.column] == learned.held_out[40]


def test_places_of_a_text_that_repeats(tmp_path: Path) -> None:
    path = tmp_path / "again.txt"
    path.write_text("abc def\n" * 5000, encoding="utf-8")
    for split, line in (("last_tenth", 4501), ("slice", 4051)):
        metadata = {"data": text_source([path]).checksums, "recipe": {"split": split}}
        assert learned_text(metadata, [path]).held_out_place(0).line == line
