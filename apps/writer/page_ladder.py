"""Section "Ladder": what each idea is worth, from guessing at random to the shipped writer."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from apps.shared import charts
from apps.shared.page import input_errors, plain
from apps.shared.style import palette
from apps.writer.ladder_report import Ladder, Rung, ladder_report
from apps.writer.reports import GenerationReport, WriterScores, generation_report, writer_scores

COMMAND = "python -m benchmarks.loss_ladder --store"
SPEED_COMMAND = "python -m benchmarks.generation --store"


def show(preset: str) -> None:
    """Draw the section.

    Args:
        preset: Name of the writer.
    """
    with input_errors():
        _scores(_stored(preset))
    st.subheader("The ladder", anchor=False)
    with input_errors():
        report = ladder_report()
        if report is None:
            st.info(f"The ladder has not been measured in this checkout. Measure it: `{COMMAND}`")
        else:
            _ladder(report)
    st.subheader("How fast it writes", anchor=False)
    with input_errors():
        speed = generation_report()
        if speed is None:
            st.info(f"The benchmark has not run in this checkout. Run it: `{SPEED_COMMAND}`")
        else:
            _speed(speed)


@st.cache_data(show_spinner=False, max_entries=4)
def _stored(preset: str) -> WriterScores:
    return writer_scores(preset)


def _scores(scores: WriterScores) -> None:
    cells = st.columns(4)
    cells[0].metric("nats a character", f"{scores.nats:.4f}")
    cells[1].metric("bits a character", f"{scores.bits:.3f}")
    cells[2].metric("parameters", f"{scores.parameters:,}")
    cells[3].metric("training, minutes", f"{scores.seconds / 60:.0f}")
    error = "" if scores.standard_error is None else f" ± {scores.standard_error:.4f} (standard error)"
    st.caption(
        f"The shipped writer: {plain(scores.shape)}. {plain(scores.protocol)}; {scores.n:,} characters{error}."
    )
    if scores.published:
        listed = "; ".join(f"{plain(name)}: {value:g}" for name, value in scores.published.items())
        st.caption(f"Published for the same split, nats a character: {listed}.")


def _ladder(report: Ladder) -> None:
    charts.show(_picture(report), "ladder", "Loss of every rung in nats a character")
    st.caption(
        f"{plain(report.text)}: {report.train_characters:,} characters to learn from, {report.rungs[0].n:,} "
        f"scored. The four networks have one recurrent layer, at most {report.budget:,} parameters and one "
        f"recipe of {report.epochs} epochs. Measure again: `{COMMAND}`"
    )
    _samples(report)
    _table(report)


def _speed(report: GenerationReport) -> None:
    colours = palette()
    charts.show(
        charts.bars(
            [one.name for one in report.systems],
            [one.characters_per_second for one in report.systems],
            x_title="characters a second",
            colour=[
                colours.ours if one.name.startswith("lectern") else colours.peer for one in report.systems
            ],
            number=",.0f",
        ),
        "writing speed",
        "Characters a second of several loops",
    )
    ratio = "" if report.ratio is None else f"Lectern by PyTorch's best loop: {report.ratio:.2f}. "
    st.caption(
        f"One LSTM layer of {report.units} units, one text, with sampling, {report.cores} core(s) of "
        f"{plain(report.processor)}. {ratio}Measure again: `{SPEED_COMMAND}`"
    )


def _picture(report: Ladder) -> go.Figure:
    colours = palette()
    return charts.bars(
        [_name(rung) for rung in report.rungs],
        [rung.nats for rung in report.rungs],
        x_title="nats a character, held-out text",
        colour=[
            colours.peer if rung.name == "shipped" else colours.muted if rung.units is None else colours.ours
            for rung in report.rungs
        ],
        number=".3f",
    )


def _name(rung: Rung) -> str:
    return rung.title if rung.units is None else f"{rung.title}, {rung.units} units"


def _samples(report: Ladder) -> None:
    st.subheader("What each rung writes", anchor=False)
    names = [rung.title for rung in report.rungs]
    name = st.select_slider("Rung", names, value=names[-1], key="rung", label_visibility="collapsed")
    rung = report.rungs[names.index(name)]
    st.code(report.prompt + rung.sample, language=None, wrap_lines=True)
    st.caption(
        f"{rung.title[:1].upper()}{rung.title[1:]}: {rung.nats:.2f} nats, {rung.bits:.2f} bits a character. Written at "
        "temperature 1 behind the same prompt."
    )


def _table(report: Ladder) -> None:
    with st.expander("The numbers"):
        st.dataframe(
            [
                {
                    "model": _name(rung),
                    "nats a character": round(rung.nats, 4),
                    "± s.e.": None if rung.standard_error is None else round(rung.standard_error, 4),
                    "bits a character": round(rung.bits, 3),
                    "parameters": rung.parameters,
                    "seconds": round(rung.seconds, 1),
                }
                for rung in report.rungs
            ],
            hide_index=True,
        )
        st.caption(f"Measured on {plain(report.processor)}.")
