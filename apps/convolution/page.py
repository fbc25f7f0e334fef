"""Page "Convolution bench": one section at a time, each reachable by a link."""

from __future__ import annotations

from apps.convolution import page_digit, page_einsum, page_kinds, page_learned, page_signals, page_sizes
from apps.shared.page import show_page

SECTIONS = {
    None: {
        "Signal": page_signals.show,
        "Learned": page_learned.show,
        "Kinds": page_kinds.show,
        "Digit": page_digit.show,
        "Sizes": page_sizes.show,
        "Stack": page_sizes.show_stack,  # in lessons only
        "Einstein": page_einsum.show,
    }
}

if __name__ == "__main__":
    show_page(__file__, SECTIONS)
