"""Exercises of the part "Tensors": Einstein summation, shapes, derivatives as contractions, batches."""

from __future__ import annotations

import math

import numpy as np

from apps.convolution.application import contract, derivative, read_program
from apps.course.answers import Number, Numbers, Shape
from apps.course.draws import Random, contractions, different, one_of, typed, whole
from apps.course.exercises import Drawn, Exercises
from apps.course.texts import shown

TENSORS = Exercises("tensors", "convolution")
# Expression, indices of its tensors, those of the result, the same without what is lowered twice, what is summed.
_PRODUCTS = (
    ("a_{ij}^k b_{jk}^l c_{lm}", ("ijk", "jkl", "lm"), "ijm", "im", "k"),
    ("a_{ij}^k b_{kj}", ("ijk", "kj"), "ij", "i", "k"),
    ("a_{ij}^k b_{jl} c_k", ("ijk", "jl", "k"), "ijl", "il", "k"),
)


def _product(random: Random) -> tuple[str, list[str], str, str, str, dict[str, int]]:
    """Draw a product of ``_PRODUCTS`` with other letters, and the sizes of its indices."""
    letters = "".join(random.permutation(list("ijklmnpq"))[:5])
    other = str.maketrans("ijklm", letters)
    expression, operands, *rest = one_of(random, _PRODUCTS)
    output, short, summed = (text.translate(other) for text in rest)
    sizes = dict(zip(letters, different(random, 5, 2, 9), strict=True))
    return (
        expression.translate(other),
        [one.translate(other) for one in operands],
        output,
        short,
        summed,
        sizes,
    )


@TENSORS.exercise("numpy-notation", "Einstein summation", section="Einstein")
def numpy_notation(random: Random) -> Drawn:
    """Write a product of the lecture's notation in NumPy's."""
    expression, operands, output, short, summed, sizes = _product(random)
    shapes = {name: [sizes[x] for x in one] for name, one in zip("abc", operands, strict=False)}
    left = ",".join(operands) + "->"
    kind, (right, repeated, kept, order) = contractions(
        shapes, left + output, left + short, left + output + summed, left + output[::-1]
    )
    return Drawn(
        kind, right, {"repeated": repeated, "kept": kept, "order": order},
        {"e": expression, "summed": summed, "output": ", ".join(output)}, {"e": expression},
    )  # fmt: skip


@TENSORS.exercise("what-remains", "Einstein summation", section="Einstein")
def what_remains(random: Random) -> Drawn:
    """Give the shape of a product."""
    expression, operands, output, short, summed, sizes = _product(random)

    def shape(letters: str) -> tuple[int, ...]:
        return tuple(sizes[letter] for letter in letters)

    shapes = [shape(one) for one in operands]
    given = ", ".join(f"${name}$: ${shown(one)}$" for name, one in zip("abc", shapes, strict=False))
    mistakes = {"kept": shape(output + summed), "repeated": shape(short), "all": shape("".join(operands))}
    query = {"e": expression}
    query |= {f"t_{name}": "x".join(map(str, shape(one))) for name, one in zip("abc", operands, strict=False)}
    values = {"e": expression, "given": given, "output": ", ".join(output)}
    return Drawn(Shape(), shape(output), mistakes, values, query)


@TENSORS.exercise("rows", "Example", section="Einstein")
def rows(random: Random) -> Drawn:
    """Contract a matrix with a vector along the raised index."""
    a, b = whole(random, (3, 3)), whole(random, 3, -2, 3, zero=False)
    found = contract(read_program("a_i^j b_j"), {"a": a, "b": b}).output
    mistakes = {"other": b @ a, "ignored": a.sum(axis=1), "diagonal": np.diag(a) * b}
    query = {"e": "a_i^j b_j", "t_a": typed(a), "t_b": typed(b)}
    return Drawn(Numbers((3,)), found, mistakes, {"a": a, "b": b, "first": found[0], "row": a[0]}, query)


@TENSORS.exercise("columns", "Example", section="Einstein")
def columns(random: Random) -> Drawn:
    """Contract a matrix with a vector along the lowered index."""
    a, c = whole(random, (2, 3)), whole(random, 2, -3, 3, zero=False)
    found = contract(read_program("a_i^j c^i"), {"a": a, "c": c}).output
    mistakes = {"ignored": a.sum(axis=0), "first": a[0] * c[0], "mean": found / 2}
    query = {"e": "a_i^j c^i", "t_a": typed(a), "t_c": typed(c)}
    return Drawn(Numbers((3,)), found, mistakes, {"a": a, "c": c}, query)


@TENSORS.exercise("count-products", "Einstein summation", section="Einstein")
def count_products(random: Random) -> Drawn:
    """Count the turns of the innermost loop of a product."""
    expression, operands, output, _, _, sizes = _product(random)
    letters = sorted(set("".join(operands)))
    right = math.prod(sizes[letter] for letter in letters)
    results = math.prod(sizes[letter] for letter in output)
    mistakes = {
        "outputs": results,
        "elements": sum(math.prod(sizes[x] for x in one) for one in operands),
        "added": sum(sizes[letter] for letter in letters),
    }
    values = {
        "e": expression,
        "sizes": ", ".join(f"${letter}$: {sizes[letter]}" for letter in letters),
        "results": results,
        "terms": right // results,
        "product": r" \cdot ".join(str(sizes[letter]) for letter in letters),
    }
    return Drawn(Number(), right, mistakes, values, {"e": expression})


@TENSORS.exercise("derivative-shape", "Derivative as contraction", section="Einstein", by="b")
def derivative_shape(random: Random) -> Drawn:
    """Give the shape of the derivative of one tensor by another one."""
    sizes = different(random, 5, 2, 9)
    cut = int(random.integers(2, 4))
    y, x = tuple(sizes[:cut]), tuple(sizes[cut:])
    mistakes = {"turned": (*x, *y), "output": y, "flat": (math.prod(y), math.prod(x))}
    values = {"y": y, "x": x, "i": "ijk"[:cut], "k": "klm"[: 5 - cut] if cut == 2 else "lm"}
    return Drawn(Shape(), (*y, *x), mistakes, values, {"e": "h_i = tanh(a_i^j b_j)"})


@TENSORS.exercise("jacobian", "Derivative as contraction", section="Einstein", by="x")
def jacobian(random: Random) -> Drawn:
    """Differentiate squares of weighted sums."""
    a, x = whole(random, (2, 2), -3, 3, zero=False), whole(random, 2, -3, 3, zero=False)
    found = derivative(read_program("y_i = square(a_i^j x_j)"), {"a": a, "x": x}, "x").tensor
    sums = a @ x
    mistakes = {"inner": np.outer(2 * sums, np.ones(2)), "turned": found.T, "linear": a, "two": found / 2}
    query = {"e": "y_i = square(a_i^j x_j)", "t_a": typed(a), "t_x": typed(x)}
    return Drawn(Numbers((2, 2)), found, mistakes, {"a": a, "x": x, "s": sums}, query)


@TENSORS.exercise("small-step", "Derivative as contraction", section="Einstein", by="x")
def small_step(random: Random) -> Drawn:
    """Contract a derivative with a small change."""
    a, y = whole(random, (2, 2), -4, 5, zero=False), whole(random, 2, 1, 9)
    dx = whole(random, 2, -3, 3, zero=False) / 100
    dy = contract(read_program("a_i^j x_j"), {"a": a, "x": dx}).output
    mistakes = {"turned": y + a.T @ dx, "change": dy, "whole": y + a @ (100 * dx)}
    values = {"a": a, "dx": dx, "y": y, "dy": dy}
    query = {"e": "a_i^j x_j", "t_a": typed(a), "t_x": typed(dx)}
    return Drawn(Numbers((2,), 1e-4), y + dy, mistakes, values, query)


@TENSORS.exercise("batch-shape", "Batching", section="Einstein", batch="x")
def batch_shape(random: Random) -> Drawn:
    """Give the shape of a batch whose samples are in the last mode."""
    width, height = one_of(random, [(640, 480), (320, 240), (28, 28), (64, 48), (160, 120), (800, 600)])
    batch, heads = int(random.integers(5, 60)), int(random.integers(2, 5))
    mistakes = {
        "first": (batch, width, height, heads),
        "lost": (width, height, heads),
        "joined": (width, height, heads * batch),
    }
    values = {"size": (width, height), "batch": batch, "heads": heads}
    return Drawn(Shape(), (width, height, heads, batch), mistakes, values, {"e": "w_h x_ij"})


@TENSORS.exercise("batch-einsum", "Batching", section="Einstein", batch="x")
def batch_einsum(random: Random) -> Drawn:
    """Write a layer for a whole batch."""
    i, j, n = random.permutation(list("ijklmnpqrs"))[:3].tolist()
    rows_, columns_, batch = different(random, 3, 3, 40)
    left = f"{i}{j},{j}{n}->"
    kind, (right, summed, first, outer) = contractions(
        {"a": (rows_, columns_), "b": (columns_, batch)},
        left + i + n,
        left + i,
        left + n + i,
        left + i + j + n,
    )
    values = {"rows": rows_, "columns": columns_, "batch": batch, "i": i, "j": j, "n": n}
    mistakes = {"summed": summed, "first": first, "outer": outer}
    return Drawn(kind, right, mistakes, values, {"e": "a_i^j x_j"})
