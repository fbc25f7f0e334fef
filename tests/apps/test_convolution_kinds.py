"""Convolutions of tensors: against SciPy and loops, and every printed product against the output."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import signal

from apps.convolution.digit import convolve_digit, digit_image, hand_made_kernels, trained_kernels
from apps.convolution.kinds import KINDS, convolve, run_kind
from apps.convolution.sizes import BOUNDARIES, ModeRule
from apps.convolution.tensors import convolve_full
from apps.digits.application import Digits
from data_prep.errors import InputError
from models.digit_cnn.serving import PackedPlan
from tests.apps.digit_presets import digits_of

RANDOM = np.random.default_rng(7)
TENSOR = RANDOM.integers(-3, 4, (5, 6, 3)).astype(np.float64)


def plain_rules(sizes: tuple[int, ...], kernel: tuple[int, ...]) -> list[ModeRule]:
    return [ModeRule(n, k) for n, k in zip(sizes, kernel, strict=True)]


@pytest.mark.parametrize("shape", [(9,), (4, 5), (4, 4, 3), (3, 4, 3, 2), (2, 2, 2, 2, 2)])
def test_a_full_convolution_is_scipy_s_for_any_number_of_modes(shape: tuple[int, ...]) -> None:
    tensor, kernel = RANDOM.normal(size=shape), RANDOM.normal(size=(2,) * len(shape))
    assert np.allclose(
        convolve_full(tensor, kernel, plain_rules(shape, kernel.shape)),
        signal.correlate(tensor, kernel, mode="valid"),
    )


def test_padding_stride_and_dilation_are_per_mode() -> None:
    kernel = RANDOM.normal(size=(2, 3))
    rules = (ModeRule(5, 2, 1, 0, 2, 1), ModeRule(6, 3, 0, 2, 1, 2))
    padded = np.pad(TENSOR[..., 0], ((1, 0), (0, 2)))
    spread = np.zeros((2, 5))
    spread[:, ::2] = kernel
    assert np.allclose(
        convolve_full(TENSOR[..., 0], kernel, rules), signal.correlate2d(padded, spread, mode="valid")[::2]
    )


def test_cyclic_modes_wrap_around() -> None:
    kernel = RANDOM.normal(size=(2, 3))
    rules = [rule.bounded("cyclic") for rule in plain_rules((5, 6), (2, 3))]
    found = convolve_full(TENSOR[..., 0], kernel, rules)
    wanted = sum(kernel[k, m] * np.roll(TENSOR[..., 0], (-k, -m), (0, 1)) for k in range(2) for m in range(3))
    assert np.allclose(found, wanted)


def test_the_kinds_are_full_convolutions_in_disguise() -> None:
    rules = plain_rules((5, 6), (2, 2))
    kernels = RANDOM.normal(size=(2, 2, 3, 2))
    heads = convolve("heads", TENSOR, kernels, rules)
    for head in range(2):
        # filter.shape[-1] == input.shape[-1]: the last mode of the output has size 1.
        full = convolve_full(TENSOR, kernels[..., head], plain_rules(TENSOR.shape, (2, 2, 3)))
        assert full.shape[-1] == 1
        assert np.allclose(heads[..., head], full[..., 0])
    weights = RANDOM.normal(size=(3, 2))
    assert np.allclose(convolve("pointwise", TENSOR, weights, plain_rules((5, 6), (1, 1))), TENSOR @ weights)
    blur = np.ones((2, 2))
    same = convolve("same", TENSOR, blur, rules)
    assert np.allclose(same, convolve_full(TENSOR, blur[..., None], plain_rules(TENSOR.shape, (2, 2, 1))))
    assert np.allclose(same, convolve("layerwise", TENSOR, np.stack([blur] * 3, axis=-1), rules))


def test_a_transposed_convolution_is_the_transpose() -> None:
    """The inner products <conv(x), y> and <x, transposed(y)> agree, whatever the stride, dilation and padding."""
    kernels = RANDOM.normal(size=(2, 3, 2, 4))  # filter, channels of x, heads
    for stride, dilation, pad in itertools.product((1, 2), (1, 2), (0, 1)):
        # Sizes that the stride leaves nothing of.
        sizes = [4 * stride + dilation * (k - 1) + 1 - 2 * pad for k in (2, 3)]
        rules = [ModeRule(n, k, pad, pad, stride, dilation) for n, k in zip(sizes, (2, 3), strict=True)]
        x = RANDOM.normal(size=(*sizes, 2))
        forward = convolve("heads", x, kernels, rules)
        y = RANDOM.normal(size=forward.shape)
        rules = [ModeRule(n, k, pad, pad, stride, dilation) for n, k in zip(y.shape, (2, 3), strict=False)]
        back = convolve("transposed", y, kernels, rules)
        assert back.shape == x.shape
        assert np.isclose((forward * y).sum(), (x * back).sum())


@pytest.mark.parametrize(
    ("kind", "boundary"),
    [pair for pair in itertools.product(KINDS, BOUNDARIES) if pair != ("transposed", "cyclic")],
)
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_the_printed_products_add_up(kind: str, boundary: str, stride: int, dilation: int) -> None:
    for sizes, kernel in (("5x6x3", "2x3"), ("7x2", "3"), ("3x4x4x2", "2x1x2")):
        if kind == "full":
            kernel += "x2"
        result = run_kind(kind, sizes, kernel, boundary=boundary, stride=stride, dilation=dilation)
        for at in np.ndindex(*result.output.shape):
            products = result.products(at)
            assert np.isclose(sum(p.value * p.weight for p in products), result.output[at])
            for product in products:
                assert result.kernel[product.tap] == product.weight
                assert product.place is None or result.tensor[product.place] == product.value
        if kind != "transposed":
            assert result.multiply_adds == len(products) * result.output.size


def test_zero_and_cyclic_boundaries_keep_the_size() -> None:
    for boundary in ("zero", "cyclic"):
        assert run_kind("full", "4x4x3", "2x2x2", boundary=boundary).output.shape == (4, 4, 3)
        assert run_kind("heads", "4x4x3", "3x3", heads=5, boundary=boundary).output.shape == (4, 4, 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "sideways"}, "Unknown kind"),
        ({"kernel": "5x5"}, "The filter spans 5, the padded input 4: the output would have size zero"),
        ({"kernel": "5x5", "boundary": "cyclic"}, "longer than the cyclic mode"),
        ({"kernel": "2x2x2"}, "The filter has 3 modes"),
        ({"kernel": "0x2"}, "The filter, mode 1, is out of range"),
        ({"stride": 0}, "stride does not fit.*greater than or equal to 1.*Received: 0"),
        ({"dilation": -1}, "dilation does not fit.*greater than or equal to 1.*Received: -1"),
        ({"heads": 0}, "The number of heads is out of range"),
        ({"heads": 10**6}, "The number of heads is out of range"),
        ({"boundary": "mirror"}, "Unknown boundary"),
        ({"kind": "transposed", "boundary": "cyclic"}, "Unknown boundary"),
        ({"sizes": "4"}, "The input does not fit"),
        ({"sizes": "1000000x1000000x3"}, "The input does not fit"),
        ({"sizes": ""}, "The input is empty"),
        ({"sizes": "100x100x1", "kernel": "90x90", "boundary": "zero"}, "multiply-adds|elements"),
        ({"sizes": "1x9x1", "kernel": "1x1000000"}, "elements|size zero"),
        ({"kind": "transposed", "sizes": "100x100x1", "kernel": "999999x9"}, "elements"),
        ({"kind": "transposed", "stride": 1000000, "sizes": "99x99x1"}, "elements"),
    ],
)
def test_wrong_convolutions_are_one_message(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run_kind(options.pop("kind", "heads"), **options)


def test_filter_and_input_must_have_the_same_channels() -> None:
    with pytest.raises(InputError, match="number of channels"):
        convolve("heads", TENSOR, np.ones((2, 2, 2, 1)), plain_rules((5, 6), (2, 2)))
    with pytest.raises(InputError, match="their modes differ"):
        convolve_full(TENSOR, np.ones((2, 2)), plain_rules((5, 6), (2, 2)))


def test_a_position_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="The position is out of range"):
        run_kind("heads").products((9, 0, 0))


def test_a_kernel_on_a_digit() -> None:
    image = digit_image(3)
    assert image.shape == (28, 28)
    assert 0.0 <= image.min() < image.max() <= 1.0
    kernels = hand_made_kernels()
    kernel, bias = kernels["left edges"]
    assert bias == 0.0
    found = convolve_digit(image, kernel, 0.5, padding=1, stride=2, relu=True)
    wanted = signal.correlate2d(np.pad(image, 1), kernel, mode="valid")[::2, ::2] + 0.5
    assert np.allclose(found.output, np.maximum(wanted, 0.0))
    same = convolve_digit(image, *kernels["one pixel"], padding=2)
    assert np.allclose(same.output, image)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stride": 0}, "stride does not fit.*greater than or equal to 1.*Received: 0"),
        ({"padding": -1}, "before does not fit.*greater than or equal to 0.*Received: -1"),
        ({"dilation": 9}, "the output would have size zero"),
        ({"bias": float("nan")}, "The bias is out of range"),
    ],
)
def test_wrong_settings_for_a_digit_are_refused(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        convolve_digit(digit_image(0), np.ones((5, 5)), **options)


@pytest.mark.parametrize(("label", "number"), [(10, 0), (0, 20), (-1, 0), (True, 0)])
def test_a_digit_that_does_not_exist_is_refused(label: int, number: int) -> None:
    with pytest.raises(InputError, match="out of range"):
        digit_image(label, number)


def test_the_trained_kernels_are_the_first_layer_s(monkeypatch: pytest.MonkeyPatch) -> None:
    network = digits_of("lecture")
    monkeypatch.setattr(Digits, "from_preset", classmethod(lambda cls, name: network))
    kernels = trained_kernels()
    assert list(kernels) == [f"head {at}" for at in range(1, 9)]
    assert all(kernel.shape == (5, 5) for kernel, _ in kernels.values())
    image = digit_image(5)
    names = [step.name for step in network.config.steps]
    first = PackedPlan(network.config.steps[: names.index("conv1") + 1], network.arrays)
    wanted = first(image[None, ..., None].astype(np.float32))[0]
    inside = image[2:-2, 2:-2]  # what the lecture's network reads
    found = convolve_digit(inside, *kernels["head 3"], padding=2)
    assert np.allclose(wanted[..., 2], found.output, atol=1e-4)


def test_a_preset_that_is_missing_is_told() -> None:
    with pytest.raises(InputError):
        trained_kernels("no_such_preset")
