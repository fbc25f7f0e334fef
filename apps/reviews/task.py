"""How a classifier of documents is trained: documents, networks one after the other, score and preset.

    python -m apps reviews fit --data imdb --out models/presets/reviews_imdb
    python -m apps reviews fit --data bbc --out models/presets/topics_bbc
    python -m apps reviews fit --data imdb --from reviews_imdb --set short.only=true --out DIR   its short network anew
    python -m apps reviews fit --csv FILE --text COLUMN --label COLUMN --out DIR          your own documents

Part of the training documents is held out: the weights of the networks in their sum and the temperature are chosen by
it. The test part is scored once, by the final weights as the preset stores them; ``--set split=choose`` leaves it alone
and scores what was held out. A set without a test part is scored by folds, whose networks are trained first.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from apps.reviews.application import TOPICS_PRESET, Reviews
from apps.reviews.evaluation import Scoring, evaluate, final_metrics, metrics_of, score
from apps.reviews.recipes import MEMBERS, RECIPES, ReviewsRecipe, chosen_recipe
from apps.reviews.results import ReviewsEvaluation, refusals
from apps.reviews.short import with_short_texts
from apps.reviews.sources import ReviewsSource, named_source, own_source, own_texts, sample_source
from apps.reviews.stages import Networks, ReviewsAnswers
from apps.reviews.watch import WATCHED
from data_prep.errors import InputError
from data_prep.text.short_texts import LABELS
from data_prep.text.text_inputs import encode
from data_prep.text.vocab import Vocabulary
from models.text_classifier.config import KIND, golden_inputs
from models.training.task import Metrics, Option, Options, PresetContent, Run, Stages, Task

_FEWEST_TEXTS = 10
_SOME_WORDS = 100  # in place of a vocabulary that is not learned yet
# Texts of no data set, so that a preset holds none; words of reviews and of news.
_GOLDEN = (
    "A warm and funny film, with a story that stays. I would watch it again!",
    "The plot is weak, the acting is worse, and the last hour is a bore.",
    "The company said on Tuesday that its profit rose by 4 % after new phones were sold; shares went up.",
)
_given = partial(Option, verbs=("fit", "evaluate"))


class ReviewsTask(Task):
    """Classifiers of documents."""

    name = "reviews"
    kind = KIND
    recipes = RECIPES
    options = (
        _given(
            "data",
            "A set of documents: imdb or bbc; else that which goes with the preset or recipe.",
            type=str,
            excludes="data",
        ),
        _given(
            "csv",
            "Labelled documents of your own, UTF-8, plain or gzip, names of columns in the first row; - for standard "
            "input; can be repeated.",
            many=True,
            metavar="FILE",
            excludes="data",
        ),
        _given(
            "text", "Column of the documents; text if not given.", type=str, default="text", metavar="COLUMN"
        ),
        _given(
            "label", "Column of the labels; label if not given.", type=str, default="label", metavar="COLUMN"
        ),
        _given("folder", "Your own documents, one sub-folder a label.", metavar="FOLDER", excludes="data"),
        Option("network", f"Train one network alone: {', '.join(MEMBERS)}.", type=str, metavar="NAME"),
        Option(
            "folds",
            "Train the recipe of --data anew this many times, each without another part, and score that part.",
            type=int,
            verbs=("evaluate",),
        ),
    )
    sample_help = "reviews that the project makes by rules"
    watched = WATCHED

    def recipe(self, name: str | None, options: Options, overrides: Sequence[str]) -> ReviewsRecipe:
        """Choose a recipe, by default the one that goes with the documents, and change it."""
        if name is None and not options.get("sample"):
            name = "own" if options.get("csv") or options.get("folder") else options.get("data") or "imdb"
        super().recipe(name, options, ())
        return chosen_recipe(name or "sample", options.get("network"), overrides)

    def source(self, recipe: ReviewsRecipe, options: Options, run: Run) -> ReviewsSource:
        """Read a set of documents, your own, or the sample; say what of them is refused."""
        if options["csv"] or options["folder"]:
            named = {name: options[name] for name in ("csv", "folder", "text", "label")}
            source = own_source(*own_texts(**named))
            for line in refusals(source.refused, "row" if options["csv"] else "file"):
                print(line, file=sys.stderr)
        elif options["sample"]:
            source = sample_source()
        else:
            source = named_source(options["data"] or "imdb")
        check_trainable(recipe, source)
        start = run.start
        if recipe.short.only and start is None:
            raise InputError("short.only keeps the networks of a preset", remedy="Name it with --from")
        if start is None:
            return source
        found = source.labelled_as(start.labels, start.config.aliases)
        if recipe.short.only and found.labels != start.labels:
            raise InputError(
                "short.only keeps networks with other labels",
                allowed=", ".join(start.labels),
                received=", ".join(found.labels),
                remedy="Leave short.only at false for these documents",
            )
        return found

    def stages(self, recipe: ReviewsRecipe, source: ReviewsSource, run: Run) -> Stages:
        """Train the networks of the folds, where folds are scored, and then those of all documents."""
        folds = None
        if source.test is None and recipe.split == "final":
            if run.teacher is not None:
                raise InputError(
                    f"The teacher {run.teacher.name} learned from the parts that are scored here, fold by fold",
                    remedy="Give --set split=choose, or leave the teacher out",
                )
            folds = yield from self.folds(recipe, source, run)
        answers = yield from trained(Networks(recipe, source, run))
        return answers._replace(folds=folds)

    def folds(self, recipe: ReviewsRecipe, source: ReviewsSource, run: Run) -> Stages:
        """Train a recipe anew for each fold; return the score of all, so that every document is scored once."""
        scoring = Scoring(source.labels)
        for number, fold in enumerate(source.folds(recipe.folds, recipe.seed), start=1):
            answers = yield from trained(Networks(recipe, fold, run, f"fold{number}/"))
            scoring.add(answers.reviews, fold.test.rows())
        return scoring.result(f"{recipe.folds} {source.protocol}")

    def score(self, recipe: ReviewsRecipe, source: ReviewsSource, answers: ReviewsAnswers) -> Metrics:
        """Score the test part or the folds, or what was held out while a recipe is chosen."""
        reviews = answers.reviews
        if recipe.split == "choose":
            texts = source.train.chosen(answers.validation)
            result = score(reviews, texts, f"held out of the training part of {source.name}")
            return metrics_of(result, source, answers.learned)
        if answers.folds is not None:
            return metrics_of(answers.folds, source)
        metrics = final_metrics(reviews, source, answers.learned)
        if twice := metrics["accuracy"]["duplicates"]:
            print(f"Documents of the test part that the training part holds too: {twice:,}", file=sys.stderr)
        return metrics

    def content(self, recipe: ReviewsRecipe, source: ReviewsSource, answers: ReviewsAnswers) -> PresetContent:
        """Keep all networks and their vocabulary."""
        reviews = answers.reviews
        # How often words occurred is not needed any more, and half of the file.
        vocabulary = Vocabulary(reviews.vocabulary.entries, specials=reviews.vocabulary.specials)
        ids = [encode(text, vocabulary) for text in _GOLDEN]
        return PresetContent(
            reviews.config,
            reviews.arrays,
            golden=golden_inputs(reviews.config, ids),
            card=source.card,
            vocabulary=vocabulary,
            labels=reviews.labels,
            metadata={
                "learned_documents": answers.learned,
                "refused_documents": len(source.refused),
                **reviews.metadata,
            },
            summary={
                "networks": [member.network for member in reviews.config.members],
                "weights": [round(weight, 3) for weight in reviews.config.weights],
                "temperature": round(reviews.config.temperature, 3),
                "documents": answers.learned,
                "refused documents": len(source.refused),
            },
        )

    def open(self, preset: str | Path | None, options: Options) -> Reviews | None:
        """Open a classifier, that of topics for news; none where folds are trained anew."""
        if options["folds"] is None:
            return Reviews.from_preset(preset or (TOPICS_PRESET if options["data"] == "bbc" else None))
        if preset is not None or options["csv"] or options["folder"] is not None:
            raise InputError("--folds trains anew", allowed="--data imdb or --data bbc beside it")
        return None

    def evaluate(self, application: Reviews | None, options: Options) -> ReviewsEvaluation:
        """Score the set that a classifier did not learn from, your own documents, or folds."""
        if application is not None:
            named = {name: options[name] for name in ("text", "label", "folder", "data")}
            return evaluate(application, options["csv"], **named)
        from models.training.driver import run_stages

        data = options["data"] or "bbc"
        recipe, source = chosen_recipe(data, None, [f"folds={options['folds']}"]), named_source(data)
        with TemporaryDirectory(prefix="lectern-folds-") as folder:
            run = Run(Path(folder))
            return run_stages(self.folds(recipe, source, run), run).answers


def trained(networks: Networks) -> Stages:
    """Train all networks of a recipe, that of short texts at last; :class:`ReviewsAnswers`."""
    if networks.recipe.short.only:
        answers = networks.kept()
    else:
        answers = yield from networks.all_rounds()
    return (yield from with_short_texts(networks, answers))


def check_trainable(recipe: ReviewsRecipe, source: ReviewsSource) -> None:
    """Refuse documents that a recipe cannot learn from.

    Raises:
        InputError: There are too few documents, or none without a label and the recipe asks for some, or the recipe
            makes no network.
    """
    source.train.check_trainable()
    for member in recipe.members:
        member.config(_SOME_WORDS, len(source.labels))
    if len(source.train) < _FEWEST_TEXTS:
        raise InputError(
            "There are too few documents to learn from",
            allowed=f"{_FEWEST_TEXTS} or more",
            received=len(source.train),
        )
    if recipe.short.words and recipe.short.sentences and set(source.labels) != set(LABELS):
        raise InputError(
            "Sentences made by rules praise or blame",
            allowed=f"the labels {' and '.join(LABELS)}",
            received=", ".join(source.labels),
            remedy="Leave short.sentences at 0 for these documents",
        )
    if recipe.self_training.rounds and not source.unlabelled:
        raise InputError(
            "Self-training needs texts without labels",
            remedy="Leave self_training.rounds at 0 for these documents",
        )
