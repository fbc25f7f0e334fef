"""What notebooks compute: for each section that a lesson shows, lines of Python with the values of the exhibit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from string import Template
from typing import Any

from apps.convolution.application import (
    KINDS,
    einsum_code,
    free_tensors,
    kind_code,
    read_layers,
    read_numbers,
    read_program,
    read_rules,
    read_tensor,
    run_kind,
    run_signal,
    signal_code,
    sizes_code,
    stack_code,
    stack_sizes,
)
from apps.course.exhibits import Exhibit
from data_prep.files import toml_beside

Values = Mapping[str, Any]
_BENCH = "from apps.convolution.application import "
_SAID = toml_beside(__file__)


def opened(page: str) -> str:
    """The lines that open what a page shows; empty where there is nothing to open."""
    return _SAID["opened"].get(page, "")


def trained_keras(page: str) -> str:
    """The lines that give the trained network of a page as Keras has it; empty where a page has none."""
    return f"model = {_SAID['keras'][page]}.keras_model()\nmodel.summary()" if page in _SAID["keras"] else ""


def computed(exhibit: Exhibit) -> str:
    """The lines that compute what an exhibit shows; empty where they would need data that are not in the package."""
    page, section = exhibit.page, exhibit.values["section"]
    if (page, section) in _MADE:
        return _MADE[page, section](exhibit.values)
    lines = _SAID["lines"].get(f"{page}/{section}")
    return "" if lines is None else Template(lines).substitute(_written(exhibit.values))


def keras_lines(exhibit: Exhibit) -> str:
    """The same numbers as lines of Keras alone; empty where the suite has none."""
    values, section = exhibit.values, exhibit.values["section"]
    if exhibit.page != "convolution" or section not in _KERAS_OF:
        return ""
    return _KERAS_OF[section](values).rstrip()


def _written(values: Values) -> dict[str, str]:
    """Values as Python writes them; ``text`` and ``prompt`` are those of boxes whose keys are sentences."""
    named = {key: repr(value) for key, value in values.items()}
    named |= {key.partition(" ")[0]: repr(value) for key, value in values.items() if " " in key}
    if "combine" in values:
        named |= {"combine": repr(values["combine"].lower()), "unit": str(values["keys"] == "Length 1")}
    if "task" in values:
        named["task"] = repr(values["task"].lower())
    return named


def _signal(values: Values) -> str:
    signal, layers = read_numbers(values["x"], "The signal"), values["layers"]
    stages = run_signal(signal, read_layers(layers)).stages
    layer = min(values["layer"], len(stages)) - 1
    numbers = f"({', '.join(f'{one:g}' for one in signal)},)"
    at = min(values["at"], len(stages[layer].values) - 1)
    return (
        f"{_BENCH}read_layers, run_signal\n\nresult = run_signal({numbers}, read_layers({layers!r}))\n"
        'for number, stage in enumerate(result.stages, start=1):\n    print(f"z{number} =", stage.values)\n'
        f"print(result.stages[{layer}].sums[{at}])"
    )


def _options(values: Values) -> tuple[tuple[str, str, str], dict[str, Any]]:
    kind = next(key for key, title in KINDS.items() if title == values["kind"])
    options = {"heads": values["heads"], "boundary": values["boundary"]}
    return (kind, values["input"], values["filter"]), {
        **options,
        "stride": values["step"],
        "dilation": values["spread"],
    }


def _kind(values: Values) -> str:
    first, options = _options(values)
    named = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return (
        f"{_BENCH}run_kind\n\nfound = run_kind({', '.join(map(repr, first))}, {named})\n"
        "print(found.output.shape, found.kernel.size, found.multiply_adds)\nfound.output"
    )


def _tensors(values: Values) -> dict[str, str]:
    return {name: values[f"t_{name}"] for name in free_tensors(read_program(values["e"]))}


def _einstein(values: Values) -> str:
    by = values.get("by")
    derived = f"\nprint(derivative(program, tensors, {by!r}).tensor.shape)" if by else ""
    return (
        f"{_BENCH}contract, {'derivative, ' if by else ''}read_program, read_tensor\n\n"
        f"program = read_program({values['e']!r})\n"
        f"tensors = {{name: read_tensor(text, name) for name, text in {_tensors(values)!r}.items()}}\n"
        f"print(contract(program, tensors).output){derived}"
    )


def _keras_kind(values: Values) -> str:
    first, options = _options(values)
    return kind_code(run_kind(*first, **options))


def _keras_einstein(values: Values) -> str:
    tensors = {name: read_tensor(text, name) for name, text in _tensors(values).items()}
    return einsum_code(read_program(values["e"]), tensors)


_MADE: dict[tuple[str, str], Callable[[Values], str]] = {
    ("convolution", "Signal"): _signal,
    ("convolution", "Kinds"): _kind,
    ("convolution", "Einstein"): _einstein,
}
_KERAS_OF: dict[str, Callable[[Values], str]] = {
    "Signal": lambda values: signal_code(
        read_numbers(values["x"], "The signal"), read_layers(values["layers"])
    ),
    "Kinds": _keras_kind,
    "Einstein": _keras_einstein,
    "Stack": lambda values: stack_code(stack_sizes(values["stack_input"], values["stack"])),
    "Sizes": lambda values: sizes_code(
        read_rules(*(values[name] for name in ("n", "k", "pad", "stride", "dilation"))), values["filters"]
    ),
}
