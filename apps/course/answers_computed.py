"""Answers that describe a computation: an expression of Einstein summation, a stack of layers, a printed network."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from apps.convolution.application import contract, read_program, stack_sizes
from apps.course.answers import Kind, Phrase
from data_prep.errors import InputError

MAX_PASTED = 8_000  # characters of a summary that Keras printed
_LAYER = re.compile(
    r"\((?P<kind>\w+)\)[^(\n]*\((?:None|\d+),?(?P<shape>[\d, ]*)\)[\s│┃|]*(?P<count>\d[\d,]*)"
)


class Contraction(NamedTuple):
    """An expression of Einstein summation, and what it gives on the random tensors of its exercise."""

    text: str
    output: np.ndarray


@dataclass(frozen=True)
class Einsum(Kind):
    """An expression of Einstein summation in NumPy's notation, compared by what it computes.

    Args:
        shapes: Of the tensors by their names a, b, c, ...; they are filled with random numbers.
    """

    name: ClassVar[str] = "einsum"
    shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()

    def value(self, text: str) -> Contraction:
        """Read an expression and compute it."""
        text = text.replace("→", "->")
        if set("_^=+()") & set(text) or not ("," in text or "->" in text):
            raise InputError("The answer is not in NumPy's notation", allowed=self.asked, received=text)
        program = read_program(text)
        random = np.random.default_rng(7)
        tensors = {name: random.normal(size=shape) for name, shape in self.shapes}
        return Contraction(text, contract(program, tensors).output)

    def same(self, one: Contraction, other: Contraction) -> bool:
        """Whether two expressions compute the same."""
        return one.output.shape == other.output.shape and np.allclose(one.output, other.output)

    def written(self, value: Contraction) -> str:
        """Write the expression."""
        return value.text

    def difference(self, given: Contraction, right: Contraction) -> Phrase:
        """Say what is wrong with the shape that an expression gives, or that it is right."""
        if given.output.shape == right.output.shape:
            return "einsum-numbers", {}
        modes = given.output.ndim, right.output.ndim
        return "einsum-order" if modes[0] == modes[1] else "einsum-modes", {
            "here": modes[0],
            "there": modes[1],
        }


@dataclass(frozen=True)
class Layers(Kind):
    """A stack of layers in the language of the bench's section "Sizes".

    Args:
        size: Of its input, the channels last, such as "28x28x1".
    """

    name: ClassVar[str] = "layers"
    size: str = "28x28x1"

    @property
    def form(self) -> Phrase:
        """What an answer looks like."""
        return f"{self.name}-{self.size.count('x')}", {}

    def value(self, text: str) -> Any:
        """Read the layers and compute their sizes (``Stack``)."""
        stack = stack_sizes(self.size, text)
        if not stack.layers:
            raise InputError("The answer is empty", allowed=self.asked, received=text)
        return stack

    def written(self, value: Any) -> str:
        """Write the layers with semicolons between them."""
        return "; ".join(layer.text for layer in value.layers)

    def same(self, one: Any, other: Any) -> bool:
        """Whether two stacks have the same layers."""
        return self.written(one) == self.written(other)


class PastedLayer(NamedTuple):
    """One line of a summary: the layer's class, the shape of its output without the batch, its parameters."""

    kind: str
    shape: tuple[int, ...]
    parameters: int


@dataclass(frozen=True)
class Summary(Kind):
    """What ``model.summary()`` of Keras printed, pasted; no code is run."""

    name: ClassVar[str] = "summary"
    most: ClassVar[int] = MAX_PASTED

    def value(self, text: str) -> tuple[PastedLayer, ...]:
        """Read the lines of the layers."""
        found = []
        for match in _LAYER.finditer(_unwrapped(text)):
            shape = tuple(int(size) for size in match["shape"].replace(",", " ").split() if len(size) < 10)
            if match["kind"] != "InputLayer":
                found.append(PastedLayer(match["kind"], shape, int(match["count"].replace(",", "")[:15])))
        if not found:
            raise InputError("No layer can be read from the answer", allowed=self.asked, received=text)
        return tuple(found)

    def written(self, value: Sequence[PastedLayer]) -> str:
        """Write a summary."""
        lines = []
        for layer in value:
            shape = ", ".join(["None", *map(str, layer.shape)])
            lines.append(f"{layer.kind.lower()} ({layer.kind}) │ ({shape}) │ {layer.parameters:,} │")
        return "\n".join(lines)

    def difference(self, given: Sequence[PastedLayer], right: Sequence[PastedLayer]) -> Phrase:
        """Say which layer differs first, and in what."""
        for at, (one, other) in enumerate(zip(given, right, strict=False), start=1):
            for part, here, there in zip(PastedLayer._fields, one, other, strict=True):
                if here != there:
                    return f"layer-{part}", {"at": at, "layer": one.kind, "here": here}
        return "layers", {"count": len(given)}


def _unwrapped(text: str) -> str:
    """Join the lines of each row of a printed table, whose cells go on in the next line where they are narrow."""
    rows: list[str] = []
    cells: list[str] = []
    for line in [*text.split("\n"), ""]:
        if line.strip()[:1] == "│":
            parts = line.strip().strip("│").split("│")
            cells = [" ".join(pair).strip() for pair in itertools.zip_longest(cells, parts, fillvalue="")]
        else:
            rows += [" │ ".join(cells), line]
            cells = []
    return "\n".join(rows)
