"""Page "Digits": draw a digit and look into the network that reads it."""

from __future__ import annotations

from apps.digits import page_benchmark, page_depth, page_draw, page_errors, page_layers, page_reasons
from apps.digits.application import DEFAULT_PRESET, Digits
from apps.digits.explain import DigitInspector
from apps.shared.page import PresetChoice, show_page

NETWORKS = PresetChoice(
    Digits.kind,
    DEFAULT_PRESET,
    DigitInspector.from_preset,
    f"digits fit --out models/presets/{DEFAULT_PRESET}",
)
SECTIONS = {
    NETWORKS: {
        "Draw": page_draw.show,
        "Layers": page_layers.show,
        "Reasons": page_reasons.show,
        "Errors": page_errors.show,
    },
    None: {"Depth": page_depth.show, "Benchmark": page_benchmark.show},
}

if __name__ == "__main__":
    show_page(__file__, SECTIONS)
