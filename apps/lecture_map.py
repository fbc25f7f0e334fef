"""The lecture as data: every slide topic in order, with the page, the code and the tests that make it work.

The home page draws it and ``python -m benchmarks.readme`` writes it into ``docs/lecture-map.md``. What is
built is read off the file system, so neither can promise a page that does not exist. Source: "Convolutional &
recurrent networks", 10-701 Introduction to Machine Learning, Geoff Gordon and Pradeep Ravikumar.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Page:
    """One page of the web front end.

    Args:
        key: Name of the page: ``apps/views/<key>.py``, and its address ``/<key>``.
        title: Its name in the navigation.
        icon: A Material symbol in Streamlit's notation.
        summary: What a person does there, in one sentence.
        presets: What it cannot do without; until they are shipped it counts as not built.
    """

    key: str
    title: str
    icon: str
    summary: str
    presets: tuple[str, ...] = ()

    @property
    def view(self) -> str:
        """Path of the page's file, relative to the project."""
        return f"apps/views/{self.key}.py"

    @property
    def built(self) -> bool:
        """Whether the page exists, with every preset that it cannot do without."""
        presets = [ROOT / "models" / "presets" / preset for preset in self.presets]
        return (ROOT / self.view).is_file() and all(preset.is_dir() for preset in presets)


@dataclass(frozen=True)
class Topic:
    """One topic of the slides.

    Args:
        title: The slide's title, or the part of it that is meant.
        idea: What the slide says, in one sentence.
        page: Key of the page that shows it.
        code: Files that hold it, relative to the project.
        tests: Files that test it, relative to the project.
        query: Query parameters that open the page at this topic.
    """

    title: str
    idea: str
    page: str
    code: tuple[str, ...]
    tests: tuple[str, ...] = ()
    query: dict[str, str] = field(default_factory=dict)

    @property
    def built(self) -> bool:
        """Whether the topic's page exists."""
        return PAGES[self.page].built


@dataclass(frozen=True)
class Part:
    """A run of slides that belong together.

    Args:
        key: Anchor on the home page and name of its drawing.
        title: Name of the part.
        topics: Its topics in the order of the slides.
    """

    key: str
    title: str
    topics: tuple[Topic, ...]


PAGES = {
    page.key: page
    for page in (
        Page(
            "convolution",
            "Convolution bench",
            ":material/grid_on:",
            "Convolve, pool and contract by hand and see every product and sum.",
        ),
        Page(
            "digits",
            "Digits",
            ":material/draw:",
            "Draw a digit and look into the network that reads it.",
            presets=("digits_mnist", "digits_lecture"),
        ),
        Page(
            "vectors",
            "Word vectors",
            ":material/near_me:",
            "Add and subtract words, walk their map, and see how the vectors were learned.",
        ),
        Page(
            "tagger",
            "Tagging",
            ":material/label:",
            "Paste a text and see the part of speech of every word.",
            presets=("tagger_en_ewt", "segmenter_en_ewt"),
        ),
        Page(
            "ocr",
            "Reading",
            ":material/history_edu:",
            "Read handwritten words, letter by letter and with context.",
            presets=("ocr_letters", "ocr_words"),
        ),
        Page(
            "reviews",
            "Reviews",
            ":material/thumbs_up_down:",
            "Read a document to its end and give a verdict.",
            presets=("reviews_imdb", "topics_bbc"),
        ),
        Page(
            "writer",
            "Writing",
            ":material/edit_note:",
            "Let a character model write, and see what it copied.",
            presets=("writer_shakespeare",),
        ),
    )
}


def _bench(title: str, idea: str, query: str, *parts: str) -> Topic:
    """A topic of the bench; ``query`` is its state, such as ``"section=Kinds&kind=Full"``, ``parts`` name its code."""
    code = tuple(f"apps/convolution_{part}.py" for part in parts)
    subject = "einsum" if parts[0] == "contract" else parts[0]
    tests = (f"tests/apps/test_convolution_{subject}.py", "tests/apps/test_convolution_keras.py")
    pages = ("tests/apps/test_views_convolution.py", "tests/apps/test_browser_convolution.py")
    return Topic(
        title, idea, "convolution", ("apps/convolution.py", *code), (*tests, *pages), dict(parse_qsl(query))
    )


def _digits(title: str, idea: str, query: dict[str, str], code: tuple[str, ...], *tests: str) -> Topic:
    pages = ("tests/apps/test_views_digits.py", "tests/apps/test_browser_digits.py")
    return Topic(title, idea, "digits", code, (*tests, *pages), query)


def _writer(title: str, idea: str, section: str, code: tuple[str, ...], *tests: str) -> Topic:
    pages = ("tests/apps/test_views_writer.py", "tests/apps/test_browser_writer.py")
    return Topic(title, idea, "writer", code, (*tests, *pages), {"section": section})


def _reviews(title: str, idea: str, section: str, code: tuple[str, ...], *tests: str) -> Topic:
    pages = ("tests/apps/test_views_reviews.py", "tests/apps/test_browser_reviews.py")
    return Topic(title, idea, "reviews", code, (*tests, *pages), {"section": section})


def _word2vec(title: str, idea: str, *code: str) -> Topic:
    tests = ("tests/models/test_word2vec.py", "tests/apps/test_vectors_objective.py")
    return Topic(
        title, idea, "vectors", (*code, "apps/vectors_objective.py"), tests, {"section": "Objective"}
    )


_TENSORS = (
    _bench(
        "Einstein summation",
        "An index that is raised and lowered is summed out.",
        "section=Einstein&e=a_ij^k b_jk^l c_lm",
        "einsum",
        "contract",
    ),
    _bench(
        "Example", "A matrix and two vectors, contracted both ways.", "section=Einstein", "einsum", "contract"
    ),
    _bench(
        "Derivative as contraction",
        "dy = A dx: the derivative is a tensor that contracts with dx.",
        "section=Einstein&e=h_i = tanh(a_i^j b_j)&by=b",
        "contract",
    ),
    _bench("Batching", "A minibatch is one more mode.", "section=Einstein&batch=b", "einsum", "contract"),
)
_CONVOLUTION = (
    _bench(
        "Convolutional neural networks",
        "A layer a → a ∗ b + c with learned b and c.",
        "section=Learned",
        "learned",
    ),
    _bench(
        "Detect a block of three ones",
        "Two small kernels and one nonlinearity find it.",
        "section=Signal",
        "1d",
        "layers",
        "examples",
    ),
)
_POOLING = (
    _bench(
        "Pooling",
        "From equivariance to invariance: one unit for a group.",
        "section=Signal&layers=average",
        "1d",
        "layers",
    ),
    _bench(
        "Pooling in action",
        "Max-pool or sum-pool: from localise to detect.",
        "section=Signal&layers=correlate -1 1 cyclic; correlate 1 0 0 -1 cyclic bias -1; relu; max&layer=4",
        "1d",
        "layers",
        "examples",
    ),
    _bench(
        "Local pooling",
        "Small shifts change the output little.",
        "section=Signal&layers=max window 3 stride 1; average blocks 2",
        "1d",
        "layers",
    ),
    _bench(
        "A detector of flexible length",
        "Convolve, sum-pool in blocks of two, convolve.",
        "section=Signal&layers=correlate -1 1 cyclic; sum blocks 2; correlate 1 -1 cyclic&layer=3&at=2",
        "1d",
        "layers",
        "examples",
    ),
)
_KINDS = ("kinds", "nd")
_SHAPES = (
    _bench("Channels", "Several kernels in parallel; each output is a channel.", "section=Kinds", *_KINDS),
    _bench(
        "Full convolution",
        "The filter has as many modes as the input.",
        "section=Kinds&kind=Full&boundary=cyclic",
        *_KINDS,
    ),
    _bench(
        "Full convolution (no padding)",
        "Only valid positions: the output shrinks.",
        "section=Kinds&kind=Full",
        *_KINDS,
    ),
    _bench(
        "Pointwise convolution",
        "1×1: a weighted sum of channels.",
        "section=Kinds&kind=Pointwise&heads=1",
        *_KINDS,
    ),
    _bench(
        "Same filter on each channel",
        "A filter with one channel slides over all.",
        "section=Kinds&kind=Same filter on each channel",
        *_KINDS,
    ),
    _bench(
        "Layerwise convolution",
        "Each channel has its own filter.",
        "section=Kinds&kind=Layerwise (depthwise)",
        *_KINDS,
    ),
    _bench(
        "Visualizations",
        "Padding and stride, position by position.",
        "section=Digit&zeros=1&hop=2",
        *_KINDS,
        "digit",
    ),
    _bench(
        "Calculating sizes", "4×4×3 input, 2×2×2 filter: what comes out?", "section=Sizes", "sizes", "stack"
    ),
)
_NETWORK = (
    _digits(
        "Putting it together",
        "Convolution, nonlinearity, pooling, residual connections.",
        {"section": "Depth"},
        ("models/cnn_plan.py", "models/digit_cnn.py"),
        "tests/models/test_digit_cnn.py",
    ),
    _digits(
        "A CNN for MNIST",
        "Activations, gradients and weights of every layer.",
        {"section": "Layers", "network": "Lecture", "source": "Example"},
        ("models/inspection.py", "models/attribution.py", "apps/digit_inspection.py"),
        "tests/models/test_inspection.py",
        "tests/apps/test_digit_inspection.py",
    ),
    _digits(
        "LeNet and ResNet",
        "Two famous networks from the same blocks.",
        {"section": "Draw"},
        ("models/cnn_plan.py", "models/digit_cnn.py", "data_prep/images.py", "apps/digits.py"),
        "tests/models/test_digit_cnn.py",
        "tests/data_prep/test_images.py",
    ),
)
_TOKENS = (
    _reviews(
        "Sequence prediction",
        "Models have to scale to fit the input's length.",
        "Padding",
        ("data_prep/document_batches.py", "apps/reviews_padding.py"),
        "tests/data_prep/test_text_inputs.py",
    ),
    Topic(
        "Discrete-valued sequences",
        "Characters, words, word parts: text as tokens.",
        "vectors",
        ("data_prep/tokenizer.py", "data_prep/wordpiece.py", "data_prep/vocab.py"),
        ("tests/data_prep/test_tokenizer.py", "tests/data_prep/test_vocab.py"),
        {"section": "Objective"},
    ),
    Topic(
        "Paris − France + Spain ≈ Madrid",
        "Relations between words become directions.",
        "vectors",
        ("apps/vectors.py", "apps/expressions.py"),
        ("tests/apps/test_vectors.py", "tests/apps/test_views_vectors.py", "tests/apps/test_browser.py"),
        {"q": "paris - france + spain"},
    ),
    Topic(
        "Embedding",
        "V e_dog: a one-hot vector times a matrix is a look-up.",
        "vectors",
        ("data_prep/embeddings.py",),
        ("tests/data_prep/test_embeddings.py",),
        {"section": "Neighbours", "word": "dog"},
    ),
    _reviews(
        "Sequences of tokens",
        "Split, embed, one by one into the model.",
        "Inside",
        ("data_prep/text_inputs.py", "models/text_classifier.py", "models/packed_text.py"),
        "tests/data_prep/test_text_inputs.py",
        "tests/models/test_text_classifier.py",
    ),
    _reviews(
        "Class labels as tokens",
        "Row i of W in softmax(Wz) embeds label i.",
        "Labels",
        ("apps/reviews_explained.py", "apps/reviews_labels_map.py"),
        "tests/apps/test_reviews_explained.py",
    ),
)
_TASKS = (
    _reviews(
        "Sequence prediction tasks",
        "Many to one, many to many, generation.",
        "Networks",
        ("models/text_classifier.py", "apps/reviews_reports.py", "benchmarks/reviews_networks.py"),
        "tests/test_reviews_benchmarks.py",
    ),
    Topic(
        "Part of speech tagging",
        "A tag for each word, from its context.",
        "tagger",
        ("models/pos_tagger.py", "models/crf.py", "models/segmenter.py", "apps/tagger.py"),
        ("tests/apps/test_tagger.py", "tests/apps/test_views_tagger.py", "tests/apps/test_browser_tagger.py"),
        {"text": "The old man the boat."},
    ),
    Topic(
        "OCR",
        "A letter is easier to read in its word.",
        "ocr",
        ("models/ocr.py", "models/packed_ocr.py", "models/ctc.py", "models/letter_search.py", "apps/ocr.py"),
        ("tests/models/test_ocr.py", "tests/apps/test_ocr.py", "tests/apps/test_views_ocr.py"),
        {"section": "Letters"},
    ),
    _reviews(
        "RNN for many:1 tasks",
        "Read to the end token, predict from the state there.",
        "Verdict",
        ("models/text_classifier.py", "apps/reviews.py", "apps/reviews_explained.py"),
        "tests/models/test_text_classifier.py",
        "tests/apps/test_reviews.py",
        "tests/apps/test_reviews_explained.py",
    ),
)
_RECURRENT = (
    _writer(
        "Recurrent neural network",
        "One block repeated, its state passed on.",
        "Unrolled",
        ("models/recurrent.py", "models/char_lm.py", "apps/writer_view.py"),
        "tests/models/test_gates.py",
    ),
    _writer(
        "Training RNNs",
        "Unroll, back-propagate, and meet vanishing gradients.",
        "Gates",
        ("models/gate_gradients.py", "apps/writer_training.py"),
        "tests/models/test_gates.py",
    ),
    _writer(
        "Memory",
        "Gates decide what is stored: LSTM, GRU, MGU.",
        "Gates",
        ("models/recurrent.py", "models/gates.py"),
        "tests/models/test_gates.py",
    ),
)
_GENERATION = (
    _writer(
        "RNN generation",
        "Outputs are copied back as the next input.",
        "Unrolled",
        ("models/lm_generator.py", "apps/writer_view.py"),
        "tests/apps/test_writer.py",
    ),
    _writer(
        "Generating from a language model",
        "A weighted die with a side for each token.",
        "Write",
        ("models/lm_generator.py", "apps/writer_chances.py", "apps/writer.py"),
        "tests/apps/test_writer.py",
    ),
    _writer(
        "Sequence completion",
        "Next token prediction: targets are shifted inputs.",
        "Unrolled",
        ("data_prep/streams.py", "models/lm_scoring.py", "apps/writer_view.py"),
        "tests/apps/test_writer.py",
    ),
    _writer(
        "Sampling from an RNN-LM",
        "Which one is Shakespeare, and what is copied?",
        "Quiz",
        ("apps/writer_quiz.py", "apps/copies.py", "data_prep/copy_index.py"),
        "tests/apps/test_writer.py",
        "tests/apps/test_copies.py",
        "tests/data_prep/test_copy_index.py",
    ),
)
_WORD2VEC = (
    _word2vec(
        "Masked token prediction", "The quick brown fox [???] over the lazy dog.", "models/word2vec.py"
    ),
    _word2vec("First layer", "z: the sum or mean of the vectors in the window.", "models/word2vec.py"),
    _word2vec("Second layer", "z is the query; the rows of V are the keys.", "models/word2vec.py"),
    _word2vec("Reminder: dot product", "Large where directions agree and norms are large."),
    _word2vec("Attention", "Softmax over dot products finds the matching keys."),
    _word2vec(
        "SGD step", "Pull the masked word to the query, push the rest away.", "models/word2vec_steps.py"
    ),
    Topic(
        "Approximations to make it fast",
        "Negative sampling, hierarchical softmax, blocks.",
        "vectors",
        ("models/word2vec.py", "models/word2vec_steps.py", "benchmarks/word2vec_vs_gensim.py"),
        ("tests/models/test_word2vec.py",),
        {"section": "Benchmark"},
    ),
    Topic(
        "Using embeddings",
        "A proxy task leaves vectors that serve another task.",
        "vectors",
        ("apps/vectors.py", "apps/vectors_evaluation.py", "data_prep/embeddings.py"),
        ("tests/apps/test_vectors.py",),
        {"section": "Scores"},
    ),
)

PARTS = (
    Part("tensors", "Tensors", _TENSORS),
    Part("convolution", "Convolution", _CONVOLUTION),
    Part("pooling", "Pooling", _POOLING),
    Part("shapes", "Channels and shapes", _SHAPES),
    Part("network", "A whole network", _NETWORK),
    Part("tokens", "Sequences and tokens", _TOKENS),
    Part("tasks", "Tasks on sequences", _TASKS),
    Part("recurrent", "Recurrent networks", _RECURRENT),
    Part("generation", "Generation", _GENERATION),
    Part("word2vec", "Word2vec", _WORD2VEC),
)


def topics() -> tuple[Topic, ...]:
    """List every topic in the order of the slides.

    Returns:
        All topics of all parts.
    """
    return tuple(topic for part in PARTS for topic in part.topics)


def built_topics() -> tuple[Topic, ...]:
    """List the topics that a page of this checkout shows.

    Returns:
        The topics whose page exists, in the order of the slides.
    """
    return tuple(topic for topic in topics() if topic.built)
