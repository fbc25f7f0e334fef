"""Einstein summation in the lecture's notation and in NumPy's: read, converted, explained and computed.

In the lecture's notation ``a_{ij}^k b_{jk}^l c_{lm}`` an index that stands both raised and lowered is summed out and
every other one is kept; braces may be left out (``a_ij^k``). In NumPy's notation ``ijk,jkl,lm->ijm`` an index that does
not stand after the arrow is summed. A program is several statements, whose right sides may be sums and may go through
a pointwise function::

    h_i = tanh(a_i^j x_j + c_i); y_k = b_k^i h_i

The name ``1`` stands for a tensor of ones: ``a_ij 1^j`` are the row sums of a.
"""

from __future__ import annotations

import dataclasses
import itertools
import keyword
import re
import string
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

import numpy as np

from apps.convolution.numbers import at_most, read_lines
from apps.shared.results import Result
from data_prep.errors import InputError

MAX_TEXT = 500
MAX_STATEMENTS = MAX_TERMS = MAX_OPERANDS = 8
MAX_INDICES = 8  # of one tensor
ONES = "1"
EXAMPLE = "a_i^j b_j in the lecture's notation, or ij,j->i in NumPy's"
_TAKEN = ("np", "ops", "print", "range", "result", "tape", "tf")  # names in the code that is shown
_BETWEEN = " \t\n*·"  # two tensors
_NUMPY = re.compile(r"[^_^=+()]*(?:,|->)[^_^=+()]*")
_OPERAND = re.compile(
    r"[\s*·]*(?P<name>[A-Za-z][A-Za-z0-9]*|1)(?P<marks>(?:[_^](?:\{[^{}]*\}|[A-Za-z]+))*)(?=[\s*·+\-]|$)"
)
_MARK = re.compile(r"([_^])(?:\{([^{}]*)\}|([A-Za-z]+))")
_CALL = re.compile(r"\s*([A-Za-z]\w*)\s*\((.*)\)\s*")


class Function(NamedTuple):
    """A function of each element, its derivative, and the function as code with a place for its argument."""

    value: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]
    code: str


FUNCTIONS = {
    "relu": Function(lambda z: np.maximum(z, 0.0), lambda z: (z > 0) + 0.0, "np.maximum({}, 0.0)"),
    "tanh": Function(np.tanh, lambda z: 1.0 - np.tanh(z) ** 2, "np.tanh({})"),
    "sigmoid": Function(
        lambda z: 0.5 + 0.5 * np.tanh(0.5 * z),
        lambda z: 0.25 * (1.0 - np.tanh(0.5 * z) ** 2),
        "1.0 / (1.0 + np.exp(-{}))",
    ),
    "exp": Function(np.exp, np.exp, "np.exp({})"),
    "sin": Function(np.sin, np.cos, "np.sin({})"),
    "square": Function(np.square, lambda z: 2.0 * z, "np.square({})"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Operand(Result):
    """A tensor in a product."""

    name: str  # its name; "1" is a tensor of ones
    indices: str  # one letter a mode
    raised: tuple[
        bool, ...
    ] = ()  # for each of them whether it is raised; those that are not said are lowered

    @property
    def marked(self) -> Iterable[tuple[str, bool]]:
        """Each index and whether it is raised."""
        return itertools.zip_longest(self.indices, self.raised, fillvalue=False)

    def __str__(self) -> str:
        """Write it in the lecture's notation."""
        runs = itertools.groupby(self.marked, key=lambda pair: pair[1])
        marks = (("^{" if up else "_{") + "".join(letter for letter, _ in run) + "}" for up, run in runs)
        return self.name + "".join(marks)


@dataclasses.dataclass(frozen=True, slots=True)
class Product(Result):
    """A product of tensors, summed over the indices that are not kept."""

    sign: float  # 1.0 or -1.0
    operands: tuple[Operand, ...]  # its tensors in order

    @property
    def indices(self) -> str:
        """All its indices, those that stand at several tensors several times."""
        return "".join(operand.indices for operand in self.operands)

    @property
    def letters(self) -> str:
        """All its indices, once each, in the order in which they appear."""
        return "".join(dict.fromkeys(self.indices))

    @property
    def needed(self) -> tuple[Operand, ...]:
        """Its tensors without those of ones whose indices others have, too: a sum needs none."""
        others = {letter for operand in self.operands if operand.name != ONES for letter in operand.indices}
        return tuple(o for o in self.operands if o.name != ONES or not set(o.indices) <= others)

    def __str__(self) -> str:
        """Write it in the lecture's notation, without its sign."""
        return " ".join(map(str, self.operands))


@dataclasses.dataclass(frozen=True, slots=True)
class Statement(Result):
    """One assignment."""

    name: str  # of its result
    output: str  # indices of the result in order
    function: str | None  # the pointwise function that the sum goes through, or None
    products: tuple[Product, ...]  # what is summed

    @property
    def letters(self) -> str:
        """All indices in the order in which they appear."""
        return "".join(dict.fromkeys("".join(product.letters for product in self.products)))

    @property
    def summed(self) -> str:
        """Indices that are summed out."""
        return "".join(letter for letter in self.letters if letter not in self.output)

    @property
    def repeated(self) -> str:
        """Indices that are kept though a product has them more than once: multiplied element by element."""
        return "".join(
            letter for letter in self.output if any(p.indices.count(letter) > 1 for p in self.products)
        )

    @property
    def numpy(self) -> str | None:
        """NumPy's notation, which needs no ones for a sum; None where there is more than one product."""
        return None if len(self.products) > 1 else numpy_notation(self.products[0].needed, self.output)

    def __str__(self) -> str:
        """Write it in the lecture's notation."""
        terms = [("− " if p.sign < 0 else "+ ") + str(p) for p in self.products]
        body = " ".join(terms).removeprefix("+ ")
        body = f"{self.function}({body})" if self.function else body
        return f"{Operand(self.name, self.output)} = {body}"


def numpy_notation(operands: Iterable[Operand], output: str) -> str:
    """Write a product in NumPy's notation."""
    return ",".join(operand.indices for operand in operands) + "->" + output


def read_program(text: str) -> tuple[Statement, ...]:
    """Read statements in the lecture's notation, or one in NumPy's.

    Args:
        text: At most 500 characters; statements are separated by semicolons.

    Returns:
        The statements; a right side alone is called y. NumPy's operands are called a, b, c, ....

    Raises:
        InputError: The text is empty, too long or cannot be read, or uses letters that it must not.
    """
    lines = read_lines(
        text, "The expression has", "statements", characters=MAX_TEXT, lines=MAX_STATEMENTS, ends=";"
    )
    if not lines:
        raise InputError("The expression is empty", allowed=EXAMPLE)
    text = ";".join(lines)
    if _NUMPY.fullmatch(text) and ("->" in text or "," in text):
        return (read_numpy(text),)
    program = tuple(_statement(line, at == len(lines)) for at, line in enumerate(lines, start=1))
    _check_names(program)
    if not free_tensors(program):
        raise InputError("The expression has no tensor", allowed=EXAMPLE, received=text)
    return program


def read_numpy(text: str) -> Statement:
    """Read NumPy's notation such as ``"ij,j->i"``; without an arrow the letters that appear once are kept, sorted.

    A summed index is raised where it appears first, and where it appears only once a tensor of ones is written behind,
    so that the lecture's rule says the same.
    """
    left, arrow, right = re.sub(r"\s+", "", text).partition("->")
    terms = left.split(",")
    at_most(len(terms), MAX_OPERANDS, "The product has", "tensors")
    letters = "".join(terms)
    _check_letters(letters + right, text)
    if not letters:
        raise InputError("The expression has no index", allowed=EXAMPLE, received=text)
    for term in terms:
        at_most(len(term), MAX_INDICES, "A tensor has", "indices", term)
    output = right if arrow else "".join(sorted(letter for letter in letters if letters.count(letter) == 1))
    if unknown := [letter for letter in output if letter not in letters]:
        raise InputError(
            f"The output has the index {unknown[0]!r}, which no tensor has",
            allowed=", ".join(dict.fromkeys(letters)),
            received=text,
        )
    if twice := [letter for letter in output if output.count(letter) > 1]:
        raise InputError(f"The output has the index {twice[0]!r} twice", allowed="each once", received=text)
    operands, seen = [], set(output)
    for name, term in zip(string.ascii_lowercase, terms, strict=False):
        raised = []
        for letter in term:
            raised.append(letter not in seen)
            seen.add(letter)
        operands.append(Operand(name, term, tuple(raised)))
    once = [x for x in letters if x not in output and letters.count(x) == 1]
    operands += [Operand(ONES, letter) for letter in once]
    return Statement("y", output, None, (Product(1.0, tuple(operands)),))


def free_tensors(program: Iterable[Statement]) -> dict[str, str]:
    """List the tensors that have to be given, in the order of appearance: name to indices where it appears first."""
    made: set[str] = {ONES}
    found: dict[str, str] = {}
    for statement in program:
        for product in statement.products:
            for operand in product.operands:
                if operand.name not in made:
                    found.setdefault(operand.name, operand.indices)
        made.add(statement.name)
    return found


def batched(program: Iterable[Statement], name: str) -> tuple[Statement, ...]:
    """Add one more mode for the samples of a batch, at the end of a given tensor and of all that depends on it.

    Raises:
        InputError: The tensor does not occur, or no letter is left.
    """
    program = tuple(program)
    if name not in free_tensors(program):
        raise InputError(f"There is no tensor {name!r}", allowed=", ".join(free_tensors(program)))
    used = {letter for statement in program for letter in statement.letters}
    letter = next((each for each in "n" + string.ascii_lowercase if each not in used), None)
    if letter is None:
        raise InputError("No letter is left for the batch", allowed="at most 25 indices")
    depends = {name}
    result = []
    for statement in program:
        if any(o.name in depends for product in statement.products for o in product.operands):
            products = tuple(
                dataclasses.replace(product, operands=_longer(product.operands, depends, letter))
                for product in statement.products
            )
            depends.add(statement.name)
            output = statement.output + letter
            statement = dataclasses.replace(statement, output=output, products=products)
        result.append(statement)
    return tuple(result)


def _longer(operands: tuple[Operand, ...], names: Collection[str], letter: str) -> tuple[Operand, ...]:
    """Add an index to the tensors of these names; without one, ones along it: the same for each sample."""
    longer = tuple(Operand(o.name, o.indices + letter, o.raised) if o.name in names else o for o in operands)
    return longer if longer != operands else (*operands, Operand(ONES, letter))


def _statement(line: str, last: bool) -> Statement:
    left, equals, right = line.rpartition("=")
    if not equals and not last:
        raise InputError("Only the last statement may do without a name", allowed="h_i = …", received=line)
    function = None
    if call := _CALL.fullmatch(right):
        function, right = call[1], call[2]
        if function not in FUNCTIONS:
            raise InputError("Unknown function", allowed=", ".join(FUNCTIONS), received=function)
    products = _sum(right.replace("−", "-"), line)
    kept = [_kept(product) for product in products]
    name, output = "y", kept[0]
    if equals:
        target = _operands(left, line)
        if len(target) != 1 or any(target[0].raised) or target[0].name == ONES:
            raise InputError(
                "The left side is one tensor with lowered indices", allowed="y_ij = …", received=left
            )
        name, output = target[0].name, target[0].indices
    for product, letters in zip(products, kept, strict=True):
        if sorted(letters) != sorted(output):
            raise InputError(
                f"The product “{product}” keeps the indices {letters or 'none'}, the result has {output or 'none'}",
                allowed="an index that is raised and lowered is summed, every other one is kept",
                received=line,
            )
    return Statement(name, output, function, products)


def _sum(text: str, line: str) -> tuple[Product, ...]:
    parts = re.split(r"([+-])", text)
    leading = len(parts) > 1 and not parts[0].strip()
    parts = parts[1:] if leading else ["+", *parts]
    at_most(len(parts) // 2, MAX_TERMS, "The sum has", "products")
    return tuple(
        Product(1.0 if sign == "+" else -1.0, _operands(part, line))
        for sign, part in zip(parts[::2], parts[1::2], strict=True)
    )


def _operands(text: str, line: str) -> tuple[Operand, ...]:
    operands, at = [], 0
    text = text.rstrip(_BETWEEN)
    while at < len(text):
        match = _OPERAND.match(text, at)
        if match is None:
            raise InputError(
                f"The expression cannot be read at “{text[at:].lstrip(_BETWEEN)[:20]}”",
                allowed=EXAMPLE,
                received=line.strip(),
            )
        if keyword.iskeyword(match["name"]) or match["name"] in _TAKEN:
            raise InputError(
                "A tensor cannot be called so: in code the name means something else",
                allowed="another name, such as a",
                received=match["name"],
            )
        indices, raised = "", []
        for mark, braced, bare in _MARK.findall(match["marks"]):
            letters = re.sub(r"[\s,]+", "", braced) or bare
            indices += letters
            raised += [mark == "^"] * len(letters)
        _check_letters(indices, line.strip())
        at_most(len(indices), MAX_INDICES, "A tensor has", "indices", indices)
        operands.append(Operand(match["name"], indices, tuple(raised)))
        at = match.end()
    if not operands:
        raise InputError("A product is empty", allowed=EXAMPLE, received=line.strip())
    at_most(len(operands), MAX_OPERANDS, "The product has", "tensors")
    return tuple(operands)


def _check_letters(indices: str, text: str) -> None:
    for sign in indices:
        if sign not in string.ascii_letters:
            raise InputError(
                f"{sign!r} is not an index", allowed="letters a to z and A to Z, one a mode", received=text
            )


def _kept(product: Product) -> str:
    """The indices that the lecture's rule keeps: those that are not both raised and lowered."""
    pairs = {pair for o in product.operands for pair in o.marked}
    return "".join(x for x in product.letters if not {(x, True), (x, False)} <= pairs)


def _check_names(program: tuple[Statement, ...]) -> None:
    indices: dict[str, int] = {}
    made = [statement.name for statement in program]
    for at, statement in enumerate(program):
        operands = [operand for product in statement.products for operand in product.operands]
        for operand in operands:
            if operand.name in made[at:]:
                raise InputError(f"{operand.name} is used before it is computed", received=str(statement))
            here = len(operand.indices)
            there = here if operand.name == ONES else indices.setdefault(operand.name, here)
            if here != there:
                raise InputError(
                    f"{operand.name} has {here} indices here and {there} elsewhere", received=str(statement)
                )
        if statement.name in made[:at] or statement.name in indices:
            raise InputError(f"{statement.name} is computed twice or also given", received=str(statement))
        indices[statement.name] = len(statement.output)
