"""The contract of a trained model: a task says what is special to it, ``models.training.driver`` does the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from data_prep.errors import InputError
from models.training.recipe import close_names, with_overrides
from models.training.teaching import Teacher
from models.training.together import Alone
from models.training.watching import Limits, Seen

if TYPE_CHECKING:
    import keras
    import numpy as np

    from data_prep.text.vocab import Vocabulary
    from models.presets.card import CardText
    from models.presets.store import Preset

Options = Mapping[str, Any]
Metrics = dict[str, dict[str, Any]]
Stages = Generator["Stage", Any, Any]  # receives the trained network of each stage


@dataclass(frozen=True)
class Option:
    """One option of ``fit`` or ``evaluate``; the command line and the pages are made from these.

    Args:
        name: Key of the value among the options, and ``--name`` on the command line.
        help: What it is, one sentence.
        type: ``Path``, ``str``, ``int``, ``float``, ``bool`` or a ``Literal``.
        many: Whether it can be given several times; its value is then a tuple, empty without it.
        default: Its value where it is not given; of a flag False.
        metavar: What stands for the value in the help.
        verbs: Where it can be given.
        excludes: Options with the same word here exclude each other, ``"data"`` also excludes ``--sample``.
    """

    name: str
    help: str
    type: Any = Path
    many: bool = False
    default: Any = None
    metavar: str | None = None
    verbs: tuple[Literal["fit", "evaluate"], ...] = ("fit",)
    excludes: str | None = None

    @property
    def flag(self) -> str:
        """The option as it is typed."""
        return "--" + self.name.replace("_", "-")


@dataclass(frozen=True)
class Run:
    """Where a training runs.

    Args:
        folder: Of the run; stages have sub-folders, other files may be kept here for a resume.
        resume: Whether to go on with what is there.
        start: The preset whose weights it starts from, or None.
        teacher: What it learns from besides labels, or None.
        watch: What to look at while it trains, by the names that the task's ``watched`` gives; None for nothing.
        limits: What it may use.
        together: The processes that train it.
    """

    folder: Path
    resume: bool = False
    start: Preset | None = None
    teacher: Teacher | None = None
    watch: Mapping[str, str] | None = None
    limits: Limits = field(default_factory=Limits)
    together: Alone = field(default_factory=Alone)


@dataclass(frozen=True)
class Stage:
    """One network's training, as ``models.training.fit.fit`` makes it.

    Args:
        name: Sub-folder of the run, and name in history and events; ``""`` for the only stage of a task.
        network: Makes the network, built and compiled; the global seed is set before.
        epoch: Number of an epoch (from 0) to its batches, in an order that seed and epoch alone decide.
        epochs: How many.
        seed: Of what ``fit`` draws.
        recipe: Everything that decides the outcome (dataclass or mapping); a resume compares it.
        evaluate: Network to metrics after every epoch, on data that it does not learn from.
        sample: Network to a text that shows what it does by now.
        monitor: Metric that decides which weights are best, and whether the smallest or largest is.
        mode: ``"min"`` or ``"max"``.
        keep: Whether the network ends with its best or its last weights.
        steps: Steps of an epoch, needed for batches without an end.
        fixed_shapes: Whether all batches have one shape.
        few_shapes: Pads a batch so that few shapes come, without changing what is learned from it: JAX compiles a step
            for each, which takes seconds.
        prefetch: Batches that are prepared ahead.
        callbacks: Keras callbacks without a state of their own.
        start: Preset to the arrays that the network may start from; None where it never does.
        see: Network and what ``Run.watch`` says to what the network shows by now, fast and without changing anything;
            None where nothing but the norms of gradients is seen.
        examples: How many an epoch has, None where that is not known.
        unit: What an example is, in the plural.
    """

    name: str
    network: Callable[[], keras.Model]
    epoch: Callable[[int], Iterable[Any]]
    epochs: int
    seed: int
    recipe: Any
    evaluate: Callable[[keras.Model], Mapping[str, float]] | None = None
    sample: Callable[[keras.Model], str] | None = None
    monitor: str = "loss"
    mode: Literal["min", "max"] = "min"
    keep: Literal["best", "last"] = "best"
    steps: int | None = None
    fixed_shapes: bool = False
    few_shapes: Callable[[Any], Any] | None = None
    prefetch: int = 2
    callbacks: Callable[[], Sequence[keras.callbacks.Callback]] = tuple
    start: Callable[[Preset], Mapping[str, np.ndarray]] | None = lambda preset: preset.arrays
    see: Callable[[keras.Model, Mapping[str, str]], Seen] | None = None
    examples: int | None = None
    unit: str = "examples"


@dataclass(frozen=True)
class PresetContent:
    """What a preset holds, beside recipe, history and scores.

    Args:
        config: Instance of the kind's config class.
        weights: The arrays by name.
        golden: Input name to array: an example whose answer is stored.
        card: Text of the model card.
        vocabulary: For kinds that need one.
        labels: For kinds that need them.
        dtype: How float32 arrays are stored.
        metadata: More facts for the preset's metadata.
        summary: More facts for the command line.
        metrics: The scores of this preset where they are not those of the task.
        kind: Kind of this preset where it is not that of the task.
        parts: Name to a preset inside.
        second: A preset beside this one, whose folder's name ends in ``_`` and the name that it has here.
        beside: Called with the folder at the end, to write files beside it.
    """

    config: Any
    weights: Mapping[str, np.ndarray]
    golden: Mapping[str, np.ndarray]
    card: CardText
    vocabulary: Vocabulary | None = None
    labels: Sequence[str] | None = None
    dtype: Literal["float32", "float16"] = "float16"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    metrics: Metrics | None = None
    kind: str | None = None
    parts: Mapping[str, PresetContent] = field(default_factory=dict)
    second: Mapping[str, PresetContent] = field(default_factory=dict)
    beside: Callable[[Path], None] | None = None


class Task(ABC):
    """How one model is trained, scored and kept; a subclass has no state.

    Attributes:
        name: What is trained, for messages.
        kind: Kind of its presets.
        application: The class that a person uses.
        recipes: Name to frozen dataclass with a ``seed``; the first is taken where none is named, ``"sample"`` goes
            with the data that need no download, and one with the name of an option with the data of that option.
        options: Where data come from.
        sample_help: What the sample is; None where there is none.
        watched: What a person can have looked at while it trains: name to the text that is taken where none is given.
    """

    name: ClassVar[str]
    kind: ClassVar[str]
    application: ClassVar[Any]
    recipes: ClassVar[Mapping[str, Any]]
    options: ClassVar[Sequence[Option]] = ()
    sample_help: ClassVar[str | None] = None
    watched: ClassVar[Mapping[str, str]] = {}

    def recipe(self, name: str | None, options: Options, overrides: Sequence[str]) -> Any:
        """Choose a recipe and change it.

        Args:
            name: Of ``recipes``; None for that of an option that is given, such as ``sample``, or else the first.
            options: As given; ``sample`` says whether the sample is learned from.
            overrides: ``key=value`` for its fields.

        Raises:
            InputError: There is no such recipe, or an override is wrong.
        """
        name = name or next((one for one in self.recipes if options.get(one)), next(iter(self.recipes)))
        if name not in self.recipes:
            raise InputError(
                "There is no such recipe",
                allowed=", ".join(self.recipes),
                received=name,
                remedy=close_names(name, list(self.recipes), kind="recipe"),
            )
        recipe = with_overrides(self.recipes[name], overrides)
        small = self.sample_changes(recipe) if options.get("sample") else ()
        return with_overrides(self.recipes[name], (*small, *overrides)) if small else recipe

    def sample_changes(self, recipe: Any) -> Sequence[str]:
        """Say what is changed in a recipe, as ``key=value``, to learn from the sample; nothing if it is made for it."""
        return ()

    def beside(self, recipe: Any) -> Sequence[str]:
        """Name the presets that are made beside the first, ``OUT_NAME`` each."""
        return ()

    def read_ahead(self) -> None:  # noqa: B027  most need nothing
        """Read what a training on the sample needs, and remember it: for a process that waits for an order."""

    def given(self, verb: str, values: Options) -> dict[str, Any]:
        """Return the value of every option of a verb, those that are not given by their default.

        Args:
            verb: ``"fit"`` or ``"evaluate"``.
            values: Options that are given, and ``sample``; None, False and nothing count as not given.

        Raises:
            InputError: Two options exclude each other.
        """
        found: dict[str, Any] = {"sample": bool(values.get("sample"))}
        groups: dict[str, list[str]] = {"data": ["--sample"] if found["sample"] else []}
        for option in (option for option in self.options if verb in option.verbs):
            value = values.get(option.name)
            if value is None or value is False or (option.many and not value):
                found[option.name] = () if option.many else option.default
                continue
            groups.setdefault(option.excludes or option.flag, []).append(option.flag)
            found[option.name] = tuple(value) if option.many else value
        for flags in groups.values():
            if len(flags) > 1:
                raise InputError(f"{' and '.join(flags)} exclude each other", remedy="Give one of them")
        return found

    @abstractmethod
    def source(self, recipe: Any, options: Options, run: Run) -> Any:
        """Read the data, checked; an object with ``checksums`` (data set or file to checksum).

        Raises:
            InputError: They cannot be had, or do not do.
        """

    @abstractmethod
    def stages(self, recipe: Any, source: Any, run: Run) -> Stages:
        """Yield the trainings one after the other; each ``yield`` gives the network that the training left.

        Returns:
            What answers with the weights as a preset stores them; ``score`` and ``content`` receive it.
        """

    @abstractmethod
    def score(self, recipe: Any, source: Any, answers: Any) -> Metrics:
        """Score what was trained, from raw input, once."""

    @abstractmethod
    def content(self, recipe: Any, source: Any, answers: Any) -> PresetContent:
        """Say what the preset holds."""

    def open(self, preset: str | Path | None, options: Options) -> Any:
        """Open the application on a preset, the shipped one by default."""
        return self.application.from_preset(preset)

    @abstractmethod
    def evaluate(self, application: Any, options: Options) -> Any:
        """Score an application on data that its preset did not learn from, or on files that the options name.

        Returns:
            An ``apps.shared.results.Result`` with ``table_columns`` and ``table_rows()``.
        """
