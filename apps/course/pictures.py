"""The stored pictures of steps: what each exhibit shows once its question is answered, as SVG.

``python -m benchmarks.course_pictures`` draws them with a browser. Each carries a title, a description, and a stamp of
the exhibit that it shows, by which a test tells when it is out of date.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from html import escape
from pathlib import Path

from apps.course.lessons import Step
from apps.shared.colours import LIGHT

FOLDER = Path(__file__).with_name("pictures")
MOST_BYTES, MOST_BYTES_TOGETHER = 60_000, 3_000_000
_STAMP = re.compile(r"<metadata>(.*?)</metadata>", re.DOTALL)
_HATCH = (
    '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="5" height="5" fill="white"/><rect width="2" height="5" fill="#444"/></pattern></defs>'
)


def path_of(step: Step) -> Path:
    """Where the picture of a step lies, whether it is there or not."""
    return FOLDER / f"{step.name.replace('/', '-')}.svg"


def stamp_of(step: Step) -> str:
    """Write which exhibit a picture shows: page and values, as JSON."""
    return json.dumps({"page": step.exhibit.page, "values": step.exhibit.values}, sort_keys=True)


def stamped(svg: str, step: Step, shows: str) -> str:
    """Give the picture of a step its description, ``shows``, and its stamp."""
    about = f"<desc>{escape(shows)}</desc><metadata>{escape(stamp_of(step))}</metadata>"
    return re.sub(
        r"<title>.*?</title>", lambda _: f"<title>{escape(step.title)}</title>{about}", svg, count=1
    )


def is_current(step: Step) -> bool:
    """Whether the stored picture shows the exhibit of the step as it is now."""
    path = path_of(step)
    found = _STAMP.search(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found is not None and found[1] == escape(stamp_of(step))


def picture(step: Step, *, grey: bool = False) -> str:
    """The stored picture of a step as SVG, empty where there is none; for printers without colour in greys."""
    path = path_of(step)
    svg = path.read_text(encoding="utf-8") if path.is_file() else ""
    return greyed(svg) if grey else svg


def picture_url(svg: str) -> str:
    """A picture as an address for ``<img>``."""
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def greyed(svg: str) -> str:
    """Tell the colours of a picture apart without colour: ours dark, the peer's light, negative numbers hatched."""
    for colour, grey in ((LIGHT.ours, "#333333"), (LIGHT.peer, "#8f8f8f"), (LIGHT.muted, "#c4c4c4")):
        svg = _replaced(svg, colour, grey)
    for spelled in _spellings(LIGHT.negative):
        svg = re.sub(rf'fill(="|: ?){re.escape(spelled)}', r"fill\1url(#hatch)", svg, flags=re.IGNORECASE)
    svg = _replaced(svg, LIGHT.negative, "#777777")
    return re.sub(r"(<svg[^>]*>)", rf"\1{_HATCH}", svg, count=1) if "url(#hatch)" in svg else svg


def _replaced(svg: str, colour: str, grey: str) -> str:
    return re.sub("|".join(map(re.escape, _spellings(colour))), grey, svg, flags=re.IGNORECASE)


def _spellings(colour: str) -> tuple[str, str]:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return colour, f"rgb({red}, {green}, {blue})"
