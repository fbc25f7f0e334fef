"""The lecture as data: every slide topic in order, with the page, the code and the tests that make it work.

The home page draws it and ``python -m benchmarks.readme`` writes it into ``docs/lecture-map.md``. What is
built is read off the file system, so neither can promise a page that does not exist. Source: "Convolutional &
recurrent networks", 10-701 Introduction to Machine Learning, Geoff Gordon and Pradeep Ravikumar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os.path import isdir, isfile
from pathlib import Path

from data_prep.files import toml_beside

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Page:
    """One page of the web front end.

    Args:
        key: Name of the page: ``apps/<key>/page.py``, and its address ``/<key>``.
        title: Its name in the navigation.
        icon: A Material symbol in Streamlit's notation.
        summary: What a person does there, in one sentence.
        presets: What it cannot do without; until they are shipped it counts as not built.
    """

    key: str
    title: str
    icon: str
    summary: str
    presets: Sequence[str] = ()

    @property
    def view(self) -> str:
        """Path of the page's file, relative to the project."""
        return f"apps/{self.key}/page.py"

    @property
    def built(self) -> bool:
        """Whether the page exists, with every preset that it cannot do without."""
        presets = (f"{ROOT}/models/presets/{preset}" for preset in self.presets)
        return isfile(f"{ROOT}/{self.view}") and all(map(isdir, presets))


@dataclass(frozen=True)
class Topic:
    """One topic of the slides.

    Args:
        title: The slide's title, or the part of it that is meant.
        idea: What the slide says, in one sentence.
        page: Key of the page that shows it.
        code: Files that hold it, relative to the project.
        tests: Files that test it, relative to the project.
        query: Query parameters that open the page at this topic.
    """

    title: str
    idea: str
    page: str
    code: Sequence[str]
    tests: Sequence[str] = ()
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def built(self) -> bool:
        """Whether the topic's page exists."""
        return PAGES[self.page].built


@dataclass(frozen=True)
class Part:
    """A run of slides that belong together.

    Args:
        key: Anchor on the home page and name of its drawing.
        title: Name of the part.
        topics: Its topics in the order of the slides.
    """

    key: str
    title: str
    topics: tuple[Topic, ...]


@dataclass(frozen=True)
class Door:
    """A way in, above the map.

    Args:
        title: What one does there.
        about: The same in a sentence.
        links: Pages by their keys, the query parameters that open them, and a label, empty for the page's title.
    """

    title: str
    about: str
    links: tuple[tuple[str, Mapping[str, str], str], ...]


def _read() -> tuple[dict[str, Page], tuple[Part, ...], tuple[Door, ...]]:
    """Read pages, parts and doors, all in their order, from the file beside this one."""
    content = toml_beside(__file__)
    parts = [
        Part(part["key"], part["title"], tuple(Topic(**topic) for topic in part["topic"]))
        for part in content["part"]
    ]
    doors = []
    for door in content["door"]:
        links = tuple((one["page"], one.get("query", {}), one.get("label", "")) for one in door["links"])
        doors.append(Door(door["title"], door["about"], links))
    return {page["key"]: Page(**page) for page in content["page"]}, tuple(parts), tuple(doors)


PAGES, PARTS, DOORS = _read()


def topics() -> tuple[Topic, ...]:
    """List every topic in the order of the slides."""
    return tuple(topic for part in PARTS for topic in part.topics)


def built_topics() -> tuple[Topic, ...]:
    """List the topics that a page of this checkout shows, in the order of the slides."""
    return tuple(topic for topic in topics() if topic.built)
