"""The bench's examples as a few lines of Keras that run by themselves and give the same numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from apps.convolution.contraction import Derivative
from apps.convolution.digit import ConvolvedDigit
from apps.convolution.einsum import ONES, Statement, numpy_notation
from apps.convolution.kinds import KindResult
from apps.convolution.numbers import at_most, exact
from apps.convolution.signals import POOLINGS, Layer, run_signal
from apps.convolution.sizes import ModeRule
from apps.convolution.stack import Stack, StackLayer
from data_prep.errors import InputError

MOST_NUMBERS = 2_000  # that are written out
_HEAD = ("import numpy as np", "from keras import ops", "")


def signal_code(signal: Sequence[float], layers: Sequence[Layer]) -> str:
    """Write layers of one signal as code whose ``result`` is the last layer's output."""
    result = run_signal(signal, layers)
    lengths = [len(signal), *(len(stage.values) for stage in result.stages)]
    numbers = _array(np.asarray(result.signal))
    lines = [*_HEAD, f"x = {numbers}.reshape(1, -1, 1)  # one signal, its length, one channel"]
    for layer, length in zip(layers, lengths, strict=False):
        lines += ["", f"# {layer.text}", *_signal_layer(layer, layer.rule(length))]
    return _code([*lines, "", *_result("[0, :, 0]")])


def kind_code(found: KindResult) -> str:
    """Write one convolution of a tensor with channels; refuses more modes or numbers than Keras or a page take."""
    kind, rules = found.kind, found.rules
    most = 2 if kind in ("same", "layerwise") else 3
    if len(rules) > most:
        raise InputError(
            f"Keras slides this filter along one to {most} modes", received=f"{len(rules)} modes"
        )
    image = "x[None, ..., None]  # one image, one channel" if kind == "full" else "x[None]  # one image"
    lines = [*_HEAD, f"x = {_array(found.tensor)}", f"w = {_array(found.kernel)}", f"x = {image}"]
    shapes = {
        "full": "w[..., None, None]  # one channel, one head",
        "pointwise": f"w.reshape({'1, ' * len(rules)}*w.shape)",
        "same": f"np.stack([w] * {found.tensor.shape[-1]}, axis=-1)[..., None]  # the same for each channel",
        "layerwise": "w[..., None]",
    }
    lines += [f"w = {shapes[kind]}"] if kind in shapes else []
    part = "0, ..., 0" if kind == "full" else "0"
    if kind == "transposed":
        strides = _few(rules, "stride")
        if any(rule.dilation > 1 for rule in rules):
            # TensorFlow has no dilated transposed convolution for every processor: zeros between the taps say the same.
            apart = ", ".join(f"::{rule.dilation}" for rule in rules)
            wide = tuple((rule.kernel - 1) * rule.dilation + 1 for rule in rules)
            lines += [
                f"taps, w = w, np.zeros({wide} + w.shape[{len(rules)}:], w.dtype)",
                f"w[{apart}] = taps",
            ]
        lines.append(f'x = ops.conv_transpose(x, w, strides={strides}, padding="valid")')
        # Keras leaves out the reach beyond a stride that is longer than the filter.
        for rule, size in zip(rules, found.output.shape, strict=False):
            part += f", {rule.before}:{rule.before + size}"
    else:
        lines += _convolution(rules, "ops.depthwise_conv" if most == 2 else "ops.conv")
    return _code([*lines, *_result(f"[{part}]")])


def sizes_code(rules: Sequence[ModeRule], heads: int = 1) -> str:
    """Write a full convolution of zeros, whose ``result`` is the output's size, with the heads if there are several."""
    if len(rules) > 3:
        raise InputError("Keras has convolutions of one to three modes", received=f"{len(rules)} modes")
    sizes, kernel = tuple(rule.size for rule in rules), tuple(rule.kernel for rule in rules)
    return _code(
        [
            "from keras import ops",
            "",
            f"x = ops.zeros({(1, *sizes, 1)})  # one image and one channel around the modes",
            f"w = ops.zeros({(*kernel, 1, heads)})",
            *_convolution(rules, "ops.conv"),
            f"result = tuple(x.shape){'[1:-1]' if heads == 1 else '[1:]'}",
            "print(result)",
        ]
    )


def stack_code(stack: Stack) -> str:
    """Write a stack as a Keras ``model`` with the same sizes and parameters; refuses layers that Keras has not."""
    flat = False
    lines = ["import keras", "from keras import layers", "", "model = keras.Sequential(["]
    lines.append(f"    keras.Input({stack.input}),")
    for layer in stack.layers:
        lines += [f"    layers.{line}," for line in _stack_layer(layer, flat)]
        flat = len(layer.output) == 1
    return _code([*lines, "])", "model.summary()"])


def einsum_code(
    program: Sequence[Statement], tensors: Mapping[str, np.ndarray], derived: Derivative | None = None
) -> str:
    """Write a program whose ``result`` is the output; with a derivative, ``A``, it takes TensorFlow."""
    given = [f"{name} = ops.convert_to_tensor({_array(array)})" for name, array in tensors.items()]
    statements = [_einsum(statement) for statement in program]
    last, head = program[-1].name, [*_HEAD]
    result = _result("", last)
    if derived is not None:
        head.insert(1, "import tensorflow as tf")
        statements = [
            "with tf.GradientTape() as tape:",
            f"    tape.watch({derived.name})",
            *(f"    {line}" for line in statements),
        ]
        result += [
            f'A = tape.jacobian({last}, {derived.name}, unconnected_gradients="zero").numpy()',
            f"print(A)  # {derived.notation}",
        ]
    return _code([*head, *given, *statements, *result])


def digit_code(digit: ConvolvedDigit, relu: bool) -> str:
    """Write the convolution of a digit, pixel by pixel, as code whose ``result`` is the picture that comes out."""
    pixels = np.round(255 * digit.image).astype(int)
    rows = ",\n    ".join(f"[{', '.join(map(str, row))}]" for row in pixels.tolist())
    return _code(
        [
            *_HEAD,
            f"image = np.array([\n    {rows},\n]) / 255  # 0 for paper and 1 for ink",
            'x = image.astype("float32")[None, :, :, None]',
            f"w = {_array(digit.kernel)}[:, :, None, None]",
            *_convolution((digit.rule, digit.rule), "ops.conv"),
            f"x = x + {exact(digit.bias)}",
            *["x = ops.relu(x)"] * relu,
            *_result("[0, :, :, 0]"),
        ]
    )


def _code(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def _result(part: str, name: str = "x") -> list[str]:
    return [f"result = ops.convert_to_numpy({name}){part}", "print(result)"]


def _array(array: np.ndarray) -> str:
    at_most(array.size, MOST_NUMBERS, "The tensor has", "numbers to write out")
    numbers = ", ".join(exact(float(value)) for value in array.flat)
    if array.ndim == 0:
        return f'np.array({numbers}, "float32")'
    return f'np.array([{numbers}], "float32")' + (f".reshape{array.shape}" if array.ndim > 1 else "")


def _signal_layer(layer: Layer, rule: ModeRule) -> list[str]:
    if layer.kind == "relu":
        return ["x = ops.relu(x)"]
    lines = []
    if layer.kind in POOLINGS:
        name = "max_pool" if layer.kind == "max" else "average_pool"
        times = f" * {rule.kernel}  # a sum is {rule.kernel} averages" if layer.kind == "sum" else ""
        lines = [f'x = ops.{name}(x, {rule.kernel}, strides={rule.stride}, padding="valid"){times}']
    elif layer.weights:
        weights = np.array(layer.weights[::-1] if layer.flip else layer.weights)
        lines = [f"w = {_array(weights)}.reshape(-1, 1, 1)", *_convolution([rule], "ops.conv")]
    return [*lines, f"x = x + {exact(layer.bias)}"] if layer.bias or layer.kind == "bias" else lines


def _convolution(rules: Sequence[ModeRule], function: str) -> list[str]:
    """Pad and call; Keras takes no stride together with a dilation, so every s-th output is kept instead."""
    lines = [
        f"x = ops.take(x, np.arange({-rule.before}, {rule.size + rule.after}) % {rule.size}, axis={mode})  # cyclic"
        for mode, rule in enumerate(rules, start=1)
        if rule.cyclic and rule.extent > 1
    ]
    widths = [(0, 0) if rule.cyclic else (rule.before, rule.after) for rule in rules]
    if any(map(any, widths)):
        lines.append(f"x = ops.pad(x, ((0, 0), {', '.join(map(str, widths))}, (0, 0)))")
    strides, dilations = _few(rules, "stride"), _few(rules, "dilation")
    if dilations == 1 and (function == "ops.conv" or isinstance(strides, int)):
        return [*lines, f'x = {function}(x, w, strides={strides}, padding="valid")']
    lines.append(f'x = {function}(x, w, padding="valid", dilation_rate={dilations})')
    if strides != 1:
        lines.append(f"x = x[:, {', '.join(f'::{rule.stride}' for rule in rules)}]  # the strides")
    return lines


def _few(rules: Sequence[ModeRule], name: str) -> int | tuple[int, ...]:
    """One number where all modes have the same."""
    values = tuple(getattr(rule, name) for rule in rules)
    return values[0] if len(set(values)) == 1 else values


def _stack_layer(layer: StackLayer, flat: bool) -> list[str]:
    rules, kind = layer.rules, layer.kind
    if kind in ("relu", "flatten"):
        return ["ReLU()" if kind == "relu" else "Flatten()"]
    if kind == "dense":
        return [*["Flatten()"] * (not flat), f"Dense({layer.output[-1]})"]
    kernel, strides, dilations, padding = (_few(rules, n) for n in ("kernel", "stride", "dilation", "before"))
    modes, depthwise, pool = len(rules), kind == "depthwise", kind == "pool"
    if (
        modes > (2 if depthwise else 3)
        or (dilations != 1 and (strides != 1 or pool))
        or (depthwise and not isinstance(strides, int))
    ):
        raise InputError("Keras has no layer like this", received=layer.text)
    lines = [f"ZeroPadding{modes}D({padding})"] if padding != 0 else []
    if pool:
        return [*lines, f"MaxPooling{modes}D({kernel}, strides={strides})"]
    name = f"DepthwiseConv{modes}D({kernel}" if depthwise else f"Conv{modes}D({layer.output[-1]}, {kernel}"
    more = f", dilation_rate={dilations}" if dilations != 1 else ""
    return [*lines, f"{name}, strides={strides}{more})"]


def _einsum(statement: Statement) -> str:
    operands = [o for product in statement.products for o in product.operands if o.name != ONES]
    sizes = {letter: f"{o.name}.shape[{at}]" for o in operands for at, letter in enumerate(o.indices)}
    terms = []
    for product in statement.products:
        names = [
            o.name
            if o.name != ONES
            else f"ops.ones(({''.join(f'{sizes[letter]}, ' for letter in o.indices)}))"
            for o in product.needed
        ]
        notation = numpy_notation(product.needed, statement.output)
        term = f'ops.einsum("{notation}", {", ".join(names)})' if names else "1.0"
        terms.append(("- " if product.sign < 0 else "+ ") + term)
    body = " ".join(terms).removeprefix("+ ")
    return f"{statement.name} = " + (f"ops.{statement.function}({body})" if statement.function else body)
