"""Section "Benchmark": our word2vec against gensim's, as the last run of the benchmark measured both."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from apps.shared import charts
from apps.shared.page import input_errors, plain
from apps.shared.reports import Word2VecRun, word2vec_benchmark
from apps.shared.style import palette

COMMAND = "python -m benchmarks.word2vec_vs_gensim --store"
_TASKS = {"skipgram": "Skip-gram", "cbow": "CBOW"}
_SYSTEMS = {"ours": "Lectern", "gensim": "gensim"}
_MEASURES = {
    "words_per_second": ("speed, thousand words a second", 1e-3, ",.0f"),
    "analogies": ("Google analogies, % right", 1.0, ".1f"),
    "wordsim353": ("WordSim-353, Spearman's ρ", 1.0, ".3f"),
    "simlex999": ("SimLex-999, Spearman's ρ", 1.0, ".3f"),
    "peak_memory_mib": ("peak memory, MiB", 1.0, ",.0f"),
    "seconds_to_vocabulary": ("text to vocabulary, s", 1.0, ".1f"),
}


def show() -> None:
    """Draw the section."""
    with input_errors():
        benchmark = word2vec_benchmark()
        if benchmark is None:
            st.info(f"The benchmark has not run in this checkout. Run it: `{COMMAND}`")
            return
        runs = benchmark.runs
        st.markdown(plain(benchmark.protocol))
        measured = [name for name in _MEASURES if any(getattr(run, name) is not None for run in runs)]
        for start in range(0, len(measured), 2):
            for column, name in zip(st.columns(2, gap="medium"), measured[start : start + 2], strict=False):
                with column:
                    _bars(runs, name)
        _curves(runs)
        _table(runs)
        st.caption(f"Measure again, on this computer: `{COMMAND}`")


def _bars(runs: tuple[Word2VecRun, ...], name: str) -> None:
    colours = palette()
    title, factor, number = _MEASURES[name]
    values = {(run.task, run.system): getattr(run, name) for run in runs}
    tasks = [task for task in _TASKS if any(run.task == task for run in runs)]
    series = {
        label: [None if (value := values.get((task, system))) is None else factor * value for task in tasks]
        for system, label in _SYSTEMS.items()
    }
    charts.show(
        charts.grouped_bars(
            [_TASKS[task] for task in tasks],
            series,
            x_title=title,
            colours={"Lectern": colours.ours, "gensim": colours.peer},
            number=number,
        ),
        f"benchmark {name}",
        title,
    )


def _curves(runs: tuple[Word2VecRun, ...]) -> None:
    measures = {"analogies": "Google analogies, % right", "loss": "held-out loss, nats"}
    for name, title in measures.items():
        curves = [run for run in runs if any(getattr(point, name) is not None for point in run.curve)]
        if curves:
            st.subheader("Score by time" if name == "analogies" else "Loss by time", anchor=False)
            charts.show(_curve_picture(curves, name, title), f"curve {name}", title)


def _curve_picture(runs: list[Word2VecRun], name: str, title: str) -> go.Figure:
    colours = palette()
    picture = charts.figure(x_title="training time, s", y_title=title, height=380)
    for run in runs:
        points = [point for point in run.curve if getattr(point, name) is not None]
        label = f"{_SYSTEMS[run.system]}, {_TASKS[run.task]}"
        picture.add_scatter(
            x=[point.seconds for point in points],
            y=[getattr(point, name) for point in points],
            mode="lines+markers",
            name=label,
            line={
                "color": colours.ours if run.system == "ours" else colours.peer,
                "dash": "solid" if run.task == "skipgram" else "dot",
            },
            hovertemplate=f"{label}: %{{y:.2f}} after %{{x:.0f}} s<extra></extra>",
        )
    picture.update_layout(margin={"t": 40}, showlegend=True)
    picture.update_xaxes(rangemode="tozero")
    return picture


def _table(runs: tuple[Word2VecRun, ...]) -> None:
    with st.expander("The numbers"):
        st.dataframe(
            [
                {"model": _TASKS[run.task], "system": _SYSTEMS[run.system]}
                | {
                    title: None if (value := getattr(run, name)) is None else round(factor * value, 3)
                    for name, (title, factor, _) in _MEASURES.items()
                }
                | {"questions answerable": run.answered, "training, s": run.seconds}
                for run in runs
            ],
            hide_index=True,
        )
