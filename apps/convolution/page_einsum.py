"""Section "Einstein": summation in both notations, equivalent loops, batches, and the derivative as a contraction."""

from __future__ import annotations

import re
from itertools import chain

import numpy as np
import streamlit as st

from apps.convolution.contraction import Contracted, Derivative, contract, derivative, loops
from apps.convolution.einsum import FUNCTIONS, MAX_TEXT, Statement, batched, free_tensors, read_program
from apps.convolution.examples import EXPRESSIONS
from apps.convolution.keras_code import einsum_code
from apps.convolution.numbers import filled, read_tensor, written, written_sizes
from apps.convolution.page_drawings import as_keras, show_grids, slices
from apps.shared.language import N_, _, ngettext
from apps.shared.page import example_buttons, input_errors, one_of, plain, text_box

_FIRST = EXPRESSIONS["rows"].values
_BATCH = 3
_MORE = _LOOPS, _SEVERAL, _SLOPE = N_("Loops"), N_("Batch"), N_("Derivative")
_MOST_CHARACTERS = 2_000  # of a tensor's box


def show() -> None:
    """Draw the section."""
    example_buttons({each.title: each.values for each in EXPRESSIONS.values()}, "einstein")
    expression = text_box(
        st,
        _("Expression"),
        _FIRST["e"],
        "e",
        MAX_TEXT,
        help=_(
            "The lecture's notation: a_i^j b_j, braces if you like; NumPy's: ij,j->i. Statements: "
            "h_i = tanh(a_i^j x_j + c_i); y_k = b_k^i h_i"
        ),
    )
    with input_errors():
        program = read_program(expression)
        tensors = _tensors(program)
        computed = contract(program, tensors)
        _notation(program, computed)
        _values(computed)
        more, derived = one_of(_("More"), _MORE, "more"), None
        with input_errors():
            if more == _LOOPS:
                st.subheader(_("The same as loops"), anchor=False)
                st.code(loops(program, computed.sizes), language="python")
            elif more == _SEVERAL:
                _batch(program, tensors, computed)
            else:
                derived = _derivative(program, tensors)
        as_keras(lambda: einsum_code(program, tensors, derived))


def _tensors(program: tuple[Statement, ...]) -> dict[str, np.ndarray]:
    free = free_tensors(program)
    columns = st.columns(min(len(free), 4))
    found = {}
    for at, (name, indices) in enumerate(free.items()):
        label = ngettext("{name}, {n} mode", "{name}, {n} modes", len(indices), name=name)
        about = _(
            "Brackets such as ((1, 2), (3, 4)), or a shape such as 2x3, which is filled with whole numbers."
        )
        place, default = columns[at % len(columns)], _default(name, indices)
        typed = text_box(place, label, default, f"t_{name}", _MOST_CHARACTERS, help=about)
        found[name] = read_tensor(typed, name)
    return found


def _default(name: str, indices: str) -> str:
    """What stands in a tensor's box before anything is typed: the first example's value, or two for each index."""
    if (name, len(indices)) in (("a", 2), ("b", 1)):
        return _FIRST[f"t_{name}"]
    if len(indices) == 1:
        return "(1, 2)"
    return "x".join(["2"] * len(indices)) if indices else "2"


def _notation(program: tuple[Statement, ...], computed: Contracted) -> None:
    for statement, sizes in zip(program, computed.sizes, strict=True):
        st.markdown(_written(statement))
        roles = []
        for letter in statement.letters:
            role = _("summed") if letter in statement.summed else _("kept")
            role += _(", repeated (element by element)") if letter in statement.repeated else ""
            roles.append(_("**{letter}** {role}, size {size}", letter=letter, role=role, size=sizes[letter]))
        if roles:
            st.caption(" · ".join(roles))
    st.caption(_("{steps:,} turns of the innermost loop.", steps=computed.steps))


def _written(statement: Statement) -> str:
    """Both notations."""
    numpy = f" · NumPy: `{statement.numpy}`" if statement.numpy is not None else ""
    return f"{_formula(str(statement))}{numpy}"


def _formula(notation: str) -> str:
    """Typeset the lecture's notation, its indices staggered; it holds nothing but names, indices and signs."""
    notation = re.sub(r"\}(?=[_^])", "}{}", notation).replace("−", "-")
    return "$" + re.sub(r"\b(" + "|".join(FUNCTIONS) + r")\(", r"\\operatorname{\1}(", notation) + "$"


def _values(computed: Contracted) -> None:
    grids = {name: slices(name, value) for name, value in computed.values.items()}
    if any(grids.values()):
        show_grids([*chain(*grids.values())], _("The tensors and the result"), cell=40)
    for name, value in computed.values.items():
        if not grids[name]:
            st.markdown(f"**{plain(name)}**, {written_sizes(value.shape)}")
            _print(value)


def _print(value: np.ndarray) -> None:
    st.code(np.array2string(value, threshold=200, precision=4, suppress_small=True), language=None)


def _batch(program: tuple[Statement, ...], tensors: dict[str, np.ndarray], computed: Contracted) -> None:
    st.subheader(_("A batch is one more mode"), anchor=False)
    name = st.selectbox(
        _("Batch of"), list(tensors), index=len(tensors) - 1, key="batch", bind="query-params"
    )
    several = batched(program, name)
    for statement in several:
        st.markdown(_written(statement))
    samples = [tensors[name], *(filled(tensors[name].shape, seed) for seed in range(1, _BATCH))]
    whole = contract(several, {**tensors, name: np.stack(samples, axis=-1)}).output
    alone = [contract(program, {**tensors, name: sample}).output for sample in samples]
    same = np.allclose(whole, np.stack(alone, axis=-1))
    if grids := [grid for at in range(_BATCH) for grid in slices(_("sample {at}:", at=at), whole[..., at])]:
        show_grids(grids, _("The result of each sample"), cell=40)
    st.caption(
        _(
            "{n} samples, the first one as above: {before} becomes {after}.",
            n=_BATCH,
            before=written_sizes(computed.output.shape) or _("a number"),
            after=written_sizes(whole.shape),
        )
        + " "
        + (_("Dropping the last index works with all samples at once.") if same else _("The samples differ."))
    )


def _derivative(program: tuple[Statement, ...], tensors: dict[str, np.ndarray]) -> Derivative:
    st.subheader(_("The derivative as a contraction"), anchor=False)
    name = st.selectbox(_("By"), list(tensors), index=len(tensors) - 1, key="by", bind="query-params")
    found = derivative(program, tensors, name)
    st.markdown(f"{_formula(found.notation)} · NumPy: `{found.indices}`")
    output = found.tensor.shape[: found.tensor.ndim - tensors[name].ndim]
    rows = int(np.prod(output, dtype=int))
    if grids := slices(_("A, a row for each output:"), found.tensor.reshape(rows, -1)):
        show_grids(grids, _("The derivative"), cell=48)
    else:
        _print(found.tensor)
    check = _("Finite differences are within {difference:.1e} of it", difference=found.difference)
    if found.kinks:
        st.caption(
            _(
                "{check}; {kinks} sums stand at the kink of the ReLU, where they mean nothing.",
                check=check,
                kinks=found.kinks,
            )
        )
    else:
        st.caption(
            _(
                "A by automatic differentiation. {check}; its largest element is {scale}.",
                check=check,
                scale=written(found.scale),
            )
        )
    return found
