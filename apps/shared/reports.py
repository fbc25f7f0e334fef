"""What commands measured and stored: the scores of a preset and the results of a benchmark, ready to show."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, NamedTuple

from apps.shared.results import Result, SectionScore
from data_prep.errors import InputError

RESULTS_DIR = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


@dataclasses.dataclass(frozen=True, slots=True)
class VectorsScores(Result):
    """Scores of a preset of word vectors, as its metrics.json holds them.

    Attributes:
        preset: Name of the preset.
        words: How many words have a vector.
        dimensions: Length of a vector.
        sections: Name of a section of Google's analogies to its score, in the order of the file.
        total: The sum of all sections.
        wordsim353: Spearman's rank correlation on WordSim-353.
        wordsim353_n: Pairs of it whose words are both known.
        simlex999: Spearman's rank correlation on SimLex-999.
        simlex999_n: Pairs of it whose words are both known.
        seconds: How long training took.
        processor: What it ran on.
    """

    preset: str
    words: int
    dimensions: int
    sections: dict[str, SectionScore]
    total: SectionScore
    wordsim353: float | None
    wordsim353_n: int
    simlex999: float | None
    simlex999_n: int
    seconds: float
    processor: str


def preset_installed(preset: str) -> bool:
    """Say whether a preset is part of this checkout, so that a page can do without it.

    Args:
        preset: Name of a preset.

    Returns:
        Whether its folder is there, whole or damaged.
    """
    from models.presets.store import list_presets

    return preset in list_presets()


def vectors_scores(preset: str) -> VectorsScores:
    """Read the stored scores of a preset of word vectors.

    Args:
        preset: Name of a shipped preset, or a folder.

    Returns:
        The scores, as measured when the preset was made.

    Raises:
        InputError: There is no such preset, or it is damaged.
    """
    from models.presets.store import load_preset

    loaded = load_preset(preset, kind="word_vectors")
    analogies = loaded.metrics["google_analogies"]
    sections = {
        name: SectionScore(section["correct"], section["answered"], section["of"])
        for name, section in analogies["sections"].items()
    }
    return VectorsScores(
        preset=loaded.path.name,
        words=loaded.config.vocabulary_size,
        dimensions=loaded.config.dimensions,
        sections=sections,
        total=SectionScore(
            sum(section.correct for section in sections.values()),
            sum(section.answered for section in sections.values()),
            sum(section.of for section in sections.values()),
        ),
        wordsim353=loaded.metrics["wordsim353"]["score"],
        wordsim353_n=loaded.metrics["wordsim353"]["n"],
        simlex999=loaded.metrics["simlex999"]["score"],
        simlex999_n=loaded.metrics["simlex999"]["n"],
        seconds=float(loaded.metadata["seconds"]),
        processor=str(loaded.metadata["processor"]),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class CurvePoint(Result):
    """Where a training stood after an epoch; None for what was not measured.

    Attributes:
        seconds: Since training began.
        analogies: Right answers to Google's analogies, percent of the answerable ones.
        loss: Of the held-out sample, in nats.
    """

    seconds: float
    analogies: float | None
    loss: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class Word2VecRun(Result):
    """One trained model of the word2vec benchmark; None for what was not measured.

    Attributes:
        task: ``"skipgram"`` or ``"cbow"``.
        system: ``"ours"`` or ``"gensim"``.
        words_per_second: Raw words of the corpus, over all epochs.
        seconds_to_vocabulary: From the text to the counted vocabulary.
        seconds: Of training.
        peak_memory_mib: Of the process.
        analogies: Right answers to Google's analogies, percent of the answerable ones.
        answered: How many questions were answerable.
        wordsim353: Spearman's rank correlation.
        simlex999: Spearman's rank correlation.
        curve: The training by epoch.
    """

    task: str
    system: str
    words_per_second: float | None
    seconds_to_vocabulary: float | None
    seconds: float | None
    peak_memory_mib: float | None
    analogies: float | None
    answered: int | None
    wordsim353: float | None
    simlex999: float | None
    curve: tuple[CurvePoint, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Word2VecBenchmark(Result):
    """The last stored run of the benchmark of word2vec against gensim.

    Attributes:
        runs: Both systems at both tasks, ours first.
        tokens: Words of the corpus.
        epochs: Passes over it.
        threads: Of both systems.
        processor: What it ran on.
    """

    runs: tuple[Word2VecRun, ...]
    tokens: int
    epochs: int
    threads: int
    processor: str

    @property
    def protocol(self) -> str:
        """The settings in one sentence."""
        epochs = "one epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        return (
            f"{self.tokens:,} tokens of Wikipedia, {epochs}, {self.threads} threads on {self.processor}; "
            "the same vocabulary and settings for both, one scorer."
        )


def word2vec_benchmark() -> Word2VecBenchmark | None:
    """Read the benchmark of word2vec against gensim.

    Returns:
        Its last stored run, or None where it has not run yet.

    Raises:
        InputError: The file of results is damaged.
    """
    results = benchmark_results("word2vec_vs_gensim")
    if results is None:
        return None
    try:
        runs = tuple(
            _run(task, system, results[task][system])
            for task in ("skipgram", "cbow")
            for system in ("ours", "gensim")
            if task in results
        )
        settings = {name: results["settings"][name] for name in ("tokens", "epochs", "threads", "processor")}
    except (KeyError, TypeError) as error:
        raise InputError(
            f"The benchmark's results word2vec_vs_gensim.json lack {error}", remedy="Run it again"
        ) from error
    return Word2VecBenchmark(runs, **settings)


def _run(task: str, system: str, measured: dict[str, Any]) -> Word2VecRun:
    numbers = (
        "words_per_second",
        "seconds_to_vocabulary",
        "seconds",
        "peak_memory_mib",
        "analogies",
        "answered",
        "wordsim353",
        "simlex999",
    )
    return Word2VecRun(
        task=task,
        system=system,
        **{name: measured.get(name) for name in numbers},
        curve=tuple(
            CurvePoint(point["seconds"], point.get("analogies"), point.get("loss"))
            for point in measured.get("curve", ())
        ),
    )


class StoredFacts(NamedTuple):
    """What a preset says of itself: where its metrics stand, and its metadata, metrics and config as JSON gave them."""

    metrics_path: Path
    metadata: dict[str, Any]
    metrics: dict[str, Any]
    config: dict[str, Any]


def stored_facts(preset: str, kind: str) -> StoredFacts:
    """Read what a preset says of itself; its weights are not opened.

    Args:
        preset: Name of a shipped preset, or a folder.
        kind: The kind that it has to be of.

    Returns:
        Its facts, checked against the manifest.

    Raises:
        InputError: There is no such preset, it is damaged, or it is another kind of preset.
    """
    from models.presets.manifest import check_files, read_manifest
    from models.presets.store import CONFIG, METRICS, resolve_preset

    folder = resolve_preset(preset)
    metadata = read_manifest(folder)
    if metadata["kind"] != kind:
        raise InputError(f"The preset {folder} is of another kind", allowed=kind, received=metadata["kind"])
    check_files(folder, metadata["files"], frozenset({CONFIG, METRICS}))
    metrics, config = (json.loads((folder / name).read_text(encoding="utf-8")) for name in (METRICS, CONFIG))
    return StoredFacts(folder / METRICS, metadata, metrics, config)


def benchmark_results(name: str) -> dict[str, Any] | None:
    """Read what a benchmark wrote.

    Args:
        name: Name of the benchmark, such as ``"word2vec_vs_gensim"``.

    Returns:
        Its results, or None where it has not run yet.

    Raises:
        InputError: The file is no JSON object.
    """
    path = RESULTS_DIR / f"{name}.json"
    if not path.is_file():
        return None
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(
            f"The benchmark's results {path.name} are not JSON ({error})", remedy="Run it again"
        ) from error
    if not isinstance(results, dict):
        raise InputError(f"The benchmark's results {path.name} are no JSON object", remedy="Run it again")
    return results
