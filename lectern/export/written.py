"""What an export is: a folder that answers raw input in another runtime, with lines of Python that show how."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from apps.shared.results import Result
from data_prep.errors import InputError
from data_prep.files import write_bytes, write_json
from lectern.export.checks import check_difference, check_format, compare, runner
from models.export.formats import FORMATS, write_network
from models.storage.folders import replacing_folder

if TYPE_CHECKING:
    import keras

INPUTS = 200  # that an export is checked with
_TOGETHER = 8
CHECKED, README = "checked.json", "README.md"


@dataclasses.dataclass(frozen=True)
class Exportable:
    """What an application says of its network.

    Args:
        title: What the network does, a line.
        network: As ``keras_model()`` gives it.
        items: Real inputs, one at a time: texts as ids, or pictures.
        batch: Some of them to the network's inputs by name.
        files: Name to what stands beside the network: what JSON can hold, or bytes.
        code: Lines of Python that turn raw input into ``run``'s inputs, and its outputs into an answer.
        single: Inputs whose first axis is that of texts or pictures; None for all.
    """

    title: str
    network: keras.Model
    items: Sequence[Any]
    batch: Callable[[Sequence[Any]], Mapping[str, np.ndarray]]
    files: Mapping[str, Any]
    code: str
    single: Sequence[str] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Exported(Result):
    """What was written, and how far its answers are from those of the trained network.

    Attributes:
        out: The folder.
        format: Its format.
        quantize: ``"int8"``, or None for float32.
        bytes: Of the network's file or files.
        inputs: Real inputs that were answered by both.
        largest_difference: Of a logit.
        largest_logit: For comparison.
        same_answers: Share of the same most probable classes, 0 to 1.
    """

    out: str
    format: str
    quantize: str | None
    bytes: int
    inputs: int
    largest_difference: float
    largest_logit: float
    same_answers: float


def write_export(
    wanted: Callable[[], Exportable], out: str | Path, form: str, quantize: str | None
) -> Exported:
    """Write a network with its vocabulary, labels and README, check it, and only then keep it.

    Args:
        wanted: Makes what is exported; called when nothing else is wrong.
        out: A new or empty folder.
        form: One of ``models.export.formats.FORMATS``.
        quantize: ``"int8"`` for 8-bit weights, None for float32.

    Raises:
        InputError: The folder holds something or cannot be written, the format is not to be had, a layer cannot be
            exported, or the written network answers otherwise.
    """
    from models.export.plain import plain

    out = Path(out)
    check_format(form, quantize)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is not an empty folder", remedy="Name a new one")
    content = wanted()
    network = plain(content.network)
    names = [tensor.name for tensor in network.inputs]
    single = names if content.single is None else content.single
    with replacing_folder(out) as folder:
        write_network(network, folder, form, quantize, single)
        together = 1 if form == "litert" else _TOGETHER
        starts = range(0, len(content.items), together)
        batches = (content.batch(content.items[at : at + together]) for at in starts)
        found = compare(content.network, runner(folder, form), batches, len(content.items))
        check_difference(found, quantize)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        report = Exported(
            str(out), form, quantize, size, found.inputs, found.largest, found.output, found.same
        )
        for name, value in content.files.items():
            write = write_bytes if isinstance(value, bytes) else write_json
            write(folder / name, value)
        write_json(folder / CHECKED, {**report.to_dict(), "out": out.name})
        write_bytes(folder / README, _readme(content, network, report).encode())
    return report


def example_picture(ink: np.ndarray) -> bytes:
    """Write ink float (height, width), 0 for paper to 1, as a PNG, dark on light."""
    written = io.BytesIO()
    Image.fromarray(np.rint(255 * (1.0 - ink)).astype(np.uint8)).save(written, "PNG")
    return written.getvalue()


def _readme(content: Exportable, network: keras.Model, report: Exported) -> str:
    told = FORMATS[report.format]
    said = [
        f"`{one.name}` {one.dtype} ({', '.join('any' if size is None else str(size) for size in one.shape)})"
        for one in (*network.inputs, *network.outputs)
    ]
    count = len(network.inputs)
    outputs = [f"`{name}`" for name in network.output]
    return f"""# {content.title}

`{told["file"]}` is {told["about"]}{", with 8-bit weights" if report.quantize else ""}.
It reads {", ".join(said[:count])} and answers with {", ".join(outputs)}, logits.

Checked when it was exported: {report.inputs} inputs were answered by the trained network and by this file;
the largest difference was {report.largest_difference:.2g} (largest output {report.largest_logit:.3g}),
and {report.same_answers:.2%} of the most probable classes were the same.

Run these lines in this folder; they need NumPy{", Pillow" if "PIL" in content.code else ""} and the runtime alone.

```python
import json
import numpy as np
{told["code"].strip()}

{content.code.strip()}
```
"""
