"""What commands measured and stored about the reader: protocols, speed, noise, and where context is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from apps.ocr.evaluation import WAYS
from apps.shared.reports import benchmark_results, stored_facts
from apps.shared.results import Result
from data_prep.errors import InputError

SYSTEMS = {
    "bilstm": "Lectern, BiLSTM",
    "search": "Lectern, with language model",
    "python-crfsuite": "CRFsuite on pixels",
    "words": "Lectern, words in one piece",
}
SEEN, UNSEEN = "a", "c"  # protocols whose test words were learned, and were not

Report = TypeVar("Report")


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkErrors(Result):
    """Errors of a network in a protocol, percent, mean and deviation over the splits (None for one split).

    Attributes:
        name: Its key.
        text: What it is.
        character_error: Mean.
        character_deviation: Deviation.
        word_error: Mean.
        word_deviation: Deviation.
        n: Letters that were read.
        splits: For how many splits it was trained.
    """

    name: str
    text: str
    character_error: float
    character_deviation: float | None
    word_error: float
    word_deviation: float | None
    n: int
    splits: int


@dataclasses.dataclass(frozen=True, slots=True)
class ProtocolReport(Result):
    """The last run of a protocol.

    Attributes:
        name: ``"a"``, ``"b"``, ``"c"`` or ``"words"``.
        text: How it splits.
        splits: How many splits.
        seconds: How long it took.
        networks: Their errors.
        published: Character error of other systems, percent.
    """

    name: str
    text: str
    splits: int
    seconds: float
    networks: tuple[NetworkErrors, ...]
    published: dict[str, float]

    def error_of(self, network: str) -> float | None:
        """Return the character error of a network by its key, None where it did not run."""
        return next((one.character_error for one in self.networks if one.name == network), None)


@dataclasses.dataclass(frozen=True, slots=True)
class ReadingSpeed(Result):
    """One system of the speed benchmark; errors in percent, None for words in one piece."""

    system: str
    words_per_second: float
    one_word_ms: float
    character_error: float | None
    word_error: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class ReadingSpeedReport(Result):
    """The last run of the speed benchmark: its systems, processor cores, processor, and words that were read."""

    systems: tuple[ReadingSpeed, ...]
    threads: int
    processor: str
    words: int


@dataclasses.dataclass(frozen=True, slots=True)
class Example(Result):
    """A word that context makes wrong, or right.

    Attributes:
        kind: ``"wrong"`` or ``"helps"``.
        bank: Whose letters, key of ``apps.ocr.letter_bank.BANKS``.
        number: Hand of the pen, or place of the word in the test fold.
        word: What is written.
        alone: What each letter alone was read as.
        context: What was read in context.
    """

    kind: Literal["wrong", "helps"]
    bank: str
    number: int
    word: str
    alone: str
    context: str


@dataclasses.dataclass(frozen=True, slots=True)
class ContextReport(Result):
    """How errors grow with noise, and examples.

    Attributes:
        levels: Shares of the pixels that are turned.
        curves: Way of ``apps.ocr.evaluation.WAYS`` to its character error at each level, percent.
        n: Way to the letters that were read.
        examples: Words that context changes for better or worse.
        processor: What it ran on.
    """

    levels: tuple[float, ...]
    curves: dict[str, tuple[float, ...]]
    n: dict[str, int]
    examples: tuple[Example, ...]
    processor: str


@dataclasses.dataclass(frozen=True, slots=True)
class PresetErrors(Result):
    """Errors of a shipped preset on fold 0 by one way of reading, percent, and over how many letters."""

    way: str
    character_error: float
    standard_error: float
    word_error: float
    n: int


def preset_errors(preset: str) -> tuple[PresetErrors, ...]:
    """Read the stored scores of a preset.

    Args:
        preset: Name of a shipped preset, or a folder.

    Returns:
        Its ways of reading, keys of ``apps.ocr.evaluation.WAYS``.

    Raises:
        InputError: There is no such preset, it is damaged, or it is another kind of preset.
    """
    facts = stored_facts(preset, "ocr")
    names = {"character_error": "score", **{name: name for name in ("standard_error", "word_error")}}
    try:
        return tuple(
            PresetErrors(
                way,
                **{name: float(facts.metrics[way][key]) for name, key in names.items()},
                n=int(facts.metrics[way]["n"]),
            )
            for way in WAYS
            if way in facts.metrics
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"{facts.metrics_path} does not hold the scores of a reader ({error!r})") from error


def protocols_report() -> dict[str, ProtocolReport]:
    """Read the protocols.

    Returns:
        Name to the last stored run; empty where none has run.

    Raises:
        InputError: The file of results is damaged.
    """
    return _read("ocr_protocols", _protocols) or {}


def speed_report() -> ReadingSpeedReport | None:
    """Read the speed benchmark; None where it has not run. Raises as :func:`protocols_report`."""
    return _read("ocr_speed", _speed)


def context_report() -> ContextReport | None:
    """Read noise and examples; None where they were not collected. Raises as :func:`protocols_report`."""
    return _read("ocr_context", _context)


def _read(name: str, make: Callable[[dict[str, Any]], Report]) -> Report | None:
    found = benchmark_results(name)
    if found is None:
        return None
    try:
        return make(found)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"The results {name}.json lack {error!r}", remedy="Run the benchmark again"
        ) from error


def _protocols(found: dict[str, Any]) -> dict[str, ProtocolReport]:
    return {
        name: ProtocolReport(
            name=name,
            text=str(one["text"]),
            splits=len(one["splits"]),
            seconds=float(one["seconds"]),
            networks=tuple(_network(key, values) for key, values in one["networks"].items()),
            published={system: float(error) for system, error in found["published"].get(name, {}).items()},
        )
        for name, one in found["protocols"].items()
    }


def _network(name: str, values: dict[str, Any]) -> NetworkErrors:
    character, word = values["character_error"], values["word_error"]
    return NetworkErrors(
        name=name,
        text=str(values["text"]),
        character_error=float(character["mean"]),
        character_deviation=_maybe(character["deviation"]),
        word_error=float(word["mean"]),
        word_deviation=_maybe(word["deviation"]),
        n=int(values["n"]),
        splits=int(values["splits"]),
    )


def _speed(found: dict[str, Any]) -> ReadingSpeedReport:
    systems, settings = found["systems"], found["settings"]
    return ReadingSpeedReport(
        systems=tuple(
            ReadingSpeed(
                system,
                float(systems[system]["words_per_second"]),
                float(systems[system]["one_word_ms"]),
                _maybe(systems[system].get("character_error")),
                _maybe(systems[system].get("word_error")),
            )
            for system in SYSTEMS
            if system in systems
        ),
        threads=int(settings["threads"]),
        processor=str(settings["processor"]),
        words=int(settings["words"]),
    )


def _context(found: dict[str, Any]) -> ContextReport:
    levels = tuple(map(float, found["levels"]))
    curves = {
        way: tuple(map(float, found["curves"][way]["character_error"]))
        for way in WAYS
        if way in found["curves"]
    }
    if any(len(curve) != len(levels) for curve in curves.values()):
        raise ValueError("a point of a curve")
    names = [field.name for field in dataclasses.fields(Example)]
    return ContextReport(
        levels=levels,
        curves=curves,
        n={way: int(found["curves"][way]["n"]) for way in curves},
        examples=tuple(Example(**{name: one[name] for name in names}) for one in found["examples"]),
        processor=str(found["settings"]["processor"]),
    )


def _maybe(value: Any) -> float | None:
    return None if value is None else float(value)
