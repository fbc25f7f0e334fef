"""The web front end: `make app`. This file only routes; every application has its page.py."""

from pathlib import Path

import streamlit as st

from apps.course.lessons import step_about
from apps.lecture.topics import PAGES
from apps.shared.language import _
from apps.shared.page import page_at, taught_by
from apps.shared.page_corner import corners
from apps.shared.page_language import choose_language
from apps.shared.page_turns import turn

st.set_page_config(page_title="Lectern", page_icon="🎓", layout="wide")
st.html(Path(__file__).with_name("apps") / "shared" / "page_contrast.css")
choose_language()

home = page_at("apps/lecture/page.py", title=_("The lecture"), icon=":material/route:", default=True)
built = [
    page_at(page.view, title=_(page.title), icon=page.icon, url_path=page.key)
    for page in PAGES.values()
    if page.built
]

taught_by(step_about)
alone = st.context.is_embedded or "present" in st.query_params
page = st.navigation([home, *built], position="hidden" if alone else "top")
corners()
with turn():
    page.run()
