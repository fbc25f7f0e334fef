"""One signal: the lecture's numbers, agreement with NumPy, and wrong input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.convolution.examples import SIGNALS
from apps.convolution.numbers import MAX_NUMBERS, read_numbers
from apps.convolution.signals import MAX_LAYERS, MAX_TEXT, read_layers, run_signal
from data_prep.errors import InputError

X = (0, 0, 0, 0, 0, 1, 1, 1, 0, 0)
Z1 = (0, 0, 0, 0, 1, 0, 0, -1, 0, 0)
Z2 = (0, -1, 0, 0, 2, 0, 0, -1, 0, 0)
Z3 = (0, 0, 0, 0, 1, 0, 0, 0, 0, 0)


def stages(key: str) -> list[tuple[float, ...]]:
    example = SIGNALS[key]
    result = run_signal(read_numbers(example.values["x"], "x"), read_layers(example.values["layers"]))
    assert result.signal == (X if example.values["x"] == SIGNALS["detect"].values["x"] else result.signal)
    return [stage.values for stage in result.stages]


def test_the_slides_detector_of_three_ones() -> None:
    first, second, _, last = stages("detect")
    assert (first, second, last) == (Z1, Z2, Z3)
    assert last.index(1) == 4


@pytest.mark.parametrize("key", ["pool", "sum"])
def test_pooling_changes_localise_to_detect(key: str) -> None:
    *_, localised, detected = stages(key)
    assert localised == Z3
    assert detected == (1,)


def test_the_slides_detector_of_flexible_length() -> None:
    first, pooled, last = stages("flexible")
    assert first == Z1
    assert pooled == (0, 0, 1, -1, 0)
    assert last == (0, -1, 2, -1, 0)


def test_both_convolutions_can_be_grouped_into_one() -> None:
    grouped = " ".join(f"{weight:g}" for weight in np.convolve((-1, 1), (1, 0, 0, -1)))
    assert run_signal(X, read_layers(f"correlate {grouped} cyclic")).output == Z2


@pytest.mark.parametrize("example", SIGNALS.values(), ids=SIGNALS)
def test_every_example_runs(example) -> None:
    assert run_signal(read_numbers(example.values["x"], "x"), read_layers(example.values["layers"])).output


def test_products_and_sums_are_printed() -> None:
    stage = run_signal(X, read_layers("correlate -1 1 cyclic bias 2")).stages[0]
    assert stage.sums[4] == "(-1)·0 + 1·1 + 2 = 3"
    assert [(p.place, p.value, p.weight) for p in stage.terms[9]] == [((9,), 0, -1), ((0,), 0, 1)]


def test_pooling_and_relu_are_printed() -> None:
    layers = read_layers("relu; max blocks 2; average window 2; sum")
    sums = [stage.sums[0] for stage in run_signal((-1, 3, 2, 2), layers).stages]
    assert sums == ["max(0, -1) = 0", "max(0, 3) = 3", "(3 + 2) / 2 = 2.5", "2.5 = 2.5"]


def test_zeros_of_the_padding_are_told_apart() -> None:
    stage = run_signal((5, 6), read_layers("correlate 1 2 3 zero 2 1")).stages[0]
    assert stage.values == (15, 28, 17)
    assert [product.place for product in stage.terms[0]] == [None, None, (0,)]


def test_unused_values_are_counted() -> None:
    assert run_signal((1, 2, 3, 4, 5), read_layers("sum blocks 2")).stages[0].unused == 1
    assert run_signal((1, 2, 3, 4), read_layers("correlate 1 1 stride 3")).stages[0].unused == 2


NUMBERS = st.lists(st.integers(-9, 9), min_size=1, max_size=12)


@given(NUMBERS, NUMBERS, st.booleans())
def test_valid_positions_are_those_of_numpy(signal: list[int], weights: list[int], flip: bool) -> None:
    if len(weights) > len(signal):
        return
    kernel = " ".join(map(str, weights))
    found = run_signal(signal, read_layers(f"{'convolve' if flip else 'correlate'} {kernel}")).output
    function = np.convolve if flip else np.correlate
    assert found == tuple(function(signal, weights, mode="valid").tolist())


@given(NUMBERS, NUMBERS, st.integers(1, 3), st.integers(1, 3))
def test_cyclic_convolution_is_a_product_of_spectra(
    signal: list[int], weights: list[int], stride: int, dilation: int
) -> None:
    kernel = " ".join(map(str, weights))
    layers = read_layers(f"convolve {kernel} cyclic stride {stride} dilation {dilation}")
    extent = (len(weights) - 1) * dilation + 1
    if extent > len(signal):
        return
    spread = np.zeros(len(signal))
    spread[:extent:dilation] = weights
    wanted = np.fft.irfft(np.fft.rfft(signal) * np.fft.rfft(spread), len(signal))[::stride]
    assert np.allclose(run_signal(signal, layers).output, wanted)


@given(NUMBERS, NUMBERS, st.integers(0, 4), st.integers(0, 4), st.integers(1, 3), st.integers(1, 3))
def test_zero_padding_is_valid_on_a_padded_signal(
    signal: list[int], weights: list[int], before: int, after: int, stride: int, dilation: int
) -> None:
    text = f"zero {before} {after} stride {stride} dilation {dilation} bias 0.5"
    layers = read_layers(f"correlate {' '.join(map(str, weights))} {text}")
    padded = np.pad(signal, (before, after))
    extent = layers[0].rule(len(signal)).extent
    if extent > len(padded):
        return
    spread = np.zeros(extent)
    spread[::dilation] = weights
    wanted = np.correlate(padded, spread, mode="valid")[::stride] + 0.5
    assert np.allclose(run_signal(signal, layers).output, wanted)


def test_zero_without_numbers_keeps_the_size() -> None:
    for layer in ("correlate 1 2 3 zero", "convolve 1 2 zero", "correlate 1 2 3 zero dilation 2"):
        assert len(run_signal(X, read_layers(layer)).output) == len(X)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Convolve  0.1234567,-1 zero 1 2  stride 2", "convolve 0.1234567 -1 zero 1 2 stride 2"),
        ("correlate 1 cyclic", "correlate 1 cyclic"),
        ("bias\t-1.5", "bias -1.5"),
        ("RELU", "relu"),
        ("max", "max"),
        ("sum blocks 2", "sum blocks 2"),
        ("average window 3 stride 1", "average window 3 stride 1"),
    ],
)
def test_a_layer_is_read_back_as_it_is_written(text: str, written: str) -> None:
    (layer,) = read_layers(text)
    assert layer.text == written
    assert read_layers(layer.text) == (layer,)


@pytest.mark.parametrize(
    ("signal", "layers", "message"),
    [
        ("1 2", "correlate 1 2 3", "The filter spans 3, the padded input 2: the output would have size zero"),
        ("1 2", "correlate 1 2 3 cyclic", r"The filter \(3\) is longer than the cyclic mode \(2\)"),
        ("1 2 3 4", "correlate 1 1 dilation 4", "The filter spans 5, the padded input 4.*size zero"),
        ("1 2", "correlate 1 2 3 4 zero 1 0", "The filter spans 4, the padded input 3.*size zero"),
        ("1 2", "correlate 1 stride 0", "The stride is out of range.*1 to 64.*Received: 0"),
        ("1 2", "correlate 1 dilation 0", "The dilation is out of range"),
        ("1 2", "correlate 1 zero -1 0", "The padding is out of range.*Received: -1"),
        ("1 2", "correlate 1 cyclic 1 2", "zeros go with zero padding only"),
        ("1 2", "correlate valid", "The kernel has 0 weights"),
        ("1 2", "correlate 1 x", "cannot be read at “x”"),
        ("1 2", "correlate 1 stride", "cannot be read at “stride”"),
        ("1 2", "correlate 1 stride 1 stride 2", "cannot be read at “stride”"),
        ("1 2", "correlate 1 1e99", "A weight is out of range"),
        ("1 2", "blur 3", "A layer cannot be read"),
        ("1 2", "relu 3", "A layer cannot be read"),
        ("1 2", "max blocks 3", "The filter spans 3, the padded input 2"),
        ("1 2", "max blocks 0", "The size of the blocks is out of range"),
        ("1 2", "max window 2 stride 0", "The stride is out of range"),
        ("1 2", "max of 3", "A pooling layer cannot be read"),
        ("1 2", ";".join(["correlate 100000"] * 3), "A result of .* is out of range"),
        ("1 2", "relu;" * (MAX_LAYERS + 1), "There are 9 layers"),
        ("1 2", "r" * (MAX_TEXT + 1), "2,001 characters"),
        ("", "relu", "The signal is empty"),
        ("1 two", "relu", "number 2, is not a number"),
        ("nan", "relu", "is not a number"),
        ("1e7", "relu", "out of range"),
        ("1 " * (MAX_NUMBERS + 1), "relu", "The signal has 65 numbers"),
    ],
)
def test_wrong_signals_and_layers_are_one_message(signal: str, layers: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run_signal(read_numbers(signal, "The signal"), read_layers(layers))


@given(st.text(max_size=60))
def test_any_layers_are_read_or_refused(text: str) -> None:
    try:
        run_signal(X, read_layers(text))
    except InputError:
        return
