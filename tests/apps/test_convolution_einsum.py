"""Einstein summation: the lecture's example, both notations, loops, batches, derivatives, and wrong input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.convolution.contraction import contract, derivative, loops
from apps.convolution.einsum import MAX_TEXT, batched, free_tensors, read_program
from apps.convolution.examples import EXPRESSIONS
from apps.convolution.numbers import read_tensor
from data_prep.errors import InputError

A = np.array([[1.0, 2.0], [3.0, 4.0]])
B, C = np.array([1.0, -1.0]), np.array([1.0, 1.0])


def tensors_of(example) -> dict[str, np.ndarray]:
    program = read_program(example.values["e"])
    return {name: read_tensor(example.values[f"t_{name}"], name) for name in free_tensors(program)}


def test_the_lecture_s_example() -> None:
    assert contract(read_program("a_i^j b_j"), {"a": A, "b": B}).output.tolist() == [-1, -1]
    assert contract(read_program("a_i^j c^i"), {"a": A, "c": C}).output.tolist() == [4, 6]
    for key, wanted in (("rows", [-1, -1]), ("columns", [4, 6])):
        example = EXPRESSIONS[key]
        assert contract(read_program(example.values["e"]), tensors_of(example)).output.tolist() == wanted


@pytest.mark.parametrize(
    ("lecture", "numpy"),
    [
        ("a_i^j b_j", "ij,j->i"),
        ("a_{ij}^k b_{jk}^l c_{lm}", "ijk,jkl,lm->ijm"),
        ("a_ijk b_jkl", "ijk,jkl->ijkl"),
        ("x_i x^i", "i,i->"),
        ("a_i^i", "ii->"),
        ("y_{ji} = a_{ij}", "ij->ji"),
        ("a_{i}^{j} 1_{j}", "ij->i"),
    ],
)
def test_both_notations_say_the_same(lecture: str, numpy: str) -> None:
    (statement,) = read_program(lecture)
    assert statement.numpy == numpy
    # What is written out is read back.
    (again,) = read_program(str(statement))
    assert (again.output, again.numpy) == (statement.output, numpy)
    if len(numpy) > 4:
        (converted,) = read_program(numpy)
        (back,) = read_program(str(converted))
        assert back.numpy == numpy


def test_the_last_semicolon_says_nothing() -> None:
    for text in ("ij,jk->ik", "a_ij b^j_k"):
        assert read_program(f"{text};\n") == read_program(text)


def test_a_slide_s_product_keeps_every_index_but_the_raised_one() -> None:
    (statement,) = read_program("a_{ij}^k b_{jk}^l c_{lm}")
    assert (statement.output, statement.summed, statement.repeated) == ("ijm", "kl", "j")


NUMPY = [
    "ij,jk->ik",
    "ij->j",
    "ii->i",
    "ii",
    "ij,ij",
    "ijk,kl,lj->i",
    "i,j->ij",
    "ij,ij->ij",
    "aB,Bc->ca",
    "ba",
]


@pytest.mark.parametrize("text", NUMPY)
def test_numpy_s_notation_computes_what_numpy_does(text: str) -> None:
    random = np.random.default_rng(0)
    sizes = dict(zip("ijklaBbc", (2, 3, 4, 2, 3, 2, 2, 3), strict=True))
    text = text if "->" in text or "," in text else text + "->" + ("" if text == "ii" else "ab")
    terms = text.split("->")[0].split(",")
    arrays = [random.normal(size=[sizes[x] for x in term]) for term in terms]
    program = read_program(text)
    found = contract(program, dict(zip("abc", arrays, strict=False)))
    assert np.allclose(found.output, np.einsum(text, *arrays))


PROGRAMS = [
    "a_i^j b_j",
    "b_i b^i",
    "y_ij = a_ij - b_i b_j",
    "y_i = relu(a_i^j b_j + c_i)",
    "h_i = tanh(a_i^j b_j + c_i); y_k = a_k^i h_i",
    "h_i = sigmoid(a_i^j b_j); g_i = exp(h_i); y = g_i c^i",
    "y_i = sin(a_i^j a_j^k b_k)",
    "y_i = square(b_i) ",
    "a_i^i",
    "a_ij 1^j",
]


@pytest.mark.parametrize("text", PROGRAMS)
def test_loops_compute_the_same(text: str) -> None:
    program = read_program(text)
    tensors = {"a": A, "b": B / 2, "c": C / 3}
    found = contract(program, tensors)
    names: dict = {name: tensors[name] for name in free_tensors(program)}
    exec(loops(program, found.sizes), names)
    assert np.allclose(names[program[-1].name], found.output)


@pytest.mark.parametrize("text", PROGRAMS)
def test_a_batch_is_its_samples(text: str) -> None:
    program = read_program(text)
    random = np.random.default_rng(1)
    tensors = {"a": A, "b": B / 2, "c": C / 3}
    for name in free_tensors(program):
        samples = random.normal(size=(4, *tensors[name].shape))
        whole = contract(batched(program, name), {**tensors, name: np.moveaxis(samples, 0, -1)}).output
        for at, sample in enumerate(samples):
            assert np.allclose(whole[..., at], contract(program, {**tensors, name: sample}).output)


@pytest.mark.parametrize("text", PROGRAMS)
def test_the_derivative_contracts_with_a_change(text: str) -> None:
    program = read_program(text)
    tensors = {"a": A, "b": B / 2, "c": C / 3}
    for name in free_tensors(program):
        found = derivative(program, tensors, name)
        assert found.difference < 1e-6 * found.scale
        assert found.kinks == 0
        output = contract(program, tensors).output
        assert found.tensor.shape == (*output.shape, *tensors[name].shape)
        change = 1e-6 * np.random.default_rng(2).normal(size=tensors[name].shape)
        moved = contract(program, {**tensors, name: tensors[name] + change}).output
        assert np.allclose(np.einsum(found.indices, found.tensor, change), moved - output, atol=1e-10)
        assert found.notation.startswith(f"dy{'_' if output.ndim else ''}")


def test_the_derivative_is_tensorflow_s() -> None:
    import tensorflow as tf

    program = read_program("h_i = tanh(a_i^j b_j + c_i); y_ki = a_k^j h_j h_i")
    given = {name: tf.constant(value) for name, value in (("a", A), ("b", B), ("c", C))}
    with tf.GradientTape(persistent=True) as tape:
        for value in given.values():
            tape.watch(value)
        hidden = tf.tanh(tf.einsum("ij,j->i", given["a"], given["b"]) + given["c"])
        output = tf.einsum("kj,j,i->ki", given["a"], hidden, hidden)
    for name, value in given.items():
        wanted = tape.jacobian(output, value).numpy()
        assert np.allclose(derivative(program, {"a": A, "b": B, "c": C}, name).tensor, wanted)


def test_the_slide_s_letters_are_kept() -> None:
    found = derivative(
        read_program("y_ij = w_ij^klm x_klm"), {"w": np.ones((2, 1, 2, 1, 2)), "x": np.ones((2, 1, 2))}, "x"
    )
    assert found.notation == "dy_{ij} = A_{ij}^{klm} dx_{klm}"


def test_a_kink_is_told() -> None:
    found = derivative(read_program("y_i = relu(x_i)"), {"x": np.array([0.0, 1.0])}, "x")
    assert found.kinks == 1


@pytest.mark.parametrize("example", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_every_example_is_computed_and_differentiated(example) -> None:
    program, tensors = read_program(example.values["e"]), tensors_of(example)
    assert contract(program, tensors).steps > 0
    assert derivative(program, tensors, example.values["by"]).kinks == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The expression is empty"),
        (";", "The expression is empty"),
        ("ij,j->k", "The output has the index 'k', which no tensor has.*Allowed: i, j"),
        ("i1,j->i", "'1' is not an index"),
        ("iй,j->i", "'й' is not an index"),
        ("ij,j->ii", "The output has the index 'i' twice"),
        ("->", "The expression has no index"),
        (",", "The expression has no index"),
        ("...i,i->i", r"'\.' is not an index"),
        ("ijklmnopq,i->i", "A tensor has 9 indices"),
        (",".join("i" * 9), "The product has 9 tensors"),
        ("a_{i1} b_j", "'1' is not an index"),
        ("a_i^j b_j)", "cannot be read at"),
        ("a_", "cannot be read at"),
        ("a_{i b_i", "cannot be read at"),
        ("a_i b_i +", "A product is empty"),
        ("y_i = a_ij", "keeps the indices ij, the result has i"),
        ("y^i = a_i", "The left side is one tensor with lowered indices"),
        ("y_i z_i = a_i", "The left side is one tensor"),
        ("cos(a_i)", "Unknown function.*relu.*Received: 'cos'"),
        ("a_i; b_i", "Only the last statement may do without a name"),
        ("y_i = h_i; h_i = x_i", "h is used before it is computed"),
        ("h_i = x_i; h_i = x_i", "h is computed twice or also given"),
        ("a_i a_ij", "a has 2 indices here and 1 elsewhere"),
        (" + ".join(["a_i"] * 9), "The sum has 9 products"),
        (" ".join(["a_i"] * 9), "The product has 9 tensors"),
        ("; ".join(f"h{at}_i = x_i" for at in range(9)), "There are 9 statements"),
        ("a" * (MAX_TEXT + 1), "501 characters"),
        ("1", "The expression has no tensor"),
        ("1 + 1", "The expression has no tensor"),
        ("lambda_i x^i", "cannot be called so.*Received: 'lambda'"),
        ("np_i x^i", "cannot be called so.*Received: 'np'"),
        ("ij,j->i; ij,j->i", "is not an index"),
    ],
)
def test_wrong_expressions_are_one_message(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_program(text)


@pytest.mark.parametrize(
    ("text", "shapes", "message"),
    [
        ("ij,jk->ik", {"a": (2, 3), "b": (2, 2)}, "The index j has size 3 in a and size 2 in b"),
        ("a_i^j b_j", {"a": (2,), "b": (2,)}, "The tensor a has 1 modes and 2 indices"),
        ("a_i^j b_j", {"a": (2, 2)}, "The tensor b is missing"),
        ("i,j,k->", {"a": (1000,), "b": (1000,), "c": (1000,)}, "The sum for y has 1,000,000,000 products"),
        ("i,j,k->ijk", {"a": (1000,), "b": (1000,), "c": (1000,)}, "y would have 1,000,000,000 elements"),
        ("a 1_i", {"a": ()}, "The index i stands at tensors of ones only"),
        ("y_i = exp(a_i)", {"a": (1,)}, "y is not finite"),
    ],
)
def test_tensors_that_do_not_fit_are_one_message(text: str, shapes: dict, message: str) -> None:
    tensors = {name: np.full(shape, 1e5) for name, shape in shapes.items()}
    with pytest.raises(InputError, match=message):
        contract(read_program(text), tensors)


@pytest.mark.parametrize(
    ("text", "size", "name", "message"),
    [
        ("x_i", 3, "z", "There is no tensor 'z' to differentiate by"),
        ("x_i", 200, "x", "The derivative would have 40,000 elements"),
        ("x_i x^i", 4000, "x", "A derivative on the way would have 16,000,000 elements"),
        ("x_i x^i", 5000, "x", "The derivative would take 25,000,000 products"),
        ("h_ijk = x_i x_j x_k; y_i = h_i^jk 1_jk", 40, "x", "A derivative on the way would have"),
    ],
)
def test_derivatives_that_are_too_large_are_one_message(
    text: str, size: int, name: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        derivative(read_program(text), {"x": np.ones(size)}, name)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        program = read_program(text)
    except InputError:
        return
    assert read_program("; ".join(map(str, program)))


@given(st.text("ab12_^{}ijk=+-;,>() ", max_size=30))
def test_texts_that_look_like_expressions_are_read_or_refused(text: str) -> None:
    try:
        program = read_program(text)
        contract(
            program, {name: np.ones((2,) * len(letters)) for name, letters in free_tensors(program).items()}
        )
    except InputError:
        return
