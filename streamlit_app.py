"""The web front end: `make app`. This file only routes; every application has its page.py."""

import streamlit as st

from apps.course.lessons import step_about
from apps.lecture.topics import PAGES
from apps.shared.page import taught_by

st.set_page_config(page_title="Lectern", page_icon="🎓", layout="wide")

home = st.Page("apps/lecture/page.py", title="The lecture", icon=":material/route:", default=True)
built = [
    st.Page(page.view, title=page.title, icon=page.icon, url_path=page.key)
    for page in PAGES.values()
    if page.built
]

taught_by(step_about)
st.navigation([home, *built], position="top").run()
