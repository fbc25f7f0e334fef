"""The classifiers, opened once for all visitors, and the text that a section looks at."""

from __future__ import annotations

import streamlit as st

from apps.reviews.application import DEFAULT_PRESET, TOPICS_PRESET, Reviews
from apps.shared.page import one_of
from apps.shared.reports import preset_installed

PRESETS = {"Film reviews": DEFAULT_PRESET, "News topics": TOPICS_PRESET}
MOST_CHARACTERS = 6_000
EXAMPLES = {
    DEFAULT_PRESET: {
        "Turns around": (
            "I expected nothing and the first ten minutes were a bore: flat jokes, a tired plot, wooden acting. "
            "Then something happens. The story takes hold, the young actress is wonderful, and the ending is one "
            "of the most moving I have seen in years. Do not leave early!"
        ),
        "Faint praise": (
            "Beautiful pictures, a great cast, music by a master. All of it wasted on a script that is as dull "
            "as it is long."
        ),
        "Not bad": "Not bad at all. I would not say that I did not like it; in fact I was never bored.",
        "One word": "Terrible.",
    },
    TOPICS_PRESET: {
        "Football club sold": (
            "The football club was sold to a group of investors after months of talks with the banks. Shares in "
            "the company rose by a tenth, while fans fear for the young striker who scored in the cup final."
        ),
        "Phones in parliament": (
            "Ministers want to limit mobile phones in parliament. Software on the handsets could be used to "
            "listen to debates, a security expert told members of the government on Tuesday."
        ),
    },
}


@st.cache_resource(show_spinner="Opening the classifier …")
def load_reviews(preset: str) -> Reviews:
    """Open a preset.

    Args:
        preset: Its name.

    Returns:
        The application; shared, so never changed.

    Raises:
        InputError: The preset is missing or damaged.
    """
    return Reviews.from_preset(preset)


def choose_preset() -> str:
    """Let the visitor choose one of the presets that are here.

    Returns:
        Its name; that of the first one where none is here, so that opening it says what is missing.
    """
    here = {title: preset for title, preset in PRESETS.items() if preset_installed(preset)}
    if len(here) < 2:
        return next(iter(here.values()), DEFAULT_PRESET)
    return here[one_of("Classifier", list(here), "classifier")]


def choose_text(preset: str) -> str:
    """Let the visitor write a document or take an example; it stands in the page's address.

    Args:
        preset: Whose examples are offered.

    Returns:
        The document.
    """
    examples = EXAMPLES[preset]
    with st.form("document_form"):
        text = st.text_area(
            "Document",
            next(iter(examples.values())),
            key="text",
            bind="query-params",
            height=140,
            max_chars=MOST_CHARACTERS,
        )
        st.form_submit_button("Read", type="primary")
    with st.container(horizontal=True, gap="xsmall"):
        for name, example in examples.items():
            st.button(name, on_click=_take, args=(example,), key=f"take {name}")
    return text


def _take(example: str) -> None:
    st.session_state["text"] = example  # the widget writes it into the address
