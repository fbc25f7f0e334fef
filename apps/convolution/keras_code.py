"""The bench's examples as a few lines of Keras that run by themselves and give the same numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from apps.convolution.contraction import Derivative
from apps.convolution.einsum import ONES, Statement
from apps.convolution.layers import Bias, Convolution, Layer, Pool, Relu
from apps.convolution.numbers import exact
from apps.convolution.signals import run_signal
from apps.convolution.sizes import ModeRule
from apps.convolution.stack import Stack, StackLayer
from data_prep.errors import InputError

MOST_NUMBERS = 2_000  # that are written out
_HEAD = "import numpy as np\nfrom keras import ops\n\n"


def signal_code(signal: Sequence[float], layers: Sequence[Layer]) -> str:
    """Write layers of one signal.

    Args:
        signal: The numbers.
        layers: As :func:`apps.convolution.signals.run_signal` takes them.

    Returns:
        Python code whose ``result`` is the last layer's output.

    Raises:
        InputError: The layers do not fit the signal.
    """
    result = run_signal(signal, layers)
    lengths = [len(signal), *(len(stage.values) for stage in result.stages)]
    lines = [
        f"x = {_array(np.asarray(result.signal))}.reshape(1, -1, 1)  # one signal, its length, one channel"
    ]
    for layer, length in zip(layers, lengths, strict=False):
        lines.append(f"\n# {layer}")
        lines += _SIGNAL[type(layer)](layer, length)
    return _HEAD + "\n".join(lines) + "\n\nresult = ops.convert_to_numpy(x)[0, :, 0]\nprint(result)\n"


def kind_code(
    kind: str,
    tensor: np.ndarray,
    kernel: np.ndarray,
    rules: Sequence[ModeRule] = (),
    *,
    boundary: str = "valid",
) -> str:
    """Write one convolution of a tensor with channels; :mod:`apps.convolution_bench` names the kinds.

    Args:
        kind: ``"heads"``, ``"full"``, ``"pointwise"``, ``"same"``, ``"layerwise"`` or ``"transposed"``.
        tensor: The input, the channels last.
        kernel: The filter in the shape that the kind takes.
        rules: One a mode, without the channels but for ``"full"``; a transposed one cuts ``before`` off both ends.
        boundary: ``"cyclic"`` for modes that wrap around.

    Returns:
        Python code whose ``result`` is the output.

    Raises:
        InputError: There are more modes or numbers than Keras or a page take.
    """
    modes = len(rules) if rules else tensor.ndim - 1
    most = 2 if kind in ("same", "layerwise") else 3
    if modes > most:
        raise InputError(f"Keras slides this filter along one to {most} modes", received=f"{modes} modes")
    lines = [f"x = {_array(tensor)}", f"w = {_array(kernel)}"]
    if kind == "full":
        lines.append("x, w = x[None, ..., None], w[..., None, None]  # one image, one channel, one head")
    else:
        lines.append("x = x[None]  # one image")
    lines += [] if kind in ("pointwise", "transposed") else _padding(rules, boundary)
    lines += _KINDS[kind](tensor, rules)
    return _HEAD + "\n".join(lines) + "\nprint(result)\n"


def sizes_code(rules: Sequence[ModeRule], heads: int = 1) -> str:
    """Write a full convolution of zeros, to see its size.

    Args:
        rules: One a mode.
        heads: Filters side by side.

    Returns:
        Python code whose ``result`` is the output's size, with the heads where there are several.

    Raises:
        InputError: Keras has no convolution of so many modes.
    """
    if len(rules) > 3:
        raise InputError("Keras has convolutions of one to three modes", received=f"{len(rules)} modes")
    sizes, kernel = (tuple(getattr(rule, name) for rule in rules) for name in ("size", "kernel"))
    end = "[1:-1]" if heads == 1 else "[1:]"
    lines = [
        f"x = ops.zeros({(1, *sizes, 1)})  # one image and one channel around the modes",
        f"w = ops.zeros({(*kernel, 1, heads)})",
        *_padding(rules, "valid"),
        *_convolution(rules, "ops.conv"),
        f"result = tuple(x.shape){end}",
    ]
    return "from keras import ops\n\n" + "\n".join(lines) + "\nprint(result)\n"


def stack_code(stack: Stack) -> str:
    """Write a stack as a Keras model.

    Args:
        stack: From :func:`apps.convolution.stack.stack_sizes`.

    Returns:
        Python code whose ``model`` has the same sizes and parameters.

    Raises:
        InputError: Keras has no such layer; the message names it.
    """
    modes = len(stack.input) - 1
    lines = [f"    keras.Input({stack.input}),"]
    shape = stack.input
    for layer in stack.layers:
        lines += [f"    {line}," for line in _stack_layer(layer, shape, modes)]
        shape = layer.output
    body = "\n".join(lines)
    return (
        f"import keras\nfrom keras import layers\n\nmodel = keras.Sequential([\n{body}\n])\nmodel.summary()\n"
    )


def einsum_code(
    program: Sequence[Statement], tensors: Mapping[str, np.ndarray], derived: Derivative | None = None
) -> str:
    """Write a program of Einstein summation.

    Args:
        program: Its statements.
        tensors: Name to array.
        derived: Write this derivative, too: it takes Keras on TensorFlow.

    Returns:
        Python code whose ``result`` is the output, and ``A`` the derivative.

    Raises:
        InputError: There are too many numbers to be written out.
    """
    lines = [f"{name} = ops.convert_to_tensor({_array(array)})" for name, array in tensors.items()]
    statements = [line for statement in program for line in _einsum(statement)]
    last = program[-1].name
    head = _HEAD
    if derived is None:
        lines += statements
    else:
        head = "import numpy as np\nimport tensorflow as tf\nfrom keras import ops\n\n"
        lines += ["with tf.GradientTape() as tape:", f"    tape.watch({derived.name})"]
        lines += [f"    {line}" for line in statements]
        lines += [
            f'A = tape.jacobian({last}, {derived.name}, unconnected_gradients="zero").numpy()',
            f"print(A)  # {derived.notation}",
        ]
    return head + "\n".join(lines) + f"\nresult = ops.convert_to_numpy({last})\nprint(result)\n"


def digit_code(label: int, number: int, kernel: np.ndarray, bias: float, rule: ModeRule, relu: bool) -> str:
    """Write the convolution of one of the project's digits.

    Args:
        label: Its class.
        number: Which of that class.
        kernel: (k, k).
        bias: Added to the sums.
        rule: Of both modes.
        relu: Whether what is negative becomes 0.

    Returns:
        Python code, run from the project's folder, whose ``result`` is the picture that comes out.
    """
    lines = [
        "digits = examples()",
        f"image = digits.images[digits.labels == {label}][{number}] / 255",
        'x = image.astype("float32")[None, :, :, None]',
        f"w = {_array(kernel)}[:, :, None, None]",
        *_padding((rule, rule), "valid"),
        *_convolution((rule, rule), "ops.conv"),
        f"x = x + {exact(bias)}",
        *(["x = ops.relu(x)"] if relu else []),
        "result = ops.convert_to_numpy(x)[0, :, :, 0]",
    ]
    head = "import numpy as np\nfrom keras import ops\n\nfrom apps.digits.examples import examples\n\n"
    return head + "\n".join(lines) + "\nprint(result.shape)\n"


def _array(array: np.ndarray) -> str:
    if array.size > MOST_NUMBERS:
        raise InputError(
            f"{array.size:,} numbers are too many to write out", allowed=f"at most {MOST_NUMBERS:,}"
        )
    if array.ndim == 0:
        return f'np.array({exact(float(array))}, "float32")'
    numbers = ", ".join(exact(float(value)) for value in array.flat)
    shape = "" if array.ndim == 1 else f".reshape{array.shape}"
    return f'np.array([{numbers}], "float32"){shape}'


def _signal_convolution(layer: Convolution, length: int) -> list[str]:
    weights = layer.weights[::-1] if layer.flip else layer.weights
    numbers = ", ".join(map(exact, weights))
    lines = [f'w = np.array([{numbers}], "float32").reshape(-1, 1, 1)']
    reach = layer.extent - 1
    if layer.padding == "cyclic" and reach:
        ends = f"[x[:, -{reach}:], x]" if layer.flip else f"[x, x[:, :{reach}]]"
        lines.append(f"x = ops.concatenate({ends}, axis=1)")
    if layer.before or layer.after:
        lines.append(f"x = ops.pad(x, ((0, 0), ({layer.before}, {layer.after}), (0, 0)))")
    rule = ModeRule(length + layer.before + layer.after, len(weights), 0, 0, layer.stride, layer.dilation)
    lines += _convolution((rule,), "ops.conv")
    return [*lines, f"x = x + {exact(layer.bias)}"] if layer.bias else lines


def _signal_pool(layer: Pool, length: int) -> list[str]:
    size = length if layer.size is None else layer.size
    stride = length if layer.size is None else layer.step
    name = "max_pool" if layer.kind == "max" else "average_pool"
    times = f" * {size}  # a sum is {size} averages" if layer.kind == "sum" else ""
    return [f'x = ops.{name}(x, {size}, strides={stride}, padding="valid"){times}']


_SIGNAL = {
    Convolution: _signal_convolution,
    Bias: lambda layer, length: [f"x = x + {exact(layer.value)}"],
    Relu: lambda layer, length: ["x = ops.relu(x)"],
    Pool: _signal_pool,
}


def _padding(rules: Sequence[ModeRule], boundary: str) -> list[str]:
    if boundary == "cyclic":
        return [
            f"x = ops.concatenate([x, ops.take(x, range({rule.extent - 1}), axis={mode})], axis={mode})  # cyclic"
            for mode, rule in enumerate(rules, start=1)
            if rule.extent > 1
        ]
    if not any(rule.before or rule.after for rule in rules):
        return []
    widths = ", ".join(f"({rule.before}, {rule.after})" for rule in rules)
    return [f"x = ops.pad(x, ((0, 0), {widths}, (0, 0)))"]


def _convolution(rules: Sequence[ModeRule], function: str) -> list[str]:
    """One call; Keras takes no stride together with a dilation, so every s-th output is kept instead."""
    strides, dilations = tuple(rule.stride for rule in rules), tuple(rule.dilation for rule in rules)
    if all(dilation == 1 for dilation in dilations) and (function == "ops.conv" or len(set(strides)) == 1):
        return [f'x = {function}(x, w, strides={_few(strides)}, padding="valid")']
    lines = [f'x = {function}(x, w, padding="valid", dilation_rate={_few(dilations)})']
    if any(stride > 1 for stride in strides):
        steps = ", ".join(f"::{stride}" for stride in strides)
        lines.append(f"x = x[:, {steps}]  # the strides")
    return lines


def _few(values: tuple[int, ...]) -> int | tuple[int, ...]:
    return values[0] if len(set(values)) == 1 else values


def _heads(tensor: np.ndarray, rules: Sequence[ModeRule]) -> list[str]:
    return [*_convolution(rules, "ops.conv"), "result = ops.convert_to_numpy(x)[0]"]


def _full(tensor: np.ndarray, rules: Sequence[ModeRule]) -> list[str]:
    return [*_convolution(rules, "ops.conv"), "result = ops.convert_to_numpy(x)[0, ..., 0]"]


def _pointwise(tensor: np.ndarray, rules: Sequence[ModeRule]) -> list[str]:
    ones = ", ".join(["1"] * (tensor.ndim - 1))
    return [
        f"w = w.reshape({ones}, *w.shape)",
        *_convolution(rules, "ops.conv"),
        "result = ops.convert_to_numpy(x)[0]",
    ]


def _same(tensor: np.ndarray, rules: Sequence[ModeRule]) -> list[str]:
    repeated = f"w = np.stack([w] * {tensor.shape[-1]}, axis=-1)[..., None]  # the same for each channel"
    return [repeated, *_convolution(rules, "ops.depthwise_conv"), "result = ops.convert_to_numpy(x)[0]"]


def _layerwise(tensor: np.ndarray, rules: Sequence[ModeRule]) -> list[str]:
    return [
        "w = w[..., None]",
        *_convolution(rules, "ops.depthwise_conv"),
        "result = ops.convert_to_numpy(x)[0]",
    ]


def _transposed(tensor: np.ndarray, rules: Sequence[ModeRule]) -> list[str]:
    strides, dilations = _few(tuple(r.stride for r in rules)), _few(tuple(r.dilation for r in rules))
    # Keras leaves out the reach beyond a stride that is longer than the filter.
    lines = [f'x = ops.conv_transpose(x, w, strides={strides}, padding="valid", dilation_rate={dilations})']
    sizes = [(rule.size - 1) * rule.stride + rule.extent for rule in rules]
    inside = ", ".join(f"{rule.before}:{size - rule.before}" for rule, size in zip(rules, sizes, strict=True))
    return [*lines, f"result = ops.convert_to_numpy(x)[0, {inside}]"]


_KINDS = {
    "heads": _heads,
    "full": _full,
    "pointwise": _pointwise,
    "same": _same,
    "layerwise": _layerwise,
    "transposed": _transposed,
}


def _stack_layer(layer: StackLayer, shape: tuple[int, ...], modes: int) -> list[str]:
    if layer.kind in ("relu", "flatten"):
        return ["layers.ReLU()" if layer.kind == "relu" else "layers.Flatten()"]
    if layer.kind == "dense":
        flat = ["layers.Flatten()"] if len(shape) > 1 else []
        return [*flat, f"layers.Dense({layer.heads})"]
    dilated = any(dilation > 1 for dilation in layer.dilation)
    strided = any(stride > 1 for stride in layer.stride)
    depthwise = layer.kind == "depthwise"
    if (
        modes > (2 if depthwise else 3)
        or (dilated and (strided or layer.kind == "pool"))
        or (depthwise and len(set(layer.stride)) > 1)
    ):
        raise InputError("Keras has no layer like this", received=layer.text)
    lines = []
    if any(layer.padding):
        lines.append(f"layers.ZeroPadding{modes}D({_few(layer.padding)})")
    kernel, strides = _few(layer.kernel), _few(layer.stride)
    if layer.kind == "pool":
        return [*lines, f"layers.MaxPooling{modes}D({kernel}, strides={strides})"]
    name = f"DepthwiseConv{modes}D({kernel}" if depthwise else f"Conv{modes}D({layer.heads}, {kernel}"
    more = f", dilation_rate={_few(layer.dilation)}" if dilated else ""
    return [*lines, f"layers.{name}, strides={strides}{more})"]


def _einsum(statement: Statement) -> list[str]:
    sizes = {}
    for product in statement.products:
        for operand in product.operands:
            if operand.name != ONES:
                sizes |= {letter: f"{operand.name}.shape[{at}]" for at, letter in enumerate(operand.indices)}
    terms = []
    for product in statement.products:
        operands = product.operands
        others = "".join(operand.indices for operand in operands if operand.name != ONES)
        operands = tuple(o for o in operands if o.name != ONES or not set(o.indices) <= set(others))
        names = [
            f"ops.ones(({''.join(sizes[letter] + ', ' for letter in o.indices)}))"
            if o.name == ONES
            else o.name
            for o in operands
        ]
        indices = ",".join(operand.indices for operand in operands)
        term = f'ops.einsum("{indices}->{statement.output}", {", ".join(names)})' if names else "1.0"
        terms.append(("- " if product.sign < 0 else "+ ") + term)
    body = " ".join(terms).removeprefix("+ ")
    line = f"ops.{statement.function}({body})" if statement.function else body
    return [f"{statement.name} = {line}"]
