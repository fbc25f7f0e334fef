"""``python -m apps digits inspect``: every layer of a network for one image, as numbers and as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apps.shared.commands import JsonOption, print_json, print_table, verb
from data_prep.errors import InputError

if TYPE_CHECKING:
    from apps.digits.layer_strips import DigitLook, NearDigit
    from apps.digits.picture_strips import Strip


@verb
def inspect(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="PNG or JPEG of one digit.")],
    label: Annotated[
        str | None,
        typer.Option(help="Digit whose loss is sent back; the network's own answer if not given."),
    ] = None,
    epoch: Annotated[
        int | None, typer.Option(help="Saved epoch of the training; the finished network if not given.")
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Also write each strip as a PNG, into a new or empty folder."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME_OR_FOLDER", help="Network to use; digits_mnist if none is named."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look inside: activations, weights and their gradients layer by layer, dead filters, nearest training digits."""
    from data_prep.images.preparation import prepare_digit

    if pictures is not None:
        _check_empty(pictures)
    prepared = prepare_digit(image)

    from apps.digits.explain import DigitInspector
    from apps.digits.results import DIGIT_LABELS

    inspector = DigitInspector.from_preset(preset)
    if epoch is not None:
        inspector = inspector.at_epoch(epoch)
    look = inspector.look(prepared.image, label)
    near = inspector.neighbours(prepared.image) if inspector.digits.labels == DIGIT_LABELS else ()
    if pictures is not None:
        write_strips(look, pictures)
    if as_json:
        print_json(
            {"file": str(image), **look.to_dict(), "nearest": [neighbour.to_dict() for neighbour in near]}
        )
    else:
        _print(look, near)


def write_strips(look: DigitLook, folder: Path) -> list[Path]:
    """Write every strip as a PNG, one pixel a value.

    Args:
        look: What the network does.
        folder: Where to; made if it is not there.

    Returns:
        The files.

    Raises:
        InputError: The folder cannot be written.
    """
    from apps.digits.picture_strips import png, scale
    from data_prep.array_files import atomic_writer

    one_sided = scale([(227, 221, 208), (15, 124, 144)])
    two_sided = scale([(184, 72, 31), (227, 221, 208), (15, 124, 144)])
    written = []
    for name, strip in _named_strips(look):
        path = folder / f"{name}.png"
        with atomic_writer(path, overwrite=True) as file:
            file.write(png(strip, two_sided if strip.signed else one_sided))
        written.append(path)
    return written


def _named_strips(look: DigitLook) -> list[tuple[str, Strip]]:
    found: list[tuple[str, Strip | None]] = []
    for at, layer in enumerate(look.layers, start=1):
        start = f"{at:03d}-{''.join(c if c.isalnum() or c in '-_' else '_' for c in layer.name)}"
        found.append((f"{start}-activations", layer.activations))
        found.append((f"{start}-activations-gradient", layer.gradients))
        for weight in layer.weights:
            found.append((f"{start}-{weight.name}", weight.values))
            found.append((f"{start}-{weight.name}-gradient", weight.gradients))
    return [(name, strip) for name, strip in found if strip is not None]


def _check_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not an empty folder", remedy="Name a new one")


def _print(look: DigitLook, near: tuple[NearDigit, ...]) -> None:
    rows: list[tuple[str, ...]] = []
    for layer in look.layers:
        rows.append(
            (
                layer.name,
                layer.kind,
                "x".join(map(str, layer.shape)),
                f"{layer.parameters:,}",
                *_ends(layer.activations),
                *_ends(layer.gradients),
                ", ".join(map(str, layer.dead)) or "-",
            )
        )
    columns = (
        "layer",
        "kind",
        "output",
        "parameters>",
        "least>",
        "largest>",
        "least gradient>",
        "largest gradient>",
        "dead",
    )
    print_table(columns, rows, title="Activations and their gradients")
    facts: list[tuple[str, Any]] = [
        ("answer", look.answer),
        ("probability", f"{look.probability:.4f}"),
        (f"loss of {look.label}, nats", f"{look.loss:.4g}"),
        *((f"nearest, training image {one.number}", f"{one.label} at {one.distance:.4g}") for one in near),
    ]
    print_table(("measure", "value>"), facts)


def _ends(strip: Strip | None) -> tuple[str, str]:
    return ("-", "-") if strip is None else (f"{strip.low:.4g}", f"{strip.high:.4g}")
