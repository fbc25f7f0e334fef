"""The registry of data sets: where each comes from, what it must hold, and where it lies on this machine.

A set is looked for in the folder that ``LECTERN_DATA_DIR`` names, then in the user's cache folder, and is
downloaded from its publisher as the last resort.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from data_prep.downloads import download, unzip_member
from data_prep.errors import InputError

DATA_DIR_VARIABLE = "LECTERN_DATA_DIR"

_WIKI_PARTS = 8


@dataclass(frozen=True)
class DataFile:
    """One file of a set.

    Args:
        name: Its name in the set's folder, as downloaded.
        url: Where the publisher serves it; None if nobody serves this very file.
        checksum: ``sha256:...`` or ``md5:...`` of what the URL serves.
        max_bytes: A download beyond it is refused.
        other_names: Further names under which it may lie in a data folder (a compressed copy).
        member: The file of the downloaded zip archive that becomes ``name``.
        member_bytes: Size of that member.
        accept: Media type that the server is asked for.
    """

    name: str
    url: str | None = None
    checksum: str | None = None
    max_bytes: int = 0
    other_names: tuple[str, ...] = ()
    member: str | None = None
    member_bytes: int = 0
    accept: str = "*/*"


@dataclass(frozen=True)
class Dataset:
    """One data set.

    Args:
        name: Its name here and its folder's name.
        files: The files by part.
        homepage: The publisher's page.
        licence: What may be done with it.
        citation: What to cite.
        counts: What a reader must find and assert.
        note: What to know before use.
    """

    name: str
    files: Mapping[str, DataFile]
    homepage: str
    licence: str
    citation: str
    counts: Mapping[str, int]
    note: str = ""


def locate(name: str) -> Path:
    """Find a data set, downloading it if need be.

    Args:
        name: A name of ``DATASETS``.

    Returns:
        The file of a set of one file, the folder of a set of several.

    Raises:
        InputError: If the name is unknown, ``LECTERN_DATA_DIR`` is not a folder, or the set is nowhere and
            cannot be downloaded; nothing half-done is left behind.
    """
    paths = list(locate_files(name).values())
    return paths[0] if len(paths) == 1 else paths[0].parent


def locate_files(name: str) -> dict[str, Path]:
    """Find the files of a data set by part, downloading them if need be.

    Args:
        name: A name of ``DATASETS``.

    Returns:
        The path of each part (``train``, ``dev``, ...); a compressed copy counts too.

    Raises:
        InputError: As ``locate``.
    """
    if name not in DATASETS:
        raise InputError("There is no such data set", allowed=", ".join(DATASETS), received=name)
    dataset = DATASETS[name]
    cache = _cache_dir() / name
    for folder in (*_data_dirs(name), cache):
        found = _present(dataset, folder)
        if found is not None:
            return found
    if any(file.url is None for file in dataset.files.values()):
        raise InputError(
            f"The data set {name} is not on this machine and nobody serves it",
            allowed=f"a folder {name} in the folder that {DATA_DIR_VARIABLE} names",
            remedy=dataset.note or None,
        )
    for file in dataset.files.values():
        _download(dataset, file, cache / file.name)
    return {part: cache / file.name for part, file in dataset.files.items()}


def at_hand(name: str) -> bool:
    """Say whether a data set, a name of ``DATASETS``, is on this machine already; nothing is downloaded."""
    folders = (*_data_dirs(name), _cache_dir() / name)
    return any(_present(DATASETS[name], folder) is not None for folder in folders)


def _data_dirs(name: str) -> list[Path]:
    value = os.environ.get(DATA_DIR_VARIABLE)
    if not value:
        return []
    if not Path(value).is_dir():
        raise InputError(
            f"{DATA_DIR_VARIABLE} does not name a folder", allowed="an existing folder", received=value
        )
    return [Path(value) / name]


def _cache_dir() -> Path:
    import platformdirs  # here, so that importing this module stays cheap

    return Path(platformdirs.user_cache_dir("lectern")) / "data"


def _present(dataset: Dataset, folder: Path) -> dict[str, Path] | None:
    found = {}
    for part, file in dataset.files.items():
        paths = [folder / name for name in (file.name, *file.other_names)]
        existing = next((path for path in paths if path.is_file()), None)
        if existing is None:
            return None
        found[part] = existing
    return found


def _download(dataset: Dataset, file: DataFile, target: Path) -> None:
    """Bring one file to its place in the cache, whole and checked, or leave nothing."""
    remedy = (
        f"Try again, or get it from {dataset.homepage}, put it into a folder {dataset.name} "
        f"and set {DATA_DIR_VARIABLE} to the folder above"
    )
    if target.is_file():
        return
    if file.member is None:
        download(file.url, target, file.checksum, file.max_bytes, accept=file.accept, remedy=remedy)
        return
    archive = target.with_name(f"{target.name}.zip")
    download(file.url, archive, file.checksum, file.max_bytes, accept=file.accept, remedy=remedy)
    try:
        unzip_member(archive, file.member, target, file.member_bytes)
    finally:
        archive.unlink()


def _ewt(part: str, blob: str, sha256: str) -> DataFile:
    # Addressed by the content's git id: releases of the treebank keep changing the files at one path.
    return DataFile(
        f"en_ewt-ud-{part}.conllu",
        f"https://api.github.com/repos/UniversalDependencies/UD_English-EWT/git/blobs/{blob}",
        f"sha256:{sha256}",
        20_000_000,
        other_names=(f"en_ewt-ud-{part}.conllu.gz",),
        accept="application/vnd.github.raw+json",
    )


_REGISTRY = (
    Dataset(
        "mnist",
        {
            "all": DataFile(
                "mnist.npz",
                "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
                "sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
                12_000_000,
            )
        },
        "https://keras.io/api/datasets/mnist/",
        "CC BY-SA 3.0",
        "Y. LeCun, C. Cortes, C. Burges: The MNIST database of handwritten digits",
        {"train_images": 60_000, "test_images": 10_000, "height": 28, "width": 28},
        "MD5 of the training images as an IDX file, original order: 6bbc9ace898e44ae57da46a324031adb",
    ),
    Dataset(
        "ud_english_ewt",
        {
            "train": _ewt(
                "train",
                "34731d23bafeeff233fdcee18ffc0254b1aa0e28",
                "3fb78e2b55482c8ee00caa653af436c88c9e5bc9a73ce26e4ae3ddc79d2b7e7b",
            ),
            "dev": _ewt(
                "dev",
                "a994b6990643429070ecc6e236d26ad6a04bfefb",
                "531a54ff90d6ab12201c5a50c3e78e6ddac4de69abc4bce5d275d3cd29efe2b6",
            ),
            "test": _ewt(
                "test",
                "c59667960ae967636606f47bc35f132a5557ad39",
                "e266e515a0a7547657ed3d90d9ba46487d6bd251f27ad4269d4e8a427c8555cd",
            ),
        },
        "https://github.com/UniversalDependencies/UD_English-EWT",
        "CC BY-SA 4.0",
        "N. Silveira et al.: A gold standard dependency corpus for English, LREC 2014",
        {
            "train_sentences": 12_544,
            "dev_sentences": 2_001,
            "test_sentences": 2_077,
            "train_words": 204_577,
            "dev_words": 25_147,
            "test_words": 25_094,
        },
    ),
    Dataset(
        "tinyshakespeare",
        {
            "all": DataFile(
                "input.txt",
                "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
                "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
                1_115_394,
            )
        },
        "https://github.com/karpathy/char-rnn",
        "public domain text",
        "A. Karpathy: char-rnn, 2015",
        {"characters": 1_115_394, "different_characters": 65},
    ),
    Dataset(
        "ocr_letters",
        {
            "all": DataFile(
                "letter.data.gz",
                "https://ai.stanford.edu/~btaskar/ocr/letter.data.gz",
                None,
                3_000_000,
                other_names=("letter.data",),
            )
        },
        "https://ai.stanford.edu/~btaskar/ocr/",
        "offered for research; collected by Rob Kassel (MIT), prepared by Ben Taskar (Stanford)",
        "B. Taskar, C. Guestrin, D. Koller: Max-margin Markov networks, NIPS 2003",
        {"letters": 52_152, "words": 6_877, "different_words": 55, "folds": 10},
        "The publisher gives no checksum: the reader's counts are the check",
    ),
    Dataset(
        "imdb",
        {
            "all": DataFile(
                "aclImdb_v1.tar.gz",
                "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
                "md5:7c2ac02c03563afcf9b574c7e56c153a",
                100_000_000,
            )
        },
        "https://ai.stanford.edu/~amaas/data/sentiment/",
        "offered for research; the reviews are their authors'",
        "A. Maas et al.: Learning word vectors for sentiment analysis, ACL 2011",
        {"train_reviews": 25_000, "test_reviews": 25_000, "unlabelled_reviews": 50_000},
    ),
    Dataset(
        "bbc",
        {
            "all": DataFile(
                "bbc-fulltext.zip",
                "https://mlg.ucd.ie/files/datasets/bbc-fulltext.zip",
                "sha256:a351031a62325b3d7ff13146eeb035c22feca8290913b5183d1ff3be35109495",
                4_000_000,
            )
        },
        "http://mlg.ucd.ie/datasets/bbc.html",
        "research use; the articles are (c) BBC",
        "D. Greene, P. Cunningham: Practical solutions to the problem of diagonal dominance in kernel "
        "document clustering, ICML 2006",
        {
            "business": 510,
            "entertainment": 386,
            "politics": 417,
            "sport": 511,
            "tech": 401,
            "articles": 2_225,
        },
    ),
    Dataset(
        "wiki",
        {f"{part:02d}": DataFile(f"wiki-{part:02d}.txt.gz") for part in range(_WIKI_PARTS)},
        "https://en.wikipedia.org/wiki/Wikipedia:Database_download",
        "CC BY-SA 3.0",
        "Wikipedia, articles of 2014",
        {"lines": 522_251, "tokens": 29_999_563},
        "Use the data set text8, Wikipedia too, which is downloaded, or a text of your own. "
        "Tokens are counted as [A-Za-z]+|[0-9]+",
    ),
    Dataset(
        "text8",
        {
            "all": DataFile(
                "text8",
                "https://mattmahoney.net/dc/text8.zip",
                "sha256:a6640522afe85d1963ad56c05b0ede0a0c000dddc9671758a6cc09b7a38e5232",
                31_344_016,
                other_names=("text8.gz",),
                member="text8",
                member_bytes=100_000_000,
            )
        },
        "https://mattmahoney.net/dc/textdata.html",
        "CC BY-SA 3.0 (text of Wikipedia)",
        "M. Mahoney: About the test data, 2011",
        {"characters": 100_000_000, "tokens": 17_005_207},
        "One line of lower-case words without punctuation",
    ),
    Dataset(
        "enwik9",
        {
            "all": DataFile(
                "enwik9",
                "https://mattmahoney.net/dc/enwik9.zip",
                "sha256:99cdb5ac84392252d3f0912ccedd195bc95bd80cbef3b0cdf2eee4ad9a3b7a51",
                350_000_000,
                other_names=("enwik9.gz",),
                member="enwik9",
                member_bytes=1_000_000_000,
            )
        },
        "https://mattmahoney.net/dc/textdata.html",
        "CC BY-SA 3.0 (text of Wikipedia)",
        "M. Mahoney: About the test data, 2011",
        {"bytes": 1_000_000_000, "lines": 13_147_026},
        "Raw XML of Wikipedia, markup included",
    ),
)

DATASETS: Mapping[str, Dataset] = MappingProxyType({dataset.name: dataset for dataset in _REGISTRY})
