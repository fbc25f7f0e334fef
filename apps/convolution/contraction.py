"""Compute programs of Einstein summation, write them as loops, and differentiate them: dy = A dx.

The derivative is automatic differentiation in forward mode: a tensor carries its derivative along (a dual number), with
all directions at once as one more mode, as the samples of a batch.
"""

from __future__ import annotations

import dataclasses
import math
import string
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from apps.convolution.einsum import FUNCTIONS, ONES, Operand, Product, Statement, free_tensors
from apps.convolution.numbers import at_most
from apps.shared.results import Result
from data_prep.errors import InputError

MAX_ELEMENTS = 100_000  # of any tensor
MAX_STEPS = 1_000_000  # turns of the innermost loop of one product
MAX_DERIVATIVE = 20_000  # elements of A
MAX_DERIVATIVE_STEPS = 20_000_000
MAX_TANGENT = 1_000_000  # elements of the derivative of any value on the way: 8 MB
_STEP = 1e-5  # of the finite differences, relative to 1 or the largest element


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Contracted(Result):
    """What a program computed."""

    program: tuple[Statement, ...]  # its statements
    values: Mapping[str, np.ndarray]  # name to float64 array, read-only: what was given and what was computed
    sizes: tuple[Mapping[str, int], ...]  # for each statement index to size
    steps: int  # turns of the innermost loops of all statements

    @property
    def output(self) -> np.ndarray:
        """What the last statement computed."""
        return self.values[self.program[-1].name]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Derivative(Result):
    """The derivative of a program as a tensor that contracts with a change of its input."""

    name: str  # the input that is changed
    notation: str  # dy_{ij} = A_{ij}^{klm} dx_{klm} with its letters
    indices: str  # NumPy's notation of the same contraction
    tensor: np.ndarray  # A, float64 of shape (*output, *input), by automatic differentiation
    difference: float  # largest distance between A and central finite differences
    scale: float  # largest element of A, or 1 where it is smaller
    kinks: int  # how many sums stand so close to a kink of relu that finite differences mean nothing there


@np.errstate(over="ignore", invalid="ignore")  # what overflows is refused as not finite
def contract(program: Sequence[Statement], tensors: Mapping[str, np.ndarray]) -> Contracted:
    """Compute a program with an array for each tensor that has to be given.

    Raises:
        InputError: A tensor is missing, modes or sizes do not match, or there is too much to compute.
    """
    values: dict[str, np.ndarray] = {}
    for name, indices in free_tensors(program).items():
        if name not in tensors:
            raise InputError(f"The tensor {name} is missing", allowed=f"{len(indices)} modes")
        values[name] = np.array(tensors[name], dtype=np.float64)
    sizes, steps = [], 0
    for statement in program:
        found = _sizes(statement, values)
        elements = math.prod(found[letter] for letter in statement.output)
        at_most(elements, MAX_ELEMENTS, f"{statement.name} would have", "elements")
        turns = [math.prod(found[letter] for letter in product.letters) for product in statement.products]
        at_most(max(turns), MAX_STEPS, f"The sum for {statement.name} has", "products")
        steps += sum(turns)
        sizes.append(found)
        total = _summed(statement.products, statement.output, values, found)
        values[statement.name] = FUNCTIONS[statement.function].value(total) if statement.function else total
        if not np.isfinite(values[statement.name]).all():
            raise InputError(f"{statement.name} is not finite", remedy="Take smaller numbers")
    for value in values.values():
        value.setflags(write=False)
    return Contracted(tuple(program), values, tuple(sizes), steps)


def loops(program: Sequence[Statement], sizes: Sequence[Mapping[str, int]]) -> str:
    """Write a program as loops in plain Python that compute the same with NumPy's arrays of the given tensors' names.

    The sizes are those of :class:`Contracted`: for each statement index to size.
    """
    lines = ["import numpy as np", ""]
    for statement, found in zip(program, sizes, strict=True):
        shape = "".join(f"{found[letter]}, " for letter in statement.output)
        lines.append(f"{statement.name} = np.zeros(({shape.strip()}))")
        for product in statement.products:
            order = statement.output + "".join(x for x in product.letters if x not in statement.output)
            for depth, letter in enumerate(order):
                lines.append(f"{'    ' * depth}for {letter}_ in range({found[letter]}):")
            factors = (
                " * ".join(_element(o.name, o.indices) for o in product.operands if o.name != ONES) or "1.0"
            )
            sign = "-" if product.sign < 0 else "+"
            indent = "    " * len(order)
            lines.append(f"{indent}{_element(statement.name, statement.output)} {sign}= {factors}")
        if statement.function:
            lines.append(f"{statement.name} = {FUNCTIONS[statement.function].code.format(statement.name)}")
    return "\n".join(lines) + "\n"


def derivative(program: Sequence[Statement], tensors: Mapping[str, np.ndarray], name: str) -> Derivative:
    """Differentiate the output of a program by one of its inputs, ``name``: the x in ``dy = A dx``.

    Returns:
        A by automatic differentiation, and how far finite differences are from it.

    Raises:
        InputError: There is no such input, or A would be too large; and as :func:`contract`.
    """
    computed = contract(program, tensors)
    free = free_tensors(program)
    if name not in free:
        raise InputError(f"There is no tensor {name!r} to differentiate by", allowed=", ".join(free))
    given, output = computed.values[name], computed.output
    largest = max(given.size, *(computed.values[each.name].size for each in computed.program))
    at_most(given.size * output.size, MAX_DERIVATIVE, "The derivative would have", "elements")
    at_most(computed.steps * given.size, MAX_DERIVATIVE_STEPS, "The derivative would take", "products")
    at_most(largest * given.size, MAX_TANGENT, "A derivative on the way would have", "elements")
    tensor = _forward(computed, name).reshape((*output.shape, *given.shape))
    estimated, kinks = _differences(computed, name)
    rough = np.abs(tensor - estimated.reshape(tensor.shape))
    notation, indices = _notation(computed.program[-1], name, free[name])
    scale = max(1.0, float(np.abs(tensor).max(initial=0.0)))
    return Derivative(name, notation, indices, tensor, float(rough.max(initial=0.0)), scale, kinks)


def _sizes(statement: Statement, values: Mapping[str, np.ndarray]) -> dict[str, int]:
    """The size of every index; all modes that share an index must agree."""
    found: dict[str, tuple[int, str]] = {}
    for operand in (o for product in statement.products for o in product.operands if o.name != ONES):
        shape = values[operand.name].shape
        if len(shape) != len(operand.indices):
            raise InputError(
                f"The tensor {operand.name} has {len(shape)} modes and {len(operand.indices)} indices",
                allowed=f"as many modes as indices in “{operand}”",
                received=shape,
            )
        for letter, size in zip(operand.indices, shape, strict=True):
            first, where = found.setdefault(letter, (size, operand.name))
            if first != size:
                raise InputError(
                    f"The index {letter} has size {first} in {where} and size {size} in {operand.name}",
                    allowed="one size for each index",
                )
    sizes = {letter: size for letter, (size, _) in found.items()}
    if missing := [letter for letter in statement.letters if letter not in sizes]:
        raise InputError(
            f"The index {missing[0]} stands at tensors of ones only, so it has no size",
            allowed="an index that a tensor has, too",
        )
    return sizes


def _summed(
    products: Iterable[Product], output: str, values: Mapping[str, np.ndarray], sizes: Mapping[str, int]
) -> np.ndarray:
    """The sum of products as an array with one mode for each index of the output."""
    total = np.zeros([sizes[letter] for letter in output])
    for product in products:
        terms = ",".join(operand.indices for operand in product.operands)
        arrays = [
            np.ones([sizes[letter] for letter in o.indices]) if o.name == ONES else values[o.name]
            for o in product.operands
        ]
        total = total + product.sign * np.einsum(f"{terms}->{output}", *arrays)
    return total


def _forward(computed: Contracted, name: str) -> np.ndarray:
    """Dual numbers: every dependent tensor has a tangent of shape (*tensor, directions)."""
    given = computed.values[name]
    values = {**computed.values, _tangent(name): np.eye(given.size).reshape(*given.shape, given.size)}
    for statement, sizes in zip(computed.program, computed.sizes, strict=True):
        direction = _spare(statement.letters)
        products = []
        for product in statement.products:
            for at, operand in enumerate(product.operands):  # the product rule
                moved = Operand(_tangent(operand.name), operand.indices + direction)
                if moved.name in values:
                    operands = (*product.operands[:at], moved, *product.operands[at + 1 :])
                    products.append(dataclasses.replace(product, operands=operands))
        total = _summed(products, statement.output + direction, values, {**sizes, direction: given.size})
        if statement.function is not None:
            inside = _summed(statement.products, statement.output, values, sizes)
            total *= FUNCTIONS[statement.function].slope(inside)[..., None]
        values[_tangent(statement.name)] = total
    return values[_tangent(computed.program[-1].name)]


def _tangent(name: str) -> str:
    return f"d({name})"  # no tensor can be called this


def _differences(computed: Contracted, name: str) -> tuple[np.ndarray, int]:
    """Central differences, (outputs, inputs), and the number of relu inputs within a step of the kink."""
    given = computed.values[name]
    step = _STEP * max(1.0, float(np.abs(given).max(initial=0.0)))
    columns = []
    for direction in np.eye(given.size).reshape(-1, *given.shape):
        moved = ({**computed.values, name: given + sign * step * direction} for sign in (1.0, -1.0))
        up, down = (contract(computed.program, values).output for values in moved)
        columns.append((up - down).ravel() / (2 * step))
    kinks = 0
    for statement, sizes in zip(computed.program, computed.sizes, strict=True):
        if statement.function == "relu":
            inside = _summed(statement.products, statement.output, computed.values, sizes)
            kinks += int((np.abs(inside) < 10 * step).sum())
    return np.stack(columns, axis=-1), kinks


def _notation(statement: Statement, name: str, indices: str) -> tuple[str, str]:
    """Letters for ``dy = A dx``: those of the output, and for x its own where they are free."""
    inputs = ""
    for letter in indices:
        taken = statement.output + inputs
        inputs += letter if letter not in taken else _spare(taken + statement.letters + indices)
    output = statement.output
    raised = (False,) * len(output) + (True,) * len(inputs)
    left, right = Operand(f"d{statement.name}", output), Operand(f"d{name}", inputs)
    return f"{left} = {Operand('A', output + inputs, raised)} {right}", f"{output}{inputs},{inputs}->{output}"


def _spare(used: str) -> str:
    return next(letter for letter in "klmnpqrstuvwxyz" + string.ascii_letters if letter not in used)


def _element(name: str, indices: str) -> str:
    return f"{name}[{', '.join(f'{letter}_' for letter in indices) or '()'}]"
