"""Page "Digits": draw a digit and look into the network that reads it."""

from __future__ import annotations

from apps.digits import page_benchmark, page_depth, page_draw, page_errors, page_layers, page_reasons
from apps.digits.application import DEFAULT_PRESET, Digits
from apps.digits.explain import DigitInspector
from apps.shared.page import PresetChoice, Section, show_page

NETWORKS = PresetChoice(
    Digits.kind,
    DEFAULT_PRESET,
    DigitInspector.from_preset,
    f"digits fit --out models/presets/{DEFAULT_PRESET}",
)
SECTIONS = (
    Section(
        "Draw",
        page_draw.show,
        "What a drawn or photographed digit is to the network, and every step on the way. Try a seven with a bar.",
        NETWORKS,
    ),
    Section(
        "Layers",
        page_layers.show,
        "What every filter answers, and where the loss would change it. Move through the epochs of digits_lecture.",
        NETWORKS,
    ),
    Section(
        "Reasons",
        page_reasons.show,
        "Which pixels the answer rests on. Ask for the reasons of a digit that it is not.",
        NETWORKS,
    ),
    Section(
        "Errors",
        page_errors.show,
        "Every test image that the network reads wrong. Click one to look inside while it errs.",
        NETWORKS,
    ),
    Section(
        "Depth",
        page_depth.show,
        "One deep network with and without residual connections: compare their gradients, layer by layer.",
    ),
    Section("Benchmark", page_benchmark.show, "Accuracy on the test set, and speed beside PyTorch."),
)
show_page("Digits", SECTIONS)
